import { VECTOR } from '../exceptions/vectors.ts';
import { isCanonical } from '../mmu/canonical.ts';
import { isLongActive, isVirtual8086 } from '../modes.ts';
import { CPL, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext } from '../system-context.ts';
import {
  DESCRIPTOR,
  type Descriptor,
  descriptorDpl,
  descriptorLimit,
  isCode,
  isConforming,
  isNullSelector,
  isPresent,
  markAccessed,
  readDescriptor,
  selectorErrorCode,
  setSegmentFrom,
} from './descriptor.ts';
import { loadRealSegment } from './load-segment.ts';

/** L and D together are reserved in long mode. */
export function isInvalidLongCode(cpu: CpuContext, descriptor: Descriptor): boolean {
  const both = DESCRIPTOR.L | DESCRIPTOR.DB;
  return isLongActive(cpu.state) && (descriptor.high & both) === both;
}

/** The descriptor makes 64-bit code. */
export function isCode64Descriptor(cpu: CpuContext, descriptor: Descriptor): boolean {
  return isLongActive(cpu.state) && (descriptor.high & DESCRIPTOR.L) !== 0;
}

/** A code segment for a jump or call that keeps CPL: all checks but the offset's. */
export function checkDirectCode(cpu: CpuContext, descriptor: Descriptor): void {
  const errorCode = selectorErrorCode(descriptor.selector);
  const cpl = cpu.state.u32(CPL);
  const dpl = descriptorDpl(descriptor);
  if (!isCode(descriptor) || isInvalidLongCode(cpu, descriptor)) cpu.fault(VECTOR.GP, errorCode);
  if (isConforming(descriptor)) {
    if (dpl > cpl) cpu.fault(VECTOR.GP, errorCode);
  } else if ((descriptor.selector & 3) > cpl || dpl !== cpl) cpu.fault(VECTOR.GP, errorCode);
  if (!isPresent(descriptor)) cpu.fault(VECTOR.NP, errorCode);
}

/** The code segment that a RET or IRET goes back to: fetched and checked for privilege RPL ≥ CPL. */
export function readReturnCode(cpu: CpuContext, selector: number): Descriptor {
  if (isNullSelector(selector)) cpu.fault(VECTOR.GP, 0);
  const descriptor = readDescriptor(cpu, selector);
  const errorCode = selectorErrorCode(selector);
  const rpl = selector & 3;
  if (!isCode(descriptor) || isInvalidLongCode(cpu, descriptor)) cpu.fault(VECTOR.GP, errorCode);
  if (rpl < cpu.state.u32(CPL)) cpu.fault(VECTOR.GP, errorCode);
  const dpl = descriptorDpl(descriptor);
  if (isConforming(descriptor) ? dpl > rpl : dpl !== rpl) cpu.fault(VECTOR.GP, errorCode);
  if (!isPresent(descriptor)) cpu.fault(VECTOR.NP, errorCode);
  return descriptor;
}

/** An offset must lie inside the segment, or be canonical in 64-bit code; else #GP(0 or EXT). */
export function checkCodeOffset(cpu: CpuContext, descriptor: Descriptor, offset: bigint, ext = 0): void {
  const valid = isCode64Descriptor(cpu, descriptor)
    ? isCanonical(cpu.state, offset)
    : offset <= BigInt(descriptorLimit(descriptor));
  if (!valid) cpu.fault(VECTOR.GP, ext);
}

/** Commits CS, CPL and the instruction pointer. The descriptor has been checked. */
export function enterCode(cpu: CpuContext, descriptor: Descriptor, cpl: number, offset: bigint): void {
  const { state } = cpu;
  const accessed = markAccessed(cpu, descriptor);
  setSegmentFrom(cpu, SEGMENT_INDEX.CS, (descriptor.selector & 0xfffc) | cpl, accessed);
  state.setU32(CPL, cpl);
  state.nextRip = offset;
  cpu.modesChanged();
}

/** Real and virtual-8086 mode: CS takes the selector, the offset must lie inside the limit. */
export function enterRealCode(cpu: CpuContext, selector: number, offset: bigint): void {
  const { state } = cpu;
  const limit = isVirtual8086(state) ? 0xffff : state.segmentLimit(SEGMENT_INDEX.CS);
  if (offset > BigInt(limit)) cpu.fault(VECTOR.GP, 0);
  loadRealSegment(cpu, SEGMENT_INDEX.CS, selector);
  state.nextRip = offset;
  cpu.modesChanged();
}
