import { CR0_BITS, CR4_BITS } from '../control-bits.ts';
import { VECTOR } from '../exceptions/vectors.ts';
import { isCode64 } from '../modes.ts';
import { CR0, CR4, MXCSR, PKRU, REGISTER, XCR0, XMM } from '../state.ts';
import type { CpuContext, DecodedOperands, SystemHandler } from '../system-context.ts';
import { IMAGE, loadX87, MXCSR_MASK, storeX87 } from '../x87/fxsave.ts';
import { requireSupervisor } from './privilege.ts';
import { writeProtectionKeys } from './protection-keys.ts';
import {
  COMPONENT,
  compactedBytes,
  compactedOffset,
  EXTENDED_COMPONENTS,
  standardBytes,
  supportedComponents,
} from './xsave-components.ts';

/** Places in the XSAVE area (SDM vol. 1 §13.4). */
const AREA = { MXCSR: 24, XMM: 160, XSTATE_BV: 512, XCOMP_BV: 520, RESERVED: 528 } as const;
/** XCOMP_BV: the area is compacted. */
const COMPACTED = 1n << 63n;
const MXCSR_INITIAL = 0x1f80;
const VECTORS = COMPONENT.SSE | COMPONENT.AVX;

function requireEnabled(cpu: CpuContext): void {
  if ((cpu.state.u32(CR4) & CR4_BITS.OSXSAVE) === 0) cpu.fault(VECTOR.UD);
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
  const lonelyAvx = (wanted & VECTORS) === COMPONENT.AVX;
  const missing = (wanted & COMPONENT.X87) === 0 || (wanted & ~supportedComponents(cpu.model)) !== 0;
  if (unknown || lonelyAvx || missing) cpu.fault(VECTOR.GP, 0);
  state.setU64(XCR0, BigInt(wanted));
  cpu.modesChanged();
};

/** What all of them begin with: the components asked for, and the area's address. */
function begin(cpu: CpuContext, operands: DecodedOperands): { mask: number; linear: bigint } {
  requireEnabled(cpu);
  const { state } = cpu;
  if ((state.u32(CR0) & CR0_BITS.TS) !== 0) cpu.fault(VECTOR.NM);
  const linear = operands.linear();
  if ((linear & 63n) !== 0n) cpu.fault(VECTOR.GP, 0);
  // IA32_XSS has no components, so XSAVES and XRSTORS have those of XCR0.
  return { mask: state.gpr32(REGISTER.RAX) & state.u32(XCR0), linear };
}

const vectorCount = (cpu: CpuContext): number => (isCode64(cpu.state) ? 16 : 8);

/** Writes the components of `mask`; `layout`: those that decide on the places, −1 for the standard format. */
function store(cpu: CpuContext, operands: DecodedOperands, linear: bigint, mask: number, layout: number): void {
  const { state, memory } = cpu;
  const byteLength = layout < 0 ? standardBytes(mask) : compactedBytes(layout);
  memory.checkWrite(linear, 8);
  memory.checkWrite(linear + BigInt(byteLength - 8), 8);
  const vectors = layout < 0 ? VECTORS : COMPONENT.SSE;
  if ((mask & COMPONENT.X87) !== 0) writeX87(cpu, operands, linear);
  if ((mask & vectors) !== 0) {
    memory.write(linear + BigInt(AREA.MXCSR), 4, state.u32(MXCSR));
    memory.write(linear + BigInt(AREA.MXCSR + 4), 4, MXCSR_MASK);
  }
  const writeHalves = (area: number, upper: number): void => {
    const bytes = new Uint8Array(vectorCount(cpu) * 16);
    for (let index = 0; index < vectorCount(cpu); index++) {
      const from = XMM + index * 32 + upper;
      bytes.set(state.bytes.subarray(from, from + 16), index * 16);
    }
    memory.writeBytes(linear + BigInt(area), bytes);
  };
  if ((mask & COMPONENT.SSE) !== 0) writeHalves(AREA.XMM, 0);
  for (const { bit, number, offset } of EXTENDED_COMPONENTS) {
    if ((mask & bit) === 0) continue;
    const place = layout < 0 ? offset : compactedOffset(layout, number);
    if (bit === COMPONENT.AVX) writeHalves(place, 16);
    else memory.write64(linear + BigInt(place), BigInt(state.u32(PKRU)));
  }
}

/** MXCSR, in the midst of the x87 part, stays. */
function writeX87(cpu: CpuContext, operands: DecodedOperands, linear: bigint): void {
  const image = new DataView(new ArrayBuffer(IMAGE.XMM));
  storeX87(cpu, operands, image);
  const bytes = new Uint8Array(image.buffer);
  cpu.memory.writeBytes(linear, bytes.subarray(0, IMAGE.MXCSR));
  cpu.memory.writeBytes(linear + BigInt(IMAGE.X87), bytes.subarray(IMAGE.X87));
}

/** XSAVE, XSAVEOPT: every component counts as in use, so that nothing is left out (SDM vol. 1 §13.7, §13.9). */
export const saveExtendedState: SystemHandler = (cpu, operands) => {
  const { mask, linear } = begin(cpu, operands);
  store(cpu, operands, linear, mask, -1);
  const header = linear + BigInt(AREA.XSTATE_BV);
  cpu.memory.write64(header, (cpu.memory.read64(header) & ~BigInt(mask)) | BigInt(mask));
};

/** XSAVEC (SDM vol. 1 §13.10). */
export const saveCompactedState: SystemHandler = (cpu, operands) => {
  const { mask, linear } = begin(cpu, operands);
  store(cpu, operands, linear, mask, mask);
  cpu.memory.write64(linear + BigInt(AREA.XSTATE_BV), BigInt(mask));
  cpu.memory.write64(linear + BigInt(AREA.XCOMP_BV), COMPACTED | BigInt(mask));
};

/** XSAVES (SDM vol. 1 §13.11). */
export const saveSupervisorState: SystemHandler = (cpu, operands) => {
  requireEnabled(cpu);
  requireSupervisor(cpu);
  saveCompactedState(cpu, operands);
};

/** Components and layout of an area that is to be restored; −1: standard format. #GP when the header is wrong (SDM vol. 1 §13.8, §13.12). */
function checkHeader(cpu: CpuContext, linear: bigint, compactedOnly: boolean): { present: number; layout: number } {
  const { state, memory } = cpu;
  const word = (offset: number) => memory.read64(linear + BigInt(offset));
  const present = word(AREA.XSTATE_BV);
  const format = word(AREA.XCOMP_BV);
  const compacted = (format & COMPACTED) !== 0n && cpu.model.features.has('xsavec');
  const known = state.u64(XCR0);
  const places = format & ~COMPACTED;
  // The standard format asks for 16 bytes of zeros here, the compacted one for 48.
  const reserved = Array.from({ length: compacted ? 6 : 1 }, (_, index) => word(AREA.RESERVED + index * 8));
  const wrongFormat = compacted ? ((places & ~known) | (present & ~places)) !== 0n : format !== 0n || compactedOnly;
  if (wrongFormat || (present & ~known) !== 0n || reserved.some((value) => value !== 0n)) cpu.fault(VECTOR.GP, 0);
  return { present: Number(present), layout: compacted ? Number(places) : -1 };
}

/** Restores the components of `mask`; those that the area does not hold get their initial state. */
function restore(cpu: CpuContext, operands: DecodedOperands, compactedOnly: boolean): void {
  const { mask, linear } = begin(cpu, operands);
  const { state, memory } = cpu;
  const { present, layout } = checkHeader(cpu, linear, compactedOnly);
  const byteLength = layout < 0 ? standardBytes(mask) : compactedBytes(layout);
  const image = memory.readBytes(linear, byteLength);
  const has = (component: number) => (present & component) !== 0;
  // The compacted format keeps MXCSR with the SSE registers.
  const loadsMxcsr = layout < 0 ? (mask & VECTORS) !== 0 : (mask & COMPONENT.SSE) !== 0;
  const mxcsr = layout < 0 || has(COMPONENT.SSE) ? image.getUint32(AREA.MXCSR, true) : MXCSR_INITIAL;
  if (loadsMxcsr && (mxcsr & ~MXCSR_MASK) !== 0) cpu.fault(VECTOR.GP, 0);
  if ((mask & COMPONENT.X87) !== 0) loadX87(cpu, operands, has(COMPONENT.X87) ? image : INITIAL_X87);
  if (loadsMxcsr) state.setU32(MXCSR, mxcsr);
  const readHalves = (component: number, area: number, upper: number): void => {
    for (let index = 0; index < vectorCount(cpu) * 2; index++) {
      const value = has(component) ? image.getBigUint64(area + index * 8, true) : 0n;
      state.setU64(XMM + (index >> 1) * 32 + (index & 1) * 8 + upper, value);
    }
  };
  if ((mask & COMPONENT.SSE) !== 0) readHalves(COMPONENT.SSE, AREA.XMM, 0);
  for (const { bit, number, offset } of EXTENDED_COMPONENTS) {
    if ((mask & bit) === 0) continue;
    const place = layout < 0 ? offset : compactedOffset(layout, number);
    if (bit === COMPONENT.AVX) readHalves(bit, place, 16);
    else writeProtectionKeys(cpu, has(bit) ? image.getUint32(place, true) : 0);
  }
}

/** XRSTOR, both formats. */
export const restoreExtendedState: SystemHandler = (cpu, operands) => restore(cpu, operands, false);

/** XRSTORS: the compacted format only. */
export const restoreSupervisorState: SystemHandler = (cpu, operands) => {
  requireEnabled(cpu);
  requireSupervisor(cpu);
  restore(cpu, operands, true);
};

/** FNINIT's registers as a legacy region. */
const INITIAL_X87 = new DataView(new ArrayBuffer(512));
INITIAL_X87.setUint16(0, 0x37f, true);
