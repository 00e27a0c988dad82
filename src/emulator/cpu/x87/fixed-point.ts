import { bitLength, COUNT } from '../softfloat/format.ts';

/*
 * Elementary functions on fixed-point numbers with FRACTION fractional bits, to about 190 bits: far more than the 64 of a result, so that
 * rounding them is right but for one argument in 2^60 or so. Not fast; nobody calls them in a loop on this machine.
 */

export const FRACTION = 200;
const F = COUNT[FRACTION];
export const ONE = 1n << F;

/** π × 2^330 and ln 2 × 2^260. */
const PI_330 = 0xc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9n;
const LN2_260 = 0xb17217f7d1cf79abc9e3b39803f2f6af40f343267298b62d8a0d175b8baafa2ben;
export const PI = PI_330 >> 130n;
export const LN2 = LN2_260 >> 60n;

const product = (a: bigint, b: bigint): bigint => (a * b) >> F;
const quotient = (a: bigint, b: bigint): bigint => (a << F) / b;

/** significand / 2^63 × 2^exponent as fixed point (cut off below). */
export function toFixed(significand: bigint, exponent: number): bigint {
  const shift = FRACTION - 63 + exponent;
  return shift >= 0 ? significand << BigInt(shift) : significand >> BigInt(-shift);
}

/** Position of the top bit as an exponent. */
export function exponentOf(value: bigint): number {
  return bitLength(value) - 1 - FRACTION;
}

/** π as x87 processors know it, to 66 bits (SDM vol. 1 §8.3.8), × 2^330: what is left of a large angle depends on it. */
const PI_INTERNAL = 0x3243f6a8885a308d3n << 266n;

/** x mod π/2 nearest 0, and the quadrant, for |x| below 2^64. */
function reduceByHalfPi(significand: bigint, exponent: number): { rest: bigint; quadrant: number } {
  const scaled =
    exponent + 330 - 63 >= 0 ? significand << BigInt(exponent + 267) : significand >> BigInt(-exponent - 267);
  const half = PI_INTERNAL >> 1n;
  const turns = (scaled + (half >> 1n)) / half;
  return { rest: (scaled - turns * half) >> 130n, quadrant: Number(turns & 3n) };
}

function sineSeries(x: bigint): bigint {
  const square = product(x, x);
  let term = x;
  let sum = x;
  for (let n = 2n; term !== 0n && term !== -1n; n += 2n) {
    term = -product(term, square) / (n * (n + 1n));
    sum += term;
  }
  return sum;
}

function cosineSeries(x: bigint): bigint {
  const square = product(x, x);
  let term = ONE;
  let sum = ONE;
  for (let n = 1n; term !== 0n && term !== -1n; n += 2n) {
    term = -product(term, square) / (n * (n + 1n));
    sum += term;
  }
  return sum;
}

/** sin and cos of a positive number below 2^64. */
export function sineAndCosine(significand: bigint, exponent: number): { sine: bigint; cosine: bigint } {
  const { rest, quadrant } = reduceByHalfPi(significand, exponent);
  const sine = sineSeries(rest);
  const cosine = cosineSeries(rest);
  switch (quadrant) {
    case 0:
      return { sine, cosine };
    case 1:
      return { sine: cosine, cosine: -sine };
    case 2:
      return { sine: -sine, cosine: -cosine };
    default:
      return { sine: -cosine, cosine: sine };
  }
}

/** atan t for 0 ≤ t ≤ 1, by Euler's series after one reduction by π/4. */
export function arcTangent(t: bigint): bigint {
  if (t > ONE >> 1n) return (PI >> 2n) - arcTangent(quotient(ONE - t, ONE + t));
  const square = product(t, t);
  const ratio = quotient(square, ONE + square);
  let term = quotient(t, ONE + square);
  let sum = term;
  for (let n = 1n; term !== 0n; n += 1n) {
    term = (product(term, ratio) * (2n * n)) / (2n * n + 1n);
    sum += term;
  }
  return sum;
}

/** ln((1 + z)/(1 − z)) = 2 atanh z for small |z|. */
function logarithmOfRatio(z: bigint): bigint {
  const square = product(z, z);
  let power = z;
  let sum = z;
  for (let n = 3n; power !== 0n && power !== -1n; n += 2n) {
    power = product(power, square);
    sum += power / n;
  }
  return sum << 1n;
}

/** log2 m for 1/2 < m < 2, in fixed point. */
export function binaryLogarithm(m: bigint): bigint {
  return quotient(logarithmOfRatio(quotient(m - ONE, m + ONE)), LN2);
}

/** log2(1 + x) for |x| < 1/2. */
export function binaryLogarithmNearOne(x: bigint): bigint {
  return quotient(logarithmOfRatio(quotient(x, (ONE << 1n) + x)), LN2);
}

/** 2^x − 1 for |x| ≤ 1. */
export function powerOfTwoLessOne(x: bigint): bigint {
  const u = product(x, LN2);
  let term = u;
  let sum = u;
  for (let n = 2n; term !== 0n && term !== -1n; n += 1n) {
    term = product(term, u) / n;
    sum += term;
  }
  return sum;
}
