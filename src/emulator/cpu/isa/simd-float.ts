import { type ArithmeticName, arithmeticNumber, LANE_TYPE, type LaneType, WIDE_OPERATION } from '../simd/operations.ts';
import { COMPARISON } from '../state.ts';
import { type Expr, i32, i64, select, v128 } from '../wasm/expr.ts';
import { packedIsExact, scalarIsExact } from './float-exactness.ts';
import {
  arePlain,
  areSafe,
  areZero,
  type BasicOperation,
  DOUBLE,
  haveUnusual,
  helper,
  isZero,
  PACKED_DOUBLE,
  PACKED_SINGLE,
  type Packed,
  rarely,
  refuseDenormal,
  refuseUnordered,
  refuseUnsafe,
  type Scalar,
  type ScalarOperand,
  SINGLE,
  scalarOperand,
  unless,
  ZERO,
} from './float-fast-path.ts';
import { watchedArithmetic } from './float-watch.ts';
import { type InstructionRow, type RowOptions, row } from './row.ts';
import type { I32, Semantic, Semantics } from './semantics.ts';
import { lanesOf } from './simd-integer.ts';
import {
  guardSse,
  immediateByte,
  loadVector,
  operandAddress,
  readRegister,
  type V128,
  type VectorBytes,
} from './vector.ts';

const TRUE = i32.const(1);
const METHOD = { ADD: 'add', SUB: 'sub', MUL: 'mul', DIV: 'div' } as const;

/** When a result of zero is exact: a sum always, a product or quotient unless it has underflowed to it. */
function zeroIsExact<T extends 'f32' | 'f64'>(s: Scalar<T>, name: BasicOperation, a: Expr<T>, b: Expr<T>): I32 {
  if (name === 'MUL') return i32.or(isZero(s, a), isZero(s, b));
  return name === 'DIV' ? isZero(s, a) : i32.const(1);
}

/** Calls the helper on scalar operands 0 and 1. */
function scalarHelper<T extends 'f32' | 'f64'>(
  c: Semantics,
  name: ArithmeticName,
  s: Scalar<T>,
  source: ScalarOperand<T>,
): void {
  const address = source.address();
  helper(c, arithmeticNumber(name, s.type), c.let(c.vectorAddress(0)), address);
}

const scalarArithmetic =
  <T extends 'f32' | 'f64'>(s: Scalar<T>, name: BasicOperation): Semantic =>
  (c) => {
    guardSse(c);
    const fast = c.floatsAreFast();
    const b = scalarOperand(c, s, 1);
    c.attempt(
      (giveUp) => {
        const a = scalarOperand(c, s, 0);
        refuseDenormal(c, s, a, giveUp);
        refuseDenormal(c, s, b, giveUp);
        const result = c.let(s.ops[METHOD[name]](a.value, b.value));
        refuseUnsafe(c, s, result, zeroIsExact(s, name, a.value, b.value), giveUp);
        unless(c, fast, () => giveUp(i32.eqz(scalarIsExact(c, s, name, a.value, b.value, result))));
        s.set(c, 0, result);
        c.notePlain(0, s.type);
        // An infinite divisor leaves no trace in the quotient.
        if (name !== 'DIV' && !c.isMemory(1)) c.notePlain(1, s.type);
      },
      () => scalarHelper(c, name, s, b),
    );
  };

const scalarRoot =
  <T extends 'f32' | 'f64'>(s: Scalar<T>): Semantic =>
  (c) => {
    guardSse(c);
    const fast = c.floatsAreFast();
    const b = scalarOperand(c, s, 1);
    c.attempt(
      (giveUp) => {
        // A sign makes the word too large as well.
        const unit = i32.const(s.exponentUnit);
        const notNormal = i32.geU(i32.sub(b.word, unit), i32.const(s.exponent - s.exponentUnit));
        rarely(c, notNormal, () => giveUp(s.ops.ne(b.value, s.constant(0))));
        const result = c.let(s.ops.sqrt(b.value));
        unless(c, fast, () => giveUp(i32.eqz(scalarIsExact(c, s, 'SQRT', b.value, b.value, result))));
        s.set(c, 0, result);
        c.notePlain(0, s.type);
      },
      () => scalarHelper(c, 'SQRT', s, b),
    );
  };

const scalarSelect =
  <T extends 'f32' | 'f64'>(s: Scalar<T>, name: 'MIN' | 'MAX'): Semantic =>
  (c) => {
    guardSse(c);
    const b = scalarOperand(c, s, 1);
    c.attempt(
      (giveUp) => {
        const a = scalarOperand(c, s, 0);
        refuseUnordered(c, s, a, giveUp);
        refuseUnordered(c, s, b, giveUp);
        const keeps = name === 'MIN' ? s.ops.lt(a.value, b.value) : s.ops.gt(a.value, b.value);
        s.set(c, 0, select(keeps, a.value, b.value));
      },
      () => scalarHelper(c, name, s, b),
    );
  };

/** COMISS…: ZF PF CF; the lazy words hold them directly (see state.ts). */
const compareToFlags =
  <T extends 'f32' | 'f64'>(s: Scalar<T>, name: 'COMI' | 'UCOMI'): Semantic =>
  (c) => {
    guardSse(c);
    const b = scalarOperand(c, s, 1);
    const a = scalarOperand(c, s, 0);
    const zero = c.b.local('i32');
    const carry = c.b.local('i32');
    c.attempt(
      (giveUp) => {
        refuseUnordered(c, s, a, giveUp);
        refuseUnordered(c, s, b, giveUp);
        c.b.set(zero, s.ops.eq(a.value, b.value));
        c.b.set(carry, s.ops.lt(a.value, b.value));
      },
      () => {
        scalarHelper(c, name, s, b);
        c.b.set(zero, i32.load(i32.const(COMPARISON.ZERO)));
        c.b.set(carry, i32.load(i32.const(COMPARISON.CARRY)));
      },
    );
    // RESULT 0 for ZF, else 1; its parity is turned when it is 0, unless both are set: unordered, and PF with them.
    const z = c.let(i64.extendI32U(zero));
    const ordered = i64.extendI32U(i32.and(zero, i32.xor(carry, i32.const(1))));
    const aux = i64.or(i64.mul(i64.extendI32U(carry), i64.const(3n << 62n)), i64.shl(ordered, i64.const(8)));
    c.setRawFlags(i64.xor(z, i64.const(1)), aux);
  };

/** What the host's instruction gives for one 128-bit lane, and whether it is exact in every respect. */
interface Evaluated {
  readonly result: V128;
  /** What `haveUnusual` must find nothing in for the result to be right, besides operands that are known to be plain. */
  readonly watched: readonly V128[];
  /** Operands that are plain when the result is right. */
  readonly plain: readonly (0 | 1)[];
  /** Whether it is right all the same. */
  readonly condition: () => I32;
  /** Whether it is right without rounding. */
  readonly isExact: () => I32;
}
type Evaluation = (c: Semantics, a: V128, b: V128) => Evaluated;

/** One or two lanes by the host where that is right for all of them, else all by the helper. `lanes` 2: operands of a VEX view. */
const packed =
  (p: Packed, operation: number, lanes: 1 | 2, rounds: boolean, evaluate: Evaluation): Semantic =>
  (c) => {
    guardSse(c);
    const fast = rounds ? c.floatsAreFast() : TRUE;
    const source = c.isMemory(1) ? operandAddress(c, 1, 16, true) : undefined;
    const half = (index: number, lane: number): V128 => {
      if (index === 1 && source !== undefined) return c.let(v128.load(source, lane * 16));
      return c.let(lane === 0 ? c.vector(index) : c.highVector(index));
    };
    c.attempt(
      (giveUp) => {
        const evaluated = Array.from({ length: lanes }, (_, lane) => {
          const b = half(1, lane);
          const a = half(0, lane);
          const known = [a, b].filter((_, index) => !c.isMemory(index) && c.isKnownPlain(index, p.type));
          const evaluated = evaluate(c, a, b);
          return { ...evaluated, watched: evaluated.watched.filter((value) => !known.includes(value)) };
        });
        const watched = evaluated.flatMap((half) => half.watched);
        if (watched.length > 0) {
          rarely(c, haveUnusual(p, watched), () => {
            for (const { condition } of evaluated) giveUp(i32.eqz(condition()));
          });
        }
        unless(c, fast, () => {
          for (const { isExact } of evaluated) giveUp(i32.eqz(isExact()));
        });
        evaluated.forEach(({ result }, lane) => {
          if (lane === 0) c.setVector(0, result);
          else c.setHighVector(0, result);
        });
        for (const index of evaluated[0].plain) if (!c.isMemory(index)) c.notePlain(index, p.type);
      },
      () => {
        const number = operation + (lanes === 2 ? WIDE_OPERATION : 0);
        const from = source ?? c.let(c.vectorAddress(1));
        helper(c, number, c.let(c.vectorAddress(0)), from);
      },
    );
  };

function evaluateArithmetic(c: Semantics, p: Packed, name: BasicOperation, a: V128, b: V128): Evaluated {
  const result = c.let(v128.binary(p.operations[name], a, b));
  const condition = (): I32 => {
    const zero = areZero(p, result);
    const factors = name === 'MUL' ? v128.or(areZero(p, a), areZero(p, b)) : areZero(p, a);
    const exactZero = name === 'ADD' || name === 'SUB' ? zero : v128.and(zero, factors);
    const good = v128.and(v128.and(arePlain(p, a), arePlain(p, b)), v128.or(areSafe(c, p, result), exactZero));
    return v128.test(p.allTrue, good);
  };
  const isExact = (): I32 => packedIsExact(c, p, name, a, b, result);
  // An infinite divisor leaves no trace in the quotient.
  return { result, watched: [a, b, result], plain: name === 'DIV' ? [0] : [0, 1], condition, isExact };
}

/** `alone`, unless the back end watches numbers. */
const orWatched =
  (type: LaneType, name: BasicOperation | 'SQRT', alone: Semantic): Semantic =>
  (c) => {
    const watch = c.floatWatch();
    if (watch === undefined) {
      alone(c);
      return;
    }
    guardSse(c);
    watchedArithmetic(c, watch, type, name);
  };

export const packedArithmetic = (p: Packed, name: BasicOperation, lanes: 1 | 2 = 1): Semantic =>
  packed(p, arithmeticNumber(name, p.type), lanes, true, (c, a, b) => evaluateArithmetic(c, p, name, a, b));

const bytesOf = (p: Packed): 4 | 8 => (p.type === LANE_TYPE.PD ? 8 : 4);

/** HADD, HSUB: neighbours of the destination, then of the source. */
export const packedNeighbours = (p: Packed, name: 'HADD' | 'HSUB', lanes: 1 | 2 = 1): Semantic => {
  const count = 16 / bytesOf(p);
  const every = (first: number) =>
    lanesOf(bytesOf(p), ...Array.from({ length: count }, (_, index) => first + index * 2));
  return packed(p, arithmeticNumber(name, p.type), lanes, true, (c, a, b) => {
    const left = c.let(v128.shuffle(a, b, every(0)));
    const right = c.let(v128.shuffle(a, b, every(1)));
    return { ...evaluateArithmetic(c, p, name === 'HADD' ? 'ADD' : 'SUB', left, right), plain: [0, 1] };
  });
};

/** ADDSUB: even lanes are subtracted. */
export const packedAlternating = (p: Packed, lanes: 1 | 2 = 1): Semantic => {
  const size = bytesOf(p);
  const isSign = (index: number): boolean => index % (size * 2) === size - 1;
  const evenSigns = v128.const(Array.from({ length: 16 }, (_, index) => (isSign(index) ? 0x80 : 0)));
  return packed(p, arithmeticNumber('ADDSUB', p.type), lanes, true, (c, a, b) =>
    evaluateArithmetic(c, p, 'ADD', a, c.let(v128.xor(b, evenSigns))),
  );
};

export const packedRoot = (p: Packed, lanes: 1 | 2 = 1): Semantic =>
  packed(p, arithmeticNumber('SQRT', p.type), lanes, true, (c, _a, b) => {
    const result = c.let(v128.unary(p.operations.SQRT, b));
    const condition = (): I32 => {
      const normal = v128.and(v128.binary(p.ge, b, p.smallest), v128.binary(p.le, b, p.largest));
      return v128.test(p.allTrue, v128.or(normal, areZero(p, b)));
    };
    // The root of a negative number is a NaN.
    const isExact = (): I32 => packedIsExact(c, p, 'SQRT', b, b, result);
    return { result, watched: [b, result], plain: [0, 1], condition, isExact };
  });

export const packedSelect = (p: Packed, name: 'MIN' | 'MAX', lanes: 1 | 2 = 1): Semantic =>
  packed(p, arithmeticNumber(name, p.type), lanes, false, (_, a, b) => ({
    result: v128.binary(p.operations[name], b, a),
    watched: [a, b],
    plain: [],
    condition: () => v128.test(p.allTrue, v128.and(arePlain(p, a), arePlain(p, b))),
    isExact: () => TRUE,
  }));

/** CMPPS…: lanes as masks; the predicate is known only at run time, 3 bits of it or (VEX) 5. */
export const compareLanes =
  (p: Packed, type: LaneType, bytes: VectorBytes, predicates: 8 | 32 = 8): Semantic =>
  (c) => {
    guardSse(c);
    const source = c.isMemory(1) ? operandAddress(c, 1, bytes, bytes === 16) : undefined;
    const predicate = c.let(i32.and(immediateByte(c), i32.const(predicates - 1)));
    c.attempt(
      (giveUp) => {
        const b = source === undefined ? readRegister(c, 1, bytes) : loadVector(c, source, bytes);
        const a = readRegister(c, 0, bytes);
        giveUp(i32.eqz(v128.test(p.allTrue, v128.and(arePlain(p, a), arePlain(p, b)))));
        const kind = c.let(i32.and(predicate, i32.const(3)));
        const is = (value: number) => i32.eq(kind, i32.const(value));
        // Nothing is unordered here.
        const ordered = select(is(2), v128.binary(p.le, a, b), ZERO);
        const holds = select(is(0), v128.binary(p.eq, a, b), select(is(1), v128.binary(p.lt, a, b), ordered));
        const inverted = i32.and(i32.shrU(predicate, i32.const(2)), i32.const(1));
        const negate = v128.splat(0x11, i32.sub(i32.const(0), inverted));
        setLanes(c, c.let(v128.xor(holds, negate)), bytes);
      },
      () => {
        const from = source ?? c.let(c.vectorAddress(1));
        helper(c, arithmeticNumber('CMP', type), c.let(c.vectorAddress(0)), from, predicate);
      },
    );
  };

/** Writes the low `bytes` of register operand 0. */
function setLanes(c: Semantics, value: V128, bytes: VectorBytes): void {
  if (bytes === 16) c.setVector(0, value);
  else if (bytes === 8) c.setDouble(0, v128.extract('f64', 0x21, value, 0));
  else c.setSingle(0, v128.extract('f32', 0x1f, value, 0));
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
    (p) => orWatched(p.type, name, packedArithmetic(p, name)),
    (s) => orWatched(s.type, name, scalarArithmetic(s, name)),
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
  ...fourRows(
    0x51,
    'SQRT',
    (p) => orWatched(p.type, 'SQRT', packedRoot(p)),
    (s) => orWatched(s.type, 'SQRT', scalarRoot(s)),
  ),
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
