import { bitLength, COUNT, KIND, type Kind } from './format.ts';

/** A number taken apart: (−1)^sign × significand / 2^63 × 2^exponent, whatever format it came from. */
export class Operand {
  kind: Kind = KIND.ZERO;
  sign: 0 | 1 = 0;
  exponent = 0;
  /** 64 bits with the top one set when finite or NaN (a NaN's payload is left-aligned under it). */
  significand = 0n;
  /** It came from a denormal encoding: using it raises DE. */
  denormal = false;

  get isNan(): boolean {
    return this.kind >= KIND.QUIET_NAN;
  }

  setZero(sign: 0 | 1) {
    this.kind = KIND.ZERO;
    this.sign = sign;
    this.denormal = false;
    this.exponent = 0;
    this.significand = 0n;
  }

  /** Any finite value `significand` × 2^`exponent`, significand below 2^64 and not 0. */
  setFinite(sign: 0 | 1, significand: bigint, exponent: number) {
    const shift = 64 - bitLength(significand);
    this.kind = KIND.FINITE;
    this.sign = sign;
    this.denormal = false;
    this.significand = significand << COUNT[shift]!;
    this.exponent = exponent + 63 - shift;
  }

  copy(from: Operand) {
    this.kind = from.kind;
    this.sign = from.sign;
    this.exponent = from.exponent;
    this.significand = from.significand;
    this.denormal = from.denormal;
  }

  /** Takes a binary32 apart. `denormalsAreZero`: MXCSR.DAZ. */
  fromF32(bits: number, denormalsAreZero = false) {
    const field = (bits >>> 23) & 0xff;
    const fraction = bits & 0x7f_ffff;
    const sign = (bits >>> 31) as 0 | 1;
    if (field === 0 && (fraction === 0 || denormalsAreZero)) return this.setZero(sign);
    this.sign = sign;
    this.denormal = field === 0;
    if (field === 0) {
      const shift = Math.clz32(fraction) - 8;
      this.kind = KIND.FINITE;
      this.significand = BigInt(fraction << shift) << 40n;
      this.exponent = -126 - shift;
      return;
    }
    this.significand = BigInt(0x80_0000 | fraction) << 40n;
    this.exponent = field - 127;
    this.kind =
      field !== 0xff
        ? KIND.FINITE
        : fraction === 0
          ? KIND.INFINITE
          : (fraction & 0x40_0000) !== 0
            ? KIND.QUIET_NAN
            : KIND.SIGNALING_NAN;
  }

  /** Takes a binary64 apart. */
  fromF64(bits: bigint, denormalsAreZero = false) {
    const high = Number(bits >> 32n);
    const field = (high >>> 20) & 0x7ff;
    const fraction = bits & 0xf_ffff_ffff_ffffn;
    const sign = (high >>> 31) as 0 | 1;
    if (field === 0 && (fraction === 0n || denormalsAreZero)) return this.setZero(sign);
    this.sign = sign;
    this.denormal = field === 0;
    if (field === 0) {
      const shift = 53 - bitLength(fraction);
      this.kind = KIND.FINITE;
      this.significand = fraction << COUNT[shift + 11]!;
      this.exponent = -1022 - shift;
      return;
    }
    this.significand = (0x10_0000_0000_0000n | fraction) << 11n;
    this.exponent = field - 1023;
    this.kind =
      field !== 0x7ff
        ? KIND.FINITE
        : fraction === 0n
          ? KIND.INFINITE
          : (high & 0x8_0000) !== 0
            ? KIND.QUIET_NAN
            : KIND.SIGNALING_NAN;
  }

  /** Takes an 80-bit value apart: sign and exponent in 16 bits, and the explicit significand. */
  fromF80(signExponent: number, significand: bigint) {
    const field = signExponent & 0x7fff;
    this.sign = (signExponent >>> 15) as 0 | 1;
    this.denormal = false;
    if (field === 0) {
      if (significand === 0n) return this.setZero(this.sign);
      // A pseudo-denormal (integer bit set) has the value of exponent 1 and counts as denormal too.
      const shift = 64 - bitLength(significand);
      this.kind = KIND.FINITE;
      this.denormal = true;
      this.significand = significand << COUNT[shift]!;
      this.exponent = -16382 - shift;
      return;
    }
    this.significand = significand;
    this.exponent = field - 16383;
    if (significand >> 63n === 0n) this.kind = KIND.UNSUPPORTED;
    else if (field !== 0x7fff) this.kind = KIND.FINITE;
    else if (significand === 0x8000_0000_0000_0000n) this.kind = KIND.INFINITE;
    else this.kind = (significand & 0x4000_0000_0000_0000n) !== 0n ? KIND.QUIET_NAN : KIND.SIGNALING_NAN;
  }
}
