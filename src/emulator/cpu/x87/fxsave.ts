import { CR0_BITS } from '../control-bits.ts';
import type { CpuState } from '../cpu-state.ts';
import { isCode64 } from '../modes.ts';
import {
  CR0,
  MXCSR,
  SSE_TRAP,
  X87_LAST_CS,
  X87_LAST_DP,
  X87_LAST_DS,
  X87_LAST_IP,
  X87_LAST_OPCODE,
  X87_REGISTERS,
  X87_VALID,
  XMM,
} from '../state.ts';
import type { CpuContext, DecodedOperands, SystemHandler } from '../system-context.ts';
import { fullStatus, setControl, setFullStatus } from './control.ts';
import { X87Unit } from './x87-unit.ts';

/** Writable bits of MXCSR, as FXSAVE tells at offset 28. */
export const MXCSR_MASK = 0xffff;
const UNDEFINED_OPCODE = 6;
const DEVICE_NOT_AVAILABLE = 7;
const GENERAL_PROTECTION = 13;

function check(cpu: CpuContext, operands: DecodedOperands) {
  const cr0 = cpu.state.u32(CR0);
  if ((cr0 & CR0_BITS.EM) !== 0) cpu.fault(UNDEFINED_OPCODE);
  if ((cr0 & CR0_BITS.TS) !== 0) cpu.fault(DEVICE_NOT_AVAILABLE);
  if ((operands.linear() & 15n) !== 0n) cpu.fault(GENERAL_PROTECTION, 0);
}

/** The registers in logical order start at ST(0): physical register TOP. */
const physical = (x: X87Unit, index: number): number => X87_REGISTERS + ((x.top + index) & 7) * 16;
const vectorCount = (state: CpuState): number => (isCode64(state) ? 16 : 8);

/** FXSAVE (SDM vol. 2, tables of FXSAVE): 512 bytes; with REX.W the pointers are 64 bits. */
export const fxsave: SystemHandler = (cpu, operands) => {
  check(cpu, operands);
  const { state, memory } = cpu;
  const linear = operands.linear();
  storeX87(cpu, operands, linear);
  memory.write(linear + 24n, 4, state.u32(MXCSR));
  memory.write(linear + 28n, 4, MXCSR_MASK);
  for (let index = 0; index < vectorCount(state) * 2; index++) {
    memory.write64(linear + BigInt(160 + index * 8), state.u64(XMM + (index >> 1) * 32 + (index & 1) * 8));
  }
};

/** The x87 part of FXSAVE's image, as XSAVE writes it too. */
export function storeX87(cpu: CpuContext, operands: DecodedOperands, linear: bigint): void {
  const x = new X87Unit();
  x.begin(cpu, operands);
  const { state, memory } = cpu;
  const write = (offset: number, size: 1 | 2 | 4, value: number) => memory.write(linear + BigInt(offset), size, value);
  write(0, 2, x.control);
  write(2, 2, fullStatus(x));
  write(4, 2, x.valid);
  write(6, 2, state.u32(X87_LAST_OPCODE) & 0x7ff);
  if (operands.operandSize === 8) {
    memory.write64(linear + 8n, state.u64(X87_LAST_IP));
    memory.write64(linear + 16n, state.u64(X87_LAST_DP));
  } else {
    write(8, 4, state.u32(X87_LAST_IP));
    write(12, 4, state.u32(X87_LAST_CS) & 0xffff);
    write(16, 4, state.u32(X87_LAST_DP));
    write(20, 4, state.u32(X87_LAST_DS) & 0xffff);
  }
  for (let index = 0; index < 8; index++) {
    const from = physical(x, index);
    memory.write64(linear + BigInt(32 + index * 16), state.u64(from));
    memory.write64(linear + BigInt(40 + index * 16), BigInt(state.u32(from + 8) & 0xffff));
  }
}

/** FXRSTOR; reserved bits of MXCSR raise #GP before anything is loaded. */
export const fxrstor: SystemHandler = (cpu, operands) => {
  check(cpu, operands);
  const { state, memory } = cpu;
  const linear = operands.linear();
  const words = Array.from({ length: 52 }, (_, index) => memory.read64(linear + BigInt(index * 8)));
  const view = new DataView(new BigUint64Array(words).buffer);
  const mxcsr = view.getUint32(24, true);
  if ((mxcsr & ~MXCSR_MASK) !== 0) cpu.fault(GENERAL_PROTECTION, 0);
  state.setU32(MXCSR, mxcsr);
  loadX87(cpu, operands, view);
  for (let index = 0; index < vectorCount(state) * 2; index++) {
    state.setU64(XMM + (index >> 1) * 32 + (index & 1) * 8, view.getBigUint64(160 + index * 8, true));
  }
};

/** The x87 registers from an image of FXSAVE's. */
export function loadX87(cpu: CpuContext, operands: DecodedOperands, view: DataView): void {
  const x = new X87Unit();
  x.begin(cpu, operands);
  const { state } = cpu;
  setControl(x, view.getUint16(0, true));
  setFullStatus(x, view.getUint16(2, true));
  state.setU32(X87_LAST_OPCODE, view.getUint16(6, true) & 0x7ff);
  const wide = operands.operandSize === 8;
  state.setU64(X87_LAST_IP, wide ? view.getBigUint64(8, true) : BigInt(view.getUint32(8, true)));
  state.setU64(X87_LAST_DP, wide ? view.getBigUint64(16, true) : BigInt(view.getUint32(16, true)));
  if (!wide) {
    state.setU32(X87_LAST_CS, view.getUint16(12, true));
    state.setU32(X87_LAST_DS, view.getUint16(20, true));
  }
  for (let index = 0; index < 8; index++) {
    const to = physical(x, index);
    state.setU64(to, view.getBigUint64(32 + index * 16, true));
    state.setU32(to + 8, view.getUint16(40 + index * 16, true));
  }
  state.setU32(X87_VALID, view.getUint8(4));
}

function checkSse(cpu: CpuContext) {
  const trap = cpu.state.u32(SSE_TRAP);
  if (trap !== 0) cpu.fault(trap);
}

export const ldmxcsr: SystemHandler = (cpu, operands) => {
  checkSse(cpu);
  const value = cpu.memory.read(operands.linear(), 4);
  if ((value & ~MXCSR_MASK) !== 0) cpu.fault(GENERAL_PROTECTION, 0);
  cpu.state.setU32(MXCSR, value);
};

export const stmxcsr: SystemHandler = (cpu, operands) => {
  checkSse(cpu);
  cpu.memory.write(operands.linear(), 4, cpu.state.u32(MXCSR));
};
