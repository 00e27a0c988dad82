import { RFLAGS } from '../state.ts';
import { i32, i64, select } from '../wasm/expr.ts';
import { setStatusFlags, signExtend, statusFlags, zeroExtend } from './flags.ts';
import { type InstructionRow, row } from './row.ts';
import type { I32, Semantic, Semantics, Size } from './semantics.ts';
import { popValue, pushValue } from './stack.ts';

const RAX = 0;
const RCX = 1;
const RDX = 2;
const RBX = 3;
const RSP = 4;
const RBP = 5;

const mov: Semantic = (c) => c.set(0, c.get(1));
const movzx: Semantic = (c) => c.set(0, c.get(1));
const movsx: Semantic = (c) => c.set(0, signExtend(c.sizeOf(1), c.get(1)));
const lea: Semantic = (c) => c.set(0, c.effectiveAddress());
const nothing: Semantic = () => {};

const xchg: Semantic = (c) => {
  const a = c.let(c.getForWrite(0));
  const b = c.let(c.get(1));
  c.set(0, b);
  c.set(1, a);
};

const xlat: Semantic = (c) => {
  const offset = i64.and(i64.add(c.gpr(RBX, 8), c.gpr(RAX, 1)), c.addressMask());
  const value = c.let(c.load(c.let(c.stringLinear('source', c.let(offset), 1, false)), 1));
  c.setGpr(RAX, 1, value);
};

const push: Semantic = (c) => pushValue(c, c.size, c.let(c.get(0)));
const pushImmediate: Semantic = (c) => pushValue(c, c.size, c.let(zeroExtend(c.size, c.immediate())));
const popRegister: Semantic = (c) => {
  // POP rSP: the increment comes first, the popped value stays.
  const value = c.let(popValue(c, c.size));
  c.set(0, value);
};

const pusha: Semantic = (c) => {
  for (let register = 0; register < 8; register++) {
    c.stackStore(c.let(c.stackOffset(-(register + 1) * c.size)), c.size, c.let(c.gpr(register, c.size)));
  }
  c.setStackOffset(c.let(c.stackOffset(-8 * c.size)));
};
const popa: Semantic = (c) => {
  const values = Array.from({ length: 8 }, (_, index) =>
    c.let(c.stackLoad(c.let(c.stackOffset(index * c.size)), c.size)),
  );
  c.setStackOffset(c.let(c.stackOffset(8 * c.size)));
  values.forEach((value, index) => {
    const register = 7 - index;
    if (register !== RSP) c.setGpr(register, c.size, value);
  });
};

const leave: Semantic = (c) => {
  const frame = c.let(c.cutToStack(c.gpr(RBP, 8)));
  const value = c.let(c.stackLoad(frame, c.size));
  c.setStackOffset(c.let(c.cutToStack(i64.add(frame, i64.const(c.size)))));
  c.setGpr(RBP, c.size, value);
};

const cbw: Semantic = (c) => {
  const half = (c.size / 2) as Size;
  c.setGpr(RAX, c.size, signExtend(half, c.gpr(RAX, half)));
};
const cwd: Semantic = (c) => {
  c.setGpr(RDX, c.size, i64.shrS(signExtend(c.size, c.gpr(RAX, c.size)), i64.const(63)));
};

/** CMPXCHG8B and 16B: ZF alone changes. */
function compareExchangeWide(half: 4 | 8): Semantic {
  return (c) => {
    const linear = c.let(c.linear(true));
    if (half === 8) c.b.if(i64.ne(i64.and(linear, i64.const(15)), i64.const(0)), () => c.fault(13, 0));
    const second = c.let(i64.add(linear, i64.const(half)));
    const low = c.let(c.load(linear, half));
    const high = c.let(c.load(second, half));
    const equal = c.let(i32.and(i64.eq(low, c.gpr(RAX, half)), i64.eq(high, c.gpr(RDX, half))));
    const newLow = c.let(select(equal, c.gpr(RBX, half), low));
    const newHigh = c.let(select(equal, c.gpr(RCX, half), high));
    c.storeWith(linear, half * 2, (address) => {
      c.b.storeSized(half, address, newLow);
      c.b.storeSized(half, address, newHigh, half);
    });
    c.b.if(i32.eqz(equal), () => {
      c.setGpr(RAX, half, low);
      c.setGpr(RDX, half, high);
    });
    setZeroFlag(c, equal);
  };
}

/** Sets ZF and keeps the others: the general way by RFLAGS bits. */
function setZeroFlag(c: Semantics, zero: I32): void {
  const rest = i64.and(c.let(statusFlags(c)), i64.const(~RFLAGS.ZF));
  setStatusFlags(c, c.let(i64.or(rest, i64.shl(i64.extendI32U(zero), i64.const(6)))));
}

/** POP Ev: the address is computed with rSP after the increment (SDM vol. 2, POP). */
const popMemory: Semantic = (c) => {
  if (!c.isMemory(0)) {
    popRegister(c);
    return;
  }
  const before = c.let(c.gpr(RSP, 8));
  const value = c.let(popValue(c, c.size));
  const linear = c.let(c.linear(true));
  const after = c.let(c.gpr(RSP, 8));
  // Should the write fault, rSP must be as before.
  c.setGpr(RSP, 8, before);
  c.store(linear, c.size, value);
  c.setGpr(RSP, 8, after);
};

export const TRANSFER_ROWS: readonly InstructionRow[] = [
  row('1', 0x88, 'MOV', ['Eb', 'Gb'], mov),
  row('1', 0x89, 'MOV', ['Ev', 'Gv'], mov),
  row('1', 0x8a, 'MOV', ['Gb', 'Eb'], mov),
  row('1', 0x8b, 'MOV', ['Gv', 'Ev'], mov),
  row('1', 0xa0, 'MOV', ['AL', 'Ob'], mov),
  row('1', 0xa1, 'MOV', ['rAX', 'Ov'], mov),
  row('1', 0xa2, 'MOV', ['Ob', 'AL'], mov),
  row('1', 0xa3, 'MOV', ['Ov', 'rAX'], mov),
  ...Array.from({ length: 8 }, (_, register) => row('1', 0xb0 + register, 'MOV', ['Zb', 'Ib'], mov)),
  ...Array.from({ length: 8 }, (_, register) => row('1', 0xb8 + register, 'MOV', ['Zv', 'Iv'], mov)),
  row('1', 0xc6, 'MOV', ['Eb', 'Ib'], mov, { group: 0 }),
  row('1', 0xc7, 'MOV', ['Ev', 'Iz'], mov, { group: 0 }),
  row('0f', 0xc3, 'MOVNTI', ['Ev', 'Gv'], mov, { only: 'mem', prefix: 0, sizes: [4, 8] }),
  row('0f', 0xb6, 'MOVZX', ['Gv', 'Eb'], movzx),
  row('0f', 0xb7, 'MOVZX', ['Gv', 'Ew'], movzx),
  row('0f', 0xbe, 'MOVSX', ['Gv', 'Eb'], movsx),
  row('0f', 0xbf, 'MOVSX', ['Gv', 'Ew'], movsx),
  row('1', 0x63, 'MOVSXD', ['Gv', 'Ed'], movsx, { only64: true }),
  row('1', 0x8d, 'LEA', ['Gv', 'M'], lea, { only: 'mem' }),
  row('1', 0x86, 'XCHG', ['Eb', 'Gb'], xchg, { lock: true }),
  row('1', 0x87, 'XCHG', ['Ev', 'Gv'], xchg, { lock: true }),
  ...Array.from({ length: 8 }, (_, register) => row('1', 0x90 + register, 'XCHG', ['Zv', 'rAX'], xchg)),
  row('1', 0x90, 'NOP', [], nothing, { withoutRexB: true }),
  row('1', 0xd7, 'XLAT', [], xlat),
  ...Array.from({ length: 8 }, (_, register) =>
    row('1', 0x50 + register, 'PUSH', ['Zv'], push, { default64: true, stack: true }),
  ),
  ...Array.from({ length: 8 }, (_, register) =>
    row('1', 0x58 + register, 'POP', ['Zv'], popRegister, { default64: true, stack: true }),
  ),
  row('1', 0xff, 'PUSH', ['Ev'], push, { group: 6, default64: true, stack: true }),
  row('1', 0x8f, 'POP', ['Ev'], popMemory, { group: 0, default64: true, stack: true }),
  row('1', 0x68, 'PUSH', ['Iz'], pushImmediate, { default64: true, stack: true }),
  row('1', 0x6a, 'PUSH', ['Ibs'], pushImmediate, { default64: true, stack: true }),
  row('1', 0x60, 'PUSHA', [], pusha, { no64: true, stack: true, sizes: [2, 4] }),
  row('1', 0x61, 'POPA', [], popa, { no64: true, stack: true, sizes: [2, 4] }),
  row('1', 0xc9, 'LEAVE', [], leave, { default64: true, stack: true, sizes: [2, 4, 8] }),
  row('1', 0x98, 'CBW', [], cbw, { sizes: [2, 4, 8] }),
  row('1', 0x99, 'CWD', [], cwd, { sizes: [2, 4, 8] }),
  row('0f', 0xc7, 'CMPXCHG8B', ['M'], compareExchangeWide(4), { group: 1, only: 'mem', lock: true, sizes: [2, 4] }),
  row('0f', 0xc7, 'CMPXCHG16B', ['M'], compareExchangeWide(8), { group: 1, only: 'mem', lock: true, sizes: [8] }),
  ...[0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x0d].map((opcode) => row('0f', opcode, 'NOP', ['Ev'], nothing)),
];
