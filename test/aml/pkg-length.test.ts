import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodePkgLength,
  encodePackageLength,
  encodePkgLengthValue,
  MAX_PKG_LENGTH,
} from '../../src/aml/pkg-length.ts';

/** ACPI 6.5 §20.2.4 once more, with arithmetic instead of shifts: the oracle. */
function readIndependently(bytes: Uint8Array): number {
  const following = Math.floor(bytes[0] / 64);
  if (following === 0) return bytes[0] % 64;
  let value = bytes[0] % 16;
  for (let index = 0; index < following; index++) value += bytes[index + 1] * 16 * 256 ** index;
  return value;
}

describe('PkgLength', () => {
  test('an independent decoder reads every encoded value', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_PKG_LENGTH }), (value) => {
        const bytes = encodePkgLengthValue(value);
        expect(readIndependently(bytes)).toBe(value);
        expect(decodePkgLength(bytes, 0)).toEqual({ value, byteLength: bytes.length });
      }),
      { seed: 35 },
    );
  });

  test('a package length counts its own bytes and is the shortest', () => {
    for (const content of [0, 1, 0x3e, 0x3f, 0x40, 0xffd, 0xffe, 0xfff, 0xffffc, 0xffffd, 0xffffe]) {
      const bytes = encodePackageLength(content);
      expect(readIndependently(bytes)).toBe(content + bytes.length);
      expect(bytes.length).toBe(content <= 0x3e ? 1 : content <= 0xffd ? 2 : content <= 0xffffc ? 3 : 4);
    }
  });

  test('a longer form can be asked for', () => {
    expect([...encodePackageLength(3, 2)]).toEqual([0x45, 0x00]);
    expect(decodePkgLength(Uint8Array.of(0x45, 0x00), 0)).toEqual({ value: 5, byteLength: 2 });
  });

  test('a value over 28 bits is refused', () => {
    expect(() => encodePkgLengthValue(MAX_PKG_LENGTH + 1)).toThrow(RangeError);
  });
});
