import { i32, i64, select } from '../wasm/expr.ts';
import {
  AUX_AF,
  auxOf,
  bitsOf,
  choose,
  flagsOfAdd,
  flagsOfCount,
  flagsOfLogic,
  flagsOfSub,
  setStatusFlags,
  signExtend,
  statusFlags,
  zeroExtend,
} from './flags.ts';
import { type InstructionRow, row } from './row.ts';
import type { I64, Semantic, Semantics, Size } from './semantics.ts';

const VECTOR_DE = 0;

function binary(c: Semantics, operate: (a: I64, b: I64) => I64, flags: (a: I64, b: I64, r: I64) => void): void {
  const b = c.let(c.get(1));
  const a = c.let(c.getForWrite(0));
  const r = c.let(operate(a, b));
  c.set(0, r);
  flags(a, b, r);
}

const add: Semantic = (c) => binary(c, i64.add, (a, b, r) => flagsOfAdd(c, a, b, r));
const adc: Semantic = (c) => {
  const carry = c.let(c.flagsCarry());
  binary(
    c,
    (a, b) => i64.add(i64.add(a, b), carry),
    (a, b, r) => flagsOfAdd(c, a, b, r, 'adc'),
  );
};
const sub: Semantic = (c) => binary(c, i64.sub, (a, b, r) => flagsOfSub(c, a, b, r));
const sbb: Semantic = (c) => {
  const borrow = c.let(c.flagsCarry());
  binary(
    c,
    (a, b) => i64.sub(i64.sub(a, b), borrow),
    (a, b, r) => flagsOfSub(c, a, b, r, 'sbb'),
  );
};
const and: Semantic = (c) => binary(c, i64.and, (_a, _b, r) => flagsOfLogic(c, r));
const or: Semantic = (c) => binary(c, i64.or, (_a, _b, r) => flagsOfLogic(c, r));
const xor: Semantic = (c) => binary(c, i64.xor, (_a, _b, r) => flagsOfLogic(c, r));
const cmp: Semantic = (c) => {
  const b = c.let(c.get(1));
  const a = c.let(c.get(0));
  flagsOfSub(c, a, b, c.let(i64.sub(a, b)));
};
const test: Semantic = (c) => flagsOfLogic(c, c.let(i64.and(c.get(0), c.get(1))));

const inc: Semantic = (c) => {
  const r = c.let(i64.add(c.getForWrite(0), i64.const(1)));
  c.set(0, r);
  flagsOfCount(c, 'inc', r);
};
const dec: Semantic = (c) => {
  const r = c.let(i64.sub(c.getForWrite(0), i64.const(1)));
  c.set(0, r);
  flagsOfCount(c, 'dec', r);
};
const not: Semantic = (c) => c.set(0, i64.not(c.getForWrite(0)));
const neg: Semantic = (c) => {
  const a = c.let(c.getForWrite(0));
  const r = c.let(i64.neg(a));
  c.set(0, r);
  flagsOfSub(c, i64.const(0), a, r);
};

const xadd: Semantic = (c) => {
  const a = c.let(c.getForWrite(0));
  const b = c.let(c.get(1));
  const r = c.let(i64.add(a, b));
  if (c.isMemory(0)) {
    c.set(0, r);
    c.set(1, a);
  } else {
    c.set(1, a);
    c.set(0, r);
  }
  flagsOfAdd(c, a, b, r);
};

const cmpxchg: Semantic = (c) => {
  const accumulator = c.let(c.gpr(0, c.size));
  const destination = c.let(c.getForWrite(0));
  const equal = c.let(i64.eq(accumulator, destination));
  // The destination is always written (SDM: the processor never produces a locked read without a locked write).
  const source = c.let(c.get(1));
  if (c.isMemory(0)) c.set(0, select(equal, source, destination));
  else c.b.if(equal, () => c.set(0, source));
  c.b.if(i32.eqz(equal), () => c.setGpr(0, c.size, destination));
  flagsOfSub(c, accumulator, destination, c.let(i64.sub(accumulator, destination)));
};

/** High 64 bits of the unsigned product. */
export function mulHighUnsigned(c: Semantics, a: I64, b: I64): I64 {
  const low32 = i64.const(0xffff_ffff);
  const shift = i64.const(32);
  const aLow = c.let(i64.and(a, low32));
  const aHigh = c.let(i64.shrU(a, shift));
  const bLow = c.let(i64.and(b, low32));
  const bHigh = c.let(i64.shrU(b, shift));
  const mid = c.let(i64.add(i64.mul(aHigh, bLow), i64.shrU(i64.mul(aLow, bLow), shift)));
  const cross = c.let(i64.add(i64.mul(aLow, bHigh), i64.and(mid, low32)));
  return c.let(i64.add(i64.add(i64.mul(aHigh, bHigh), i64.shrU(mid, shift)), i64.shrU(cross, shift)));
}

/** High 64 bits of the signed product: the unsigned one less b when a < 0, less a when b < 0. */
function mulHighSigned(c: Semantics, a: I64, b: I64): I64 {
  const high = mulHighUnsigned(c, a, b);
  const sign = (value: I64): I64 => i64.shrS(value, i64.const(63));
  return i64.sub(i64.sub(high, i64.and(sign(a), b)), i64.and(sign(b), a));
}

/** CF and OF say that the upper half counts; the rest as hardware leaves it: SF and PF of the low half, ZF by it. */
function multiplyFlags(c: Semantics, low: I64, significant: I64): void {
  c.setFlags(low, auxOf(significant, significant));
}

function storeDouble(c: Semantics, size: Size, low: I64, high: I64): void {
  if (size === 1) {
    c.setGpr(0, 2, i64.or(zeroExtend(1, low), i64.shl(zeroExtend(1, high), i64.const(8))));
    return;
  }
  c.setGpr(0, size, low);
  c.setGpr(2, size, high);
}

const mul: Semantic = (c) => {
  const b = c.let(c.get(0));
  const a = c.let(c.gpr(0, c.size));
  const low = c.let(i64.mul(a, b));
  const high = c.let(c.size === 8 ? mulHighUnsigned(c, a, b) : i64.shrU(low, i64.const(bitsOf(c.size))));
  storeDouble(c, c.size, low, high);
  multiplyFlags(c, low, i64.extendI32U(i64.ne(high, i64.const(0))));
};

function signedProduct(c: Semantics, a: I64, b: I64): { low: I64; high: I64; significant: I64 } {
  const left = c.let(signExtend(c.size, a));
  const right = c.let(signExtend(c.size, b));
  const low = c.let(i64.mul(left, right));
  const high = c.let(c.size === 8 ? mulHighSigned(c, left, right) : i64.shrS(low, i64.const(bitsOf(c.size))));
  return { low, high, significant: outgrows(c.size, low, high) };
}

/** 1 when the upper half of a signed product holds more than the lower one's sign. */
function outgrows(size: Size, low: I64, high: I64): I64 {
  return i64.extendI32U(i64.ne(high, i64.shrS(signExtend(size, low), i64.const(63))));
}

/** The lower half of a signed product, and whether it outgrows its size (as 1), which for 64 bits seldom takes the upper half to know. */
function signedLowProduct(c: Semantics, a: I64, b: I64): { low: I64; significant: I64 } {
  if (c.size !== 8) return signedProduct(c, a, b);
  const left = c.let(a);
  const right = c.let(b);
  const low = c.let(i64.mul(left, right));
  // With n and m leading sign bits (the sign itself left out), 126 − n − m ≤ log2 of the product's magnitude ≤ 128 − n − m.
  const signBits = (value: I64): I64 => i64.clz(i64.xor(value, i64.shrS(value, i64.const(63))));
  const total = c.let(i64.add(signBits(left), signBits(right)));
  const significant = c.b.local('i64');
  c.b.set(significant, i64.extendI32U(i64.ltU(total, i64.const(64))));
  c.b.if(i64.leU(i64.sub(total, i64.const(63)), i64.const(2)), () => {
    c.b.set(significant, outgrows(8, low, c.let(mulHighSigned(c, left, right))));
  });
  return { low, significant };
}

const imul1: Semantic = (c) => {
  const product = signedProduct(c, c.gpr(0, c.size), c.get(0));
  const significant = c.let(product.significant);
  storeDouble(c, c.size, product.low, product.high);
  multiplyFlags(c, product.low, significant);
};
const imul2: Semantic = (c) => {
  const product = signedLowProduct(c, c.get(0), c.get(1));
  const significant = c.let(product.significant);
  c.set(0, product.low);
  multiplyFlags(c, product.low, significant);
};
const imul3: Semantic = (c) => {
  const product = signedLowProduct(c, c.get(1), c.get(2));
  const significant = c.let(product.significant);
  c.set(0, product.low);
  multiplyFlags(c, product.low, significant);
};

function dividend(c: Semantics): I64 {
  if (c.size === 1) return c.gpr(0, 2);
  return i64.or(c.gpr(0, c.size), i64.shl(c.gpr(2, c.size), i64.const(bitsOf(c.size))));
}

const div: Semantic = (c) => {
  const divisor = c.let(c.get(0));
  c.b.if(i64.eqz(divisor), () => c.fault(VECTOR_DE, -1));
  if (c.size === 8) {
    const high = c.let(c.gpr(2, 8));
    c.b.if(i64.geU(high, divisor), () => c.fault(VECTOR_DE, -1));
    c.b.if(
      i64.eqz(high),
      () => {
        const value = c.let(c.gpr(0, 8));
        c.setGpr(0, 8, i64.divU(value, divisor));
        c.setGpr(2, 8, i64.remU(value, divisor));
      },
      () => divideWide(c, high, c.let(c.gpr(0, 8)), divisor),
    );
    return;
  }
  const value = c.let(dividend(c));
  const quotient = c.let(i64.divU(value, divisor));
  c.b.if(i64.gtU(quotient, i64.const((1n << BigInt(bitsOf(c.size))) - 1n)), () => c.fault(VECTOR_DE, -1));
  storeDouble(c, c.size, quotient, i64.remU(value, divisor));
};

/** 128 by 64 bits, bit by bit (restoring division): RAX and RDX get quotient and remainder. `high` < `divisor`. */
function divideWide(c: Semantics, high: I64, low: I64, divisor: I64): void {
  const { quotient, remainder } = wideQuotient(c, high, low, divisor);
  c.setGpr(0, 8, quotient);
  c.setGpr(2, 8, remainder);
}

function wideQuotient(c: Semantics, high: I64, low: I64, divisor: I64): { quotient: I64; remainder: I64 } {
  const remainder = c.b.local('i64');
  const quotient = c.b.local('i64');
  const count = c.b.local('i32');
  c.b.set(remainder, high);
  c.b.set(quotient, low);
  c.b.set(count, i32.const(64));
  c.b.loop((again) => {
    // The bit that leaves the remainder at the top makes it larger than any divisor.
    const carry = c.let(i64.shrU(remainder, i64.const(63)));
    c.b.set(remainder, i64.or(i64.shl(remainder, i64.const(1)), i64.shrU(quotient, i64.const(63))));
    c.b.set(quotient, i64.shl(quotient, i64.const(1)));
    c.b.if(i32.or(i32.wrap(carry), i64.geU(remainder, divisor)), () => {
      c.b.set(remainder, i64.sub(remainder, divisor));
      c.b.set(quotient, i64.or(quotient, i64.const(1)));
    });
    c.b.set(count, i32.sub(count, i32.const(1)));
    c.b.brIf(again, count);
  });
  return { quotient, remainder };
}

const idiv: Semantic = (c) => {
  const divisor = c.let(signExtend(c.size, c.get(0)));
  c.b.if(i64.eqz(divisor), () => c.fault(VECTOR_DE, -1));
  if (c.size === 8) {
    signedWideDivide(c, divisor);
    return;
  }
  const value = c.let(c.size === 4 ? dividend(c) : signExtend(c.size === 1 ? 2 : 4, dividend(c)));
  const smallest = i64.const(-(1n << 63n));
  // The one case in which Wasm's own division traps; it overflows here as well.
  c.b.if(i32.and(i64.eq(value, smallest), i64.eq(divisor, i64.const(-1))), () => c.fault(VECTOR_DE, -1));
  const quotient = c.let(i64.divS(value, divisor));
  c.b.if(i64.ne(quotient, signExtend(c.size, quotient)), () => c.fault(VECTOR_DE, -1));
  storeDouble(c, c.size, quotient, i64.remS(value, divisor));
};

function signedWideDivide(c: Semantics, divisor: I64): void {
  const low = c.let(c.gpr(0, 8));
  const high = c.let(c.gpr(2, 8));
  const negative = c.let(i64.ltS(high, i64.const(0)));
  const divisorNegative = c.let(i64.ltS(divisor, i64.const(0)));
  const absoluteLow = c.let(choose(negative, i64.neg(low), low));
  const borrow = i64.extendI32U(i64.ne(low, i64.const(0)));
  const absoluteHigh = c.let(choose(negative, i64.sub(i64.neg(high), borrow), high));
  const absoluteDivisor = c.let(choose(divisorNegative, i64.neg(divisor), divisor));
  c.b.if(i64.geU(absoluteHigh, absoluteDivisor), () => c.fault(VECTOR_DE, -1));
  const { quotient, remainder } = wideQuotient(c, absoluteHigh, absoluteLow, absoluteDivisor);
  const quotientNegative = c.let(i32.xor(negative, divisorNegative));
  const limit = choose(quotientNegative, i64.const(1n << 63n), i64.const((1n << 63n) - 1n));
  c.b.if(i64.gtU(quotient, limit), () => c.fault(VECTOR_DE, -1));
  c.setGpr(0, 8, choose(quotientNegative, i64.neg(quotient), quotient));
  c.setGpr(2, 8, choose(negative, i64.neg(remainder), remainder));
}

/** BCD adjustments work on AL/AX with CF and AF (SDM vol. 2: DAA, DAS, AAA, AAS, AAM, AAD). */
function decimalAdjust(subtract: boolean): Semantic {
  return (c) => {
    const al = c.let(c.gpr(0, 1));
    const flags = c.let(statusFlags(c));
    const lowNibble = i32.or(
      i64.gtU(i64.and(al, i64.const(0xf)), i64.const(9)),
      i32.wrap(i64.and(i64.shrU(flags, i64.const(4)), i64.const(1))),
    );
    const low = c.let(i64.extendI32U(lowNibble));
    const high = c.let(i64.extendI32U(i32.or(i64.gtU(al, i64.const(0x99)), i32.wrap(i64.and(flags, i64.const(1))))));
    const correction = i64.add(i64.mul(low, i64.const(6)), i64.mul(high, i64.const(0x60)));
    const result = c.let(zeroExtend(1, subtract ? i64.sub(al, correction) : i64.add(al, correction)));
    // DAS also borrows when the low correction alone goes below 0.
    const borrow = subtract ? i64.and(low, i64.extendI32U(i64.ltU(al, i64.const(6)))) : i64.const(0);
    const carry = c.let(i64.or(high, borrow));
    c.setGpr(0, 1, result);
    c.setFlags(result, i64.or(auxOf(carry, i64.const(0)), i64.shl(low, i64.const(3))));
  };
}

function asciiAdjust(subtract: boolean): Semantic {
  return (c) => {
    const ax = c.let(c.gpr(0, 2));
    const adjust = c.let(
      i64.extendI32U(
        i32.or(
          i64.gtU(i64.and(ax, i64.const(0xf)), i64.const(9)),
          i32.wrap(i64.and(i64.shrU(c.flagsAux(), i64.const(3)), i64.const(1))),
        ),
      ),
    );
    const correction = i64.mul(adjust, i64.const(0x106));
    const sum = c.let(subtract ? i64.sub(ax, correction) : i64.add(ax, correction));
    c.setGpr(0, 2, i64.and(sum, i64.const(0xff0f)));
    const low = c.let(i64.and(sum, i64.const(0xf)));
    c.setFlags(low, i64.or(auxOf(adjust, i64.const(0)), i64.mul(adjust, i64.const(AUX_AF))));
  };
}

const aam: Semantic = (c) => {
  const base = c.let(c.get(0));
  c.b.if(i64.eqz(base), () => c.fault(VECTOR_DE, -1));
  const al = c.let(c.gpr(0, 1));
  const low = c.let(i64.remU(al, base));
  c.setGpr(0, 2, i64.or(i64.shl(i64.divU(al, base), i64.const(8)), low));
  c.setFlags(low, i64.const(0));
};
const aad: Semantic = (c) => {
  const ax = c.let(c.gpr(0, 2));
  const sum = i64.add(i64.and(ax, i64.const(0xff)), i64.mul(i64.shrU(ax, i64.const(8)), c.get(0)));
  const result = c.let(zeroExtend(1, sum));
  c.setGpr(0, 2, result);
  c.setFlags(result, i64.const(0));
};

const lahf: Semantic = (c) => {
  const flags = i64.or(i64.and(statusFlags(c), i64.const(0xd5)), i64.const(2));
  c.setGpr(0, 2, i64.or(c.gpr(0, 1), i64.shl(flags, i64.const(8))));
};
const sahf: Semantic = (c) => {
  const overflow = i64.and(c.let(statusFlags(c)), i64.const(0x800));
  const ah = i64.and(i64.shrU(c.gpr(0, 2), i64.const(8)), i64.const(0xd5));
  setStatusFlags(c, c.let(i64.or(ah, overflow)));
};

/** ALU groups: eight operations in the order of the opcode's bits 5:3. */
const ALU: readonly [string, Semantic][] = [
  ['ADD', add],
  ['OR', or],
  ['ADC', adc],
  ['SBB', sbb],
  ['AND', and],
  ['SUB', sub],
  ['XOR', xor],
  ['CMP', cmp],
];

function aluRows(): InstructionRow[] {
  return ALU.flatMap(([name, semantic], index) => {
    const base = index * 8;
    const lock = name !== 'CMP';
    return [
      row('1', base, name, ['Eb', 'Gb'], semantic, { lock }),
      row('1', base + 1, name, ['Ev', 'Gv'], semantic, { lock }),
      row('1', base + 2, name, ['Gb', 'Eb'], semantic),
      row('1', base + 3, name, ['Gv', 'Ev'], semantic),
      row('1', base + 4, name, ['AL', 'Ib'], semantic),
      row('1', base + 5, name, ['rAX', 'Iz'], semantic),
      row('1', 0x80, name, ['Eb', 'Ib'], semantic, { group: index, lock }),
      row('1', 0x81, name, ['Ev', 'Iz'], semantic, { group: index, lock }),
      row('1', 0x82, name, ['Eb', 'Ib'], semantic, { group: index, lock, no64: true }),
      row('1', 0x83, name, ['Ev', 'Ibs'], semantic, { group: index, lock }),
    ];
  });
}

function unaryGroup(opcode: number, operand: string): InstructionRow[] {
  const immediate = operand === 'Eb' ? 'Ib' : 'Iz';
  return [
    row('1', opcode, 'TEST', [operand, immediate], test, { group: 0 }),
    row('1', opcode, 'TEST', [operand, immediate], test, { group: 1 }),
    row('1', opcode, 'NOT', [operand], not, { group: 2, lock: true }),
    row('1', opcode, 'NEG', [operand], neg, { group: 3, lock: true }),
    row('1', opcode, 'MUL', [operand], mul, { group: 4 }),
    row('1', opcode, 'IMUL', [operand], imul1, { group: 5 }),
    row('1', opcode, 'DIV', [operand], div, { group: 6 }),
    row('1', opcode, 'IDIV', [operand], idiv, { group: 7 }),
  ];
}

export const ARITHMETIC_ROWS: readonly InstructionRow[] = [
  ...aluRows(),
  ...unaryGroup(0xf6, 'Eb'),
  ...unaryGroup(0xf7, 'Ev'),
  row('1', 0x84, 'TEST', ['Eb', 'Gb'], test),
  row('1', 0x85, 'TEST', ['Ev', 'Gv'], test),
  row('1', 0xa8, 'TEST', ['AL', 'Ib'], test),
  row('1', 0xa9, 'TEST', ['rAX', 'Iz'], test),
  row('1', 0xfe, 'INC', ['Eb'], inc, { group: 0, lock: true }),
  row('1', 0xfe, 'DEC', ['Eb'], dec, { group: 1, lock: true }),
  row('1', 0xff, 'INC', ['Ev'], inc, { group: 0, lock: true }),
  row('1', 0xff, 'DEC', ['Ev'], dec, { group: 1, lock: true }),
  ...Array.from({ length: 8 }, (_, register) => row('1', 0x40 + register, 'INC', ['Zv'], inc, { no64: true })),
  ...Array.from({ length: 8 }, (_, register) => row('1', 0x48 + register, 'DEC', ['Zv'], dec, { no64: true })),
  row('1', 0x69, 'IMUL', ['Gv', 'Ev', 'Iz'], imul3),
  row('1', 0x6b, 'IMUL', ['Gv', 'Ev', 'Ibs'], imul3),
  row('0f', 0xaf, 'IMUL', ['Gv', 'Ev'], imul2),
  row('0f', 0xb0, 'CMPXCHG', ['Eb', 'Gb'], cmpxchg, { lock: true }),
  row('0f', 0xb1, 'CMPXCHG', ['Ev', 'Gv'], cmpxchg, { lock: true }),
  row('0f', 0xc0, 'XADD', ['Eb', 'Gb'], xadd, { lock: true }),
  row('0f', 0xc1, 'XADD', ['Ev', 'Gv'], xadd, { lock: true }),
  row('1', 0x27, 'DAA', [], decimalAdjust(false), { no64: true }),
  row('1', 0x2f, 'DAS', [], decimalAdjust(true), { no64: true }),
  row('1', 0x37, 'AAA', [], asciiAdjust(false), { no64: true }),
  row('1', 0x3f, 'AAS', [], asciiAdjust(true), { no64: true }),
  row('1', 0xd4, 'AAM', ['Ib'], aam, { no64: true }),
  row('1', 0xd5, 'AAD', ['Ib'], aad, { no64: true }),
  row('1', 0x9f, 'LAHF', [], lahf),
  row('1', 0x9e, 'SAHF', [], sahf),
];
