import { VECTOR } from '../exceptions/vectors.ts';
import { isCode64, isRealAddressing, isVirtual8086 } from '../modes.ts';
import { CPL, INTERRUPT_SHADOW, SEGMENT_ATTRIBUTES, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext } from '../system-context.ts';
import {
  DESCRIPTOR,
  type Descriptor,
  descriptorDpl,
  isCode,
  isConforming,
  isNullSelector,
  isPresent,
  isSystem,
  isWritableData,
  markAccessed,
  readDescriptor,
  selectorErrorCode,
  setSegmentFrom,
} from './descriptor.ts';

/** Present, DPL 3, accessed read/write data: every segment in virtual-8086 mode. */
const V8086_ATTRIBUTES = 0xf3;
/** Present, accessed read/write data: segments in real mode. */
const REAL_ATTRIBUTES = 0x93;

/**
 * MOV Sreg, POP Sreg and the LDS family: loads ES, SS, DS, FS or GS with all checks. The caller has refused CS (#UD).
 * Loading SS starts an interrupt shadow of one instruction.
 */
export function loadSegment(cpu: CpuContext, segment: number, selector: number): void {
  if (isRealAddressing(cpu.state)) loadRealSegment(cpu, segment, selector);
  else if (segment === SEGMENT_INDEX.SS) loadStackSegment(cpu, selector);
  else loadDataSegment(cpu, segment, selector);
  cpu.modesChanged();
}

/** Values of INTERRUPT_SHADOW: STI holds off interrupts, a load of SS debug traps as well (SDM vol. 3 §6.8.3). */
export const SHADOW = { STI: 1, MOV_SS: 2 } as const;

/** The shadow that MOV SS and POP SS cast over the next instruction, so that the stack pointer can follow. */
export function castInterruptShadow(cpu: CpuContext): void {
  cpu.state.setU32(INTERRUPT_SHADOW, SHADOW.MOV_SS);
}

/** Real mode changes only selector and base, so that "unreal" limits last; virtual-8086 sets everything. */
export function loadRealSegment(cpu: CpuContext, segment: number, selector: number): void {
  const { state } = cpu;
  const base = BigInt((selector & 0xffff) << 4);
  if (isVirtual8086(state)) {
    state.setSegment(segment, selector & 0xffff, V8086_ATTRIBUTES, base, 0xffff);
    return;
  }
  const attributes = state.segmentAttributes(segment);
  const unusable = (attributes & SEGMENT_ATTRIBUTES.NULL_SEGMENT) !== 0;
  const limit = unusable ? 0xffff : state.segmentLimit(segment);
  state.setSegment(segment, selector & 0xffff, unusable ? REAL_ATTRIBUTES : attributes, base, limit);
}

/** Makes a segment register unusable, as a null selector does; `dpl` matters for SS in 64-bit mode only. */
export function setNullSegment(cpu: CpuContext, segment: number, selector: number, dpl = 0): void {
  const attributes = SEGMENT_ATTRIBUTES.NULL_SEGMENT | (dpl << SEGMENT_ATTRIBUTES.DPL_SHIFT);
  cpu.state.setSegment(segment, selector, attributes, 0n, 0);
}

function loadStackSegment(cpu: CpuContext, selector: number): void {
  const cpl = cpu.state.u32(CPL);
  if (isNullSelector(selector)) {
    if (!isCode64(cpu.state) || cpl === 3 || (selector & 3) !== cpl) cpu.fault(VECTOR.GP, 0);
    setNullSegment(cpu, SEGMENT_INDEX.SS, selector, cpl);
    return;
  }
  setSegmentFrom(cpu, SEGMENT_INDEX.SS, selector, checkStackSegment(cpu, selector, cpl, VECTOR.GP));
}

/**
 * Fetches and checks a stack segment for privilege `cpl`; marks it accessed. `vector` is #GP for loads by the program and #TS for stacks out
 * of a TSS. The selector is not null.
 */
export function checkStackSegment(cpu: CpuContext, selector: number, cpl: number, vector: number, ext = 0): Descriptor {
  const errorCode = selectorErrorCode(selector, ext);
  const descriptor = readDescriptor(cpu, selector, vector, ext);
  if ((selector & 3) !== cpl || descriptorDpl(descriptor) !== cpl) cpu.fault(vector, errorCode);
  if (!isWritableData(descriptor)) cpu.fault(vector, errorCode);
  if (!isPresent(descriptor)) cpu.fault(VECTOR.SS, errorCode);
  return markAccessed(cpu, descriptor);
}

/** Loads DS, ES, FS or GS in protected mode. `vector` is #GP, or #TS in a task switch. */
export function loadDataSegment(
  cpu: CpuContext,
  segment: number,
  selector: number,
  vector: number = VECTOR.GP,
  ext = 0,
): void {
  if (isNullSelector(selector)) {
    setNullSegment(cpu, segment, selector);
    return;
  }
  const errorCode = selectorErrorCode(selector, ext);
  const descriptor = readDescriptor(cpu, selector, vector, ext);
  if (isSystem(descriptor)) cpu.fault(vector, errorCode);
  if (isCode(descriptor) && (descriptor.high & DESCRIPTOR.READABLE) === 0) cpu.fault(vector, errorCode);
  const dpl = descriptorDpl(descriptor);
  const privileged = !(isCode(descriptor) && isConforming(descriptor));
  if (privileged && (dpl < (selector & 3) || dpl < cpu.state.u32(CPL))) cpu.fault(vector, errorCode);
  if (!isPresent(descriptor)) cpu.fault(VECTOR.NP, errorCode);
  setSegmentFrom(cpu, segment, selector, markAccessed(cpu, descriptor));
}

/** After a return to an outer level: data segments that the new CPL may not use become null (SDM RET, IRET). */
export function dropInnerSegments(cpu: CpuContext): void {
  const { state } = cpu;
  const cpl = state.u32(CPL);
  for (const segment of [SEGMENT_INDEX.ES, SEGMENT_INDEX.DS, SEGMENT_INDEX.FS, SEGMENT_INDEX.GS]) {
    const attributes = state.segmentAttributes(segment);
    if ((attributes & SEGMENT_ATTRIBUTES.NULL_SEGMENT) !== 0) continue;
    const conformingCode = (attributes & 0x1c) === 0x1c;
    const dpl = (attributes >>> SEGMENT_ATTRIBUTES.DPL_SHIFT) & 3;
    if (!conformingCode && dpl < cpl) setNullSegment(cpu, segment, 0);
  }
}
