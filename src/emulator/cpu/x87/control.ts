import { isRealAddressing } from '../modes.ts';
import {
  X87_CONTROL,
  X87_LAST_CS,
  X87_LAST_DP,
  X87_LAST_DS,
  X87_LAST_IP,
  X87_LAST_OPCODE,
  X87_REGISTERS,
  X87_TOP,
  X87_VALID,
} from '../state.ts';
import { STATUS, type X87Operation, type X87Unit } from './x87-unit.ts';

const CONTROL_MASK = 0x1f7f;
/** Bit 6 of the control word reads as 1. */
const CONTROL_FIXED = 0x40;

/** Status word with TOP. */
export function fullStatus(x: X87Unit): number {
  return x.status | (x.top << 11);
}

/** Sets status word and TOP; ES and B follow the flags. */
export function setFullStatus(x: X87Unit, value: number) {
  x.top = value >>> 11;
  x.status = value & 0xc7ff;
  x.summarize();
}

export function setControl(x: X87Unit, value: number) {
  x.state.setU32(X87_CONTROL, (value & CONTROL_MASK) | CONTROL_FIXED);
  x.summarize();
}

/** Two bits a physical register: 0 valid, 1 zero, 2 special, 3 empty (SDM vol. 1 §8.1.7). */
function fullTags(x: X87Unit): number {
  let tags = 0;
  for (let physical = 0; physical < 8; physical++) tags |= tagOf(x, physical) << (physical * 2);
  return tags;
}

function tagOf(x: X87Unit, physical: number): number {
  if (((x.valid >>> physical) & 1) === 0) return 3;
  const exponent = x.state.u32(X87_REGISTERS + physical * 16 + 8) & 0x7fff;
  const significand = x.state.u64(X87_REGISTERS + physical * 16);
  if (exponent === 0 && significand === 0n) return 1;
  return exponent === 0 || exponent === 0x7fff || significand >> 63n === 0n ? 2 : 0;
}

function setFullTags(x: X87Unit, tags: number) {
  let valid = 0;
  for (let physical = 0; physical < 8; physical++) if (((tags >>> (physical * 2)) & 3) !== 3) valid |= 1 << physical;
  x.valid = valid;
}

/** FNINIT. */
export function initialize(x: X87Unit) {
  const { state } = x;
  state.setU32(X87_CONTROL, 0x37f);
  x.status = 0;
  state.setU32(X87_TOP, 0);
  state.setU32(X87_VALID, 0);
  for (const word of [X87_LAST_CS, X87_LAST_DS, X87_LAST_OPCODE]) state.setU32(word, 0);
  state.setU64(X87_LAST_IP, 0n);
  state.setU64(X87_LAST_DP, 0n);
}

export const fninit: X87Operation = initialize;

export const fnclex: X87Operation = (x) => {
  x.status &= ~(0x3f | STATUS.SF | STATUS.ES | STATUS.B);
};

export const fldcw: X87Operation = (x) => setControl(x, x.cpu.memory.read(x.operands.linear(), 2));
export const fnstcw: X87Operation = (x) => x.cpu.memory.write(x.operands.linear(), 2, x.control);
export const fnstswMemory: X87Operation = (x) => x.cpu.memory.write(x.operands.linear(), 2, fullStatus(x));
export const fnstswAx: X87Operation = (x) => {
  x.state.setGpr(0, (x.state.gpr(0) & ~0xffffn) | BigInt(fullStatus(x)));
};

export const fincstp: X87Operation = (x) => {
  x.top += 1;
  x.setConditions(0, STATUS.C1);
};

export const fdecstp: X87Operation = (x) => {
  x.top -= 1;
  x.setConditions(0, STATUS.C1);
};

export const ffree =
  (pops: boolean): X87Operation =>
  (x) => {
    x.free(x.operands.modRm & 7);
    x.setConditions(0, STATUS.C1);
    if (pops) x.pop();
  };

const environmentBytes = (x: X87Unit): 14 | 28 => (x.operands.operandSize === 2 ? 14 : 28);

/** Offsets 0–24 (or 0–12) of the environment: SDM vol. 1 figures 8-9 to 8-12. */
function environmentWords(x: X87Unit): number[] {
  const { state } = x;
  const ip = Number(BigInt.asUintN(32, state.u64(X87_LAST_IP)));
  const dp = Number(BigInt.asUintN(32, state.u64(X87_LAST_DP)));
  const opcode = state.u32(X87_LAST_OPCODE) & 0x7ff;
  const head = [x.control, fullStatus(x), fullTags(x)];
  if (environmentBytes(x) === 14) {
    if (!isRealAddressing(state)) return [...head, ip, state.u32(X87_LAST_CS), dp, state.u32(X87_LAST_DS)];
    const linearIp = ip + state.u32(X87_LAST_CS) * 16;
    const linearDp = dp + state.u32(X87_LAST_DS) * 16;
    return [...head, linearIp, (((linearIp >>> 16) & 15) << 12) | opcode, linearDp, ((linearDp >>> 16) & 15) << 12];
  }
  const wide = head.map((word) => (word | 0xffff_0000) >>> 0);
  if (!isRealAddressing(state)) {
    return [
      ...wide,
      ip,
      (state.u32(X87_LAST_CS) & 0xffff) | (opcode << 16),
      dp,
      (state.u32(X87_LAST_DS) | 0xffff_0000) >>> 0,
    ];
  }
  const linearIp = ip + state.u32(X87_LAST_CS) * 16;
  const linearDp = dp + state.u32(X87_LAST_DS) * 16;
  return [
    ...wide,
    ((linearIp & 0xffff) | 0xffff_0000) >>> 0,
    ((linearIp >>> 16) << 12) | opcode,
    ((linearDp & 0xffff) | 0xffff_0000) >>> 0,
    (linearDp >>> 16) << 12,
  ];
}

function storeEnvironment(x: X87Unit) {
  const linear = x.operands.linear();
  const bytes = environmentBytes(x) === 14 ? 2 : 4;
  environmentWords(x).forEach((word, index) => {
    x.cpu.memory.write(linear + BigInt(index * bytes), bytes, bytes === 2 ? word & 0xffff : word >>> 0);
  });
}

/** FNSTENV masks all exceptions afterwards. */
export const fnstenv: X87Operation = (x) => {
  storeEnvironment(x);
  setControl(x, x.control | 0x3f);
};

function loadEnvironment(x: X87Unit) {
  const { state, cpu } = x;
  const linear = x.operands.linear();
  const bytes = environmentBytes(x) === 14 ? 2 : 4;
  const words = Array.from({ length: 7 }, (_, index) => cpu.memory.read(linear + BigInt(index * bytes), bytes));
  const [control, status, tags, ip, ipHigh, dp, dpHigh] = words;
  x.state.setU32(X87_CONTROL, (control & CONTROL_MASK) | CONTROL_FIXED);
  setFullStatus(x, status & 0xffff);
  setFullTags(x, tags & 0xffff);
  if (isRealAddressing(state)) {
    state.setU64(X87_LAST_IP, BigInt(((ip & 0xffff) | ((ipHigh & ~0x7ff) << 4)) >>> 0));
    state.setU64(X87_LAST_DP, BigInt(((dp & 0xffff) | ((dpHigh & ~0x7ff) << 4)) >>> 0));
    state.setU32(X87_LAST_CS, 0);
    state.setU32(X87_LAST_DS, 0);
    state.setU32(X87_LAST_OPCODE, ipHigh & 0x7ff);
    return;
  }
  state.setU64(X87_LAST_IP, BigInt(ip));
  state.setU64(X87_LAST_DP, BigInt(dp));
  state.setU32(X87_LAST_CS, ipHigh & 0xffff);
  state.setU32(X87_LAST_DS, dpHigh & 0xffff);
  if (bytes === 4) state.setU32(X87_LAST_OPCODE, (ipHigh >>> 16) & 0x7ff);
}

export const fldenv: X87Operation = loadEnvironment;

/** FNSAVE: environment, then ST(0)–ST(7) of 10 bytes each; FNINIT follows. */
export const fnsave: X87Operation = (x) => {
  storeEnvironment(x);
  const first = x.operands.linear() + BigInt(environmentBytes(x));
  for (let index = 0; index < 8; index++) {
    const linear = first + BigInt(index * 10);
    x.cpu.memory.write64(linear, x.significand(index));
    x.cpu.memory.write(linear + 8n, 2, x.signExponent(index));
  }
  initialize(x);
};

export const frstor: X87Operation = (x) => {
  const first = x.operands.linear() + BigInt(environmentBytes(x));
  const values = Array.from({ length: 8 }, (_, index) => {
    const linear = first + BigInt(index * 10);
    return { significand: x.cpu.memory.read64(linear), signExponent: x.cpu.memory.read(linear + 8n, 2) };
  });
  loadEnvironment(x);
  const { valid } = x;
  values.forEach(({ signExponent, significand }, index) => {
    x.write(index, signExponent, significand);
  });
  x.valid = valid;
};
