import { decodeTableHeader, TABLE_HEADER_LENGTH } from '../../../aml/table-header.ts';
import { viewOf } from '../../../shared/bytes.ts';
import { UserError } from '../../../shared/errors.ts';
import { CPIO_MAGIC, decodeCpio } from '../../boot/cpio.ts';
import { isAcpidumpText, parseAcpidumpText } from './acpidump-text.ts';

/** A table of a machine, out of a dump. */
export interface DumpTable {
  /** As acpixtract names files: `dsdt`, `ssdt1` … */
  readonly name: string;
  readonly signature: string;
  readonly bytes: Uint8Array;
  /** Where the firmware had it, when the dump says. */
  readonly address?: bigint;
  /** For messages: the file it came from. */
  readonly file: string;
}

/** A file that may hold tables: text of acpidump, one or several raw tables, an initrd with tables. */
export interface DumpFile {
  readonly file: string;
  readonly bytes: Uint8Array;
}

const SIGNATURE = /^[A-Z]{3}[A-Z0-9!]$|^[A-Z0-9_]{4}$/;
/** A FACS has a signature and a length, no more. */
const FACS_LENGTH_OFFSET = 4;

const signatureAt = (bytes: Uint8Array, offset: number): string =>
  String.fromCharCode(...bytes.subarray(offset, offset + 4));

/** Files without tables in them give none. The DSDT comes first, then the SSDTs, then the others by name. */
export function readTableSet(files: readonly DumpFile[]): DumpTable[] {
  const found = files.flatMap(({ file, bytes }) => tablesIn(bytes).map((table) => ({ ...table, file })));
  return nameTables(found.filter(({ signature }) => signature !== 'RSDT' && signature !== 'XSDT'));
}

type Found = Omit<DumpTable, 'name' | 'file'>;

function tablesIn(bytes: Uint8Array): Found[] {
  if (signatureAt(bytes, 0) + signatureAt(bytes, 4).slice(0, 2) === CPIO_MAGIC) {
    return decodeCpio(bytes).flatMap(({ data }) => (data ? rawTables(data) : []));
  }
  if (isAcpidumpText(bytes)) return parseAcpidumpText(bytes).filter(({ bytes: table }) => looksLikeTable(table, 0));
  return rawTables(bytes);
}

function looksLikeTable(bytes: Uint8Array, offset: number): boolean {
  if (offset + 8 > bytes.length || !SIGNATURE.test(signatureAt(bytes, offset))) return false;
  const length = viewOf(bytes).getUint32(offset + FACS_LENGTH_OFFSET, true);
  if (signatureAt(bytes, offset) === 'FACS') return length >= 64;
  return length >= TABLE_HEADER_LENGTH && bytes.length - offset >= TABLE_HEADER_LENGTH;
}

/** One table, or several end to end. A table that states more than is there is kept as it is: the checks say so. */
function rawTables(bytes: Uint8Array): Found[] {
  const tables: Found[] = [];
  for (let offset = 0; looksLikeTable(bytes, offset); ) {
    const length = Math.min(viewOf(bytes).getUint32(offset + FACS_LENGTH_OFFSET, true), bytes.length - offset);
    const next = looksLikeTable(bytes, offset + length) ? offset + length : bytes.length;
    tables.push({ signature: signatureAt(bytes, offset), bytes: bytes.subarray(offset, next) });
    offset = next;
  }
  return tables;
}

const rank = ({ signature }: { readonly signature: string }): number =>
  signature === 'DSDT' ? 0 : signature === 'SSDT' ? 1 : 2;

/** Names as acpixtract gives them, in the order of `readTableSet`. */
export function nameTables(found: readonly Omit<DumpTable, 'name'>[]): DumpTable[] {
  const sorted = [...found].sort((left, right) => rank(left) - rank(right));
  const counts = new Map<string, number>();
  for (const { signature } of sorted) counts.set(signature, (counts.get(signature) ?? 0) + 1);
  const used = new Map<string, number>();
  return sorted.map((table) => {
    const index = (used.get(table.signature) ?? 0) + 1;
    used.set(table.signature, index);
    const base = table.signature.toLowerCase().replaceAll(/[^a-z0-9]/g, '_');
    const numbered = table.signature === 'SSDT' || counts.get(table.signature)! > 1;
    return { ...table, name: numbered ? `${base}${index}` : base };
  });
}

export const isDefinitionBlock = ({ signature }: { readonly signature: string }): boolean =>
  signature === 'DSDT' || signature === 'SSDT' || signature === 'PSDT' || /^OEM[0-9]$/.test(signature);

/** What stays the same when a table is changed: signature and OEM table id. */
export function identityOf({ signature, bytes }: { readonly signature: string; readonly bytes: Uint8Array }): string {
  const header = signature === 'FACS' ? undefined : decodeTableHeader(bytes);
  return header ? `${signature} ${header.oemTableId.trim()}`.trim() : signature;
}

/**
 * The tables that `selector` names: a name (`ssdt3`), a signature, or a signature and OEM table id (`SSDT:PmRef`).
 * @throws UserError TABLE_UNKNOWN
 */
export function selectTables(tables: readonly DumpTable[], selector: string): DumpTable[] {
  const [first, oemTableId] = selector.split(':');
  const found = tables.filter((table) => {
    if (oemTableId !== undefined) return identityOf(table) === `${first.toUpperCase()} ${oemTableId}`;
    return table.name === first.toLowerCase() || table.signature === first.toUpperCase();
  });
  if (found.length > 0) return found;
  throw new UserError('TABLE_UNKNOWN', `the dump has no table '${selector}'`, {
    mend: `name one of ${tables.map((table) => table.name).join(', ')}, a signature, or SIGNATURE:OEMTABLEID`,
  });
}
