import { LANE_TYPE, type LaneType } from '../simd/operations.ts';
import { v128 } from '../wasm/expr.ts';
import { type BasicOperation, DOUBLE, PACKED_DOUBLE, PACKED_SINGLE, SINGLE } from './float-fast-path.ts';
import type { Semantics, V128 } from './semantics.ts';
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

/** What a back end that watches numbers is told of them. */
export interface FloatWatch {
  /** Operand `index` (0, 1) of value `value` must have this much of comfort; a number that is not finite shows in the result. */
  needs(index: number, value: V128, type: LaneType, comfort: Comfort): void;
  /** True when the operand is known to be comfortable. */
  isComfortable(index: number, type: LaneType): boolean;
  /** Register operand 0 holds a new result, which must turn out finite. `comfort`: what is known of it then. */
  makes(type: LaneType, comfort: Comfort | 0): void;
  /** The result in register operand 0 must turn out to be at least 2^−510 (2^−62), and no zero. */
  needsLargeResult(type: LaneType): void;
}

const SIZES = { [LANE_TYPE.PS]: 16, [LANE_TYPE.PD]: 16, [LANE_TYPE.SS]: 4, [LANE_TYPE.SD]: 8 } as const;

/** Value of operand 1, scalars in the low lane. */
function sourceOf(c: Semantics, type: LaneType): V128 {
  if (!c.isMemory(1)) return c.let(c.vector(1));
  const bytes = SIZES[type];
  const address = operandAddress(c, 1, bytes, bytes === 16);
  return c.let(bytes === 16 ? v128.load(address) : v128.loadZero(bytes, address));
}

function apply(type: LaneType, name: BasicOperation | 'SQRT', a: V128, b: V128): V128 {
  if (type === LANE_TYPE.PD || type === LANE_TYPE.PS) {
    const { operations } = type === LANE_TYPE.PD ? PACKED_DOUBLE : PACKED_SINGLE;
    return name === 'SQRT' ? v128.unary(operations.SQRT, b) : v128.binary(operations[name], a, b);
  }
  const isDouble = type === LANE_TYPE.SD;
  const low = (value: V128) => v128.extract(isDouble ? 'f64' : 'f32', isDouble ? 0x21 : 0x1f, value, 0);
  const { ops } = isDouble ? DOUBLE : SINGLE;
  const result = name === 'SQRT' ? ops.sqrt(low(b) as never) : ops[METHOD[name]](low(a) as never, low(b) as never);
  return v128.replace(isDouble ? 0x22 : 0x20, a, 0, result);
}

const METHOD = { ADD: 'add', SUB: 'sub', MUL: 'mul', DIV: 'div' } as const;

/** ADD, SUB, MUL, DIV and SQRT of any type, for `watch`. */
export function watchedArithmetic(
  c: Semantics,
  watch: FloatWatch,
  type: LaneType,
  name: BasicOperation | 'SQRT',
): void {
  const b = sourceOf(c, type);
  const a = c.vector(0);
  const isSum = name === 'ADD' || name === 'SUB';
  const needed = isSum ? PLAIN : COMFORTABLE;
  if (name !== 'SQRT') watch.needs(0, a, type, needed);
  watch.needs(1, b, type, needed);
  const isPlainSum = isSum && watch.isComfortable(0, type) && watch.isComfortable(1, type);
  c.setVector(0, apply(type, name, a, b));
  if (name === 'SQRT') watch.makes(type, COMFORTABLE);
  else watch.makes(type, name === 'MUL' || isPlainSum ? PLAIN : 0);
  if (name === 'DIV') watch.needsLargeResult(type);
}
