import { i32, i64, select } from '../wasm/expr.ts';
import { auxOf, bitsOf, condition, flagsOfShift, signExtend, zeroExtend } from './flags.ts';
import { type InstructionRow, row } from './row.ts';
import type { I32, I64, Semantic, Semantics, Size } from './semantics.ts';

/** Shift counts are taken modulo 32, or 64 for 8-byte operands (SDM vol. 2, SAL/SAR/SHL/SHR). */
function countOf(c: Semantics): I64 {
  return c.let(i64.and(c.get(1), i64.const(c.size === 8 ? 63 : 31)));
}

function topBit(size: Size, value: I64): I64 {
  return i64.and(i64.shrU(value, i64.const(bitsOf(size) - 1)), i64.const(1));
}

function bit(value: I64, position: I64): I64 {
  return i64.and(i64.shrU(value, position), i64.const(1));
}

function shift(kind: 'shl' | 'shr' | 'sar', operate: (c: Semantics, value: I64, count: I64) => I64): Semantic {
  return (c) => {
    const count = countOf(c);
    const value = c.let(c.getForWrite(0));
    const shifted = c.let(operate(c, value, count));
    // A count of 0 changes no flag, but the destination is written all the same (a 4-byte register loses its upper half).
    c.set(0, shifted);
    c.b.if(i64.ne(count, i64.const(0)), () => flagsOfShift(c, kind, value, count, shifted));
  };
}

const shl = shift('shl', (_c, value, count) => i64.shl(value, count));
const shr = shift('shr', (_c, value, count) => i64.shrU(value, count));
const sar = shift('sar', (c, value, count) => i64.shrS(signExtend(c.size, value), count));

/** Rotates touch CF and OF only. */
function setCarryOverflow(c: Semantics, carry: I64, overflow: I64): void {
  const rest = i64.and(c.flagsAux(), i64.const((1n << 62n) - 1n));
  c.setRawFlags(c.flagsResult(), i64.or(rest, auxOf(carry, overflow)));
}

/** Replicates an 8- or 16-bit value over 32 bits, so that a 32-bit rotate rotates it. */
function rotateLeft(c: Semantics, value: I64, count: I64): I64 {
  if (c.size === 8) return i64.rotl(value, count);
  if (c.size === 4) return i64.extendI32U(i32.rotl(i32.wrap(value), i32.wrap(count)));
  const bits = bitsOf(c.size);
  const turn = c.let(i64.and(count, i64.const(bits - 1)));
  return zeroExtend(c.size, i64.or(i64.shl(value, turn), i64.shrU(value, i64.sub(i64.const(bits), turn))));
}

const rol: Semantic = (c) => {
  const count = countOf(c);
  const value = c.let(c.getForWrite(0));
  const result = c.let(rotateLeft(c, value, count));
  c.set(0, result);
  c.b.if(i64.ne(count, i64.const(0)), () => {
    const carry = c.let(i64.and(result, i64.const(1)));
    setCarryOverflow(c, carry, i64.xor(topBit(c.size, result), carry));
  });
};
const ror: Semantic = (c) => {
  const count = countOf(c);
  const value = c.let(c.getForWrite(0));
  const back = c.let(i64.and(i64.sub(i64.const(bitsOf(c.size)), count), i64.const(bitsOf(c.size) - 1)));
  const result = c.let(rotateLeft(c, value, back));
  c.set(0, result);
  c.b.if(i64.ne(count, i64.const(0)), () => {
    const carry = c.let(topBit(c.size, result));
    setCarryOverflow(c, carry, i64.xor(carry, bit(result, i64.const(bitsOf(c.size) - 2))));
  });
};

/** RCL and RCR turn size+1 bits, CF included: bit by bit, as they are rare. */
function rotateThroughCarry(left: boolean): Semantic {
  return (c) => {
    const bits = bitsOf(c.size);
    const masked = countOf(c);
    const count = c.let(c.size <= 2 ? i64.remU(masked, i64.const(bits + 1)) : masked);
    const value = c.b.local('i64');
    const carry = c.b.local('i64');
    const left64 = c.b.local('i64');
    c.b.set(value, c.getForWrite(0));
    c.b.set(carry, c.flagsCarry());
    c.b.set(left64, count);
    c.b.block((done) => {
      c.b.loop((again) => {
        c.b.brIf(done, i64.eqz(left64));
        c.b.set(left64, i64.sub(left64, i64.const(1)));
        const out = c.let(left ? topBit(c.size, value) : i64.and(value, i64.const(1)));
        const moved = left
          ? i64.or(i64.shl(value, i64.const(1)), carry)
          : i64.or(i64.shrU(value, i64.const(1)), i64.shl(carry, i64.const(bits - 1)));
        c.b.set(value, zeroExtend(c.size, moved));
        c.b.set(carry, out);
        c.b.br(again);
      });
    });
    c.set(0, value);
    c.b.if(i64.ne(count, i64.const(0)), () => {
      const top = topBit(c.size, value);
      const overflow = left ? i64.xor(top, carry) : i64.xor(top, bit(value, i64.const(bits - 2)));
      setCarryOverflow(c, carry, overflow);
    });
  };
}

const SHIFTS: readonly [string, Semantic][] = [
  ['ROL', rol],
  ['ROR', ror],
  ['RCL', rotateThroughCarry(true)],
  ['RCR', rotateThroughCarry(false)],
  ['SHL', shl],
  ['SHR', shr],
  ['SAL', shl],
  ['SAR', sar],
];

function shiftRows(): InstructionRow[] {
  return SHIFTS.flatMap(([name, semantic], group) => [
    row('1', 0xc0, name, ['Eb', 'Ib'], semantic, { group }),
    row('1', 0xc1, name, ['Ev', 'Ib'], semantic, { group }),
    row('1', 0xd0, name, ['Eb', '1'], semantic, { group }),
    row('1', 0xd1, name, ['Ev', '1'], semantic, { group }),
    row('1', 0xd2, name, ['Eb', 'CL'], semantic, { group }),
    row('1', 0xd3, name, ['Ev', 'CL'], semantic, { group }),
  ]);
}

/** SHLD and SHRD: operand 2 is the count. 16-bit counts above 16 turn as hardware does: the pattern dest:src:dest. */
function doubleShift(left: boolean): Semantic {
  return (c) => {
    const bits = bitsOf(c.size);
    const count = c.let(i64.and(c.get(2), i64.const(c.size === 8 ? 63 : 31)));
    const source = c.let(c.get(1));
    const value = c.let(c.getForWrite(0));
    const size = i64.const(bits);
    let result: I64;
    let carry: I64;
    if (c.size === 8) {
      const other = i64.sub(i64.const(64), count);
      const mixed = left
        ? i64.or(i64.shl(value, count), i64.shrU(source, other))
        : i64.or(i64.shrU(value, count), i64.shl(source, other));
      result = select(i64.eqz(count), value, mixed);
      carry = left ? bit(value, other) : bit(value, i64.sub(count, i64.const(1)));
    } else if (c.size === 4) {
      const pair = c.let(left ? i64.or(i64.shl(value, size), source) : i64.or(i64.shl(source, size), value));
      result = left ? i64.shrU(i64.shl(pair, count), size) : i64.shrU(pair, count);
      carry = left ? bit(pair, i64.sub(i64.const(64), count)) : bit(pair, i64.sub(count, i64.const(1)));
    } else {
      const low = i64.const(16);
      const pair = left
        ? i64.or(i64.or(i64.shl(value, i64.const(32)), i64.shl(source, low)), value)
        : i64.or(i64.or(value, i64.shl(source, low)), i64.shl(value, i64.const(32)));
      const triple = c.let(pair);
      result = left ? i64.shrU(i64.shl(triple, count), i64.const(32)) : i64.shrU(triple, count);
      carry = left ? bit(triple, i64.sub(i64.const(48), count)) : bit(triple, i64.sub(count, i64.const(1)));
    }
    const shifted = c.let(zeroExtend(c.size, result));
    const carryBit = c.let(carry);
    c.set(0, shifted);
    c.b.if(i64.ne(count, i64.const(0)), () => {
      const overflow = i64.xor(topBit(c.size, shifted), topBit(c.size, value));
      c.setFlags(shifted, auxOf(carryBit, overflow));
    });
  };
}

type BitOperation = 'BT' | 'BTS' | 'BTR' | 'BTC';

function changed(operation: BitOperation, value: I64, mask: I64): I64 {
  switch (operation) {
    case 'BTS':
      return i64.or(value, mask);
    case 'BTR':
      return i64.and(value, i64.not(mask));
    default:
      return i64.xor(value, mask);
  }
}

/** CF = the bit; the others stay as they are (ZF is defined so, OF SF AF PF are undefined). */
function setCarry(c: Semantics, carry: I64): void {
  const aux = c.let(c.flagsAux());
  // Keep OF: bit 62 is CF xor OF.
  const overflow = i64.and(i64.xor(i64.shrU(aux, i64.const(63)), i64.shrU(aux, i64.const(62))), i64.const(1));
  const rest = i64.and(aux, i64.const((1n << 62n) - 1n));
  c.setRawFlags(c.flagsResult(), i64.or(rest, auxOf(carry, overflow)));
}

/** A register offset into memory reaches beyond the operand: bit strings (SDM vol. 2, BT). */
function bitTest(operation: BitOperation, immediate: boolean): Semantic {
  return (c) => {
    const bits = bitsOf(c.size);
    if (immediate || !c.isMemory(0)) {
      const position = c.let(i64.and(c.get(1), i64.const(bits - 1)));
      const value = c.let(operation === 'BT' ? c.get(0) : c.getForWrite(0));
      if (operation !== 'BT') c.set(0, changed(operation, value, i64.shl(i64.const(1), position)));
      setCarry(c, c.let(bit(value, position)));
      return;
    }
    const offset = c.let(signExtend(c.size, c.get(1)));
    const shiftToUnits = c.size === 8 ? 6 : c.size === 4 ? 5 : 4;
    const byteOffset = i64.mul(i64.shrS(offset, i64.const(shiftToUnits)), i64.const(c.size));
    const linear = c.let(c.linearPlus(byteOffset));
    const position = c.let(i64.and(offset, i64.const(bits - 1)));
    const value =
      operation === 'BT'
        ? c.let(c.load(linear, c.size))
        : c.modify(linear, c.size, (old) => changed(operation, old, i64.shl(i64.const(1), position)));
    setCarry(c, c.let(bit(value, position)));
  };
}

/** BSF and BSR: ZF tells a zero source, and the destination then keeps its value (as all processors do). */
function bitScan(reverse: boolean): Semantic {
  return (c) => {
    const value = c.let(c.get(1));
    const found = reverse ? i64.sub(i64.const(63), i64.clz(value)) : i64.ctz(value);
    c.b.if(i64.ne(value, i64.const(0)), () => c.set(0, found));
    c.setFlags(value, i64.const(0));
  };
}

const bswap: Semantic = (c) => {
  const value = c.let(c.get(0));
  if (c.size === 2) {
    // Undefined by the SDM; processors give 0.
    c.set(0, i64.const(0));
    return;
  }
  const swapPairs = (input: I64, mask: bigint, by: number): I64 =>
    i64.or(
      i64.and(i64.shrU(input, i64.const(by)), i64.const(mask)),
      i64.shl(i64.and(input, i64.const(mask)), i64.const(by)),
    );
  const bytes = c.let(swapPairs(value, 0x00ff_00ff_00ff_00ffn, 8));
  const words = c.let(swapPairs(bytes, 0x0000_ffff_0000_ffffn, 16));
  c.set(0, c.size === 4 ? words : i64.rotl(words, i64.const(32)));
};

function conditionRows(): InstructionRow[] {
  return Array.from({ length: 16 }, (_, code) => [
    row('0f', 0x90 + code, 'SETcc', ['Eb'], (c) => c.set(0, i64.extendI32U(condition(c, code))), { group: undefined }),
    row('0f', 0x40 + code, 'CMOVcc', ['Gv', 'Ev'], (c) => {
      // The source is read whatever the condition says (it may fault), and a 4-byte destination is always cleared above.
      const source = c.let(c.get(1));
      const test: I32 = condition(c, code);
      c.set(0, select(test, source, c.get(0)));
    }),
  ]).flat();
}

function bitRows(): InstructionRow[] {
  const operations: BitOperation[] = ['BT', 'BTS', 'BTR', 'BTC'];
  return operations.flatMap((operation, index) => [
    row('0f', 0xa3 + index * 8, operation, ['Ev', 'Gv'], bitTest(operation, false), { lock: operation !== 'BT' }),
    row('0f', 0xba, operation, ['Ev', 'Ib'], bitTest(operation, true), { group: 4 + index, lock: operation !== 'BT' }),
  ]);
}

export const BIT_ROWS: readonly InstructionRow[] = [
  ...shiftRows(),
  ...bitRows(),
  ...conditionRows(),
  row('0f', 0xa4, 'SHLD', ['Ev', 'Gv', 'Ib'], doubleShift(true)),
  row('0f', 0xa5, 'SHLD', ['Ev', 'Gv', 'CL'], doubleShift(true)),
  row('0f', 0xac, 'SHRD', ['Ev', 'Gv', 'Ib'], doubleShift(false)),
  row('0f', 0xad, 'SHRD', ['Ev', 'Gv', 'CL'], doubleShift(false)),
  row('0f', 0xbc, 'BSF', ['Gv', 'Ev'], bitScan(false)),
  row('0f', 0xbd, 'BSR', ['Gv', 'Ev'], bitScan(true)),
  ...Array.from({ length: 8 }, (_, register) => row('0f', 0xc8 + register, 'BSWAP', ['Zv'], bswap)),
];
