import { ascii, bytes, type Field, type Fields, gas, type Layout, layout } from '../../layout.ts';
import { tableLayout } from '../header.ts';

/**
 * What a table holds, as data: fields, and the structures that follow them, which have forms of their own. The printer of the text, its
 * comparison with iasl's, `acpi show`, `acpi diff` and the checks walk the same rows.
 */
export interface Form {
  readonly layout: Layout<Fields>;
  /** What stands behind the fields, in order. */
  readonly follows: readonly Follow[];
}

/** A number inside of a structure. */
export interface Word {
  readonly offset: number;
  readonly byteLength: 1 | 2 | 4;
  /** Bits that count; all of them unless stated. */
  readonly mask?: number;
}

/** Forms by the number in each structure; `other` of the numbers that are not there. */
export interface FormsByType {
  readonly type: Word;
  readonly forms: ReadonlyMap<number, Form>;
  readonly other?: Form;
}

/** Bytes of the structure that begins at `offset`; 0 when it cannot be told. */
export type LengthOf = (table: Uint8Array, offset: number) => number;

export type Follow =
  /** Structures up to the end, or as many as the field `count` says. One form, or one by the number in each. */
  | {
      readonly kind: 'list';
      readonly form: Form | FormsByType;
      readonly length: LengthOf;
      readonly count?: string;
    }
  /** A structure whose length the field `length` states. */
  | { readonly kind: 'sized'; readonly form: Form; readonly length: string }
  /** Structures at the offset, from the start of the structure, that the field `at` states, in as many bytes or as many as stated. */
  | {
      readonly kind: 'listAt';
      readonly form: Form;
      readonly at: string;
      readonly count?: string;
      readonly length?: string;
    }
  /** Text or bytes at the offset in the field `at`, as long as the field `length` says. */
  | {
      readonly kind: 'fieldAt';
      readonly name: string;
      readonly as: 'ascii' | 'bytes';
      readonly at: string;
      readonly length: string;
    }
  /** Rows of as many bytes as the field `size` says, as many of them. */
  | { readonly kind: 'matrix'; readonly name: string; readonly size: string }
  /** Everything up to the end. */
  | { readonly kind: 'rest'; readonly name: string; readonly as: 'ascii' | 'bytes' };

/** A field's bytes; numbers have 1, 2, 4 or 8 of them, anything else is bytes. */
type FieldSize = number | { readonly field: (offset: number) => Field };

/** Bits with names. */
export const flags = (byteLength: 1 | 2 | 4 | 8, names: Readonly<Record<string, number>>): FieldSize => ({
  field: (offset) => ({ kind: 'number', offset, byteLength, flags: names }),
});
export const address: FieldSize = { field: gas };
export const text = (byteLength: number): FieldSize => ({ field: (offset) => ascii(offset, byteLength) });
export const raw = (byteLength: number): FieldSize => ({ field: (offset) => bytes(offset, byteLength) });

/** Fields one behind the other, from `start`. */
function inSequence(rows: Readonly<Record<string, FieldSize>>, start: number): Fields {
  let offset = start;
  const fields: Record<string, Field> = {};
  for (const [name, size] of Object.entries(rows)) {
    const field = typeof size === 'number' ? plainField(offset, size) : size.field(offset);
    fields[name] = field;
    offset += field.byteLength;
  }
  return fields;
}

function plainField(offset: number, byteLength: number): Field {
  const isNumber = byteLength === 1 || byteLength === 2 || byteLength === 4 || byteLength === 8;
  return isNumber ? { kind: 'number', offset, byteLength } : bytes(offset, byteLength);
}

const HEADER_BYTES = 36;

/** A table: `rows` stand behind the common header. */
export const table = (
  name: string,
  rows: Readonly<Record<string, FieldSize>>,
  ...follows: readonly Follow[]
): Form => ({
  layout: tableLayout(name, inSequence(rows, HEADER_BYTES)),
  follows,
});

/** A structure inside of a table. */
export const structure = (
  name: string,
  rows: Readonly<Record<string, FieldSize>>,
  ...follows: readonly Follow[]
): Form => ({ layout: layout(name, inSequence(rows, 0)), follows });

/** A structure or table that a builder declares. */
export const formOf = (target: Layout<Fields>, ...follows: readonly Follow[]): Form => ({ layout: target, follows });

export function readWord(table: Uint8Array, at: number, { offset, byteLength, mask = 0xffff_ffff }: Word): number {
  let value = 0;
  for (let index = byteLength - 1; index >= 0; index--) value = value * 256 + (table[at + offset + index] ?? 0);
  return mask === 0xffff_ffff ? value : value & mask;
}

export const byteAt = (offset: number, mask?: number): Word => ({
  offset,
  byteLength: 1,
  ...(mask !== undefined && { mask }),
});
export const wordAt = (offset: number): Word => ({ offset, byteLength: 2 });
export const dwordAt = (offset: number): Word => ({ offset, byteLength: 4 });

const statedBy =
  (word: Word): LengthOf =>
  (table, offset) =>
    readWord(table, offset, word);

/** Structures of several types; each says its type and its length. */
export function typed(
  type: Word,
  length: Word | LengthOf,
  forms: Readonly<Record<number, Form>>,
  options: { readonly count?: string; readonly other?: Form } = {},
): Follow {
  const isStated = typeof length !== 'function';
  const other = options.other ?? (isStated ? unknownForm(type, length) : undefined);
  return {
    kind: 'list',
    form: {
      type,
      forms: new Map(Object.entries(forms).map(([key, form]) => [Number(key), form])),
      ...(other && { other }),
    },
    length: isStated ? statedBy(length) : length,
    ...(options.count !== undefined && { count: options.count }),
  };
}

/** Type, length and bytes. */
function unknownForm(type: Word, length: Word): Form {
  const number = ({ offset, byteLength }: Word): Field => ({ kind: 'number', offset, byteLength });
  return formOf(layout('Structure', { TYPE: number(type), LENGTH: number(length) }), rest('DATA'));
}

/** Equal structures, up to the end or as many as the field `count` says; `length` where each states its own. */
export const list = (form: Form, options: { count?: string; length?: Word } = {}): Follow => ({
  kind: 'list',
  form,
  length: options.length ? statedBy(options.length) : () => form.layout.byteLength,
  ...(options.count !== undefined && { count: options.count }),
});

export const rest = (name: string, as: 'ascii' | 'bytes' = 'bytes'): Follow => ({ kind: 'rest', name, as });
