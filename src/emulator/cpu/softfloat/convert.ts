import type { FloatUnit } from './float-unit.ts';
import { BIT, COUNT, FLOAT_FLAG, type FloatFormat, KIND, ONES, ROUNDING, type Rounding } from './format.ts';
import type { Operand } from './operand.ts';

const { IE, PE } = FLOAT_FLAG;

/** A value in another floating-point format: SNaN is quieted with IE, a denormal raises DE, and it is rounded. */
export function convertFloat(unit: FloatUnit, format: FloatFormat, a: Operand) {
  unit.roundedUp = false;
  if (unit.propagateOne(format, a)) return;
  if (unit.denormalTraps(a)) return;
  if (a.kind === KIND.ZERO) return unit.setZero(format, a.sign);
  if (a.kind === KIND.INFINITE) return unit.setInfinity(format, a.sign);
  unit.round(format, a.sign, a.exponent, a.significand << 64n);
}

/** A signed integer (two's complement, any width to 64 bits) as floating point. */
export function fromInteger(unit: FloatUnit, format: FloatFormat, value: bigint, scratch: Operand) {
  unit.roundedUp = false;
  if (value === 0n) return unit.setZero(format, 0);
  scratch.setFinite(value < 0n ? 1 : 0, value < 0n ? -value : value, 0);
  unit.round(format, scratch.sign, scratch.exponent, scratch.significand << 64n);
}

/**
 * A signed integer of `bits` bits. NaN, infinity and what does not fit after rounding give the integer indefinite (−2^(bits−1)) and IE, without
 * PE. DE is never raised.
 */
export function toInteger(unit: FloatUnit, a: Operand, bits: 16 | 32 | 64, rounding: Rounding = unit.rounding): bigint {
  unit.roundedUp = false;
  if (a.kind === KIND.ZERO) return 0n;
  const limit = BIT[bits - 1]!;
  if (a.kind !== KIND.FINITE || a.exponent >= bits) return invalidInteger(unit, limit);
  const magnitude = roundMagnitude(unit, a, rounding);
  if (magnitude > limit || (magnitude === limit && a.sign === 0)) return invalidInteger(unit, limit);
  if (unit.inexactInteger) unit.flags |= PE;
  return a.sign === 1 ? -magnitude : magnitude;
}

function invalidInteger(unit: FloatUnit, limit: bigint): bigint {
  unit.flags |= IE;
  unit.roundedUp = false;
  return -limit;
}

/** |a| rounded to an integer, for exponents up to 64 or so; tells through the unit whether it was inexact and rounded up. */
export function roundMagnitude(unit: FloatUnit, a: Operand, rounding: Rounding): bigint {
  unit.inexactInteger = false;
  unit.roundedUp = false;
  if (a.exponent >= 63) return a.significand << COUNT[a.exponent - 63]!;
  // Below 1/4 nothing but stickiness is left.
  const drop = a.exponent < -2 ? 66 : 63 - a.exponent;
  const kept = a.exponent < -1 ? 0n : a.significand >> COUNT[drop]!;
  const rest = a.exponent < -1 ? 1n : a.significand & ONES[drop]!;
  if (rest === 0n) return kept;
  unit.inexactInteger = true;
  const half = BIT[drop - 1]!;
  const up =
    rounding === ROUNDING.NEAREST_EVEN
      ? rest > half || (rest === half && (kept & 1n) !== 0n)
      : rounding === ROUNDING.TRUNCATE
        ? false
        : (rounding === ROUNDING.DOWN) === (a.sign === 1);
  unit.roundedUp = up;
  return up ? kept + 1n : kept;
}

/** FRNDINT: an integral value in the same format. */
export function roundToIntegral(unit: FloatUnit, format: FloatFormat, a: Operand, scratch: Operand) {
  unit.roundedUp = false;
  if (unit.propagateOne(format, a)) return;
  if (unit.denormalTraps(a)) return;
  if (a.kind === KIND.ZERO) return unit.setZero(format, a.sign);
  if (a.kind === KIND.INFINITE) return unit.setInfinity(format, a.sign);
  if (a.exponent >= 63) return unit.round(format, a.sign, a.exponent, a.significand << 64n);
  const magnitude = roundMagnitude(unit, a, unit.rounding);
  const up = unit.roundedUp;
  if (unit.inexactInteger) unit.flags |= PE;
  if (magnitude === 0n) unit.setZero(format, a.sign);
  else {
    scratch.setFinite(a.sign, magnitude, 0);
    unit.round(format, a.sign, scratch.exponent, scratch.significand << 64n);
  }
  unit.roundedUp = up;
}
