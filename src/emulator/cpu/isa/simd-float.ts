import {
  arithmeticNumber,
  type ConversionName,
  conversionNumber,
  LANE_TYPE,
  type LaneType,
} from '../simd/operations.ts';
import { MXCSR, SIMD_SCRATCH } from '../state.ts';
import { type Expr, f32, f64, i32, i64, select, unary, v128 } from '../wasm/expr.ts';
import { type InstructionRow, type RowOptions, row } from './row.ts';
import type { I32, Semantic, Semantics } from './semantics.ts';
import {
  enterMmx,
  guardMmx,
  guardSse,
  immediateByte,
  loadVector,
  operandAddress,
  readVector,
  type V128,
  type VectorBytes,
  writeMmx,
  writeXmm,
} from './vector.ts';

/*
 * Floating point takes the host's arithmetic when that is exact in every respect: round to nearest, all exceptions masked, the inexact
 * flag set already, operands normal or zero, result normal. Everything else goes to the helper, which knows flags, NaNs and denormals.
 */

type F64 = Expr<'f64'>;
type F32 = Expr<'f32'>;

/** Rounding control, masks and the sticky PE of MXCSR, and what they must be. */
const FAST_BITS = 0x7fa0;
const FAST_VALUE = 0x1fa0;
const fastMode = (c: Semantics): I32 => i32.eq(i32.and(c.stateI32(MXCSR), i32.const(FAST_BITS)), i32.const(FAST_VALUE));

const helper = (c: Semantics, operation: number, destination: I32, source: I32, immediate: I32 = i32.const(0)): void =>
  c.helperMayFault('simdFloat', [i32.const(operation), destination, source, immediate]);

/** One scalar precision: loads, constants and comparisons. */
interface Scalar<T extends 'f32' | 'f64'> {
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

const DOUBLE: Scalar<'f64'> = {
  bytes: 8,
  type: LANE_TYPE.SD,
  load: (address) => f64.load(address),
  store: 0x39,
  constant: (value) => f64.reinterpretI64(i64.const(bitsOfDouble(value))),
  smallest: 2 ** -1022,
  largest: Number.MAX_VALUE,
  ops: f64,
};

const SINGLE: Scalar<'f32'> = {
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
function isPlain<T extends 'f32' | 'f64'>(s: Scalar<T>, value: Expr<T>): I32 {
  return i32.or(s.ops.ge(s.ops.abs(value), s.constant(s.smallest)), isZero(s, value));
}

function isZero<T extends 'f32' | 'f64'>(s: Scalar<T>, value: Expr<T>): I32 {
  return s.ops.eq(value, s.constant(0));
}

/** Finite, and so far from the denormals that rounding cannot have hidden one. */
function isSafe<T extends 'f32' | 'f64'>(c: Semantics, s: Scalar<T>, value: Expr<T>): I32 {
  const magnitude = c.let(s.ops.abs(value));
  return i32.and(s.ops.gt(magnitude, s.constant(s.smallest)), s.ops.le(magnitude, s.constant(s.largest)));
}

type Basic = 'ADD' | 'SUB' | 'MUL' | 'DIV';
const METHOD = { ADD: 'add', SUB: 'sub', MUL: 'mul', DIV: 'div' } as const;

const scalarArithmetic =
  <T extends 'f32' | 'f64'>(s: Scalar<T>, name: Basic): Semantic =>
  (c) => {
    guardSse(c);
    const source = operandAddress(c, 1, s.bytes);
    const destination = c.let(c.vectorAddress(0));
    const b = c.let(s.load(source));
    const a = c.let(s.load(destination));
    const result = c.let(s.ops[METHOD[name]](a, b));
    const zero = isZero(s, result);
    // A sum is 0 only exactly; a product or quotient may have underflowed to it.
    const exactZero =
      name === 'ADD' || name === 'SUB'
        ? zero
        : i32.and(zero, name === 'MUL' ? i32.or(isZero(s, a), isZero(s, b)) : isZero(s, a));
    const plain = i32.and(i32.and(fastMode(c), isPlain(s, a)), isPlain(s, b));
    c.b.if(
      i32.and(plain, i32.or(isSafe(c, s, result), exactZero)),
      () => c.b.store(s.store, destination, result),
      () => helper(c, arithmeticNumber(name, s.type), destination, source),
    );
  };

const scalarRoot =
  <T extends 'f32' | 'f64'>(s: Scalar<T>): Semantic =>
  (c) => {
    guardSse(c);
    const source = operandAddress(c, 1, s.bytes);
    const destination = c.let(c.vectorAddress(0));
    const b = c.let(s.load(source));
    const normal = i32.and(s.ops.ge(b, s.constant(s.smallest)), s.ops.le(b, s.constant(s.largest)));
    c.b.if(
      i32.and(fastMode(c), i32.or(normal, isZero(s, b))),
      () => c.b.store(s.store, destination, s.ops.sqrt(b)),
      () => helper(c, arithmeticNumber('SQRT', s.type), destination, source),
    );
  };

const scalarSelect =
  <T extends 'f32' | 'f64'>(s: Scalar<T>, name: 'MIN' | 'MAX'): Semantic =>
  (c) => {
    guardSse(c);
    const source = operandAddress(c, 1, s.bytes);
    const destination = c.let(c.vectorAddress(0));
    const b = c.let(s.load(source));
    const a = c.let(s.load(destination));
    const keeps = name === 'MIN' ? s.ops.lt(a, b) : s.ops.gt(a, b);
    c.b.if(
      i32.and(isPlain(s, a), isPlain(s, b)),
      () => c.b.store(s.store, destination, select(keeps, a, b)),
      () => helper(c, arithmeticNumber(name, s.type), destination, source),
    );
  };

/** COMISS…: ZF PF CF; the lazy words hold them directly (see state.ts). */
const compareToFlags =
  <T extends 'f32' | 'f64'>(s: Scalar<T>, name: 'COMI' | 'UCOMI'): Semantic =>
  (c) => {
    guardSse(c);
    const source = operandAddress(c, 1, s.bytes);
    const destination = c.let(c.vectorAddress(0));
    const b = c.let(s.load(source));
    const a = c.let(s.load(destination));
    c.b.if(
      i32.and(isPlain(s, a), isPlain(s, b)),
      () => {
        const equal = c.let(i64.extendI32U(s.ops.eq(a, b)));
        const below = c.let(i64.extendI32U(s.ops.lt(a, b)));
        // RESULT 0 for ZF, else 1; its parity is turned when it is 0, as PF is clear.
        const aux = i64.or(i64.shl(i64.mul(below, i64.const(3)), i64.const(62)), i64.shl(equal, i64.const(8)));
        c.setRawFlags(i64.xor(equal, i64.const(1)), aux);
      },
      () => helper(c, arithmeticNumber(name, s.type), destination, source),
    );
  };

/** A packed precision by opcodes of the SIMD instructions. */
interface Packed {
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
  readonly operations: Readonly<Record<Basic | 'SQRT' | 'MIN' | 'MAX', number>>;
}

function splatDouble(value: number): V128 {
  const bits = bitsOfDouble(value);
  return v128.const(Array.from({ length: 16 }, (_, index) => Number((bits >> BigInt((index % 8) * 8)) & 0xffn)));
}

function splatSingle(value: number): V128 {
  const bits = bitsOfSingle(value);
  return v128.const(Array.from({ length: 16 }, (_, index) => (bits >>> ((index % 4) * 8)) & 0xff));
}

const PACKED_DOUBLE: Packed = {
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

const PACKED_SINGLE: Packed = {
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

const ZERO = v128.const(new Array(16).fill(0));
const areZero = (p: Packed, value: V128): V128 => v128.binary(p.eq, value, ZERO);
const arePlain = (p: Packed, value: V128): V128 =>
  v128.or(v128.binary(p.ge, v128.unary(p.abs, value), p.smallest), areZero(p, value));
const areSafe = (c: Semantics, p: Packed, value: V128): V128 => {
  const magnitude = c.let(v128.unary(p.abs, value));
  return v128.and(v128.binary(p.gt, magnitude, p.smallest), v128.binary(p.le, magnitude, p.largest));
};

const packedArithmetic =
  (p: Packed, name: Basic): Semantic =>
  (c) => {
    guardSse(c);
    const source = operandAddress(c, 1, 16, true);
    const destination = c.let(c.vectorAddress(0));
    const b = c.let(v128.load(source));
    const a = c.let(v128.load(destination));
    const result = c.let(v128.binary(p.operations[name], a, b));
    const zero = areZero(p, result);
    const exactZero =
      name === 'ADD' || name === 'SUB'
        ? zero
        : v128.and(zero, name === 'MUL' ? v128.or(areZero(p, a), areZero(p, b)) : areZero(p, a));
    const good = v128.and(v128.and(arePlain(p, a), arePlain(p, b)), v128.or(areSafe(c, p, result), exactZero));
    c.b.if(
      i32.and(fastMode(c), v128.test(p.allTrue, good)),
      () => c.b.store(0xfd0b, destination, result),
      () => helper(c, arithmeticNumber(name, p.type), destination, source),
    );
  };

const packedRoot =
  (p: Packed): Semantic =>
  (c) => {
    guardSse(c);
    const source = operandAddress(c, 1, 16, true);
    const destination = c.let(c.vectorAddress(0));
    const b = c.let(v128.load(source));
    const normal = v128.and(v128.binary(p.ge, b, p.smallest), v128.binary(p.le, b, p.largest));
    c.b.if(
      i32.and(fastMode(c), v128.test(p.allTrue, v128.or(normal, areZero(p, b)))),
      () => c.b.store(0xfd0b, destination, v128.unary(p.operations.SQRT, b)),
      () => helper(c, arithmeticNumber('SQRT', p.type), destination, source),
    );
  };

const packedSelect =
  (p: Packed, name: 'MIN' | 'MAX'): Semantic =>
  (c) => {
    guardSse(c);
    const source = operandAddress(c, 1, 16, true);
    const destination = c.let(c.vectorAddress(0));
    const b = c.let(v128.load(source));
    const a = c.let(v128.load(destination));
    c.b.if(
      v128.test(p.allTrue, v128.and(arePlain(p, a), arePlain(p, b))),
      () => c.b.store(0xfd0b, destination, v128.binary(p.operations[name], b, a)),
      () => helper(c, arithmeticNumber(name, p.type), destination, source),
    );
  };

/** CMPPS…: lanes as masks; the predicate is known only at run time. */
const compareLanes =
  (p: Packed, type: LaneType, bytes: VectorBytes): Semantic =>
  (c) => {
    guardSse(c);
    const source = operandAddress(c, 1, bytes, bytes === 16);
    const destination = c.let(c.vectorAddress(0));
    const predicate = c.let(i32.and(immediateByte(c), i32.const(7)));
    const b = loadVector(c, source, bytes);
    const a = loadVector(c, destination, bytes);
    c.b.if(
      v128.test(p.allTrue, v128.and(arePlain(p, a), arePlain(p, b))),
      () => {
        const kind = c.let(i32.and(predicate, i32.const(3)));
        const is = (value: number) => i32.eq(kind, i32.const(value));
        // Nothing is unordered here.
        const ordered = select(is(2), v128.binary(p.le, a, b), ZERO);
        const holds = select(is(0), v128.binary(p.eq, a, b), select(is(1), v128.binary(p.lt, a, b), ordered));
        const negate = v128.splat(0x11, i32.sub(i32.const(0), i32.shrU(predicate, i32.const(2))));
        storeLanes(c, destination, v128.xor(holds, negate), bytes);
      },
      () => helper(c, arithmeticNumber('CMP', type), destination, source, predicate),
    );
  };

function storeLanes(c: Semantics, address: I32, value: V128, bytes: VectorBytes): void {
  if (bytes === 16) c.b.store(0xfd0b, address, value);
  else if (bytes === 8) c.b.storeI64(address, v128.extract('i64', 0x1d, value, 0));
  else c.b.storeI32(address, v128.extract('i32', 0x1b, value, 0));
}

/** RCPSS, RSQRTSS and packed. */
const approximation =
  (name: 'RCP' | 'RSQRT', packed: boolean): Semantic =>
  (c) => {
    guardSse(c);
    const source = operandAddress(c, 1, packed ? 16 : 4, packed);
    const type = packed ? LANE_TYPE.PS : LANE_TYPE.SS;
    helper(c, arithmeticNumber(name, type), c.let(c.vectorAddress(0)), source);
  };

const scratch = i32.const(SIMD_SCRATCH);

/** Integer register or memory to a scalar. */
const fromInteger =
  (name: 'CVTSI2SS' | 'CVTSI2SD'): Semantic =>
  (c) => {
    guardSse(c);
    const wide = c.sizeOf(1) === 8;
    const value = c.let(wide ? c.get(1) : i64.extend32S(c.get(1)));
    const destination = c.let(c.vectorAddress(0));
    const isDouble = name === 'CVTSI2SD';
    // Integers within the significand are exact in any mode.
    const bits = isDouble ? 53 : 24;
    const exact = i64.leU(i64.add(value, i64.const(2 ** bits)), i64.const(2 ** (bits + 1)));
    c.b.if(
      i32.or(exact, fastMode(c)),
      () =>
        isDouble
          ? c.b.store(DOUBLE.store, destination, f64.convertI64S(value))
          : c.b.store(SINGLE.store, destination, f32.convertI64S(value)),
      () => {
        c.b.storeI64(scratch, value);
        helper(c, conversionNumber(`${name}64`), destination, scratch);
      },
    );
  };

const truncate = (value: F64): F64 => unary('f64', 0x9d, value);

/** Scalar to an integer register. */
const toIntegerRegister =
  (name: 'CVTSS2SI' | 'CVTTSS2SI' | 'CVTSD2SI' | 'CVTTSD2SI', bytes: 4 | 8, truncates: boolean): Semantic =>
  (c) => {
    guardSse(c);
    const wide = c.sizeOf(0) === 8;
    const source = operandAddress(c, 1, bytes);
    const value: F64 = c.let(bytes === 8 ? f64.load(source) : f64.promoteF32(f32.load(source)));
    const rounded = c.let(truncates ? truncate(value) : f64.nearest(value));
    const limit = DOUBLE.constant(wide ? 2 ** 63 : 2 ** 31);
    const fits = f64.lt(f64.abs(rounded), limit);
    const result = c.b.local('i64');
    c.b.if(
      i32.and(fits, i32.or(fastMode(c), f64.eq(rounded, value))),
      () => c.b.set(result, i64.truncSatF64(rounded)),
      () => {
        helper(c, conversionNumber(wide ? `${name}64` : name), scratch, source);
        c.b.set(result, wide ? i64.load(scratch) : i64.load32u(scratch));
      },
    );
    c.set(0, wide ? result : i64.and(result, i64.const(0xffff_ffff)));
  };

const singleToDouble: Semantic = (c) => {
  guardSse(c);
  const source = operandAddress(c, 1, 4);
  const destination = c.let(c.vectorAddress(0));
  const value: F32 = c.let(f32.load(source));
  c.b.if(
    isPlain(SINGLE, value),
    () => c.b.store(DOUBLE.store, destination, f64.promoteF32(value)),
    () => helper(c, conversionNumber('CVTSS2SD'), destination, source),
  );
};

const doubleToSingle: Semantic = (c) => {
  guardSse(c);
  const source = operandAddress(c, 1, 8);
  const destination = c.let(c.vectorAddress(0));
  const value: F64 = c.let(f64.load(source));
  const result: F32 = c.let(f32.demoteF64(value));
  c.b.if(
    i32.and(fastMode(c), i32.or(isSafe(c, SINGLE, result), isZero(DOUBLE, value))),
    () => c.b.store(SINGLE.store, destination, result),
    () => helper(c, conversionNumber('CVTSD2SS'), destination, source),
  );
};

/** Packed conversions; `fast` gives a condition and the result where the host may do it. */
const packedConversion =
  (
    name: ConversionName,
    bytes: VectorBytes,
    fast?: (c: Semantics, value: V128) => { readonly condition: I32; readonly result: V128 },
  ): Semantic =>
  (c) => {
    guardSse(c);
    const source = operandAddress(c, 1, bytes, bytes === 16);
    const destination = c.let(c.vectorAddress(0));
    const slow = () => helper(c, conversionNumber(name), destination, source);
    if (fast === undefined) {
      slow();
      return;
    }
    const { condition, result } = fast(c, loadVector(c, source, bytes));
    c.b.if(condition, () => c.b.store(0xfd0b, destination, result), slow);
  };

const toDwords =
  (rounding: number) =>
  (c: Semantics, value: V128): { condition: I32; result: V128 } => {
    const rounded = c.let(v128.unary(rounding, value));
    const fits = v128.binary(0x43, v128.unary(0xe0, rounded), splatSingle(2 ** 31));
    const exact = v128.binary(0x41, rounded, value);
    const condition = i32.and(v128.test(0xa3, fits), i32.or(fastMode(c), v128.test(0xa3, exact)));
    return { condition, result: v128.unary(0xf8, rounded) };
  };

/** Between MMX registers (or memory) and XMM: always by the helper. */
const fromMmx =
  (name: 'CVTPI2PS' | 'CVTPI2PD'): Semantic =>
  (c) => {
    guardSse(c);
    const isRegister = !c.isMemory(1);
    // Only a register operand makes it an MMX instruction.
    if (isRegister) guardMmx(c);
    const source = operandAddress(c, 1, 8);
    // The transition happens even when the conversion traps.
    if (isRegister) enterMmx(c);
    helper(c, conversionNumber(name), c.let(c.vectorAddress(0)), source);
  };

const toMmx =
  (name: 'CVTPS2PI' | 'CVTTPS2PI' | 'CVTPD2PI' | 'CVTTPD2PI', bytes: 8 | 16): Semantic =>
  (c) => {
    guardSse(c);
    guardMmx(c);
    const source = operandAddress(c, 1, bytes, bytes === 16);
    // The transition happens even when the conversion traps.
    enterMmx(c);
    helper(c, conversionNumber(name), scratch, source);
    writeMmx(c, 0, loadVector(c, scratch, 8));
  };

const NONE: RowOptions = { prefix: 0 };
const P66: RowOptions = { prefix: 0x66 };
const F3: RowOptions = { prefix: 0xf3 };
const F2: RowOptions = { prefix: 0xf2 };

/** One operation in its four types. */
function fourRows(
  opcode: number,
  name: string,
  packed: (p: Packed) => Semantic,
  scalar: <T extends 'f32' | 'f64'>(s: Scalar<T>) => Semantic,
): InstructionRow[] {
  return [
    row('0f', opcode, `${name}PS`, ['Vdq', 'Wdq'], packed(PACKED_SINGLE), NONE),
    row('0f', opcode, `${name}PD`, ['Vdq', 'Wdq'], packed(PACKED_DOUBLE), P66),
    row('0f', opcode, `${name}SS`, ['Vdq', 'Wd'], scalar(SINGLE), F3),
    row('0f', opcode, `${name}SD`, ['Vdq', 'Wq'], scalar(DOUBLE), F2),
  ];
}

const basicRows = (opcode: number, name: Basic): InstructionRow[] =>
  fourRows(
    opcode,
    name,
    (p) => packedArithmetic(p, name),
    (s) => scalarArithmetic(s, name),
  );
const selectRows = (opcode: number, name: 'MIN' | 'MAX'): InstructionRow[] =>
  fourRows(
    opcode,
    name,
    (p) => packedSelect(p, name),
    (s) => scalarSelect(s, name),
  );

/** Arithmetic, comparison and conversion of SSE and SSE2. */
export const SIMD_FLOAT_ROWS: readonly InstructionRow[] = [
  ...fourRows(0x51, 'SQRT', packedRoot, scalarRoot),
  ...basicRows(0x58, 'ADD'),
  ...basicRows(0x59, 'MUL'),
  ...basicRows(0x5c, 'SUB'),
  ...selectRows(0x5d, 'MIN'),
  ...basicRows(0x5e, 'DIV'),
  ...selectRows(0x5f, 'MAX'),
  row('0f', 0x52, 'RSQRTPS', ['Vdq', 'Wdq'], approximation('RSQRT', true), NONE),
  row('0f', 0x52, 'RSQRTSS', ['Vdq', 'Wd'], approximation('RSQRT', false), F3),
  row('0f', 0x53, 'RCPPS', ['Vdq', 'Wdq'], approximation('RCP', true), NONE),
  row('0f', 0x53, 'RCPSS', ['Vdq', 'Wd'], approximation('RCP', false), F3),
  row('0f', 0xc2, 'CMPPS', ['Vdq', 'Wdq', 'Ib'], compareLanes(PACKED_SINGLE, LANE_TYPE.PS, 16), NONE),
  row('0f', 0xc2, 'CMPPD', ['Vdq', 'Wdq', 'Ib'], compareLanes(PACKED_DOUBLE, LANE_TYPE.PD, 16), P66),
  row('0f', 0xc2, 'CMPSS', ['Vdq', 'Wd', 'Ib'], compareLanes(PACKED_SINGLE, LANE_TYPE.SS, 4), F3),
  row('0f', 0xc2, 'CMPSD', ['Vdq', 'Wq', 'Ib'], compareLanes(PACKED_DOUBLE, LANE_TYPE.SD, 8), F2),
  row('0f', 0x2e, 'UCOMISS', ['Vdq', 'Wd'], compareToFlags(SINGLE, 'UCOMI'), NONE),
  row('0f', 0x2e, 'UCOMISD', ['Vdq', 'Wq'], compareToFlags(DOUBLE, 'UCOMI'), P66),
  row('0f', 0x2f, 'COMISS', ['Vdq', 'Wd'], compareToFlags(SINGLE, 'COMI'), NONE),
  row('0f', 0x2f, 'COMISD', ['Vdq', 'Wq'], compareToFlags(DOUBLE, 'COMI'), P66),
  row('0f', 0x2a, 'CVTSI2SS', ['Vdq', 'Ey'], fromInteger('CVTSI2SS'), F3),
  row('0f', 0x2a, 'CVTSI2SD', ['Vdq', 'Ey'], fromInteger('CVTSI2SD'), F2),
  row('0f', 0x2c, 'CVTTSS2SI', ['Gy', 'Wd'], toIntegerRegister('CVTTSS2SI', 4, true), F3),
  row('0f', 0x2c, 'CVTTSD2SI', ['Gy', 'Wq'], toIntegerRegister('CVTTSD2SI', 8, true), F2),
  row('0f', 0x2d, 'CVTSS2SI', ['Gy', 'Wd'], toIntegerRegister('CVTSS2SI', 4, false), F3),
  row('0f', 0x2d, 'CVTSD2SI', ['Gy', 'Wq'], toIntegerRegister('CVTSD2SI', 8, false), F2),
  row('0f', 0x5a, 'CVTSS2SD', ['Vdq', 'Wd'], singleToDouble, F3),
  row('0f', 0x5a, 'CVTSD2SS', ['Vdq', 'Wq'], doubleToSingle, F2),
  row(
    '0f',
    0x5a,
    'CVTPS2PD',
    ['Vdq', 'Wq'],
    packedConversion('CVTPS2PD', 8, (_, value) => ({
      condition: v128.test(0xa3, arePlain(PACKED_SINGLE, value)),
      result: v128.unary(0x5f, value),
    })),
    NONE,
  ),
  row('0f', 0x5a, 'CVTPD2PS', ['Vdq', 'Wdq'], packedConversion('CVTPD2PS', 16), P66),
  row(
    '0f',
    0x5b,
    'CVTDQ2PS',
    ['Vdq', 'Wdq'],
    packedConversion('CVTDQ2PS', 16, (c, value) => ({ condition: fastMode(c), result: v128.unary(0xfa, value) })),
    NONE,
  ),
  row('0f', 0x5b, 'CVTPS2DQ', ['Vdq', 'Wdq'], packedConversion('CVTPS2DQ', 16, toDwords(0x6a)), P66),
  row('0f', 0x5b, 'CVTTPS2DQ', ['Vdq', 'Wdq'], packedConversion('CVTTPS2DQ', 16, toDwords(0x69)), F3),
  row(
    '0f',
    0xe6,
    'CVTDQ2PD',
    ['Vdq', 'Wq'],
    (c) => {
      guardSse(c);
      writeXmm(c, 0, v128.unary(0xfe, readVector(c, 1, 8)));
    },
    F3,
  ),
  row('0f', 0xe6, 'CVTPD2DQ', ['Vdq', 'Wdq'], packedConversion('CVTPD2DQ', 16), F2),
  row('0f', 0xe6, 'CVTTPD2DQ', ['Vdq', 'Wdq'], packedConversion('CVTTPD2DQ', 16), P66),
  row('0f', 0x2a, 'CVTPI2PS', ['Vdq', 'Qq'], fromMmx('CVTPI2PS'), NONE),
  row('0f', 0x2a, 'CVTPI2PD', ['Vdq', 'Qq'], fromMmx('CVTPI2PD'), P66),
  row('0f', 0x2c, 'CVTTPS2PI', ['Pq', 'Wq'], toMmx('CVTTPS2PI', 8), NONE),
  row('0f', 0x2c, 'CVTTPD2PI', ['Pq', 'Wdq'], toMmx('CVTTPD2PI', 16), P66),
  row('0f', 0x2d, 'CVTPS2PI', ['Pq', 'Wq'], toMmx('CVTPS2PI', 8), NONE),
  row('0f', 0x2d, 'CVTPD2PI', ['Pq', 'Wdq'], toMmx('CVTPD2PI', 16), P66),
];
