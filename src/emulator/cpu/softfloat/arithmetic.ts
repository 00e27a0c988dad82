import type { FloatUnit } from './float-unit.ts';
import { COUNT, FLOAT_FLAG, type FloatFormat, KIND, ONES, ROUNDING } from './format.ts';
import type { Operand } from './operand.ts';

const { IE, ZE } = FLOAT_FLAG;

/** a + b, or a − b, rounded to `format`. */
export function add(unit: FloatUnit, format: FloatFormat, a: Operand, b: Operand, subtract = false) {
  unit.roundedUp = false;
  if (unit.propagateTwo(format, a, b)) return;
  const signB = subtract ? ((b.sign ^ 1) as 0 | 1) : b.sign;
  if (a.kind === KIND.INFINITE && b.kind === KIND.INFINITE && a.sign !== signB) return unit.setInvalid(format);
  if (unit.denormalTraps(a, b)) return;
  if (a.kind === KIND.INFINITE) return unit.setInfinity(format, a.sign);
  if (b.kind === KIND.INFINITE) return unit.setInfinity(format, signB);
  if (a.kind === KIND.ZERO && b.kind === KIND.ZERO) {
    return unit.setZero(format, a.sign === signB ? a.sign : unit.rounding === ROUNDING.DOWN ? 1 : 0);
  }
  if (b.kind === KIND.ZERO) return unit.round(format, a.sign, a.exponent, a.significand << 64n);
  if (a.kind === KIND.ZERO) return unit.round(format, signB, b.exponent, b.significand << 64n);
  addFinite(unit, format, a, b, signB);
}

function addFinite(unit: FloatUnit, format: FloatFormat, a: Operand, b: Operand, signB: 0 | 1) {
  const swap = b.exponent > a.exponent;
  const large = swap ? b : a;
  const small = swap ? a : b;
  const sign = swap ? signB : a.sign;
  const x = large.significand << 64n;
  const y = shiftRightSticky(small.significand << 64n, large.exponent - small.exponent);
  if (a.sign === signB) return unit.normalizeAndRound(format, sign, large.exponent, x + y);
  const difference = x - y;
  if (difference === 0n) return unit.setZero(format, unit.rounding === ROUNDING.DOWN ? 1 : 0);
  if (difference < 0n) unit.normalizeAndRound(format, (sign ^ 1) as 0 | 1, large.exponent, -difference);
  else unit.normalizeAndRound(format, sign, large.exponent, difference);
}

/** x >> count, with what falls off or-ed into the lowest bit. x below 2^128. */
export function shiftRightSticky(x: bigint, count: number): bigint {
  if (count === 0) return x;
  if (count >= 128) return 1n;
  return (x >> COUNT[count]!) | ((x & ONES[count]!) !== 0n ? 1n : 0n);
}

/** a × b. */
export function multiply(unit: FloatUnit, format: FloatFormat, a: Operand, b: Operand) {
  unit.roundedUp = false;
  if (unit.propagateTwo(format, a, b)) return;
  const sign = (a.sign ^ b.sign) as 0 | 1;
  if (a.kind === KIND.INFINITE || b.kind === KIND.INFINITE) {
    if (a.kind === KIND.ZERO || b.kind === KIND.ZERO) return unit.setInvalid(format);
    if (unit.denormalTraps(a, b)) return;
    return unit.setInfinity(format, sign);
  }
  if (unit.denormalTraps(a, b)) return;
  if (a.kind === KIND.ZERO || b.kind === KIND.ZERO) return unit.setZero(format, sign);
  const product = a.significand * b.significand;
  const exponent = a.exponent + b.exponent;
  if (product >> 127n !== 0n) unit.round(format, sign, exponent + 1, product);
  else unit.round(format, sign, exponent, product << 1n);
}

/** a ÷ b. */
export function divide(unit: FloatUnit, format: FloatFormat, a: Operand, b: Operand) {
  unit.roundedUp = false;
  if (unit.propagateTwo(format, a, b)) return;
  const sign = (a.sign ^ b.sign) as 0 | 1;
  if (a.kind === KIND.INFINITE) {
    if (b.kind === KIND.INFINITE) return unit.setInvalid(format);
    if (unit.denormalTraps(a, b)) return;
    return unit.setInfinity(format, sign);
  }
  if (b.kind === KIND.ZERO) {
    if (a.kind === KIND.ZERO) return unit.setInvalid(format);
    unit.flags |= ZE;
    return unit.setInfinity(format, sign);
  }
  if (unit.denormalTraps(a, b)) return;
  if (a.kind === KIND.ZERO || b.kind === KIND.INFINITE) return unit.setZero(format, sign);
  const numerator = a.significand << 66n;
  const quotient = numerator / b.significand;
  const sticky = quotient * b.significand === numerator ? 0n : 1n;
  const exponent = a.exponent - b.exponent;
  if (quotient >> 66n !== 0n) unit.round(format, sign, exponent, (quotient << 61n) | sticky);
  else unit.round(format, sign, exponent - 1, (quotient << 62n) | sticky);
}

/** √a. */
export function squareRoot(unit: FloatUnit, format: FloatFormat, a: Operand) {
  unit.roundedUp = false;
  if (unit.propagateOne(format, a)) return;
  if (a.kind === KIND.ZERO) return unit.setZero(format, a.sign);
  if (a.sign === 1) return unit.setInvalid(format);
  if (unit.denormalTraps(a)) return;
  if (a.kind === KIND.INFINITE) return unit.setInfinity(format, 0);
  const odd = (a.exponent & 1) !== 0;
  const radicand = a.significand << (odd ? 72n : 71n);
  const root = integerSquareRoot(radicand);
  const sticky = root * root === radicand ? 0n : 1n;
  unit.round(format, 0, Math.floor(a.exponent / 2), (root << 60n) | sticky);
}

/** ⌊√n⌋ for 2^134 ≤ n < 2^136: one Newton step from the 53-bit estimate, then at most one correction. */
function integerSquareRoot(n: bigint): bigint {
  const estimate = BigInt(Math.floor(Math.sqrt(Number(n))));
  let root = (estimate + n / estimate) >> 1n;
  while (root * root > n) root -= 1n;
  while ((root + 1n) * (root + 1n) <= n) root += 1n;
  return root;
}

/** −1, 0, 1: a below, equal to, above b; 2 unordered. `quiet`: a QNaN raises nothing (FUCOM, UCOMISS). */
export function compare(unit: FloatUnit, a: Operand, b: Operand, quiet: boolean): -1 | 0 | 1 | 2 {
  if (a.isNan || b.isNan) {
    if (!quiet || a.kind > KIND.QUIET_NAN || b.kind > KIND.QUIET_NAN) unit.flags |= IE;
    return 2;
  }
  unit.denormalTraps(a, b);
  if (a.kind === KIND.ZERO && b.kind === KIND.ZERO) return 0;
  if (a.kind === KIND.ZERO) return b.sign === 1 ? 1 : -1;
  if (a.sign !== b.sign && b.kind !== KIND.ZERO) return a.sign === 1 ? -1 : 1;
  if (b.kind === KIND.ZERO) return a.sign === 1 ? -1 : 1;
  const magnitude = compareMagnitude(a, b);
  return (a.sign === 1 ? -magnitude : magnitude) as -1 | 0 | 1;
}

function compareMagnitude(a: Operand, b: Operand): -1 | 0 | 1 {
  if (a.kind !== b.kind) return a.kind === KIND.INFINITE ? 1 : -1;
  if (a.kind === KIND.INFINITE) return 0;
  if (a.exponent !== b.exponent) return a.exponent > b.exponent ? 1 : -1;
  if (a.significand === b.significand) return 0;
  return a.significand > b.significand ? 1 : -1;
}
