import { CR0_BITS, CR4_BITS } from '../control-bits.ts';
import { VECTOR } from '../exceptions/vectors.ts';
import { isCode64 } from '../modes.ts';
import { CR0, CR4, MXCSR, REGISTER, XCR0, XMM } from '../state.ts';
import type { CpuContext, DecodedOperands, SystemHandler } from '../system-context.ts';
import { loadX87, MXCSR_MASK, storeX87 } from '../x87/fxsave.ts';
import { requireSupervisor } from './privilege.ts';

/** State components: XCR0's bits (SDM vol. 1 §13.1). */
const COMPONENT = { X87: 1, SSE: 2, AVX: 4 } as const;
/** Places in the XSAVE area (SDM vol. 1 §13.4). */
const AREA = { MXCSR: 24, XMM: 160, XSTATE_BV: 512, XCOMP_BV: 520, AVX: 576 } as const;

function requireEnabled(cpu: CpuContext): void {
  if ((cpu.state.u32(CR4) & CR4_BITS.OSXSAVE) === 0) cpu.fault(VECTOR.UD);
}

function supported(cpu: CpuContext): number {
  return COMPONENT.X87 | COMPONENT.SSE | (cpu.model.features.has('avx') ? COMPONENT.AVX : 0);
}

/** XGETBV: XCR0, or with ECX = 1 the components in use, which are all that XCR0 has. */
export const getExtendedControl: SystemHandler = (cpu) => {
  requireEnabled(cpu);
  const { state } = cpu;
  const register = state.gpr32(REGISTER.RCX);
  if (register !== 0 && !(register === 1 && cpu.model.features.has('xgetbv1'))) cpu.fault(VECTOR.GP, 0);
  state.setGpr32(REGISTER.RAX, state.u32(XCR0));
  state.setGpr32(REGISTER.RDX, 0);
};

/** XSETBV (SDM vol. 2): x87 always, AVX only with SSE. */
export const setExtendedControl: SystemHandler = (cpu) => {
  requireEnabled(cpu);
  requireSupervisor(cpu);
  const { state } = cpu;
  const wanted = state.gpr32(REGISTER.RAX);
  const unknown = state.gpr32(REGISTER.RCX) !== 0 || state.gpr32(REGISTER.RDX) !== 0;
  const lonelyAvx = (wanted & COMPONENT.AVX) !== 0 && (wanted & COMPONENT.SSE) === 0;
  const missing = (wanted & COMPONENT.X87) === 0 || (wanted & ~supported(cpu)) !== 0;
  if (unknown || lonelyAvx || missing) cpu.fault(VECTOR.GP, 0);
  state.setU64(XCR0, BigInt(wanted));
  cpu.modesChanged();
};

/** What XSAVE and XRSTOR begin with: the components asked for, and the area's address. */
function begin(cpu: CpuContext, operands: DecodedOperands): { mask: number; linear: bigint } {
  requireEnabled(cpu);
  const { state } = cpu;
  if ((state.u32(CR0) & CR0_BITS.TS) !== 0) cpu.fault(VECTOR.NM);
  const linear = operands.linear();
  if ((linear & 63n) !== 0n) cpu.fault(VECTOR.GP, 0);
  return { mask: state.gpr32(REGISTER.RAX) & state.u32(XCR0), linear };
}

const vectorCount = (cpu: CpuContext): number => (isCode64(cpu.state) ? 16 : 8);

/** XSAVE, XSAVEOPT: every component counts as in use, so that nothing is left out (SDM vol. 1 §13.7, §13.9). */
export const saveExtendedState: SystemHandler = (cpu, operands) => {
  const { mask, linear } = begin(cpu, operands);
  const { state, memory } = cpu;
  const header = linear + BigInt(AREA.XSTATE_BV);
  const last = (mask & COMPONENT.AVX) !== 0 ? AREA.AVX + 248 : AREA.XSTATE_BV;
  memory.checkWrite(linear, 8);
  memory.checkWrite(linear + BigInt(last), 8);
  if ((mask & COMPONENT.X87) !== 0) storeX87(cpu, operands, linear);
  if ((mask & (COMPONENT.SSE | COMPONENT.AVX)) !== 0) {
    memory.write(linear + BigInt(AREA.MXCSR), 4, state.u32(MXCSR));
    memory.write(linear + BigInt(AREA.MXCSR + 4), 4, MXCSR_MASK);
  }
  const halves = vectorCount(cpu) * 2;
  const write = (area: number, upper: number): void => {
    for (let index = 0; index < halves; index++) {
      const from = XMM + (index >> 1) * 32 + (index & 1) * 8 + upper;
      memory.write64(linear + BigInt(area + index * 8), state.u64(from));
    }
  };
  if ((mask & COMPONENT.SSE) !== 0) write(AREA.XMM, 0);
  if ((mask & COMPONENT.AVX) !== 0) write(AREA.AVX, 16);
  const old = memory.read64(header);
  memory.write64(header, (old & ~BigInt(mask)) | BigInt(mask));
};

/** XRSTOR, standard form: components that the area does not hold get their initial state (SDM vol. 1 §13.8). */
export const restoreExtendedState: SystemHandler = (cpu, operands) => {
  const { mask, linear } = begin(cpu, operands);
  const { state, memory } = cpu;
  const words = (mask & COMPONENT.AVX) !== 0 ? (AREA.AVX + 256) / 8 : AREA.AVX / 8;
  const image = new DataView(
    BigUint64Array.from({ length: words }, (_, index) => memory.read64(linear + BigInt(index * 8))).buffer,
  );
  const present = image.getBigUint64(AREA.XSTATE_BV, true);
  const compacted =
    image.getBigUint64(AREA.XCOMP_BV, true) !== 0n || image.getBigUint64(AREA.XCOMP_BV + 8, true) !== 0n;
  if (compacted || (present & ~state.u64(XCR0)) !== 0n) cpu.fault(VECTOR.GP, 0);
  const has = (component: number) => (Number(present) & component) !== 0;
  const vectors = (mask & (COMPONENT.SSE | COMPONENT.AVX)) !== 0;
  const mxcsr = image.getUint32(AREA.MXCSR, true);
  if (vectors && (mxcsr & ~MXCSR_MASK) !== 0) cpu.fault(VECTOR.GP, 0);
  if ((mask & COMPONENT.X87) !== 0) loadX87(cpu, operands, has(COMPONENT.X87) ? image : INITIAL_X87);
  if (vectors) state.setU32(MXCSR, mxcsr);
  const halves = vectorCount(cpu) * 2;
  const read = (component: number, area: number, upper: number): void => {
    for (let index = 0; index < halves; index++) {
      const value = has(component) ? image.getBigUint64(area + index * 8, true) : 0n;
      state.setU64(XMM + (index >> 1) * 32 + (index & 1) * 8 + upper, value);
    }
  };
  if ((mask & COMPONENT.SSE) !== 0) read(COMPONENT.SSE, AREA.XMM, 0);
  if ((mask & COMPONENT.AVX) !== 0) read(COMPONENT.AVX, AREA.AVX, 16);
};

/** FNINIT's registers as a legacy region. */
const INITIAL_X87 = new DataView(new ArrayBuffer(512));
INITIAL_X87.setUint16(0, 0x37f, true);
