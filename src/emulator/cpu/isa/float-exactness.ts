import { LANE_TYPE } from '../simd/operations.ts';
import { MXCSR, MXCSR_FAST } from '../state.ts';
import { type Expr, f64, i32, i64, v128 } from '../wasm/expr.ts';
import type { BasicOperation, Packed, Scalar } from './float-fast-path.ts';
import type { F64, I32, I64, Semantics, V128 } from './semantics.ts';

/*
 * As long as PE is clear in MXCSR, a result must be known to be exact before the host's can be taken. Programs whose numbers are integers never set
 * it. Operands are plain and results safe here (float-fast-path.ts); a wrong "no" costs time only.
 */

type Operation = BasicOperation | 'SQRT';

const PE = 0x20;
const DOUBLE_FRACTION_BITS = 52;
const ZERO = f64.reinterpretI64(i64.const(0));

/** MXCSR would be fast but for PE. */
const lacksOnlyPe = (c: Semantics): I32 => {
  const bits = i32.and(c.stateI32(MXCSR), i32.const(MXCSR_FAST.BITS & ~PE));
  return i32.eq(bits, i32.const(MXCSR_FAST.VALUE & ~PE));
};

/** Trailing zeros of a double's significand. */
const trailingZeros = (value: F64): I64 =>
  i64.ctz(i64.or(i64.reinterpretF64(value), i64.const(1n << BigInt(DOUBLE_FRACTION_BITS))));

/** True when the significands of both together have no more bits than one double holds: their product is exact. */
const productFits = (a: F64, b: F64): I32 =>
  i64.gtU(i64.add(trailingZeros(a), trailingZeros(b)), i64.const(DOUBLE_FRACTION_BITS));

/** What rounding took from the sum `r` of `a` and `b` (Knuth's TwoSum). */
function roundingError(c: Semantics, a: F64, b: F64, r: F64): F64 {
  const part = c.let(f64.sub(r, a));
  return f64.add(f64.sub(a, f64.sub(r, part)), f64.sub(b, part));
}

/** `whole` is the product of `a` and `b`, without rounding. */
const isProduct = (a: F64, b: F64, whole: F64): I32 =>
  i32.or(f64.eq(whole, ZERO), i32.and(f64.eq(f64.mul(a, b), whole), productFits(a, b)));

function doubleIsExact(c: Semantics, name: Operation, a: F64, b: F64, r: F64): I32 {
  switch (name) {
    case 'MUL':
      return isProduct(a, b, r);
    case 'DIV':
      return isProduct(r, b, a);
    case 'SQRT':
      return isProduct(r, r, b);
    default:
      return f64.eq(roundingError(c, a, name === 'SUB' ? f64.neg(b) : b, r), ZERO);
  }
}

/** The scalar result `r` of `a` and `b` (a root: of `b`) is exact, and with PE clear MXCSR stays as it is. */
export function scalarIsExact<T extends 'f32' | 'f64'>(
  c: Semantics,
  s: Scalar<T>,
  name: Operation,
  a: Expr<T>,
  b: Expr<T>,
  r: Expr<T>,
): I32 {
  const [x, y, z] = [a, b, r].map((value) => c.let(s.toDouble(value)));
  if (s.bytes === 8) return i32.and(lacksOnlyPe(c), doubleIsExact(c, name, x, y, z));
  return i32.and(lacksOnlyPe(c), singleIsExact(c, name, x, y, z));
}

/** Singles as doubles, which hold their products, but not all their sums. */
function singleIsExact(c: Semantics, name: Operation, x: F64, y: F64, z: F64): I32 {
  switch (name) {
    case 'MUL':
      return f64.eq(f64.mul(x, y), z);
    case 'DIV':
      return f64.eq(f64.mul(z, y), x);
    case 'SQRT':
      return f64.eq(f64.mul(z, z), y);
    default: {
      const sum = name === 'SUB' ? f64.sub(x, y) : f64.add(x, y);
      return i32.and(f64.eq(sum, z), doubleIsExact(c, name, x, y, z));
    }
  }
}

/** Lanes of a vector as doubles. */
function doublesOf(c: Semantics, p: Packed, value: V128): F64[] {
  if (p.type === LANE_TYPE.PD) return [0, 1].map((lane) => c.let(v128.extract('f64', 0x21, value, lane)));
  return [0, 1, 2, 3].map((lane) => c.let(f64.promoteF32(v128.extract('f32', 0x1f, value, lane))));
}

/** The same for each lane. */
export function packedIsExact(c: Semantics, p: Packed, name: Operation, a: V128, b: V128, r: V128): I32 {
  const [x, y, z] = [a, b, r].map((value) => doublesOf(c, p, value));
  const isExact = p.type === LANE_TYPE.PD ? doubleIsExact : singleIsExact;
  return x.reduce((all, _, lane) => i32.and(all, isExact(c, name, x[lane], y[lane], z[lane])), lacksOnlyPe(c));
}
