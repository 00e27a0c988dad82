/** An IEEE 754 binary format, or an x87 register rounded to a shorter significand (SDM vol. 1 §4.2.2, §8.1.5.2). */
export interface FloatFormat {
  /** Bits of the significand that rounding keeps, with the integer bit. */
  readonly precision: number;
  /** Bits of the significand as stored, with the integer bit: larger than `precision` for x87 precision control. */
  readonly storedPrecision: number;
  /** Exponents of normal numbers. */
  readonly minExponent: number;
  readonly maxExponent: number;
  readonly bias: number;
  /** What is added to or taken off the exponent of a result whose unmasked underflow or overflow traps. */
  readonly wrap: number;
}

const format = (precision: number, storedPrecision: number, maxExponent: number, wrap: number): FloatFormat => ({
  precision,
  storedPrecision,
  minExponent: 1 - maxExponent,
  maxExponent,
  bias: maxExponent,
  wrap,
});

export const BINARY16 = format(11, 11, 15, 24);
export const BINARY32 = format(24, 24, 127, 192);
export const BINARY64 = format(53, 53, 1023, 1536);
export const EXTENDED = format(64, 64, 16383, 24576);
/** Precision control: the range stays extended. */
export const EXTENDED_TO_53 = format(53, 64, 16383, 24576);
export const EXTENDED_TO_24 = format(24, 64, 16383, 24576);

/** Exception flags, as in MXCSR 5:0 and the x87 status word. */
export const FLOAT_FLAG = { IE: 1, DE: 2, ZE: 4, OE: 8, UE: 16, PE: 32 } as const;

/** Rounding control, as in MXCSR 14:13 and the x87 control word 11:10. */
export const ROUNDING = { NEAREST_EVEN: 0, DOWN: 1, UP: 2, TRUNCATE: 3 } as const;
export type Rounding = 0 | 1 | 2 | 3;

export const KIND = {
  ZERO: 0,
  /** Normal or denormal, not 0. */
  FINITE: 1,
  INFINITE: 2,
  QUIET_NAN: 3,
  SIGNALING_NAN: 4,
  /** An 80-bit encoding that the 387 and later reject: pseudo-NaN, pseudo-infinity, unnormal. */
  UNSUPPORTED: 5,
} as const;
export type Kind = 0 | 1 | 2 | 3 | 4 | 5;

/** `ONES[n]` = 2^n − 1, `BIT[n]` = 2^n. */
export const BIT: readonly bigint[] = Array.from({ length: 260 }, (_, index) => 1n << BigInt(index));
export const ONES: readonly bigint[] = BIT.map((bit) => bit - 1n);
/** Shift counts as bigints. */
export const COUNT: readonly bigint[] = Array.from({ length: 260 }, (_, index) => BigInt(index));

/** Bits needed for `value` (0 for 0; below 2^256). */
export function bitLength(value: bigint): number {
  if (value < 0x1_0000_0000n) return 32 - Math.clz32(Number(value));
  if (value < BIT[64]!) return 64 - Math.clz32(Number(value >> 32n));
  if (value < BIT[96]!) return 96 - Math.clz32(Number(value >> 64n));
  if (value < BIT[128]!) return 128 - Math.clz32(Number(value >> 96n));
  return 128 + bitLength(value >> 128n);
}
