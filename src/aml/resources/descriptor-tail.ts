/** What follows the fixed part of the connection descriptors, which hold its offsets: ACPI 6.5 §6.4.3.8.1, §6.4.3.10 and on. */
import { cString, readCString, u16 } from './descriptor.ts';

/** In this order behind the fixed part; the offsets count from the descriptor's first byte. */
export interface DescriptorTail {
  readonly pins?: readonly number[];
  readonly source?: string;
  readonly label?: string;
  readonly vendorData: readonly number[];
}

/** Bytes of tag and length before a large descriptor's body. */
export const LARGE_HEADER_LENGTH = 3;

/** Offset fields, two bytes each, and the bytes of `tail` behind a body whose fixed part has `fixedLength` bytes. */
export function encodeTail(tail: DescriptorTail, fixedLength: number) {
  const pins = (tail.pins ?? []).flatMap(u16);
  const source = tail.source === undefined ? [] : cString(tail.source);
  const label = tail.label === undefined ? [] : cString(tail.label);
  const pinOffset = LARGE_HEADER_LENGTH + fixedLength;
  const sourceOffset = pinOffset + pins.length;
  const labelOffset = sourceOffset + source.length;
  return {
    pinOffset: u16(pinOffset),
    sourceOffset: u16(sourceOffset),
    labelOffset: u16(labelOffset),
    vendor: [...u16(labelOffset + label.length), ...u16(tail.vendorData.length)],
    bytes: [...pins, ...source, ...label, ...tail.vendorData],
  };
}

/** Where a body has its offset fields, by byte behind tag and length; `vendor` is followed by the length of the vendor's data. */
export interface TailLayout {
  readonly pins?: number;
  readonly source?: number;
  readonly label?: number;
  readonly vendor: number;
}

/** Reads what stands at the offsets of `layout`. Offsets that lead nowhere give what a new encoding does not give back. */
export function decodeTail(body: Uint8Array, layout: TailLayout): Required<DescriptorTail> {
  const word = (at: number): number => body[at] | (body[at + 1] << 8);
  const offset = (field: number): number => word(field) - LARGE_HEADER_LENGTH;
  const vendorAt = offset(layout.vendor);
  const pins: number[] = [];
  if (layout.pins !== undefined) {
    const end = Math.min(offset(layout.source ?? layout.label ?? layout.vendor), body.length);
    for (let at = offset(layout.pins); at + 1 < end; at += 2) pins.push(word(at));
  }
  return {
    pins,
    source: layout.source === undefined ? '' : readCString(body, offset(layout.source)),
    label: layout.label === undefined ? '' : readCString(body, offset(layout.label)),
    vendorData: [...body.subarray(vendorAt, vendorAt + word(layout.vendor + 2))],
  };
}
