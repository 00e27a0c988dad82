import type { PkgLengthBytes } from './tree.ts';

/** The largest value of a PkgLength: 4 + 3 × 8 bits (ACPI 6.5 §20.2.4). */
export const MAX_PKG_LENGTH = 0x0fff_ffff;

/** The smallest number of bytes that hold `value` as a PkgLength. */
export function pkgLengthBytesFor(value: number): PkgLengthBytes {
  if (value < 0x40) return 1;
  if (value < 0x1000) return 2;
  return value < 0x10_0000 ? 3 : 4;
}

/**
 * The PkgLength of a package with `contentLength` bytes behind it: it counts itself.
 * `byteLength` forces a longer form, as some compilers write.
 */
export function encodePackageLength(contentLength: number, byteLength?: PkgLengthBytes): Uint8Array {
  const size = packageLengthBytesFor(contentLength, byteLength);
  return encodePkgLengthValue(contentLength + size, size);
}

/** Bytes of the PkgLength of a package with `contentLength` bytes behind it: at least `minimum`. */
export function packageLengthBytesFor(contentLength: number, minimum: PkgLengthBytes = 1): PkgLengthBytes {
  let size: number = minimum;
  while (pkgLengthBytesFor(contentLength + size) > size) size++;
  return size as PkgLengthBytes;
}

/** `value` itself in PkgLength's form, as field lists use it for lengths in bits. */
export function encodePkgLengthValue(value: number, byteLength: PkgLengthBytes = pkgLengthBytesFor(value)): Uint8Array {
  if (value > MAX_PKG_LENGTH) throw new RangeError(`PkgLength ${value} exceeds ${MAX_PKG_LENGTH}`);
  if (byteLength === 1) return Uint8Array.of(value);
  const bytes = new Uint8Array(byteLength);
  bytes[0] = ((byteLength - 1) << 6) | (value & 0xf);
  for (let index = 1; index < byteLength; index++) bytes[index] = value >> (4 + 8 * (index - 1));
  return bytes;
}

export interface DecodedPkgLength {
  readonly value: number;
  readonly byteLength: PkgLengthBytes;
}

/** Reads the PkgLength at `offset`, or nothing when it is cut off at `end` or has reserved bits set. */
export function decodePkgLength(bytes: Uint8Array, offset: number, end = bytes.length): DecodedPkgLength | undefined {
  if (offset >= end) return undefined;
  const lead = bytes[offset];
  const byteLength = ((lead >> 6) + 1) as PkgLengthBytes;
  if (offset + byteLength > end) return undefined;
  if (byteLength === 1) return { value: lead & 0x3f, byteLength };
  if ((lead & 0x30) !== 0) return undefined;
  let value = lead & 0xf;
  for (let index = 1; index < byteLength; index++) value |= bytes[offset + index] << (4 + 8 * (index - 1));
  return { value, byteLength };
}
