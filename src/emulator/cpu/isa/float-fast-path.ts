import { LANE_TYPE, type LaneType } from '../simd/operations.ts';
import { type Expr, f32, f64, i32, i64, v128 } from '../wasm/expr.ts';
import type { F64, I32, Semantics } from './semantics.ts';
import { operandAddress, type V128 } from './vector.ts';

/*
 * Floating point takes the host's arithmetic when that is right in every respect: MXCSR as `floatsAreFast` says (or a result without rounding), operands normal or
 * zero, result normal or exactly zero. Everything else goes to the helper, which knows flags, NaNs and denormals. Ordinary numbers are told
 * by their exponents, in integer instructions; only when one of them is not ordinary, zeros are told from the rest.
 */

/** The four operations that a host's instruction can do exactly. */
export type BasicOperation = 'ADD' | 'SUB' | 'MUL' | 'DIV';
export type GiveUp = (condition: I32) => void;

/** Calls the floating-point helper; `source` by address. Its destination is operand 0. */
export const helper = (
  c: Semantics,
  operation: number,
  destination: I32,
  source: I32,
  immediate: I32 = i32.const(0),
): void => c.helperMayFault('simdFloat', [i32.const(operation), destination, source, immediate]);

/** One scalar precision. Words are the dwords with sign and exponent. */
export interface Scalar<T extends 'f32' | 'f64'> {
  readonly bytes: 4 | 8;
  readonly type: LaneType;
  readonly load: (address: I32) => Expr<T>;
  readonly get: (c: Semantics, index: number) => Expr<T>;
  readonly set: (c: Semantics, index: number, value: Expr<T>) => void;
  readonly wordOf: (value: Expr<T>) => I32;
  readonly toDouble: (value: Expr<T>) => F64;
  readonly constant: (value: number) => Expr<T>;
  /** Exponent bits of the word, and the lowest of them. */
  readonly exponent: number;
  readonly exponentUnit: number;
  readonly smallest: number;
  readonly ops: {
    abs(a: Expr<T>): Expr<T>;
    eq(a: Expr<T>, b: Expr<T>): I32;
    ne(a: Expr<T>, b: Expr<T>): I32;
    lt(a: Expr<T>, b: Expr<T>): I32;
    gt(a: Expr<T>, b: Expr<T>): I32;
    ge(a: Expr<T>, b: Expr<T>): I32;
    add(a: Expr<T>, b: Expr<T>): Expr<T>;
    sub(a: Expr<T>, b: Expr<T>): Expr<T>;
    mul(a: Expr<T>, b: Expr<T>): Expr<T>;
    div(a: Expr<T>, b: Expr<T>): Expr<T>;
    sqrt(a: Expr<T>): Expr<T>;
  };
}

function bitsOfDouble(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

function bitsOfSingle(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view.getUint32(0);
}

export const DOUBLE: Scalar<'f64'> = {
  bytes: 8,
  type: LANE_TYPE.SD,
  load: (address) => f64.load(address),
  get: (c, index) => c.double(index),
  set: (c, index, value) => c.setDouble(index, value),
  wordOf: (value) => i32.wrap(i64.shrU(i64.reinterpretF64(value), i64.const(32))),
  toDouble: (value) => value,
  constant: (value) => f64.reinterpretI64(i64.const(bitsOfDouble(value))),
  exponent: 0x7ff0_0000,
  exponentUnit: 0x0010_0000,
  smallest: 2 ** -1022,
  ops: f64,
};

export const SINGLE: Scalar<'f32'> = {
  bytes: 4,
  type: LANE_TYPE.SS,
  load: (address) => f32.load(address),
  get: (c, index) => c.single(index),
  set: (c, index, value) => c.setSingle(index, value),
  wordOf: (value) => i32.reinterpretF32(value),
  toDouble: (value) => f64.promoteF32(value),
  constant: (value) => f32.reinterpretI32(i32.const(bitsOfSingle(value))),
  exponent: 0x7f80_0000,
  exponentUnit: 0x0080_0000,
  smallest: 2 ** -126,
  ops: f32,
};

/** A scalar operand as it is needed: its value, the word with the exponent, and whether the back end knows it to be plain. */
export interface ScalarOperand<T extends 'f32' | 'f64'> {
  readonly value: Expr<T>;
  readonly word: I32;
  readonly isKnownPlain: boolean;
  /** Where a helper finds it; to be asked for in the part that calls one. */
  readonly address: () => I32;
}

/** Operand `index`, register or memory, read once. */
export function scalarOperand<T extends 'f32' | 'f64'>(c: Semantics, s: Scalar<T>, index: number): ScalarOperand<T> {
  const lane = s.bytes / 4 - 1;
  if (!c.isMemory(index)) {
    return {
      value: c.let(s.get(c, index)),
      word: c.dword(index, lane),
      isKnownPlain: c.isKnownPlain(index, s.type),
      address: () => c.let(c.vectorAddress(index)),
    };
  }
  const address = operandAddress(c, index, s.bytes);
  const word = i32.load(address, lane * 4);
  return { value: c.let(s.load(address)), word, isKnownPlain: false, address: () => address };
}

/** `body` where `condition`, which is seldom true. */
export const rarely = (c: Semantics, condition: I32, body: () => void): void =>
  c.b.plainIf(condition, body, undefined, 'unlikely');

/** `body`, unless floats are fast. */
export function unless(c: Semantics, fast: I32, body: () => void): void {
  if (fast.kind !== 'const') rarely(c, i32.eqz(fast), body);
}

/** An operand of arithmetic: gives up for denormals. NaNs and infinities show in the result. */
export function refuseDenormal<T extends 'f32' | 'f64'>(
  c: Semantics,
  s: Scalar<T>,
  { value, word, isKnownPlain }: ScalarOperand<T>,
  giveUp: GiveUp,
): void {
  if (isKnownPlain) return;
  rarely(c, i32.eqz(i32.and(word, i32.const(s.exponent))), () => giveUp(s.ops.ne(value, s.constant(0))));
}

/** An operand of comparisons: gives up for denormals and NaNs. */
export function refuseUnordered<T extends 'f32' | 'f64'>(
  c: Semantics,
  s: Scalar<T>,
  { value, word, isKnownPlain }: ScalarOperand<T>,
  giveUp: GiveUp,
): void {
  if (isKnownPlain) return;
  rarely(c, isNotNormal(s, word, s.exponentUnit), () => giveUp(i32.eqz(isPlain(s, value))));
}

/** True unless the exponent is from `lowest` to the largest finite one; `word` keeps its sign. */
function isNotNormal<T extends 'f32' | 'f64'>(s: Scalar<T>, word: I32, lowest: number): I32 {
  const magnitude = i32.and(word, i32.const(0x7fff_ffff));
  return i32.geU(i32.sub(magnitude, i32.const(lowest)), i32.const(s.exponent - lowest));
}

/** Neither NaN nor denormal. */
export function isPlain<T extends 'f32' | 'f64'>(s: Scalar<T>, value: Expr<T>): I32 {
  return i32.or(s.ops.ge(s.ops.abs(value), s.constant(s.smallest)), isZero(s, value));
}

export function isZero<T extends 'f32' | 'f64'>(s: Scalar<T>, value: Expr<T>): I32 {
  return s.ops.eq(value, s.constant(0));
}

/** Gives up unless the result is finite, and so far from the denormals that rounding cannot have hidden one, or zero and `exactZero`. */
export function refuseUnsafe<T extends 'f32' | 'f64'>(
  c: Semantics,
  s: Scalar<T>,
  result: Expr<T>,
  exactZero: I32,
  giveUp: GiveUp,
): void {
  const unsafe = isNotNormal(s, s.wordOf(result), 2 * s.exponentUnit);
  rarely(c, unsafe, () => giveUp(i32.eqz(i32.and(isZero(s, result), exactZero))));
}

/** A packed precision by opcodes of the SIMD instructions. */
export interface Packed {
  readonly type: LaneType;
  readonly smallest: V128;
  readonly largest: V128;
  readonly abs: number;
  readonly eq: number;
  readonly lt: number;
  readonly gt: number;
  readonly le: number;
  readonly ge: number;
  readonly allTrue: number;
  /** Top bits of the lanes. */
  readonly signs: number;
  /** Lowest exponent bit in its dword, and the bits of the exponent, both shifted left by one. */
  readonly exponentUnit: number;
  readonly exponent: number;
  readonly operations: Readonly<Record<BasicOperation | 'SQRT' | 'MIN' | 'MAX', number>>;
}

export function splatDouble(value: number): V128 {
  const bits = bitsOfDouble(value);
  return v128.const(Array.from({ length: 16 }, (_, index) => Number((bits >> BigInt((index % 8) * 8)) & 0xffn)));
}

export function splatSingle(value: number): V128 {
  const bits = bitsOfSingle(value);
  return v128.const(Array.from({ length: 16 }, (_, index) => (bits >>> ((index % 4) * 8)) & 0xff));
}

export const PACKED_DOUBLE: Packed = {
  type: LANE_TYPE.PD,
  smallest: splatDouble(DOUBLE.smallest),
  largest: splatDouble(Number.MAX_VALUE),
  abs: 0xec,
  eq: 0x47,
  lt: 0x49,
  gt: 0x4a,
  le: 0x4b,
  ge: 0x4c,
  allTrue: 0xc3,
  signs: 0xc4,
  exponentUnit: 0x0020_0000,
  exponent: 0xffe0_0000,
  // MIN and MAX are pmin and pmax with exchanged operands: the second one unless the first is truly below (above).
  operations: { ADD: 0xf0, SUB: 0xf1, MUL: 0xf2, DIV: 0xf3, SQRT: 0xef, MIN: 0xf6, MAX: 0xf7 },
};

export const PACKED_SINGLE: Packed = {
  type: LANE_TYPE.PS,
  smallest: splatSingle(SINGLE.smallest),
  largest: splatSingle((2 - 2 ** -23) * 2 ** 127),
  abs: 0xe0,
  eq: 0x41,
  lt: 0x43,
  gt: 0x44,
  le: 0x45,
  ge: 0x46,
  allTrue: 0xa3,
  signs: 0xa4,
  exponentUnit: 0x0100_0000,
  exponent: 0xff00_0000,
  operations: { ADD: 0xe4, SUB: 0xe5, MUL: 0xe6, DIV: 0xe7, SQRT: 0xe3, MIN: 0xea, MAX: 0xeb },
};

export const ZERO = v128.const(new Array(16).fill(0));
export const areZero = (p: Packed, value: V128): V128 => v128.binary(p.eq, value, ZERO);
export const arePlain = (p: Packed, value: V128): V128 =>
  v128.or(v128.binary(p.ge, v128.unary(p.abs, value), p.smallest), areZero(p, value));
export const areSafe = (c: Semantics, p: Packed, value: V128): V128 => {
  const magnitude = c.let(v128.unary(p.abs, value));
  return v128.and(v128.binary(p.gt, magnitude, p.smallest), v128.binary(p.le, magnitude, p.largest));
};

/**
 * True when a lane of any of `values` is zero, denormal, infinite or a NaN, or next to the denormals. The exponents move to the top of their dwords, and there so
 * that one signed comparison finds those out of range; for doubles what the other dwords give is not looked at.
 */
export function haveUnusual(p: Packed, values: readonly V128[]): I32 {
  const splat = (value: number): V128 => v128.splat(0x11, i32.const(value));
  const lowest = 2 * p.exponentUnit;
  const shifted = splat(0x8000_0000 - lowest);
  const last = splat(p.exponent - lowest - 0x8000_0000 - 1);
  const outside = values.map((value) =>
    v128.binary(0x3b, v128.binary(0xae, v128.shift(0xab, value, i32.const(1)), shifted), last),
  );
  return v128.test(
    p.signs,
    outside.reduce((all, one) => v128.or(all, one)),
  );
}
