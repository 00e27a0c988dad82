import { LANE_TYPE, type LaneType } from '../simd/operations.ts';
import { type Expr, v128 } from '../wasm/expr.ts';
import {
  type BasicOperation,
  DOUBLE,
  PACKED_DOUBLE,
  PACKED_SINGLE,
  type Packed,
  type Scalar,
  SINGLE,
} from './float-fast-path.ts';
import type { F32, F64, Semantics, V128 } from './semantics.ts';
import { operandAddress } from './vector.ts';

/*
 * Arithmetic for a back end that looks at the numbers of many instructions at once, and takes all of them back when one is unusual. Each instruction says
 * what must hold of its operands so that the host's result is right in every respect, given MXCSR as `floatsAreFast` says and no flush to zero:
 *
 * - a sum needs operands that are no denormals: what underflows there is exact;
 * - a product, quotient or root needs operands that are zero or so large that it cannot come near the denormals (see COMFORTABLE);
 * - a quotient must not be zero or tiny: a huge divisor would do that;
 * - no result may be infinite or a NaN. What is neither has no such operand, but for a divisor, whose quotient is zero then.
 */

/** Zero or normal; zero, or of at least 2^−510 (a single: 2^−62): products of two such are normal or zero, and their sums no denormals. */
export const PLAIN = 1;
export const COMFORTABLE = 2;
export type Comfort = typeof PLAIN | typeof COMFORTABLE;

/** A scalar's low lane, or all lanes of a packed type. */
export type Operand = F32 | F64 | V128;

/** What a back end that watches numbers is told of them. */
export interface FloatWatch {
  /** Operand `index` (0, 1) of this value must have this much of comfort; a number that is not finite shows in the result. */
  needs(index: number, value: Operand, type: LaneType, comfort: Comfort): void;
  /** True when the operand is known to be comfortable. */
  isComfortable(index: number, type: LaneType): boolean;
  /** Register operand 0 holds a new result, which must turn out finite. `comfort`: what is known of it then. */
  makes(type: LaneType, comfort: Comfort | 0): void;
  /** `value`, the result in register operand 0, must turn out to be at least 2^−510 (2^−62), and no zero. */
  needsLargeResult(value: Operand, type: LaneType): void;
}

type Operation = BasicOperation | 'SQRT';

/** How the numbers of a type are read, computed and written. */
interface Access<T extends Expr> {
  register(c: Semantics, index: number): T;
  load(c: Semantics): T;
  apply(name: Operation, a: T, b: T): T;
  set(c: Semantics, value: T): void;
}

const METHOD = { ADD: 'add', SUB: 'sub', MUL: 'mul', DIV: 'div' } as const;

const packed = ({ operations }: Packed): Access<V128> => ({
  register: (c, index) => c.vector(index),
  load: (c) => v128.load(operandAddress(c, 1, 16, true)),
  apply: (name, a, b) => (name === 'SQRT' ? v128.unary(operations.SQRT, b) : v128.binary(operations[name], a, b)),
  set: (c, value) => c.setVector(0, value),
});

const scalar = <T extends 'f32' | 'f64'>({ bytes, get, load, ops, set }: Scalar<T>): Access<Expr<T>> => ({
  register: get,
  load: (c) => load(operandAddress(c, 1, bytes)),
  apply: (name, a, b) => (name === 'SQRT' ? ops.sqrt(b) : ops[METHOD[name]](a, b)),
  set: (c, value) => set(c, 0, value),
});

const ACCESS = {
  [LANE_TYPE.PS]: packed(PACKED_SINGLE),
  [LANE_TYPE.PD]: packed(PACKED_DOUBLE),
  [LANE_TYPE.SS]: scalar(SINGLE),
  [LANE_TYPE.SD]: scalar(DOUBLE),
} as const;

/** ADD, SUB, MUL, DIV and SQRT of any type, for `watch`. */
export function watchedArithmetic(c: Semantics, watch: FloatWatch, type: LaneType, name: Operation): void {
  const access = ACCESS[type] as Access<Operand>;
  const b = c.let(c.isMemory(1) ? access.load(c) : access.register(c, 1));
  const a = access.register(c, 0);
  const isSum = name === 'ADD' || name === 'SUB';
  const needed = isSum ? PLAIN : COMFORTABLE;
  if (name !== 'SQRT') watch.needs(0, a, type, needed);
  watch.needs(1, b, type, needed);
  const isPlainSum = isSum && watch.isComfortable(0, type) && watch.isComfortable(1, type);
  const result = c.let(access.apply(name, a, b));
  access.set(c, result);
  if (name === 'SQRT') watch.makes(type, COMFORTABLE);
  else watch.makes(type, name === 'MUL' || isPlainSum ? PLAIN : 0);
  if (name === 'DIV') watch.needsLargeResult(result, type);
}
