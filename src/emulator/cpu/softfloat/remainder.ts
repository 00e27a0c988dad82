import type { FloatUnit } from './float-unit.ts';
import { COUNT, type FloatFormat, KIND } from './format.ts';
import type { Operand } from './operand.ts';

/** What FPREM tells in C2 and C3/C1/C0. */
export interface RemainderOutcome {
  /** The exponents were too far apart: only part of the reduction is done. */
  readonly partial: boolean;
  /** Low three bits of the quotient. */
  readonly quotient: number;
}

const COMPLETE: RemainderOutcome = { partial: false, quotient: 0 };

/**
 * FPREM (`nearest` false: truncated quotient) and FPREM1 (IEEE remainder). Exact: it never rounds, except that a denormal result may
 * raise underflow when unmasked. Exponents 64 or more apart are reduced by part (SDM vol. 2, FPREM).
 */
export function remainder(
  unit: FloatUnit,
  format: FloatFormat,
  a: Operand,
  b: Operand,
  nearest: boolean,
): RemainderOutcome {
  unit.roundedUp = false;
  if (unit.propagateTwo(format, a, b)) return COMPLETE;
  if (a.kind === KIND.INFINITE || b.kind === KIND.ZERO) {
    unit.setInvalid(format);
    return COMPLETE;
  }
  if (unit.denormalTraps(a, b)) return COMPLETE;
  if (a.kind === KIND.ZERO) {
    unit.setZero(format, a.sign);
    return COMPLETE;
  }
  if (b.kind === KIND.INFINITE) {
    unit.round(format, a.sign, a.exponent, a.significand << 64n);
    return COMPLETE;
  }
  const distance = a.exponent - b.exponent;
  if (distance < -1 || (distance < 0 && !nearest)) {
    unit.round(format, a.sign, a.exponent, a.significand << 64n);
    return COMPLETE;
  }
  return distance < 64
    ? reduceFully(unit, format, a, b, distance, nearest)
    : reducePartly(unit, format, a, b, distance);
}

function reduceFully(
  unit: FloatUnit,
  format: FloatFormat,
  a: Operand,
  b: Operand,
  distance: number,
  nearest: boolean,
): RemainderOutcome {
  // Both on the scale of b (or of half of it, when a is the smaller): the remainder is an integer on that scale.
  const half = distance < 0;
  const x = half ? a.significand : a.significand << COUNT[distance]!;
  const y = half ? b.significand << 1n : b.significand;
  let quotient = x / y;
  let rest = x - quotient * y;
  let sign = a.sign;
  if (nearest) {
    const twice = rest << 1n;
    if (twice > y || (twice === y && (quotient & 1n) !== 0n)) {
      rest = y - rest;
      sign = (sign ^ 1) as 0 | 1;
      quotient += 1n;
    }
  }
  if (rest === 0n) unit.setZero(format, a.sign);
  else unit.normalizeAndRound(format, sign, (half ? b.exponent - 1 : b.exponent) + 64, rest);
  return { partial: false, quotient: Number(quotient & 7n) };
}

function reducePartly(
  unit: FloatUnit,
  format: FloatFormat,
  a: Operand,
  b: Operand,
  distance: number,
): RemainderOutcome {
  const reduction = (distance & 31) | 32;
  const rest = (a.significand << COUNT[reduction]!) % b.significand;
  if (rest === 0n) unit.setZero(format, a.sign);
  else unit.normalizeAndRound(format, a.sign, a.exponent - reduction + 64, rest);
  return { partial: true, quotient: 0 };
}

/**
 * FSCALE: a × 2^trunc(b). Beyond the range of any result the exponent is clamped, so that overflow and underflow come out of rounding.
 */
export function scale(unit: FloatUnit, format: FloatFormat, a: Operand, b: Operand) {
  unit.roundedUp = false;
  if (unit.propagateTwo(format, a, b)) return;
  if (b.kind === KIND.INFINITE) {
    if (b.sign === 0 ? a.kind === KIND.ZERO : a.kind === KIND.INFINITE) return unit.setInvalid(format);
    if (unit.denormalTraps(a, b)) return;
    return b.sign === 0 ? unit.setInfinity(format, a.sign) : unit.setZero(format, a.sign);
  }
  if (unit.denormalTraps(a, b)) return;
  if (a.kind === KIND.INFINITE) return unit.setInfinity(format, a.sign);
  if (a.kind === KIND.ZERO) return unit.setZero(format, a.sign);
  unit.round(format, a.sign, a.exponent + truncateToScale(b), a.significand << 64n);
}

function truncateToScale(b: Operand): number {
  if (b.kind === KIND.ZERO || b.exponent < 0) return 0;
  const magnitude = b.exponent >= 17 ? 0x2_0000 : Number(b.significand >> COUNT[63 - b.exponent]!);
  return b.sign === 1 ? -magnitude : magnitude;
}
