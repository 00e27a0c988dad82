import { quoted } from '../asl/text.ts';
/**
 * What each resource descriptor's file provides. A descriptor is a plain object with `kind`; the codec frames nothing: tag and
 * length are put around the body by resource-template.ts (ACPI 6.5 §6.4.2 small, §6.4.3 large).
 */
export interface DescriptorCodec<Descriptor extends { readonly kind: string }> {
  readonly kind: Descriptor['kind'];
  /** Small items: the type in bits 6–3 of the first byte (0x20 for IRQ). Large items: the first byte (0x80 and above). */
  readonly tags: readonly number[];
  /** The tag that `descriptor` takes and the bytes behind tag and length. */
  encode(descriptor: Descriptor): { readonly tag: number; readonly body: readonly number[] };
  /** Nothing when the body has no room for its fields. A field that this form cannot hold may be lost: the caller encodes again. */
  decode(body: Uint8Array, tag: number): Descriptor | undefined;
  /**
   * ASL macro: name, arguments in order (empty for an omitted one), and a list in braces where the macro has one. Nothing where the
   * macro has no words for all that the descriptor says.
   */
  asl(descriptor: Descriptor): AslMacro | undefined;
}

/** Stands in a macro's arguments where the DescriptorName goes. */
export const NAME_SLOT = '<name>';

export interface AslMacro {
  readonly name: string;
  /** NAME_SLOT among them. */
  readonly args: readonly string[];
  readonly list?: readonly string[];
}

export const u16 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff];
export const u32 = (value: number): number[] => [...u16(value), ...u16(value >>> 16)];
export const u64 = (value: bigint): number[] => [
  ...u32(Number(BigInt.asUintN(32, value))),
  ...u32(Number(BigInt.asUintN(32, value >> 32n))),
];

/** A DataView over a descriptor's body. */
export const bodyView = (body: Uint8Array): DataView => new DataView(body.buffer, body.byteOffset, body.byteLength);

/** `0x` and `digits` upper-case hexadecimal digits, as ASL is written. */
export const aslHex = (value: number | bigint, digits: number): string =>
  `0x${value.toString(16).toUpperCase().padStart(digits, '0')}`;

/** Numbers whose bits are set in `mask`. */
export function bitsOf(mask: number): number[] {
  const bits: number[] = [];
  for (let bit = 0; bit < 32; bit++) if ((mask >>> bit) & 1) bits.push(bit);
  return bits;
}

export const maskOf = (bits: readonly number[]): number => bits.reduce((mask, bit) => mask | (1 << bit), 0);

/** The index of `keyword`; a field of the descriptor is the keyword's place in the list. */
export const indexOfKeyword = <Keyword extends string>(keywords: readonly Keyword[], keyword: Keyword): number =>
  keywords.indexOf(keyword);

/** An optional ResourceSource: index byte and null-terminated name behind a descriptor's fixed part (§6.4.3.5.1). */
export interface ResourceSource {
  readonly index: number;
  /** A namespace path; nothing when only the index stands there. */
  readonly name?: string;
}

export function encodeResourceSource(source: ResourceSource | undefined): number[] {
  if (source === undefined) return [];
  if (source.name === undefined) return [source.index];
  return [source.index, ...cString(source.name)];
}

export function decodeResourceSource(body: Uint8Array, offset: number): ResourceSource | undefined {
  if (offset >= body.length) return undefined;
  const index = body[offset];
  if (offset + 1 === body.length) return { index };
  return { index, name: readCString(body, offset + 1) };
}

export const cString = (text: string): number[] => [...[...text].map((character) => character.charCodeAt(0)), 0];

export function readCString(bytes: Uint8Array, offset: number): string {
  let end = offset;
  while (end < bytes.length && bytes[end] !== 0) end++;
  return String.fromCharCode(...bytes.subarray(offset, end));
}

/** The two ASL arguments ResourceSourceIndex and ResourceSource. */
export function aslResourceSource(source: ResourceSource | undefined): [string, string] {
  if (source === undefined) return ['', ''];
  return [aslHex(source.index, 2), source.name === undefined ? '' : quoted(source.name)];
}

export const SHARE_TYPES = ['Exclusive', 'Shared'] as const;
export const SHARE_AND_WAKE_TYPES = ['Exclusive', 'Shared', 'ExclusiveAndWake', 'SharedAndWake'] as const;
export type ShareAndWake = (typeof SHARE_AND_WAKE_TYPES)[number];
export const ACCESS_TYPES = ['ReadOnly', 'ReadWrite'] as const;
export type AccessType = (typeof ACCESS_TYPES)[number];
/** Bit 0 of general flags: 0 produces, 1 consumes. */
export const USAGES = ['ResourceProducer', 'ResourceConsumer'] as const;
export type ResourceUsage = (typeof USAGES)[number];
export const TRIGGERS = ['Level', 'Edge'] as const;
export type Trigger = (typeof TRIGGERS)[number];
export const POLARITIES = ['ActiveHigh', 'ActiveLow'] as const;
export type Polarity = (typeof POLARITIES)[number];
