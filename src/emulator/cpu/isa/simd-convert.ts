import { type ConversionName, conversionNumber } from '../simd/operations.ts';
import { SIMD_SCRATCH } from '../state.ts';
import { f32, f64, i32, i64, unary, v128 } from '../wasm/expr.ts';
import {
  arePlain,
  DOUBLE,
  type F32,
  type F64,
  fastMode,
  helper,
  isPlain,
  isSafe,
  isZero,
  PACKED_SINGLE,
  SINGLE,
  splatSingle,
} from './float-fast-path.ts';
import { type InstructionRow, type RowOptions, row } from './row.ts';
import type { I32, Semantic, Semantics } from './semantics.ts';
import {
  enterMmx,
  guardMmx,
  guardSse,
  loadVector,
  operandAddress,
  readVector,
  type V128,
  type VectorBytes,
  writeMmx,
  writeXmm,
} from './vector.ts';

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

/** Conversions of SSE and SSE2. */
export const SIMD_CONVERT_ROWS: readonly InstructionRow[] = [
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
