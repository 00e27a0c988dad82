import { type ConversionName, conversionNumber } from '../simd/operations.ts';
import { SIMD_SCRATCH } from '../state.ts';
import { f32, f64, i32, i64, unary, v128 } from '../wasm/expr.ts';
import {
  arePlain,
  DOUBLE,
  type GiveUp,
  helper,
  isZero,
  PACKED_DOUBLE,
  PACKED_SINGLE,
  type Packed,
  refuseUnordered,
  refuseUnsafe,
  SINGLE,
  scalarOperand,
  splatDouble,
  splatSingle,
  unless,
} from './float-fast-path.ts';
import { type InstructionRow, type RowOptions, row } from './row.ts';
import type { F32, F64, I32, Semantic, Semantics } from './semantics.ts';
import {
  enterMmx,
  guardMmx,
  guardSse,
  loadVector,
  operandAddress,
  readRegister,
  readVector,
  type V128,
  writeMmx,
  writeXmm,
} from './vector.ts';

type ScalarPrecision = 'single' | 'double';

const scratch = i32.const(SIMD_SCRATCH);

/** Integer register or memory to a scalar. */
const fromInteger =
  (name: 'CVTSI2SS' | 'CVTSI2SD'): Semantic =>
  (c) => {
    guardSse(c);
    const wide = c.sizeOf(1) === 8;
    const value = c.let(wide ? c.get(1) : i64.extend32S(c.get(1)));
    const isDouble = name === 'CVTSI2SD';
    const convert = (): void => {
      if (isDouble) c.setDouble(0, f64.convertI64S(value));
      else c.setSingle(0, f32.convertI64S(value));
      c.notePlain(0, isDouble ? DOUBLE.type : SINGLE.type);
    };
    // Every dword is a double.
    if (isDouble && !wide) return convert();
    const fast = c.floatsAreFast();
    c.attempt(
      (giveUp) => {
        // Integers within the significand are exact in any mode.
        const bits = isDouble ? 53 : 24;
        const inexact = i64.gtU(i64.add(value, i64.const(2 ** bits)), i64.const(2 ** (bits + 1)));
        unless(c, fast, () => giveUp(inexact));
        convert();
      },
      () => {
        c.b.storeI64(scratch, value);
        helper(c, conversionNumber(`${name}64`), c.let(c.vectorAddress(0)), scratch);
      },
    );
  };

const truncate = (value: F64): F64 => unary('f64', 0x9d, value);

/** Scalar to an integer register. */
const toIntegerRegister =
  (name: 'CVTSS2SI' | 'CVTTSS2SI' | 'CVTSD2SI' | 'CVTTSD2SI', s: ScalarPrecision, truncates: boolean): Semantic =>
  (c) => {
    guardSse(c);
    const wide = c.sizeOf(0) === 8;
    const fast = c.floatsAreFast();
    const source = s === 'double' ? scalarOperand(c, DOUBLE, 1) : scalarOperand(c, SINGLE, 1);
    const value: F64 = source.value.type === 'f64' ? source.value : c.let(f64.promoteF32(source.value));
    const result = c.b.local('i64');
    c.attempt(
      (giveUp) => {
        const rounded = c.let(truncates ? truncate(value) : f64.nearest(value));
        const limit = DOUBLE.constant(wide ? 2 ** 63 : 2 ** 31);
        giveUp(i32.eqz(f64.lt(f64.abs(rounded), limit)));
        unless(c, fast, () => giveUp(f64.ne(rounded, value)));
        c.b.set(result, i64.truncSatF64(rounded));
      },
      () => {
        helper(c, conversionNumber(wide ? `${name}64` : name), scratch, source.address());
        c.b.set(result, wide ? i64.load(scratch) : i64.load32u(scratch));
      },
    );
    c.set(0, wide ? result : i64.and(result, i64.const(0xffff_ffff)));
  };

const singleToDouble: Semantic = (c) => {
  guardSse(c);
  const source = scalarOperand(c, SINGLE, 1);
  c.attempt(
    (giveUp) => {
      refuseUnordered(c, SINGLE, source, giveUp);
      c.setDouble(0, f64.promoteF32(source.value));
    },
    () => {
      const from = source.address();
      helper(c, conversionNumber('CVTSS2SD'), c.let(c.vectorAddress(0)), from);
    },
  );
};

const doubleToSingle: Semantic = (c) => {
  guardSse(c);
  const fast = c.floatsAreFast();
  const source = scalarOperand(c, DOUBLE, 1);
  c.attempt(
    (giveUp) => {
      unless(c, fast, () => giveUp(i32.const(1)));
      const result: F32 = c.let(f32.demoteF64(source.value));
      refuseUnsafe(c, SINGLE, result, isZero(DOUBLE, source.value), giveUp);
      c.setSingle(0, result);
      c.notePlain(0, SINGLE.type);
    },
    () => {
      const from = source.address();
      helper(c, conversionNumber('CVTSD2SS'), c.let(c.vectorAddress(0)), from);
    },
  );
};

/** Packed conversions; `convert` gives the result where the host may do it. */
const packedConversion =
  (
    name: ConversionName,
    bytes: 8 | 16,
    convert: (c: Semantics, value: V128, fast: I32, giveUp: GiveUp) => V128,
  ): Semantic =>
  (c) => {
    guardSse(c);
    const fast = c.floatsAreFast();
    const source = c.isMemory(1) ? operandAddress(c, 1, bytes, bytes === 16) : undefined;
    c.attempt(
      (giveUp) => {
        const value = source === undefined ? readRegister(c, 1, bytes) : loadVector(c, source, bytes);
        c.setVector(0, c.let(convert(c, value, fast, giveUp)));
      },
      () => {
        const from = source ?? c.let(c.vectorAddress(1));
        helper(c, conversionNumber(name), c.let(c.vectorAddress(0)), from);
      },
    );
  };

/** To dwords, from singles or from doubles: opcodes of rounding, comparison and conversion. */
const toDwords =
  (rounding: number, p: Packed, conversion: number) =>
  (c: Semantics, value: V128, fast: I32, giveUp: GiveUp): V128 => {
    const rounded = c.let(v128.unary(rounding, value));
    const limit = p === PACKED_DOUBLE ? splatDouble(2 ** 31) : splatSingle(2 ** 31);
    const allTrue = (lanes: V128): I32 => v128.test(p.allTrue, lanes);
    giveUp(i32.eqz(allTrue(v128.binary(p.lt, v128.unary(p.abs, rounded), limit))));
    unless(c, fast, () => giveUp(i32.eqz(allTrue(v128.binary(p.eq, rounded, value)))));
    return v128.unary(conversion, rounded);
  };

const singlesToDwords = (rounding: number) => toDwords(rounding, PACKED_SINGLE, 0xf8);
/** Zeros above the two dwords. */
const doublesToDwords = (rounding: number) => toDwords(rounding, PACKED_DOUBLE, 0xfc);

/** Two doubles to singles, each as in `doubleToSingle`; zeros above. */
const toSingles = (c: Semantics, value: V128, fast: I32, giveUp: GiveUp): V128 => {
  unless(c, fast, () => giveUp(i32.const(1)));
  const result = c.let(v128.unary(0x5e, value));
  for (const lane of [0, 1]) {
    const zero = isZero(DOUBLE, v128.extract('f64', 0x21, value, lane));
    refuseUnsafe(c, SINGLE, v128.extract('f32', 0x1f, result, lane), zero, giveUp);
  }
  return result;
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
  row('0f', 0x2c, 'CVTTSS2SI', ['Gy', 'Wd'], toIntegerRegister('CVTTSS2SI', 'single', true), F3),
  row('0f', 0x2c, 'CVTTSD2SI', ['Gy', 'Wq'], toIntegerRegister('CVTTSD2SI', 'double', true), F2),
  row('0f', 0x2d, 'CVTSS2SI', ['Gy', 'Wd'], toIntegerRegister('CVTSS2SI', 'single', false), F3),
  row('0f', 0x2d, 'CVTSD2SI', ['Gy', 'Wq'], toIntegerRegister('CVTSD2SI', 'double', false), F2),
  row('0f', 0x5a, 'CVTSS2SD', ['Vdq', 'Wd'], singleToDouble, F3),
  row('0f', 0x5a, 'CVTSD2SS', ['Vdq', 'Wq'], doubleToSingle, F2),
  row(
    '0f',
    0x5a,
    'CVTPS2PD',
    ['Vdq', 'Wq'],
    packedConversion('CVTPS2PD', 8, (_c, value, _fast, giveUp) => {
      giveUp(i32.eqz(v128.test(0xa3, arePlain(PACKED_SINGLE, value))));
      return v128.unary(0x5f, value);
    }),
    NONE,
  ),
  row('0f', 0x5a, 'CVTPD2PS', ['Vdq', 'Wdq'], packedConversion('CVTPD2PS', 16, toSingles), P66),
  row(
    '0f',
    0x5b,
    'CVTDQ2PS',
    ['Vdq', 'Wdq'],
    packedConversion('CVTDQ2PS', 16, (c, value, fast, giveUp) => {
      unless(c, fast, () => giveUp(i32.const(1)));
      return v128.unary(0xfa, value);
    }),
    NONE,
  ),
  row('0f', 0x5b, 'CVTPS2DQ', ['Vdq', 'Wdq'], packedConversion('CVTPS2DQ', 16, singlesToDwords(0x6a)), P66),
  row('0f', 0x5b, 'CVTTPS2DQ', ['Vdq', 'Wdq'], packedConversion('CVTTPS2DQ', 16, singlesToDwords(0x69)), F3),
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
  row('0f', 0xe6, 'CVTPD2DQ', ['Vdq', 'Wdq'], packedConversion('CVTPD2DQ', 16, doublesToDwords(0x94)), F2),
  row('0f', 0xe6, 'CVTTPD2DQ', ['Vdq', 'Wdq'], packedConversion('CVTTPD2DQ', 16, doublesToDwords(0x7a)), P66),
  row('0f', 0x2a, 'CVTPI2PS', ['Vdq', 'Qq'], fromMmx('CVTPI2PS'), NONE),
  row('0f', 0x2a, 'CVTPI2PD', ['Vdq', 'Qq'], fromMmx('CVTPI2PD'), P66),
  row('0f', 0x2c, 'CVTTPS2PI', ['Pq', 'Wq'], toMmx('CVTTPS2PI', 8), NONE),
  row('0f', 0x2c, 'CVTTPD2PI', ['Pq', 'Wdq'], toMmx('CVTTPD2PI', 16), P66),
  row('0f', 0x2d, 'CVTPS2PI', ['Pq', 'Wq'], toMmx('CVTPS2PI', 8), NONE),
  row('0f', 0x2d, 'CVTPD2PI', ['Pq', 'Wdq'], toMmx('CVTPD2PI', 16), P66),
];
