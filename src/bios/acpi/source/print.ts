/** Data tables as text, one field a line, that `assemble.ts` turns back into the same bytes. */
import { TABLE_HEADER_LENGTH } from '../../../aml/table-header.ts';
import { viewOf } from '../../../shared/bytes.ts';
import { byteSum } from '../../../shared/checksum.ts';
import type { Field, Fields, Layout } from '../../layout.ts';
import { TABLE_FORMS, tableEntries } from '../describe.ts';
import { TABLE_HEADER } from '../header.ts';
import { EXTRA_FORMS } from './extra-forms.ts';

/** Tables without a checksum of their own in byte 9. */
const UNSEALED = new Set(['FACS']);

/** A stretch of the table under one name. */
interface Piece {
  readonly offset: number;
  readonly byteLength: number;
  readonly name: string;
  readonly kind: 'number' | 'ascii' | 'bytes';
  readonly flags?: Readonly<Record<string, number>>;
}

/** A comment line in front of what starts at `offset`. */
interface Heading {
  readonly offset: number;
  readonly text: string;
}

/**
 * The text of `table`. Every byte stands in exactly one line; what no layout names is hexadecimal. A length or checksum that is
 * not as it should be is kept by the annotation `@as-written`.
 */
export function printDataTable(table: Uint8Array, file?: string): string {
  const signature = String.fromCharCode(...table.subarray(0, 4));
  const { pieces, headings } = dissect(signature, table);
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

function dissect(signature: string, table: Uint8Array): { pieces: Piece[]; headings: Heading[] } {
  const form = TABLE_FORMS[signature] ?? EXTRA_FORMS[signature];
  const named = piecesOf(form?.fixed ?? TABLE_HEADER, 0);
  const headings: Heading[] = [];
  for (const { layout, offset, bytes } of tableEntries(signature, table)) {
    headings.push({ offset, text: layout?.name ?? `type ${bytes[0]}` });
    if (layout)
      named.push(
        ...piecesOf(layout, offset).filter((piece) => piece.offset + piece.byteLength <= offset + bytes.length),
      );
  }
  const marks = [...headings.map(({ offset }) => offset), table.length];
  return {
    pieces: covering(
      named.filter((piece) => piece.offset + piece.byteLength <= table.length),
      marks,
    ),
    headings,
  };
}

/** `named` in order with rows of bytes between them; no row crosses a mark. */
function covering(named: readonly Piece[], marks: readonly number[]): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  const fill = (end: number) => {
    while (at < end) {
      const mark = marks.find((offset) => offset > at) ?? end;
      const byteLength = Math.min(16, end - at, mark - at);
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
  fill(marks[marks.length - 1]);
  return pieces;
}

function piecesOf(layout: Layout<Fields>, at: number): Piece[] {
  return Object.entries(layout.fields).flatMap(([name, field]) => piecesOfField(name, field, at + field.offset));
}

const ADDRESS_PARTS = ['SPACE', 'BIT_WIDTH', 'BIT_OFFSET', 'ACCESS_SIZE'] as const;

function piecesOfField(name: string, field: Field, offset: number): Piece[] {
  if (field.kind !== 'gas')
    return [{ offset, byteLength: field.byteLength, name, kind: field.kind, flags: field.flags }];
  return [
    ...ADDRESS_PARTS.map(
      (part, index): Piece => ({ offset: offset + index, byteLength: 1, name: `${name}.${part}`, kind: 'number' }),
    ),
    { offset: offset + 4, byteLength: 8, name: `${name}.ADDRESS`, kind: 'number' },
  ];
}

function valueText({ offset, byteLength, kind, flags }: Piece, table: Uint8Array): string {
  const bytes = table.subarray(offset, offset + byteLength);
  if (kind === 'number' && byteLength <= 8) {
    let value = 0n;
    for (let index = byteLength - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index]);
    const set = Object.entries(flags ?? {}).filter(([, bit]) => (value >> BigInt(bit)) & 1n);
    const note = set.length === 0 ? '' : `  // ${set.map(([flag]) => flag).join(' ')}`;
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
