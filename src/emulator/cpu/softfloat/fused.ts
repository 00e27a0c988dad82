import type { FloatUnit } from './float-unit.ts';
import { bitLength, FLOAT_FLAG, type FloatFormat, KIND, ROUNDING } from './format.ts';
import type { Operand } from './operand.ts';

/** x × y + z with one rounding. */
export interface FusedOperands {
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Operand;
  readonly negateProduct: boolean;
  readonly negateAddend: boolean;
}

/** Beyond this distance the smaller term is only sticky. */
const FAR = 400;

/** Fused multiply-add (IEEE 754 §5.4.1; SDM vol. 1 §14.5.2 for NaNs). */
export function fusedMultiplyAdd(unit: FloatUnit, format: FloatFormat, operands: FusedOperands) {
  const { a, b, c } = operands;
  unit.roundedUp = false;
  const signP = (a.sign ^ b.sign ^ (operands.negateProduct ? 1 : 0)) as 0 | 1;
  const signC = (c.sign ^ (operands.negateAddend ? 1 : 0)) as 0 | 1;
  const infiniteTimesZero =
    (a.kind === KIND.INFINITE && b.kind === KIND.ZERO) || (a.kind === KIND.ZERO && b.kind === KIND.INFINITE);
  if (a.isNan || b.isNan || c.isNan) return propagate(unit, format, operands);
  if (infiniteTimesZero) return unit.setInvalid(format);
  const infiniteProduct = a.kind === KIND.INFINITE || b.kind === KIND.INFINITE;
  if (infiniteProduct && c.kind === KIND.INFINITE && signP !== signC) return unit.setInvalid(format);
  if (unit.denormalTraps(a, b) || unit.denormalTraps(c)) return;
  if (infiniteProduct) return unit.setInfinity(format, signP);
  if (c.kind === KIND.INFINITE) return unit.setInfinity(format, signC);
  const zeroProduct = a.kind === KIND.ZERO || b.kind === KIND.ZERO;
  if (zeroProduct && c.kind === KIND.ZERO) {
    return unit.setZero(format, signP === signC ? signP : unit.rounding === ROUNDING.DOWN ? 1 : 0);
  }
  if (zeroProduct) return unit.round(format, signC, c.exponent, c.significand << 64n);
  const product = { sign: signP, magnitude: a.significand * b.significand, exponent: a.exponent + b.exponent - 126 };
  if (c.kind === KIND.ZERO) return roundTerm(unit, format, product);
  sum(unit, format, product, { sign: signC, magnitude: c.significand, exponent: c.exponent - 63 });
}

/** (−1)^sign × magnitude × 2^exponent. */
interface Term {
  readonly sign: 0 | 1;
  readonly magnitude: bigint;
  readonly exponent: number;
}

function sum(unit: FloatUnit, format: FloatFormat, p: Term, q: Term) {
  const [high, low] = p.exponent >= q.exponent ? [p, q] : [q, p];
  let distance = high.exponent - low.exponent;
  let lowMagnitude = low.magnitude;
  if (distance > FAR) {
    // Its value no longer matters, that it is there does.
    distance = FAR;
    lowMagnitude = 1n;
  }
  const exponent = high.exponent - distance;
  const left = high.magnitude << BigInt(distance);
  const total = (high.sign === 1 ? -left : left) + (low.sign === 1 ? -lowMagnitude : lowMagnitude);
  if (total === 0n) return unit.setZero(format, unit.rounding === ROUNDING.DOWN ? 1 : 0);
  roundTerm(unit, format, { sign: total < 0n ? 1 : 0, magnitude: total < 0n ? -total : total, exponent });
}

function roundTerm(unit: FloatUnit, format: FloatFormat, { sign, magnitude, exponent }: Term) {
  const length = bitLength(magnitude);
  const excess = length - 128;
  let scaled = magnitude;
  if (excess > 0) {
    scaled = magnitude >> BigInt(excess);
    if (scaled << BigInt(excess) !== magnitude) scaled |= 1n;
  } else scaled = magnitude << BigInt(-excess);
  unit.round(format, sign, exponent + length - 1, scaled);
}

function propagate(unit: FloatUnit, format: FloatFormat, { a, b, c }: FusedOperands) {
  const list = [a, b, c];
  if (list.some((operand) => operand.kind === KIND.SIGNALING_NAN)) unit.flags |= FLOAT_FLAG.IE;
  const first = list.find((operand) => operand.isNan);
  if (first !== undefined) unit.setNan(format, first);
}
