/** Data tables as text, one field a line, that `assemble.ts` turns back into the same bytes. */
import { TABLE_HEADER_LENGTH } from '../../../aml/table-header.ts';
import { viewOf } from '../../../shared/bytes.ts';
import { byteSum } from '../../../shared/checksum.ts';
import { flagNames, numberOf } from '../describe.ts';
import { type PlacedField, type Section, walkTable } from '../forms/walk.ts';

const ROW_BYTES = 16;
/** Tables without a checksum of their own in byte 9. */
const UNSEALED = new Set(['FACS']);

/** A stretch of the table under one name. */
export interface Piece {
  readonly offset: number;
  readonly byteLength: number;
  readonly name: string;
  readonly kind: 'number' | 'ascii' | 'bytes';
  readonly flags?: Readonly<Record<string, number>>;
}

/** A comment line in front of what starts at `offset`. */
export interface Heading {
  readonly offset: number;
  readonly text: string;
}

/**
 * The text of `table`. Every byte stands in exactly one line; what no layout names is hexadecimal. A length or checksum that is
 * not as it should be is kept by the annotation `@as-written`.
 */
export function printDataTable(table: Uint8Array, file?: string): string {
  const signature = String.fromCharCode(...table.subarray(0, 4));
  const { pieces, headings } = dissect(table);
  const digits = Math.max(3, table.length.toString(16).length);
  const lines: string[] = [`/* ${signature}, ${table.length} bytes${file === undefined ? '' : `, from ${file}`} */`];
  if (!isSealed(signature, table)) lines.push('/*@as-written*/');
  for (const piece of pieces) {
    for (const { offset, text } of headings) if (offset === piece.offset) lines.push('', `// ${text}`);
    const place = `[${piece.offset.toString(16).toUpperCase().padStart(digits, '0')}h ${String(piece.byteLength).padStart(4)}]`;
    lines.push(`${place} ${piece.name.padStart(36)} : ${valueText(piece, table)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** True when assembling would compute the length and checksum that stand there. */
function isSealed(signature: string, table: Uint8Array): boolean {
  if (table.length < TABLE_HEADER_LENGTH || UNSEALED.has(signature)) return false;
  return viewOf(table).getUint32(4, true) === table.length && byteSum(table) === 0;
}

/** The table's fields, and where its structures begin. */
export function dissect(table: Uint8Array): { pieces: Piece[]; headings: Heading[] } {
  const named: Piece[] = [];
  const headings: Heading[] = [];
  const marks: number[] = [];
  const visit = ({ offset, byteLength, fields, sections }: Section, path: string): void => {
    if (path !== '') headings.push({ offset, text: path });
    marks.push(offset, offset + byteLength);
    for (const field of fields) named.push(...piecesOf(field));
    for (const section of sections) visit(section, path === '' ? section.name : `${path}, ${section.name}`);
  };
  visit(walkTable(table), '');
  return {
    pieces: covering(
      named,
      table.length,
      marks.sort((left, right) => left - right),
    ),
    headings,
  };
}

/** `named` in order with rows of bytes between them, up to `total`; no row crosses a mark. */
function covering(named: readonly Piece[], total: number, marks: readonly number[]): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  const fill = (end: number) => {
    while (at < end) {
      const mark = marks.find((offset) => offset > at) ?? end;
      const byteLength = Math.min(ROW_BYTES, end - at, mark - at);
      pieces.push({ offset: at, byteLength, name: '', kind: 'bytes' });
      at += byteLength;
    }
  };
  for (const piece of [...named].sort((left, right) => left.offset - right.offset)) {
    if (piece.offset < at) continue;
    fill(piece.offset);
    pieces.push(piece);
    at = piece.offset + piece.byteLength;
  }
  fill(total);
  return pieces;
}

const ADDRESS_PARTS = ['SPACE', 'BIT_WIDTH', 'BIT_OFFSET', 'ACCESS_SIZE'] as const;

function piecesOf({ name, kind, offset, byteLength, flags }: PlacedField): Piece[] {
  if (kind !== 'gas') return splitBytes({ offset, byteLength, name, kind, ...(flags && { flags }) });
  return [
    ...ADDRESS_PARTS.map(
      (part, index): Piece => ({ offset: offset + index, byteLength: 1, name: `${name}.${part}`, kind: 'number' }),
    ),
    { offset: offset + 4, byteLength: 8, name: `${name}.ADDRESS`, kind: 'number' },
  ];
}

/** Long data in rows. */
function splitBytes(piece: Piece): Piece[] {
  if (piece.kind !== 'bytes' || piece.byteLength <= ROW_BYTES) return [piece];
  const rows: Piece[] = [];
  for (let at = 0; at < piece.byteLength; at += ROW_BYTES) {
    const byteLength = Math.min(ROW_BYTES, piece.byteLength - at);
    rows.push({ ...piece, offset: piece.offset + at, byteLength, name: at === 0 ? piece.name : '' });
  }
  return rows;
}

function valueText({ offset, byteLength, kind, flags }: Piece, table: Uint8Array): string {
  const bytes = table.subarray(offset, offset + byteLength);
  if (kind === 'number' && byteLength <= 8) {
    const value = numberOf(bytes);
    const set = flagNames(value, flags);
    const note = set.length === 0 ? '' : `  // ${set.join(' ')}`;
    return `0x${value
      .toString(16)
      .toUpperCase()
      .padStart(byteLength * 2, '0')}${note}`;
  }
  if (kind === 'ascii') {
    const text = String.fromCharCode(...bytes).replace(/\0+$/, '');
    if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
  }
  const hexadecimal = [...bytes].map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
  const readable = [...bytes].map((byte) => (byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
  return `${hexadecimal}  // ${readable}`;
}
