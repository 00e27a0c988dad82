import { arithmeticNumber, LANE_TYPE, type LaneType, WIDE_OPERATION } from '../simd/operations.ts';
import { i32, i64, select, v128 } from '../wasm/expr.ts';
import {
  arePlain,
  areSafe,
  areZero,
  type BasicOperation,
  DOUBLE,
  fastMode,
  helper,
  isPlain,
  isSafe,
  isZero,
  PACKED_DOUBLE,
  PACKED_SINGLE,
  type Packed,
  type Scalar,
  SINGLE,
  ZERO,
} from './float-fast-path.ts';
import { type InstructionRow, type RowOptions, row } from './row.ts';
import type { I32, Semantic, Semantics } from './semantics.ts';
import { guardSse, immediateByte, loadVector, operandAddress, type V128, type VectorBytes } from './vector.ts';

const METHOD = { ADD: 'add', SUB: 'sub', MUL: 'mul', DIV: 'div' } as const;

const scalarArithmetic =
  <T extends 'f32' | 'f64'>(s: Scalar<T>, name: BasicOperation): Semantic =>
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

/** What the host's instruction gives for one 128-bit lane, and whether it is exact in every respect. */
type Evaluation = (c: Semantics, a: V128, b: V128) => { readonly condition: I32; readonly result: V128 };

/** One or two lanes by the host where that is right for all of them, else all by the helper. `lanes` 2: operands of a VEX view. */
const packed =
  (operation: number, lanes: 1 | 2, evaluate: Evaluation): Semantic =>
  (c) => {
    guardSse(c);
    const source = operandAddress(c, 1, 16, true);
    const destination = c.let(c.vectorAddress(0));
    const results: V128[] = [];
    let condition: I32 | undefined;
    for (let lane = 0; lane < lanes; lane++) {
      const b = c.let(v128.load(source, lane * 16));
      const a = c.let(v128.load(destination, lane * 16));
      const evaluated = evaluate(c, a, b);
      results.push(lanes === 1 ? evaluated.result : c.let(evaluated.result));
      condition = condition === undefined ? evaluated.condition : i32.and(c.let(condition), evaluated.condition);
    }
    c.b.if(
      condition as I32,
      () => {
        for (const [lane, result] of results.entries()) c.b.store(0xfd0b, destination, result, lane * 16);
      },
      () => helper(c, operation + (lanes === 2 ? WIDE_OPERATION : 0), destination, source),
    );
  };

export const packedArithmetic = (p: Packed, name: BasicOperation, lanes: 1 | 2 = 1): Semantic =>
  packed(arithmeticNumber(name, p.type), lanes, (c, a, b) => {
    const result = c.let(v128.binary(p.operations[name], a, b));
    const zero = areZero(p, result);
    const exactZero =
      name === 'ADD' || name === 'SUB'
        ? zero
        : v128.and(zero, name === 'MUL' ? v128.or(areZero(p, a), areZero(p, b)) : areZero(p, a));
    const good = v128.and(v128.and(arePlain(p, a), arePlain(p, b)), v128.or(areSafe(c, p, result), exactZero));
    return { condition: i32.and(fastMode(c), v128.test(p.allTrue, good)), result };
  });

export const packedRoot = (p: Packed, lanes: 1 | 2 = 1): Semantic =>
  packed(arithmeticNumber('SQRT', p.type), lanes, (c, _a, b) => {
    const normal = v128.and(v128.binary(p.ge, b, p.smallest), v128.binary(p.le, b, p.largest));
    return {
      condition: i32.and(fastMode(c), v128.test(p.allTrue, v128.or(normal, areZero(p, b)))),
      result: v128.unary(p.operations.SQRT, b),
    };
  });

export const packedSelect = (p: Packed, name: 'MIN' | 'MAX', lanes: 1 | 2 = 1): Semantic =>
  packed(arithmeticNumber(name, p.type), lanes, (_, a, b) => ({
    condition: v128.test(p.allTrue, v128.and(arePlain(p, a), arePlain(p, b))),
    result: v128.binary(p.operations[name], b, a),
  }));

/** CMPPS…: lanes as masks; the predicate is known only at run time, 3 bits of it or (VEX) 5. */
export const compareLanes =
  (p: Packed, type: LaneType, bytes: VectorBytes, predicates: 8 | 32 = 8): Semantic =>
  (c) => {
    guardSse(c);
    const source = operandAddress(c, 1, bytes, bytes === 16);
    const destination = c.let(c.vectorAddress(0));
    const predicate = c.let(i32.and(immediateByte(c), i32.const(predicates - 1)));
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
        const inverted = i32.and(i32.shrU(predicate, i32.const(2)), i32.const(1));
        const negate = v128.splat(0x11, i32.sub(i32.const(0), inverted));
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

const basicRows = (opcode: number, name: BasicOperation): InstructionRow[] =>
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

/** Arithmetic and comparison of SSE and SSE2. */
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
];
