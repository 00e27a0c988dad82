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
/** Offsets in the image: ST(0) and XMM0 with those that follow, 16 bytes each. The rest is the operating system's. */
export const IMAGE = { MXCSR: 24, X87: 32, XMM: 160, END: 416 } as const;
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
  const count = vectorCount(state);
  const image = new DataView(new ArrayBuffer(IMAGE.XMM + count * 16));
  storeX87(cpu, operands, image);
  image.setUint32(IMAGE.MXCSR, state.u32(MXCSR), true);
  image.setUint32(IMAGE.MXCSR + 4, MXCSR_MASK, true);
  const bytes = new Uint8Array(image.buffer);
  for (let index = 0; index < count; index++) {
    const from = XMM + index * 32;
    bytes.set(state.bytes.subarray(from, from + 16), IMAGE.XMM + index * 16);
  }
  memory.writeBytes(operands.linear(), bytes);
};

/** The x87 part of FXSAVE's image, as XSAVE writes it too: all but MXCSR up to IMAGE.XMM. */
export function storeX87(cpu: CpuContext, operands: DecodedOperands, image: DataView): void {
  const x = new X87Unit();
  x.begin(cpu, operands);
  const { state } = cpu;
  image.setUint16(0, x.control, true);
  image.setUint16(2, fullStatus(x), true);
  image.setUint16(4, x.valid, true);
  image.setUint16(6, state.u32(X87_LAST_OPCODE) & 0x7ff, true);
  if (operands.operandSize === 8) {
    image.setBigUint64(8, state.u64(X87_LAST_IP), true);
    image.setBigUint64(16, state.u64(X87_LAST_DP), true);
  } else {
    image.setUint32(8, state.u32(X87_LAST_IP), true);
    image.setUint32(12, state.u32(X87_LAST_CS) & 0xffff, true);
    image.setUint32(16, state.u32(X87_LAST_DP), true);
    image.setUint32(20, state.u32(X87_LAST_DS) & 0xffff, true);
  }
  for (let index = 0; index < 8; index++) {
    const from = physical(x, index);
    const to = IMAGE.X87 + index * 16;
    image.setUint32(to, state.u32(from), true);
    image.setUint32(to + 4, state.u32(from + 4), true);
    image.setUint16(to + 8, state.u32(from + 8) & 0xffff, true);
  }
}

/** FXRSTOR; reserved bits of MXCSR raise #GP before anything is loaded. */
export const fxrstor: SystemHandler = (cpu, operands) => {
  check(cpu, operands);
  const { state, memory } = cpu;
  const linear = operands.linear();
  const view = memory.readBytes(linear, IMAGE.END);
  const mxcsr = view.getUint32(IMAGE.MXCSR, true);
  if ((mxcsr & ~MXCSR_MASK) !== 0) cpu.fault(GENERAL_PROTECTION, 0);
  state.setU32(MXCSR, mxcsr);
  loadX87(cpu, operands, view);
  const bytes = new Uint8Array(view.buffer);
  for (let index = 0; index < vectorCount(state); index++) {
    const from = IMAGE.XMM + index * 16;
    state.bytes.set(bytes.subarray(from, from + 16), XMM + index * 32);
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
    const from = IMAGE.X87 + index * 16;
    state.setU32(to, view.getUint32(from, true));
    state.setU32(to + 4, view.getUint32(from + 4, true));
    state.setU32(to + 8, view.getUint16(from + 8, true));
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
