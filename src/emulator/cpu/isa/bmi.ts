import { MODE_BITS } from '../modes.ts';
import { MODE } from '../state.ts';
import { i32, i64, select } from '../wasm/expr.ts';
import { auxOf, bitsOf, flagsOfLogic, signExtend, zeroExtend } from './flags.ts';
import { type InstructionRow, row } from './row.ts';
import type { I64, Semantic, Semantics } from './semantics.ts';

const SIZES = [4, 8] as const;

/** VEX does not exist in real and virtual-8086 mode. */
const bmi =
  (body: Semantic): Semantic =>
  (c) => {
    const mode = i32.and(c.stateI32(MODE), i32.const(MODE_BITS.PROTECTED | MODE_BITS.VIRTUAL_8086));
    c.b.if(i32.ne(mode, i32.const(MODE_BITS.PROTECTED)), () => c.fault(6, -1));
    body(c);
  };

const andNot = bmi((c) => {
  const b = c.let(c.get(2));
  const result = c.let(i64.and(b, i64.not(c.get(1))));
  c.set(0, result);
  flagsOfLogic(c, result);
});

/** BLSR, BLSMSK, BLSI: CF tells a source of 0, for BLSI the contrary. */
const lowestBit = (combine: (source: I64, less: I64) => I64, carryOfZero: boolean): Semantic =>
  bmi((c) => {
    const source = c.let(c.get(1));
    const result = c.let(zeroExtend(c.size, combine(source, c.let(i64.sub(source, i64.const(1))))));
    const zero = i64.extendI32U(i64.eqz(source));
    const carry = c.let(carryOfZero ? zero : i64.xor(zero, i64.const(1)));
    c.set(0, result);
    c.setFlags(result, auxOf(carry, i64.const(0)));
  });

/** BEXTR: start in bits 7:0 of the control, length in 15:8. */
const extractBits = bmi((c) => {
  const source = c.let(c.get(1));
  const control = c.let(c.get(2));
  const start = c.let(i64.and(control, i64.const(0xff)));
  const count = c.let(i64.and(i64.shrU(control, i64.const(8)), i64.const(0xff)));
  const shifted = select(i64.gtU(start, i64.const(63)), i64.const(0), i64.shrU(source, start));
  const mask = select(
    i64.gtU(count, i64.const(63)),
    i64.const(-1),
    i64.sub(i64.shl(i64.const(1), count), i64.const(1)),
  );
  const result = c.let(i64.and(shifted, mask));
  c.set(0, result);
  flagsOfLogic(c, result);
});

/** BZHI: CF when the position lies beyond the operand. */
const zeroHigh = bmi((c) => {
  const source = c.let(c.get(1));
  const position = c.let(i64.and(c.get(2), i64.const(0xff)));
  const beyond = c.let(i64.gtU(position, i64.const(bitsOf(c.size) - 1)));
  const mask = i64.sub(i64.shl(i64.const(1), position), i64.const(1));
  const result = c.let(select(beyond, source, i64.and(source, mask)));
  const carry = c.let(i64.extendI32U(beyond));
  c.set(0, result);
  c.setFlags(result, auxOf(carry, i64.const(0)));
});

/** PDEP and PEXT: a loop over the mask's set bits. */
const scatterBits = (deposits: boolean): Semantic =>
  bmi((c) => {
    const mask = c.b.local('i64');
    const source = c.b.local('i64');
    const result = c.b.local('i64');
    const place = c.b.local('i64');
    c.b.set(mask, c.get(2));
    c.b.set(source, c.get(1));
    c.b.set(result, i64.const(0));
    c.b.set(place, i64.const(0));
    c.b.block((done) => {
      c.b.loop((again) => {
        c.b.brIf(done, i64.eqz(mask));
        const from = deposits ? place : i64.ctz(mask);
        const to = deposits ? i64.ctz(mask) : place;
        const bit = i64.and(i64.shrU(source, from), i64.const(1));
        c.b.set(result, i64.or(result, i64.shl(bit, to)));
        c.b.set(mask, i64.and(mask, i64.sub(mask, i64.const(1))));
        c.b.set(place, i64.add(place, i64.const(1)));
        c.b.br(again);
      });
    });
    c.set(0, result);
  });

/** SARX, SHLX, SHRX: no flags. */
const shift = (operate: (c: Semantics, value: I64, count: I64) => I64): Semantic =>
  bmi((c) => {
    const value = c.let(c.get(1));
    const count = c.let(i64.and(c.get(2), i64.const(bitsOf(c.size) - 1)));
    c.set(0, c.let(zeroExtend(c.size, operate(c, value, count))));
  });

const rotateRight = bmi((c) => {
  const value = c.let(c.get(1));
  const count = c.let(i64.and(c.get(2), i64.const(bitsOf(c.size) - 1)));
  if (c.size === 8) c.set(0, i64.rotr(value, count));
  else c.set(0, c.let(zeroExtend(4, i64.or(i64.shrU(value, count), i64.shl(value, i64.sub(i64.const(32), count))))));
});

/** MULX: RDX times the source; the low half goes to vvvv, then the high half to reg. */
const multiply = bmi((c) => {
  const a = c.let(c.get(2));
  const b = c.let(c.gpr(2, c.size));
  if (c.size === 4) {
    const product = c.let(i64.mul(a, b));
    c.set(1, i64.and(product, i64.const(0xffff_ffff)));
    c.set(0, i64.shrU(product, i64.const(32)));
    return;
  }
  const low = (value: I64): I64 => i64.and(value, i64.const(0xffff_ffff));
  const high = (value: I64): I64 => i64.shrU(value, i64.const(32));
  const cross = c.let(i64.add(i64.mul(low(a), high(b)), high(i64.mul(low(a), low(b)))));
  const middle = c.let(i64.add(i64.mul(high(a), low(b)), low(cross)));
  const top = c.let(i64.add(i64.add(i64.mul(high(a), high(b)), high(cross)), high(middle)));
  c.set(1, i64.mul(a, b));
  c.set(0, top);
});

const BMI1 = { feature: 'bmi1', vexL: 0, sizes: SIZES } as const;
const BMI2 = { feature: 'bmi2', vexL: 0, sizes: SIZES } as const;

/** BMI1 and BMI2 under VEX (SDM vol. 1 §5.1.16). */
export const BMI_ROWS: readonly InstructionRow[] = [
  row('vex0f38', 0xf2, 'ANDN', ['Gy', 'By', 'Ey'], andNot, { ...BMI1, prefix: 0 }),
  row(
    'vex0f38',
    0xf3,
    'BLSR',
    ['By', 'Ey'],
    lowestBit((s, less) => i64.and(s, less), true),
    { ...BMI1, prefix: 0, group: 1 },
  ),
  row(
    'vex0f38',
    0xf3,
    'BLSMSK',
    ['By', 'Ey'],
    lowestBit((s, less) => i64.xor(s, less), true),
    {
      ...BMI1,
      prefix: 0,
      group: 2,
    },
  ),
  row(
    'vex0f38',
    0xf3,
    'BLSI',
    ['By', 'Ey'],
    lowestBit((s, less) => i64.and(s, i64.not(less)), false),
    {
      ...BMI1,
      prefix: 0,
      group: 3,
    },
  ),
  row('vex0f38', 0xf7, 'BEXTR', ['Gy', 'Ey', 'By'], extractBits, { ...BMI1, prefix: 0 }),
  row('vex0f38', 0xf5, 'BZHI', ['Gy', 'Ey', 'By'], zeroHigh, { ...BMI2, prefix: 0 }),
  row('vex0f38', 0xf5, 'PDEP', ['Gy', 'By', 'Ey'], scatterBits(true), { ...BMI2, prefix: 0xf2 }),
  row('vex0f38', 0xf5, 'PEXT', ['Gy', 'By', 'Ey'], scatterBits(false), { ...BMI2, prefix: 0xf3 }),
  row('vex0f38', 0xf6, 'MULX', ['Gy', 'By', 'Ey'], multiply, { ...BMI2, prefix: 0xf2 }),
  row(
    'vex0f38',
    0xf7,
    'SHLX',
    ['Gy', 'Ey', 'By'],
    shift((_, value, count) => i64.shl(value, count)),
    {
      ...BMI2,
      prefix: 0x66,
    },
  ),
  row(
    'vex0f38',
    0xf7,
    'SHRX',
    ['Gy', 'Ey', 'By'],
    shift((_, value, count) => i64.shrU(value, count)),
    {
      ...BMI2,
      prefix: 0xf2,
    },
  ),
  row(
    'vex0f38',
    0xf7,
    'SARX',
    ['Gy', 'Ey', 'By'],
    shift((c, value, count) => i64.shrS(signExtend(c.size, value), count)),
    {
      ...BMI2,
      prefix: 0xf3,
    },
  ),
  row('vex0f3a', 0xf0, 'RORX', ['Gy', 'Ey', 'Ib'], rotateRight, { ...BMI2, prefix: 0xf2 }),
];
