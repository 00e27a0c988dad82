import {
  BINARY32,
  BINARY64,
  BIT,
  bitLength,
  COUNT,
  FLOAT_FLAG,
  type FloatFormat,
  KIND,
  ONES,
  ROUNDING,
  type Rounding,
} from './format.ts';
import { Operand } from './operand.ts';

const { IE, DE, OE, UE, PE } = FLOAT_FLAG;
const QUIET = 0x4000_0000_0000_0000n;

/**
 * The environment of software floating point and its last result: rounding, masks, accumulated flags. An operation leaves the result
 * rounded and packed by fields; `f32`, `f64` and the pair `signExponent`/`significand80` read it.
 */
export class FloatUnit {
  rounding: Rounding = ROUNDING.NEAREST_EVEN;
  /** Exceptions accumulated since `begin`: FLOAT_FLAG. */
  flags = 0;
  /** Masked exceptions, as FLOAT_FLAG bits (1 = masked). */
  masks = 0x3f;
  denormalsAreZero = false;
  flushToZero = false;
  /** Which NaN survives: x87 takes the larger significand, SSE the first operand. */
  readonly x87: boolean;

  /** The last result was rounded away from zero (x87 C1). */
  roundedUp = false;
  format: FloatFormat = BINARY64;
  sign: 0 | 1 = 0;
  /** Biased exponent field. */
  exponentField = 0;
  /** Stored significand with the integer bit, `storedPrecision` bits. */
  significand = 0n;

  /** Set by rounding to an integer. */
  inexactInteger = false;

  readonly a = new Operand();
  readonly b = new Operand();

  constructor(options: { x87: boolean }) {
    this.x87 = options.x87;
  }

  /** Exceptions raised that are not masked. */
  get unmasked(): number {
    return this.flags & ~this.masks;
  }

  get f32(): number {
    return ((this.sign << 31) | (this.exponentField << 23) | (Number(this.significand) & 0x7f_ffff)) >>> 0;
  }

  get f64(): bigint {
    const high = BigInt(((this.sign << 11) | this.exponentField) >>> 0) << 52n;
    return high | (this.significand & 0xf_ffff_ffff_ffffn);
  }

  get signExponent(): number {
    return (this.sign << 15) | this.exponentField;
  }

  get significand80(): bigint {
    return this.significand;
  }

  setZero(format: FloatFormat, sign: 0 | 1) {
    this.format = format;
    this.sign = sign;
    this.exponentField = 0;
    this.significand = 0n;
  }

  setInfinity(format: FloatFormat, sign: 0 | 1) {
    this.format = format;
    this.sign = sign;
    this.exponentField = format.maxExponent + format.bias + 1;
    this.significand = BIT[format.storedPrecision - 1]!;
  }

  /** The QNaN indefinite: negative, empty payload. Raises IE. */
  setInvalid(format: FloatFormat) {
    this.flags |= IE;
    this.setIndefinite(format);
  }

  setIndefinite(format: FloatFormat) {
    this.setInfinity(format, 1);
    this.significand |= BIT[format.storedPrecision - 2]!;
  }

  setNan(format: FloatFormat, from: Operand) {
    this.setInfinity(format, from.sign);
    this.significand = (from.significand | QUIET) >> COUNT[64 - format.storedPrecision]!;
  }

  /** An operand exactly, in a format that can hold it (no rounding, no flags, no quieting). */
  setExact(format: FloatFormat, from: Operand) {
    if (from.kind === KIND.ZERO) return this.setZero(format, from.sign);
    if (from.kind === KIND.INFINITE) return this.setInfinity(format, from.sign);
    if (from.isNan) {
      this.setInfinity(format, from.sign);
      this.significand = from.significand >> COUNT[64 - format.storedPrecision]!;
      return;
    }
    this.round(format, from.sign, from.exponent, from.significand << 64n);
  }

  /** True, with the result set, when an operand of a one-operand operation is a NaN or unsupported. */
  propagateOne(format: FloatFormat, a: Operand): boolean {
    if (!a.isNan) return false;
    if (a.kind === KIND.UNSUPPORTED) this.setInvalid(format);
    else {
      if (a.kind === KIND.SIGNALING_NAN) this.flags |= IE;
      this.setNan(format, a);
    }
    return true;
  }

  /** The same for two operands: SDM vol. 1 table 4-7 (SSE: first source; x87: larger significand, a QNaN over an SNaN). */
  propagateTwo(format: FloatFormat, a: Operand, b: Operand): boolean {
    if (!a.isNan && !b.isNan) return false;
    if (a.kind === KIND.UNSUPPORTED || b.kind === KIND.UNSUPPORTED) {
      this.setInvalid(format);
      return true;
    }
    if (a.kind === KIND.SIGNALING_NAN || b.kind === KIND.SIGNALING_NAN) this.flags |= IE;
    this.setNan(format, this.x87 ? chooseX87Nan(a, b) : a.isNan ? a : b);
    return true;
  }

  /** Raises DE for denormal operands. True when that traps, so that the operation must not go on. */
  denormalTraps(a: Operand, b: Operand = a): boolean {
    if (!a.denormal && !b.denormal) return false;
    this.flags |= DE;
    return (this.masks & DE) === 0;
  }

  /** Rounds (−1)^sign × x / 2^127 × 2^exponent, where 0 < x < 2^130 and the lowest bit is sticky. */
  normalizeAndRound(format: FloatFormat, sign: 0 | 1, exponent: number, x: bigint) {
    const shift = bitLength(x) - 128;
    if (shift > 0) {
      const lost = (x & ONES[shift]!) !== 0n ? 1n : 0n;
      this.round(format, sign, exponent + shift, (x >> COUNT[shift]!) | lost);
    } else this.round(format, sign, exponent + shift, shift === 0 ? x : x << COUNT[-shift]!);
  }

  /**
   * Rounds (−1)^sign × x / 2^127 × 2^exponent, 2^127 ≤ x < 2^128, lowest bit sticky. Tininess is detected after rounding (SDM vol. 1
   * §4.9.1.5); an unmasked overflow or underflow leaves the wrapped exponent.
   */
  round(format: FloatFormat, sign: 0 | 1, exponent: number, x: bigint) {
    const { precision, minExponent, maxExponent } = format;
    this.format = format;
    this.sign = sign;
    let drop = 128 - precision;
    let tiny = false;
    if (exponent < minExponent) {
      tiny = exponent < minExponent - 1 || !this.#carries(sign, x, drop, precision);
      if (tiny && (this.masks & UE) === 0) {
        this.flags |= UE;
        exponent += format.wrap;
        if (this.x87 && exponent < minExponent) {
          // FSCALE can go so far that not even the wrapped exponent holds it.
          this.flags |= PE;
          this.roundedUp = false;
          this.setZero(format, sign);
          return;
        }
      } else if (tiny && this.flushToZero) {
        this.flags |= UE | PE;
        return this.setZero(format, sign);
      }
      // A trapping SSE result goes nowhere: its inexactness is that of an unbounded exponent.
      if (exponent < minExponent && (this.masks & UE) !== 0) drop = Math.min(drop + minExponent - exponent, 129);
    }
    let kept = x >> COUNT[drop]!;
    const rest = x & ONES[drop]!;
    this.roundedUp = false;
    if (rest !== 0n) {
      this.flags |= tiny ? UE | PE : PE;
      if (this.#roundsUp(sign, kept, rest, drop)) {
        this.roundedUp = true;
        kept += 1n;
        if (kept === BIT[precision]) {
          kept >>= 1n;
          exponent++;
        }
      }
    }
    if (exponent > maxExponent) {
      if ((this.masks & OE) !== 0) return this.#overflow(format, sign);
      this.flags |= OE;
      exponent -= format.wrap;
      if (exponent > maxExponent) {
        this.flags |= PE;
        this.roundedUp = true;
        this.setInfinity(format, sign);
        return;
      }
    }
    const normal = kept >= BIT[precision - 1]!;
    this.exponentField = normal ? Math.max(exponent, minExponent) + format.bias : 0;
    this.significand = kept << COUNT[format.storedPrecision - precision]!;
  }

  /** Whether rounding with an unbounded exponent would carry to the next power of two. */
  #carries(sign: 0 | 1, x: bigint, drop: number, precision: number): boolean {
    const kept = x >> COUNT[drop]!;
    const rest = x & ONES[drop]!;
    return rest !== 0n && kept === ONES[precision] && this.#roundsUp(sign, kept, rest, drop);
  }

  #roundsUp(sign: 0 | 1, kept: bigint, rest: bigint, drop: number): boolean {
    switch (this.rounding) {
      case ROUNDING.NEAREST_EVEN: {
        const half = BIT[drop - 1]!;
        return rest > half || (rest === half && (kept & 1n) !== 0n);
      }
      case ROUNDING.DOWN:
        return sign === 1;
      case ROUNDING.UP:
        return sign === 0;
      default:
        return false;
    }
  }

  /** Masked overflow: infinity, or the largest finite number when rounding points the other way. */
  #overflow(format: FloatFormat, sign: 0 | 1) {
    this.flags |= OE | PE;
    const { rounding } = this;
    const infinite =
      rounding === ROUNDING.NEAREST_EVEN ||
      (rounding === ROUNDING.DOWN && sign === 1) ||
      (rounding === ROUNDING.UP && sign === 0);
    this.roundedUp = infinite;
    if (infinite) return this.setInfinity(format, sign);
    this.exponentField = format.maxExponent + format.bias;
    this.significand = ONES[format.precision]! << COUNT[format.storedPrecision - format.precision]!;
  }
}

/** SDM vol. 1 table 4-7, x87 column. */
function chooseX87Nan(a: Operand, b: Operand): Operand {
  if (!a.isNan) return b;
  if (!b.isNan) return a;
  if (a.kind !== b.kind) return a.kind === KIND.QUIET_NAN ? a : b;
  const quietA = a.significand | QUIET;
  const quietB = b.significand | QUIET;
  if (quietA !== quietB) return quietA > quietB ? a : b;
  return a.sign <= b.sign ? a : b;
}

/** Formats of scalar SSE operands by byte length. */
export const SSE_FORMAT = { 4: BINARY32, 8: BINARY64 } as const;
