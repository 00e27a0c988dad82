/** The shape that the pin descriptors share: ACPI 6.5 §6.4.3.9 to §6.4.3.13. */
import { bodyView, cString, readCString, u16 } from './descriptor.ts';

/** What follows the fixed part, in this order; a descriptor has some of it. */
export interface PinTail {
  readonly pins?: readonly number[];
  /** Path of the controller, and the index within it. */
  readonly source?: string;
  readonly sourceIndex?: number;
  readonly label?: string;
  readonly vendorData: readonly number[];
}

export type TailPart = 'pins' | 'source' | 'label';

const REVISION = 1;
/** Bytes of tag and length before the body: offsets count from the descriptor's first byte. */
const HEADER_LENGTH = 3;
/** Revision and flags. */
const LEAD_LENGTH = 3;
/** Offset and length of the vendor's data. */
const VENDOR_LENGTH = 4;
/** Bytes of a part's fields: its offset, and in front of a source's the index. */
const FIELD_LENGTHS: Readonly<Record<TailPart, number>> = { pins: 2, source: 3, label: 2 };

const fieldsLength = (parts: readonly TailPart[]): number =>
  parts.reduce((length, part) => length + FIELD_LENGTHS[part], 0);

/** The body: revision, flags, the bytes that are the descriptor's `own`, the offsets of the parts that `tail` has, and these. */
export function encodePinDescriptor(flags: number, own: readonly number[], tail: PinTail): number[] {
  const { pins, source, sourceIndex, label, vendorData } = tail;
  const parts = (['pins', 'source', 'label'] as const).filter((part) => tail[part] !== undefined);
  const bytes = [...(pins ?? []).flatMap(u16)];
  let offset = HEADER_LENGTH + LEAD_LENGTH + own.length + fieldsLength(parts) + VENDOR_LENGTH;
  const fields: number[] = [];
  if (pins !== undefined) fields.push(...u16(offset));
  offset += bytes.length;
  for (const [text, index] of [
    [source, [sourceIndex ?? 0]],
    [label, []],
  ] as const) {
    if (text === undefined) continue;
    fields.push(...index, ...u16(offset));
    const encoded = cString(text);
    bytes.push(...encoded);
    offset += encoded.length;
  }
  const vendor = [...u16(offset), ...u16(vendorData.length)];
  return [REVISION, ...u16(flags), ...own, ...fields, ...vendor, ...bytes, ...vendorData];
}

export interface DecodedPinDescriptor extends Required<PinTail> {
  readonly flags: number;
  /** The descriptor's own bytes. */
  readonly own: DataView;
}

/**
 * A body with `ownLength` bytes of its own and `parts` behind it; nothing when it is too short. Offsets that lead nowhere give what a
 * new encoding does not give back.
 */
export function decodePinDescriptor(
  body: Uint8Array,
  ownLength: number,
  parts: readonly TailPart[],
): DecodedPinDescriptor | undefined {
  const fieldsEnd = LEAD_LENGTH + ownLength + fieldsLength(parts);
  if (body.length < fieldsEnd + VENDOR_LENGTH) return undefined;
  const view = bodyView(body);
  const offsets: Partial<Record<TailPart, number>> = {};
  let field = LEAD_LENGTH + ownLength;
  for (const part of parts) {
    field += FIELD_LENGTHS[part];
    offsets[part] = view.getUint16(field - 2, true) - HEADER_LENGTH;
  }
  const vendorAt = view.getUint16(fieldsEnd, true) - HEADER_LENGTH;
  const { pins: pinsAt, source: sourceAt, label: labelAt } = offsets;
  const pinsEnd = Math.min(sourceAt ?? labelAt ?? vendorAt, body.length);
  const pins: number[] = [];
  for (let at = pinsAt ?? pinsEnd; at >= 0 && at + 1 < pinsEnd; at += 2) pins.push(view.getUint16(at, true));
  return {
    flags: view.getUint16(1, true),
    own: new DataView(body.buffer, body.byteOffset + LEAD_LENGTH, ownLength),
    pins,
    source: sourceAt === undefined ? '' : readCString(body, sourceAt),
    // In front of the source's offset, behind that of the pins.
    sourceIndex: sourceAt === undefined ? 0 : body[LEAD_LENGTH + ownLength + (pinsAt === undefined ? 0 : 2)],
    label: labelAt === undefined ? '' : readCString(body, labelAt),
    vendorData: [...body.subarray(vendorAt, vendorAt + view.getUint16(fieldsEnd + 2, true))],
  };
}
