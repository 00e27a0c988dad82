import { decodeTableHeader, encodeTable, TABLE_HEADER_LENGTH, type TableIdentity } from '../../../aml/table-header.ts';
import { UserError } from '../../../shared/errors.ts';
import { FADT } from '../fadt.ts';
import { type AcpiTable, type OemIdentity, paddedOem, type TablePointer } from '../header.ts';
import type { AcpiTableOption } from './option.ts';

/** An option and the bytes of its sources, joined. */
export interface AcpiTableInput {
  readonly option: AcpiTableOption;
  readonly bytes: Uint8Array;
}

export interface AppliedTables {
  readonly tables: readonly AcpiTable[];
  /** OEM ids of a SLIC: Windows compares them with those of the RSDT, the XSDT and the FADT. */
  readonly slicOem?: Pick<OemIdentity, 'oemId' | 'oemTableId'>;
  /** Sentences for people: lengths that were put right and the like. */
  readonly warnings: readonly string[];
}

/** Made from the others and by this toolkit only. */
const ROOT_SIGNATURES: ReadonlySet<string> = new Set(['RSDT', 'XSDT', 'RSD ']);
/** The header of a table that comes as a body without any word on its header, as QEMU has it. */
const DEFAULT_HEADER: Required<TableIdentity> = {
  signature: 'QEMU',
  revision: 1,
  oemId: 'QEMUQE',
  oemTableId: 'QEMUQEMU',
  oemRevision: 1,
  creatorId: 'QEMU',
  creatorRevision: 1,
};

/**
 * The board's tables after the options, in order.
 * @throws UserError ACPITABLE_LENGTH, ACPITABLE_ROOT, ACPITABLE_MISSING
 */
export function applyAcpiTables(board: readonly AcpiTable[], inputs: readonly AcpiTableInput[]): AppliedTables {
  const warnings: string[] = [];
  let tables = [...board];
  for (const { option, bytes } of inputs) {
    const { action } = option;
    if (action.kind !== 'add') requirePresent(tables, option, action.signature);
    if (action.kind === 'delete') {
      tables = tables.filter(({ signature }) => signature !== action.signature);
      continue;
    }
    const table = userTable(option, bytes, warnings);
    if (action.kind === 'add') tables.push(table);
    else {
      const place = tables.findIndex(({ signature }) => signature === action.signature);
      tables = tables.filter(({ signature }) => signature !== action.signature);
      tables.splice(place, 0, table);
    }
  }
  return { tables: withTargets(withIds(tables)), slicOem: slicOemOf(tables), warnings };
}

function requirePresent(tables: readonly AcpiTable[], option: AcpiTableOption, signature: string): void {
  if (tables.some((table) => table.signature === signature)) return;
  const present = [...new Set(tables.map((table) => table.signature))].join(', ');
  throw new UserError('ACPITABLE_MISSING', `the board has no ${signature} to change`, {
    place: { file: `--acpitable ${option.text}` },
    mend: `name one of ${present}, or add the table without replace= and delete=`,
  });
}

function userTable(option: AcpiTableOption, content: Uint8Array, warnings: string[]): AcpiTable {
  const place = { file: option.sources.join(':') };
  if (option.hasHeader && String.fromCharCode(...content.subarray(0, 4)) === 'FACS') return userFacs(content, place);
  const header = option.hasHeader ? decodeTableHeader(content) : DEFAULT_HEADER;
  if (!header) {
    throw new UserError('ACPITABLE_LENGTH', `the table has ${content.length} bytes, a header alone has 36`, {
      place,
      mend: 'hand over the whole table with file=, or its body without header with data=',
    });
  }
  if (option.hasHeader) checkLength((header as { length?: number }).length!, content.length, place, warnings);
  const identity: TableIdentity = { ...headerAsWritten(header, content, option.hasHeader), ...option.header };
  const signature = identity.signature;
  if (ROOT_SIGNATURES.has(signature)) {
    throw new UserError('ACPITABLE_ROOT', `a ${signature} lists the other tables and is made by the toolkit`, {
      place,
      mend: 'hand over the tables that it should list',
    });
  }
  const bytes = encodeTable(identity, option.hasHeader ? content.subarray(TABLE_HEADER_LENGTH) : content);
  return { id: signature, signature, bytes, pointers: signature === 'FACP' ? fadtPointers(bytes) : [] };
}

/** Longer than the file says: the file is cut short. Shorter: bytes follow the table, which become part of it, as in QEMU. */
function checkLength(stated: number, actual: number, place: { file: string }, warnings: string[]): void {
  if (stated === actual) return;
  if (stated < actual && stated >= TABLE_HEADER_LENGTH) {
    warnings.push(`${place.file}: the header says ${stated} bytes, the file has ${actual}; the header was put right`);
    return;
  }
  throw new UserError('ACPITABLE_LENGTH', `the header says ${stated} bytes, the file has ${actual}`, {
    place: { ...place, offset: 4 },
    mend: 'dump the table again, or put the length right (four bytes at offset 4)',
  });
}

/** Header fields with the padding that they have in the file. */
function headerAsWritten(header: TableIdentity, content: Uint8Array, hasHeader: boolean): TableIdentity {
  if (!hasHeader) return { ...header, ...paddedOem(header as OemIdentity) };
  const text = (offset: number, length: number) => String.fromCharCode(...content.subarray(offset, offset + length));
  return { ...header, oemId: text(10, 6), oemTableId: text(16, 8), creatorId: text(28, 4) };
}

/** The FACS has a length and no header beyond it. */
function userFacs(content: Uint8Array, place: { file: string }): AcpiTable {
  const minimum = 64;
  if (content.length < minimum) {
    throw new UserError('ACPITABLE_LENGTH', `the FACS has ${content.length} bytes instead of ${minimum}`, {
      place,
      mend: 'dump the table again',
    });
  }
  return { id: 'FACS', signature: 'FACS', bytes: content, pointers: [] };
}

/** The pointer fields that a FADT of this length has. What stood in them belongs to another machine. */
function fadtPointers(bytes: Uint8Array): TablePointer[] {
  const { FIRMWARE_CTRL, DSDT, X_FIRMWARE_CTRL, X_DSDT } = FADT.fields;
  const pointers: TablePointer[] = [
    { offset: FIRMWARE_CTRL.offset, size: 4, target: 'FACS' },
    { offset: DSDT.offset, size: 4, target: 'DSDT' },
    { offset: X_FIRMWARE_CTRL.offset, size: 8, target: 'FACS' },
    { offset: X_DSDT.offset, size: 8, target: 'DSDT' },
  ];
  return pointers.filter(({ offset, size }) => offset + size <= bytes.length);
}

/** Ids by signature, numbered from the second on. */
function withIds(tables: readonly AcpiTable[]): AcpiTable[] {
  const counts = new Map<string, number>();
  return tables.map((table) => {
    const count = (counts.get(table.signature) ?? 0) + 1;
    counts.set(table.signature, count);
    return { ...table, id: count === 1 ? table.signature : `${table.signature}.${count}` };
  });
}

/** Drops pointers to tables that are gone; their fields become 0. */
function withTargets(tables: readonly AcpiTable[]): AcpiTable[] {
  const ids = new Set(tables.map(({ id }) => id));
  return tables.map((table) => {
    const lost = table.pointers.filter(({ target }) => !ids.has(target));
    if (lost.length === 0) return table;
    const bytes = table.bytes.slice();
    for (const { offset, size } of lost) bytes.fill(0, offset, offset + size);
    return { ...table, bytes, pointers: table.pointers.filter(({ target }) => ids.has(target)) };
  });
}

function slicOemOf(tables: readonly AcpiTable[]): AppliedTables['slicOem'] {
  const slic = tables.find(({ signature }) => signature === 'SLIC');
  if (!slic) return undefined;
  const text = (offset: number, length: number) => String.fromCharCode(...slic.bytes.subarray(offset, offset + length));
  return { oemId: text(10, 6), oemTableId: text(16, 8) };
}
