export const KIB = 0x400;
export const MIB = 0x10_0000;
export const GIB = 0x4000_0000;

/** Rounds `value` up to a multiple of `alignment` (a power of two or not, up to 2^53). */
export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

/** Rounds `value` down to a multiple of `alignment`. */
export function alignDown(value: number, alignment: number): number {
  return Math.floor(value / alignment) * alignment;
}

/** Grouped hexadecimal, `0xfed1_c000`. */
export function hex(value: number | bigint, digits = 1): string {
  const text = value.toString(16).padStart(digits, '0');
  return `0x${text.replace(/\B(?=(?:[0-9a-f]{4})+$)/g, '_')}`;
}

/** One array that holds `parts` in order. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** True when both hold the same bytes. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** A DataView over exactly `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** `text` as Latin-1 bytes, cut or padded with `pad` to `byteLength` when given. */
export function asciiBytes(text: string, byteLength = text.length, pad = 0): Uint8Array {
  const bytes = new Uint8Array(byteLength).fill(pad);
  for (let index = 0; index < Math.min(text.length, byteLength); index++) bytes[index] = text.charCodeAt(index) & 0xff;
  return bytes;
}
