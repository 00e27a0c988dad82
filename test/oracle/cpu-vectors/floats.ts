import type { Random } from './random.ts';

/** Encodings of an IEEE format that are likely to matter: every class, edges of the range, few and many significant bits. */
export function anyFloat(random: Random, exponentBits: number, fractionBits: number): bigint {
  const sign = BigInt(random.below(2)) << BigInt(exponentBits + fractionBits);
  const maximum = (1n << BigInt(exponentBits)) - 1n;
  const bias = maximum >> 1n;
  const fraction = random.bits(fractionBits);
  const quiet = 1n << BigInt(fractionBits - 1);
  const make = (exponent: bigint, bits: bigint) => sign | (exponent << BigInt(fractionBits)) | bits;
  switch (random.below(20)) {
    case 0:
      return make(0n, 0n);
    case 1:
      return make(0n, fraction);
    case 2:
      return make(0n, BigInt(1 + random.below(7)));
    case 3:
      return make(maximum, 0n);
    case 4:
      return make(maximum, quiet | fraction);
    case 5:
      return make(maximum, (fraction & (quiet - 1n)) | 1n);
    case 6:
      return make(maximum - 1n - BigInt(random.below(2)), fraction);
    case 7:
      return make(BigInt(1 + random.below(3)), fraction);
    case 8:
      return make(bias, 0n);
    case 9:
    case 10:
    case 11:
      // Near one: sums cancel, products round.
      return make(bias + BigInt(random.below(5) - 2), random.below(2) ? fraction : fraction & ~(quiet - 1n));
    case 12:
    case 13:
      // Around the sizes of integers.
      return make(bias + BigInt(random.below(66)), fraction);
    case 14:
      return make(bias / 2n + BigInt(random.below(3)), fraction);
    case 15:
      return make(bias + bias / 2n + BigInt(random.below(3)), fraction);
    case 16:
      return make(bias + BigInt(random.below(12)), (fraction >> BigInt(fractionBits - 8)) << BigInt(fractionBits - 8));
    default:
      return make(random.bits(exponentBits), fraction);
  }
}

export const anyF32 = (random: Random): bigint => anyFloat(random, 8, 23);
export const anyF64 = (random: Random): bigint => anyFloat(random, 11, 52);

/** An 80-bit encoding; `wild` also gives those that the processor rejects, and pseudo-denormals. */
export function anyF80(random: Random, wild = true): bigint {
  const plain = anyFloat(random, 15, 63);
  const exponent = (plain >> 63n) & 0x7fffn;
  const integerBit = exponent === 0n ? 0n : 1n << 63n;
  const rounded = random.below(4) === 0 ? (random.below(2) ? 0x7ffn : 0xff_ffff_ffffn) : 0n;
  const significand = (plain & ((1n << 63n) - 1n) & ~rounded) | integerBit;
  const value = ((plain >> 63n) << 64n) | significand;
  return wild && random.below(16) === 0 ? value ^ (1n << 63n) : value;
}
