import { VECTOR } from '../exceptions/vectors.ts';
import { GDTR_BASE, GDTR_LIMIT, SEGMENT_ATTRIBUTES, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext } from '../system-context.ts';

/** A descriptor as it stands in the GDT or the LDT, and where. */
export interface Descriptor {
  readonly selector: number;
  readonly low: number;
  readonly high: number;
  /** Linear address. */
  readonly address: bigint;
}

/** Descriptor bits in the high dword. */
export const DESCRIPTOR = {
  ACCESSED: 0x100,
  /** Data: writable. Code: readable. */
  WRITABLE: 0x200,
  READABLE: 0x200,
  /** Data: expands down. Code: conforming. */
  EXPAND_DOWN: 0x400,
  CONFORMING: 0x400,
  CODE: 0x800,
  /** Code or data (else a system descriptor). */
  S: 0x1000,
  P: 0x8000,
  L: 0x20_0000,
  DB: 0x40_0000,
  G: 0x80_0000,
} as const;

/** Types of system descriptors (SDM vol. 3 table 3-2). */
export const SYSTEM_TYPE = {
  TSS_16: 1,
  LDT: 2,
  TSS_16_BUSY: 3,
  CALL_GATE_16: 4,
  TASK_GATE: 5,
  INTERRUPT_GATE_16: 6,
  TRAP_GATE_16: 7,
  TSS_32: 9,
  TSS_32_BUSY: 11,
  CALL_GATE_32: 12,
  INTERRUPT_GATE_32: 14,
  TRAP_GATE_32: 15,
} as const;

/** The BUSY bit of a TSS descriptor's type, in the high dword. */
export const TSS_BUSY = 0x200;

export const systemType = (descriptor: Descriptor): number => (descriptor.high >>> 8) & 0xf;
export const descriptorDpl = (descriptor: Descriptor): number => (descriptor.high >>> 13) & 3;
export const isPresent = (descriptor: Descriptor): boolean => (descriptor.high & DESCRIPTOR.P) !== 0;
export const isSystem = (descriptor: Descriptor): boolean => (descriptor.high & DESCRIPTOR.S) === 0;
export const isCode = (descriptor: Descriptor): boolean =>
  (descriptor.high & (DESCRIPTOR.S | DESCRIPTOR.CODE)) === (DESCRIPTOR.S | DESCRIPTOR.CODE);
export const isConforming = (descriptor: Descriptor): boolean => (descriptor.high & DESCRIPTOR.CONFORMING) !== 0;
export const isWritableData = (descriptor: Descriptor): boolean =>
  (descriptor.high & (DESCRIPTOR.S | DESCRIPTOR.CODE | DESCRIPTOR.WRITABLE)) === (DESCRIPTOR.S | DESCRIPTOR.WRITABLE);

export const isNullSelector = (selector: number): boolean => (selector & 0xfffc) === 0;

/** 32-bit base, zero-extended. */
export function descriptorBase(descriptor: Descriptor): bigint {
  const { low, high } = descriptor;
  return BigInt(((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff00_0000)) >>> 0);
}

/** Limit in bytes: the last offset (or, expand-down, the last one outside). */
export function descriptorLimit(descriptor: Descriptor): number {
  const limit = (descriptor.low & 0xffff) | (descriptor.high & 0xf_0000);
  return (descriptor.high & DESCRIPTOR.G) !== 0 ? ((limit << 12) | 0xfff) >>> 0 : limit;
}

/** As the state block keeps them. */
export function descriptorAttributes(descriptor: Descriptor): number {
  return (descriptor.high >>> 8) & 0xf0ff;
}

/** Error code that names `selector`; `ext` is 1 while an event is being delivered that the program did not ask for. */
export function selectorErrorCode(selector: number, ext = 0): number {
  return (selector & 0xfffc) | ext;
}

/** Linear address of the descriptor that `selector` names, or undefined when the table ends before `byteLength` bytes of it. */
export function descriptorAddress(cpu: CpuContext, selector: number, byteLength = 8): bigint | undefined {
  const { state } = cpu;
  const offset = selector & 0xfff8;
  if ((selector & 4) === 0) {
    if (offset + byteLength - 1 > state.u32(GDTR_LIMIT)) return undefined;
    return BigInt.asUintN(64, state.u64(GDTR_BASE) + BigInt(offset));
  }
  const attributes = state.segmentAttributes(SEGMENT_INDEX.LDTR);
  if ((attributes & SEGMENT_ATTRIBUTES.NULL_SEGMENT) !== 0) return undefined;
  if (offset + byteLength - 1 > state.segmentLimit(SEGMENT_INDEX.LDTR)) return undefined;
  return BigInt.asUintN(64, state.segmentBase(SEGMENT_INDEX.LDTR) + BigInt(offset));
}

/** The descriptor of `selector`, or undefined outside its table. A page fault on the table is the guest's. */
export function tryReadDescriptor(cpu: CpuContext, selector: number): Descriptor | undefined {
  const address = descriptorAddress(cpu, selector);
  if (address === undefined) return undefined;
  const low = cpu.memory.read(address, 4, 'supervisor');
  const high = cpu.memory.read(address + 4n, 4, 'supervisor');
  return { selector, low, high, address };
}

/** The descriptor of a selector that is not null; outside its table `vector` (#GP or #TS) with the selector's error code. */
export function readDescriptor(cpu: CpuContext, selector: number, vector: number = VECTOR.GP, ext = 0): Descriptor {
  return tryReadDescriptor(cpu, selector) ?? cpu.fault(vector, selectorErrorCode(selector, ext));
}

/** Upper half of a 16-byte descriptor (long mode: TSS, LDT, call gate): bits 63:32 of the base or offset, checked type 0 above. */
export function readUpperHalf(cpu: CpuContext, descriptor: Descriptor, vector: number = VECTOR.GP, ext = 0): bigint {
  const errorCode = selectorErrorCode(descriptor.selector, ext);
  if (descriptorAddress(cpu, descriptor.selector, 16) === undefined) cpu.fault(vector, errorCode);
  const upper = cpu.memory.read(descriptor.address + 8n, 4, 'supervisor');
  const reserved = cpu.memory.read(descriptor.address + 12n, 4, 'supervisor');
  if ((reserved & 0x1f00) !== 0) cpu.fault(vector, errorCode);
  return BigInt(upper) << 32n;
}

/** Sets the accessed bit in memory when it is clear; returns the descriptor as it then stands. */
export function markAccessed(cpu: CpuContext, descriptor: Descriptor): Descriptor {
  if ((descriptor.high & DESCRIPTOR.ACCESSED) !== 0) return descriptor;
  const high = (descriptor.high | DESCRIPTOR.ACCESSED) >>> 0;
  cpu.memory.write(descriptor.address + 5n, 1, (high >>> 8) & 0xff, 'supervisor');
  return { ...descriptor, high };
}

/** Puts `descriptor` under `selector` into segment register `segment`. */
export function setSegmentFrom(cpu: CpuContext, segment: number, selector: number, descriptor: Descriptor): void {
  cpu.state.setSegment(
    segment,
    selector,
    descriptorAttributes(descriptor),
    descriptorBase(descriptor),
    descriptorLimit(descriptor),
  );
}
