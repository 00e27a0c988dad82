import { asciiBytes, viewOf } from '../shared/bytes.ts';

/**
 * Declarative layouts of firmware structures. A table is declared once, field by field; the encoder, the decoder (for the checks and
 * for comparison with other firmware) and the documentation walk the same rows. All fields are little-endian.
 */

/** Generic Address Structure (ACPI 6.5 §5.2.3.2). */
export interface GenericAddress {
  readonly space: number;
  readonly bitWidth: number;
  readonly bitOffset: number;
  /** 0 undefined, 1 byte, 2 word, 3 dword, 4 qword. */
  readonly accessSize: number;
  readonly address: number;
}

export const ADDRESS_SPACES = { MEMORY: 0, IO: 1, PCI_CONFIG: 2 } as const;

interface FieldValues {
  number: number;
  ascii: string;
  bytes: Uint8Array;
  gas: GenericAddress;
}
export type FieldKind = keyof FieldValues;

export interface Field<Kind extends FieldKind = FieldKind> {
  readonly kind: Kind;
  readonly offset: number;
  readonly byteLength: number;
  /** Named bits of a number, by bit number. */
  readonly flags?: Readonly<Record<string, number>>;
}

export type Fields = Readonly<Record<string, Field>>;
export type ValuesOf<F extends Fields> = { -readonly [Name in keyof F]: FieldValues[F[Name]['kind']] };

export interface Layout<F extends Fields = Fields> {
  readonly name: string;
  readonly fields: F;
  /** Bytes of the fixed part. */
  readonly byteLength: number;
}

export type LayoutValues<L> = L extends Layout<infer F> ? ValuesOf<F> : never;

type Flags = Readonly<Record<string, number>>;

function number(offset: number, byteLength: number, flags?: Flags): Field<'number'> {
  return { kind: 'number', offset, byteLength, flags };
}

export const u8 = (offset: number, flags?: Flags): Field<'number'> => number(offset, 1, flags);
export const u16 = (offset: number, flags?: Flags): Field<'number'> => number(offset, 2, flags);
export const u32 = (offset: number, flags?: Flags): Field<'number'> => number(offset, 4, flags);
/** 64 bits; a value above 2^53 is rounded when decoded (no address on this machine is as high). */
export const u64 = (offset: number): Field<'number'> => number(offset, 8);
/** Text, padded with zeros unless the value brings its own padding. */
export const ascii = (offset: number, byteLength: number): Field<'ascii'> => ({ kind: 'ascii', offset, byteLength });
export const bytes = (offset: number, byteLength: number): Field<'bytes'> => ({ kind: 'bytes', offset, byteLength });
export const gas = (offset: number): Field<'gas'> => ({ kind: 'gas', offset, byteLength: 12 });

/** Declares a structure. Throws on overlap: a mistake in a table of this source, found when it loads. */
export function layout<F extends Fields>(name: string, fields: F, byteLength?: number): Layout<F> {
  let end = 0;
  for (const [fieldName, field] of Object.entries(fields).sort((left, right) => left[1].offset - right[1].offset)) {
    if (field.offset < end) throw new Error(`${name}.${fieldName} overlaps the field before it`);
    end = field.offset + field.byteLength;
  }
  return { name, fields, byteLength: byteLength ?? end };
}

/** The bytes of `values`; fields that are left out are 0. */
export function encodeLayout<F extends Fields>(target: Layout<F>, values: Partial<ValuesOf<F>>): Uint8Array {
  const result = new Uint8Array(target.byteLength);
  for (const [name, field] of Object.entries(target.fields)) {
    const value = values[name as keyof F];
    if (value !== undefined) writeField(result, field, value);
  }
  return result;
}

/** Reads the structure at `at`; fields that lie beyond the end of `source` are missing from the result's own keys as 0 or empty. */
export function decodeLayout<F extends Fields>(target: Layout<F>, source: Uint8Array, at = 0): ValuesOf<F> {
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(target.fields)) values[name] = readField(source, field, at);
  return values as ValuesOf<F>;
}

/** Overwrites one field of an encoded structure. */
export function patchField<F extends Fields, Name extends keyof F>(
  target: Layout<F>,
  image: Uint8Array,
  name: Name,
  value: ValuesOf<F>[Name],
  at = 0,
): void {
  writeField(image.subarray(at), target.fields[name], value);
}

/** The number whose named bits are `names`. */
export function flagBits<Names extends string>(
  flags: Readonly<Record<Names, number>>,
  names: readonly Names[],
): number {
  return names.reduce((value, name) => value + 2 ** flags[name], 0);
}

/** True when the named bit is set in `value`. */
export function hasFlag<Names extends string>(
  flags: Readonly<Record<Names, number>>,
  name: Names,
  value: number,
): boolean {
  return Math.floor(value / 2 ** flags[name]) % 2 === 1;
}

function writeNumber(view: DataView, offset: number, byteLength: number, value: number): void {
  if (byteLength === 1) view.setUint8(offset, value);
  else if (byteLength === 2) view.setUint16(offset, value, true);
  else if (byteLength === 4) view.setUint32(offset, value, true);
  else view.setBigUint64(offset, BigInt(value), true);
}

function readNumber(view: DataView, offset: number, byteLength: number): number {
  if (offset + byteLength > view.byteLength) return 0;
  if (byteLength === 1) return view.getUint8(offset);
  if (byteLength === 2) return view.getUint16(offset, true);
  if (byteLength === 4) return view.getUint32(offset, true);
  return Number(view.getBigUint64(offset, true));
}

function writeField(image: Uint8Array, field: Field, value: unknown): void {
  const view = viewOf(image);
  if (field.kind === 'number') writeNumber(view, field.offset, field.byteLength, value as number);
  else if (field.kind === 'ascii') image.set(asciiBytes(value as string, field.byteLength), field.offset);
  else if (field.kind === 'bytes') image.set((value as Uint8Array).subarray(0, field.byteLength), field.offset);
  else {
    const address = value as GenericAddress;
    image.set([address.space, address.bitWidth, address.bitOffset, address.accessSize], field.offset);
    writeNumber(view, field.offset + 4, 8, address.address);
  }
}

function readField(source: Uint8Array, field: Field, at: number): unknown {
  const offset = at + field.offset;
  const view = viewOf(source);
  if (field.kind === 'number') return readNumber(view, offset, field.byteLength);
  if (field.kind === 'bytes') return source.slice(offset, offset + field.byteLength);
  if (field.kind === 'ascii') {
    return String.fromCharCode(...source.subarray(offset, offset + field.byteLength)).replace(/\0+$/, '');
  }
  return {
    space: readNumber(view, offset, 1),
    bitWidth: readNumber(view, offset + 1, 1),
    bitOffset: readNumber(view, offset + 2, 1),
    accessSize: readNumber(view, offset + 3, 1),
    address: readNumber(view, offset + 4, 8),
  };
}
