import { LANE_TYPE, type LaneType } from '../simd/operations.ts';
import { MXCSR } from '../state.ts';
import { type Expr, f32, f64, i32, i64, v128 } from '../wasm/expr.ts';
import type { I32, Semantics } from './semantics.ts';
import type { V128 } from './vector.ts';

/*
 * Floating point takes the host's arithmetic when that is exact in every respect: round to nearest, all exceptions masked, the inexact
 * flag set already, operands normal or zero, result normal. Everything else goes to the helper, which knows flags, NaNs and denormals.
 */

/** The four operations that a host's instruction can do exactly. */
export type BasicOperation = 'ADD' | 'SUB' | 'MUL' | 'DIV';

export type F64 = Expr<'f64'>;
export type F32 = Expr<'f32'>;

/** Rounding control, masks and the sticky PE of MXCSR, and what they must be. */
const FAST_BITS = 0x7fa0;
const FAST_VALUE = 0x1fa0;
export const fastMode = (c: Semantics): I32 =>
  i32.eq(i32.and(c.stateI32(MXCSR), i32.const(FAST_BITS)), i32.const(FAST_VALUE));

export const helper = (
  c: Semantics,
  operation: number,
  destination: I32,
  source: I32,
  immediate: I32 = i32.const(0),
): void => c.helperMayFault('simdFloat', [i32.const(operation), destination, source, immediate]);

/** One scalar precision: loads, constants and comparisons. */
export interface Scalar<T extends 'f32' | 'f64'> {
  readonly bytes: 4 | 8;
  readonly type: LaneType;
  readonly load: (address: I32) => Expr<T>;
  readonly store: number;
  readonly constant: (value: number) => Expr<T>;
  readonly smallest: number;
  readonly largest: number;
  readonly ops: {
    abs(a: Expr<T>): Expr<T>;
    eq(a: Expr<T>, b: Expr<T>): I32;
    lt(a: Expr<T>, b: Expr<T>): I32;
    gt(a: Expr<T>, b: Expr<T>): I32;
    le(a: Expr<T>, b: Expr<T>): I32;
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
  store: 0x39,
  constant: (value) => f64.reinterpretI64(i64.const(bitsOfDouble(value))),
  smallest: 2 ** -1022,
  largest: Number.MAX_VALUE,
  ops: f64,
};

export const SINGLE: Scalar<'f32'> = {
  bytes: 4,
  type: LANE_TYPE.SS,
  load: (address) => f32.load(address),
  store: 0x38,
  constant: (value) => f32.reinterpretI32(i32.const(bitsOfSingle(value))),
  smallest: 2 ** -126,
  largest: (2 - 2 ** -23) * 2 ** 127,
  ops: f32,
};

/** Neither NaN nor denormal. */
export function isPlain<T extends 'f32' | 'f64'>(s: Scalar<T>, value: Expr<T>): I32 {
  return i32.or(s.ops.ge(s.ops.abs(value), s.constant(s.smallest)), isZero(s, value));
}

export function isZero<T extends 'f32' | 'f64'>(s: Scalar<T>, value: Expr<T>): I32 {
  return s.ops.eq(value, s.constant(0));
}

/** Finite, and so far from the denormals that rounding cannot have hidden one. */
export function isSafe<T extends 'f32' | 'f64'>(c: Semantics, s: Scalar<T>, value: Expr<T>): I32 {
  const magnitude = c.let(s.ops.abs(value));
  return i32.and(s.ops.gt(magnitude, s.constant(s.smallest)), s.ops.le(magnitude, s.constant(s.largest)));
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
  readonly operations: Readonly<Record<BasicOperation | 'SQRT' | 'MIN' | 'MAX', number>>;
}

function splatDouble(value: number): V128 {
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
  largest: splatDouble(DOUBLE.largest),
  abs: 0xec,
  eq: 0x47,
  lt: 0x49,
  gt: 0x4a,
  le: 0x4b,
  ge: 0x4c,
  allTrue: 0xc3,
  // MIN and MAX are pmin and pmax with exchanged operands: the second one unless the first is truly below (above).
  operations: { ADD: 0xf0, SUB: 0xf1, MUL: 0xf2, DIV: 0xf3, SQRT: 0xef, MIN: 0xf6, MAX: 0xf7 },
};

export const PACKED_SINGLE: Packed = {
  type: LANE_TYPE.PS,
  smallest: splatSingle(SINGLE.smallest),
  largest: splatSingle(SINGLE.largest),
  abs: 0xe0,
  eq: 0x41,
  lt: 0x43,
  gt: 0x44,
  le: 0x45,
  ge: 0x46,
  allTrue: 0xa3,
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
