import type { FloatUnit } from '../softfloat/float-unit.ts';
import { bitLength, COUNT, EXTENDED, FLOAT_FLAG, KIND } from '../softfloat/format.ts';
import type { Operand } from '../softfloat/operand.ts';
import {
  arcTangent,
  binaryLogarithm,
  binaryLogarithmNearOne,
  FRACTION,
  LN2,
  ONE,
  PI,
  powerOfTwoLessOne,
  sineAndCosine,
  toFixed,
} from './fixed-point.ts';
import { STATUS, type X87Operation, type X87Unit } from './x87-unit.ts';

const { PE, ZE } = FLOAT_FLAG;
/** Below 2^−66 a function is its first term, to more than 64 bits. */
const TINY = -66;

type Sign = 0 | 1;
const flip = (sign: Sign): Sign => (sign === 0 ? 1 : 0);

/** Rounds an inexact fixed-point number, shifted by 2^exponent. */
function roundFixed(unit: FloatUnit, value: bigint, exponent = 0) {
  const magnitude = value < 0n ? -value : value;
  unit.normalizeAndRound(EXTENDED, value < 0n ? 1 : 0, exponent + 127 - FRACTION, magnitude | 1n);
}

/** An operand times 1 ± a little: the neighbour below (−1) or above (+1) it, before rounding. */
function roundNear(unit: FloatUnit, sign: Sign, a: Operand, side: -1 | 1) {
  unit.normalizeAndRound(EXTENDED, sign, a.exponent, (a.significand << 64n) + BigInt(side));
}

/** An operand times a positive constant given in fixed point. */
function roundScaled(unit: FloatUnit, sign: Sign, significand: bigint, exponent: number, factor: bigint) {
  // significand / 2^63 × factor / 2^FRACTION: cut to fewer than 256 bits.
  const excess = Math.max(0, bitLength(factor) - 150);
  const cut = (significand * (factor >> COUNT[excess])) | 1n;
  unit.normalizeAndRound(EXTENDED, sign, exponent + 127 - 63 - FRACTION + excess, cut);
}

/** sin, cos, tan need |x| < 2^63: C2 = 1 and no change otherwise. */
function outOfRange(x: X87Unit): boolean {
  const { a } = x.unit;
  if (a.kind !== KIND.FINITE || a.exponent < 63) return false;
  x.setConditions(STATUS.C2, STATUS.C1 | STATUS.C2);
  return true;
}

/** Handles an empty ST; loads it otherwise. False: done. */
function loadTop(x: X87Unit): boolean {
  if (x.isEmpty(0)) {
    if (x.stackFault(false)) x.writeIndefinite(0);
    return false;
  }
  x.load(0, x.unit.a);
  return true;
}

/** NaN, infinity, denormal trap: true when the result (or the exception) is settled. */
function settled(x: X87Unit): boolean {
  const { unit } = x;
  if (unit.propagateOne(EXTENDED, unit.a)) return true;
  if (unit.a.kind === KIND.INFINITE) {
    unit.setInvalid(EXTENDED);
    return true;
  }
  return unit.denormalTraps(unit.a);
}

function sine(unit: FloatUnit, a: Operand) {
  if (a.kind === KIND.ZERO) unit.setZero(EXTENDED, a.sign);
  else if (a.exponent < TINY) roundNear(unit, a.sign, a, -1);
  else {
    const { sine: value } = sineAndCosine(a.significand, a.exponent);
    roundFixed(unit, a.sign === 1 ? -value : value);
  }
}

function cosine(unit: FloatUnit, a: Operand) {
  if (a.kind === KIND.ZERO) unit.round(EXTENDED, 0, 0, 1n << 127n);
  else if (a.exponent < TINY) unit.normalizeAndRound(EXTENDED, 0, 0, (1n << 127n) - 1n);
  else roundFixed(unit, sineAndCosine(a.significand, a.exponent).cosine);
}

function tangent(unit: FloatUnit, a: Operand) {
  if (a.kind === KIND.ZERO) unit.setZero(EXTENDED, a.sign);
  else if (a.exponent < TINY) roundNear(unit, a.sign, a, 1);
  else {
    const { sine: s, cosine: c } = sineAndCosine(a.significand, a.exponent);
    const value = (s << BigInt(FRACTION)) / c;
    roundFixed(unit, a.sign === 1 ? -value : value);
  }
}

const onTop =
  (compute: (unit: FloatUnit, a: Operand) => void): X87Operation =>
  (x) => {
    if (!loadTop(x)) {
      x.setConditions(0, STATUS.C2);
      return;
    }
    if (outOfRange(x)) return;
    if (!settled(x)) compute(x.unit, x.unit.a);
    x.complete(0);
    x.setConditions(0, STATUS.C2);
  };

export const fsin = onTop(sine);
export const fcos = onTop(cosine);

/** FPTAN and FSINCOS replace ST and push: an empty ST or a full stack is a stack fault. */
const pushing =
  (
    first: (unit: FloatUnit, a: Operand) => void,
    second: ((unit: FloatUnit, a: Operand) => void) | undefined,
  ): X87Operation =>
  (x) => {
    const { unit } = x;
    const full = ((x.valid >>> ((x.top - 1) & 7)) & 1) !== 0;
    if (x.isEmpty(0) || full) {
      const masked = x.stackFault(!x.isEmpty(0));
      x.setConditions(0, STATUS.C2);
      if (!masked) return;
      x.writeIndefinite(0);
      x.top -= 1;
      x.writeIndefinite(0);
      return;
    }
    x.load(0, unit.a);
    if (outOfRange(x)) return;
    x.setConditions(0, STATUS.C2);
    if (settled(x)) {
      if (!x.complete(0)) return;
      const { signExponent, significand80 } = unit;
      x.top -= 1;
      x.write(0, signExponent, significand80);
      return;
    }
    // Operand a survives: rounding writes only the result fields.
    first(unit, unit.a);
    if (x.blocked) {
      x.raise();
      return;
    }
    x.writeResult(0);
    x.top -= 1;
    if (second) {
      second(unit, unit.a);
      x.writeResult(0);
    } else x.write(0, 0x3fff, 1n << 63n);
    x.raise();
  };

export const fptan = pushing(tangent, undefined);
export const fsincos = pushing(sine, cosine);

/** F2XM1: 2^x − 1. Outside −1…1 the result is undefined: the operand is left as it is. */
export const f2xm1: X87Operation = (x) => {
  if (!loadTop(x)) return;
  const { unit } = x;
  const { a } = unit;
  if (unit.propagateOne(EXTENDED, a)) return void x.complete(0);
  if (unit.denormalTraps(a)) return void x.complete(0);
  if (a.kind === KIND.INFINITE) {
    if (a.sign === 0) unit.setInfinity(EXTENDED, 0);
    else unit.round(EXTENDED, 1, 0, 1n << 127n);
  } else if (a.kind === KIND.ZERO) unit.setZero(EXTENDED, a.sign);
  else if (a.exponent >= 0) {
    if (a.exponent === 0 && a.significand === 1n << 63n)
      unit.round(EXTENDED, a.sign, a.sign === 1 ? -1 : 0, 1n << 127n);
    else unit.setExact(EXTENDED, a);
    unit.flags |= PE;
  } else if (a.exponent < TINY) roundScaled(unit, a.sign, a.significand, a.exponent, LN2);
  else {
    const value = toFixed(a.significand, a.exponent);
    roundFixed(unit, powerOfTwoLessOne(a.sign === 1 ? -value : value));
  }
  x.complete(0);
};

/** FPATAN, FYL2X, FYL2XP1 leave the result in ST(1) and pop. */
const popping =
  (compute: (unit: FloatUnit, x: Operand, y: Operand) => void): X87Operation =>
  (x) => {
    const { unit } = x;
    if (x.isEmpty(0) || x.isEmpty(1)) {
      if (!x.stackFault(false)) return;
      x.writeIndefinite(1);
      x.pop();
      return;
    }
    x.load(0, unit.a);
    x.load(1, unit.b);
    if (!unit.propagateTwo(EXTENDED, unit.a, unit.b)) compute(unit, unit.a, unit.b);
    if (x.complete(1)) x.pop();
  };

/** FPATAN: the angle of the point (ST, ST(1)). */
export const fpatan = popping((unit, x, y) => {
  if (unit.denormalTraps(x, y)) return;
  const { sign } = y;
  const pi = (quarters: bigint) => roundFixed(unit, sign === 1 ? -((PI * quarters) >> 2n) : (PI * quarters) >> 2n);
  if (x.kind === KIND.INFINITE || y.kind === KIND.INFINITE) {
    if (y.kind !== KIND.INFINITE) return x.sign === 1 ? pi(4n) : unit.setZero(EXTENDED, sign);
    return pi(x.kind !== KIND.INFINITE ? 2n : x.sign === 1 ? 3n : 1n);
  }
  if (y.kind === KIND.ZERO) return x.sign === 1 ? pi(4n) : unit.setZero(EXTENDED, sign);
  if (x.kind === KIND.ZERO) return pi(2n);
  angle(unit, x, y);
});

function angle(unit: FloatUnit, x: Operand, y: Operand) {
  const { sign } = y;
  const distance = y.exponent - x.exponent;
  if (distance < TINY && x.sign === 0) {
    // y/x, a little less.
    const numerator = y.significand << 70n;
    const ratio = numerator / x.significand;
    const exact = ratio * x.significand === numerator;
    return unit.normalizeAndRound(EXTENDED, sign, distance + 127 - 70 - 50, (ratio << 50n) + (exact ? -1n : 1n));
  }
  let value: bigint;
  if (distance > 190) value = (PI >> 1n) + (x.sign === 1 ? 1n : -1n);
  else if (distance < -190) value = PI - 1n;
  else {
    const steep = distance > 0 || (distance === 0 && y.significand > x.significand);
    const [small, large] = steep ? [x, y] : [y, x];
    const shift = FRACTION + small.exponent - large.exponent;
    const ratio = (small.significand << BigInt(shift)) / large.significand;
    const arc = arcTangent(ratio);
    value = steep ? (PI >> 1n) - (x.sign === 1 ? -arc : arc) : x.sign === 1 ? PI - arc : arc;
  }
  roundFixed(unit, sign === 1 ? -value : value);
}

/** y × log for a logarithm in fixed point. */
function roundLogarithm(unit: FloatUnit, y: Operand, logarithm: bigint) {
  const negative = logarithm < 0n;
  const sign = negative ? flip(y.sign) : y.sign;
  roundScaled(unit, sign, y.significand, y.exponent, negative ? -logarithm : logarithm);
}

/** FYL2X: ST(1) × log2 ST. */
export const fyl2x = popping((unit, x, y) => {
  if (x.kind !== KIND.ZERO && x.sign === 1) return unit.setInvalid(EXTENDED);
  const one = x.kind === KIND.FINITE && x.exponent === 0 && x.significand === 1n << 63n;
  if (x.kind === KIND.ZERO) {
    if (y.kind === KIND.ZERO) return unit.setInvalid(EXTENDED);
    if (y.kind !== KIND.INFINITE) unit.flags |= ZE;
    return unit.setInfinity(EXTENDED, flip(y.sign));
  }
  if (y.kind === KIND.INFINITE && one) return unit.setInvalid(EXTENDED);
  if (x.kind === KIND.INFINITE && y.kind === KIND.ZERO) return unit.setInvalid(EXTENDED);
  if (unit.denormalTraps(x, y)) return;
  const below = x.kind === KIND.FINITE && x.exponent < 0;
  const sign = below ? flip(y.sign) : y.sign;
  if (x.kind === KIND.INFINITE || y.kind === KIND.INFINITE) return unit.setInfinity(EXTENDED, sign);
  if (y.kind === KIND.ZERO || one) return unit.setZero(EXTENDED, sign);
  logarithmTimes(unit, x, y);
});

function logarithmTimes(unit: FloatUnit, x: Operand, y: Operand) {
  if (x.significand === 1n << 63n) {
    // A power of two: an exact product.
    const exponent = BigInt(Math.abs(x.exponent));
    const sign = x.exponent < 0 ? flip(y.sign) : y.sign;
    unit.normalizeAndRound(EXTENDED, sign, y.exponent + 127 - 63, y.significand * exponent);
    // Processors call every result of their approximation inexact.
    unit.flags |= PE;
    return;
  }
  // m in [√½, √2), so that numbers near 1 keep their precision.
  const high = x.significand > 0xb504_f333_f9de_6484n;
  const exponent = high ? x.exponent + 1 : x.exponent;
  const m = toFixed(x.significand, high ? -1 : 0);
  roundLogarithm(unit, y, binaryLogarithm(m) + BigInt(exponent) * ONE);
}

/** FYL2XP1: ST(1) × log2(ST + 1), for |ST| < 1 − √½. */
export const fyl2xp1 = popping((unit, x, y) => {
  if (x.kind === KIND.ZERO || y.kind === KIND.ZERO) {
    if (x.kind === KIND.INFINITE || y.kind === KIND.INFINITE) return unit.setInvalid(EXTENDED);
    if (unit.denormalTraps(x, y)) return;
    return unit.setZero(EXTENDED, (x.sign ^ y.sign) as Sign);
  }
  if (x.kind === KIND.INFINITE && x.sign === 1) return unit.setInvalid(EXTENDED);
  if (unit.denormalTraps(x, y)) return;
  const sign = (x.sign ^ y.sign) as Sign;
  if (x.kind === KIND.INFINITE || y.kind === KIND.INFINITE) return unit.setInfinity(EXTENDED, sign);
  if (x.exponent < TINY) {
    // x y log2 e.
    const log2e = (ONE << BigInt(FRACTION)) / LN2;
    const both = (x.significand * y.significand) >> 40n;
    return roundScaled(unit, sign, both, x.exponent + y.exponent - 63 + 40, log2e);
  }
  const value = toFixed(x.significand, x.exponent);
  if (x.exponent >= -1) {
    const sum = x.sign === 1 ? ONE - value : ONE + value;
    if (sum <= 0n) return unit.setExact(EXTENDED, y);
    return wideLogarithm(unit, sum, y);
  }
  roundLogarithm(unit, y, binaryLogarithmNearOne(x.sign === 1 ? -value : value));
});

/** log2 of any positive fixed-point number. */
function wideLogarithm(unit: FloatUnit, sum: bigint, y: Operand) {
  let exponent = 0n;
  let m = sum;
  while (m >= ONE << 1n) {
    m >>= 1n;
    exponent += 1n;
  }
  while (m < ONE) {
    m <<= 1n;
    exponent -= 1n;
  }
  roundLogarithm(unit, y, binaryLogarithm(m) + exponent * ONE);
}
