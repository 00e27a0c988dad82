import { VECTOR } from '../exceptions/vectors.ts';
import { isCanonicalRegister } from '../mmu/canonical.ts';
import { isCode64, isLongActive } from '../modes.ts';
import { segmentLinear } from '../segmentation/access.ts';
import {
  type Descriptor,
  descriptorAttributes,
  descriptorBase,
  descriptorLimit,
  isNullSelector,
  isPresent,
  isSystem,
  readDescriptor,
  readUpperHalf,
  SYSTEM_TYPE,
  selectorErrorCode,
  systemType,
  TSS_BUSY,
} from '../segmentation/descriptor.ts';
import { setNullSegment } from '../segmentation/load-segment.ts';
import { GDTR_BASE, GDTR_LIMIT, IDTR_BASE, IDTR_LIMIT, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext, DecodedOperands, SystemHandler } from '../system-context.ts';
import { requireProtectedMode, requireSupervisor, requireUserInstructionAllowed } from './privilege.ts';

/** LGDT (`base` GDTR_BASE) and LIDT. */
function loadTable(baseRegister: number, limitRegister: number): SystemHandler {
  return (cpu, operands) => {
    requireSupervisor(cpu);
    const { state, memory } = cpu;
    const code64 = isCode64(state);
    const linear = segmentLinear(cpu, operands.segment, operands.effectiveAddress, code64 ? 10 : 6, false);
    const limit = memory.read(linear, 2);
    let base: bigint;
    if (code64) base = memory.read64(linear + 2n);
    else {
      const low = memory.read(linear + 2n, 4);
      // With 16-bit operands only 24 bits of base count, as on the 80286.
      base = BigInt(operands.operandSize === 2 ? low & 0xff_ffff : low);
    }
    if (code64 && !isCanonicalRegister(cpu, base)) cpu.fault(VECTOR.GP, 0);
    state.setU64(baseRegister, base);
    state.setU32(limitRegister, limit);
  };
}

/** SGDT and SIDT: all 32 (64) bits of the base, whatever the operand size. */
function storeTable(baseRegister: number, limitRegister: number): SystemHandler {
  return (cpu, operands) => {
    requireUserInstructionAllowed(cpu);
    const { state, memory } = cpu;
    const code64 = isCode64(state);
    const linear = segmentLinear(cpu, operands.segment, operands.effectiveAddress, code64 ? 10 : 6, true);
    const base = state.u64(baseRegister);
    memory.write(linear, 2, state.u32(limitRegister));
    if (code64) memory.write64(linear + 2n, base);
    else memory.write(linear + 2n, 4, Number(base & 0xffff_ffffn));
  };
}

export const loadGlobalTable = loadTable(GDTR_BASE, GDTR_LIMIT);
export const loadInterruptTable = loadTable(IDTR_BASE, IDTR_LIMIT);
export const storeGlobalTable = storeTable(GDTR_BASE, GDTR_LIMIT);
export const storeInterruptTable = storeTable(IDTR_BASE, IDTR_LIMIT);

/** LLDT. */
export function loadLocalTable(cpu: CpuContext, operands: DecodedOperands): void {
  requireProtectedMode(cpu);
  requireSupervisor(cpu);
  const selector = Number(operands.readRm(2));
  if (isNullSelector(selector)) {
    setNullSegment(cpu, SEGMENT_INDEX.LDTR, selector);
    return;
  }
  const errorCode = selectorErrorCode(selector);
  if ((selector & 4) !== 0) cpu.fault(VECTOR.GP, errorCode);
  const descriptor = readDescriptor(cpu, selector);
  if (!isSystem(descriptor) || systemType(descriptor) !== SYSTEM_TYPE.LDT) cpu.fault(VECTOR.GP, errorCode);
  if (!isPresent(descriptor)) cpu.fault(VECTOR.NP, errorCode);
  setSystemSegment(cpu, SEGMENT_INDEX.LDTR, descriptor, descriptorAttributes(descriptor));
}

/** LTR: the TSS becomes busy. */
export function loadTaskRegister(cpu: CpuContext, operands: DecodedOperands): void {
  requireProtectedMode(cpu);
  requireSupervisor(cpu);
  const selector = Number(operands.readRm(2));
  if (isNullSelector(selector)) cpu.fault(VECTOR.GP, 0);
  const errorCode = selectorErrorCode(selector);
  if ((selector & 4) !== 0) cpu.fault(VECTOR.GP, errorCode);
  const descriptor = readDescriptor(cpu, selector);
  const type = systemType(descriptor);
  const available = type === SYSTEM_TYPE.TSS_32 || (type === SYSTEM_TYPE.TSS_16 && !isLongActive(cpu.state));
  if (!isSystem(descriptor) || !available) cpu.fault(VECTOR.GP, errorCode);
  if (!isPresent(descriptor)) cpu.fault(VECTOR.NP, errorCode);
  const busy = descriptor.high | TSS_BUSY;
  setSystemSegment(cpu, SEGMENT_INDEX.TR, descriptor, descriptorAttributes({ ...descriptor, high: busy }));
  cpu.memory.write(descriptor.address + 5n, 1, (busy >>> 8) & 0xff, 'supervisor');
}

/** In long mode the base comes from 16 bytes. */
function setSystemSegment(cpu: CpuContext, segment: number, descriptor: Descriptor, attributes: number): void {
  const upper = isLongActive(cpu.state) ? readUpperHalf(cpu, descriptor) : 0n;
  const base = upper | descriptorBase(descriptor);
  if (isLongActive(cpu.state) && !isCanonicalRegister(cpu, base))
    cpu.fault(VECTOR.GP, selectorErrorCode(descriptor.selector));
  cpu.state.setSegment(segment, descriptor.selector, attributes, base, descriptorLimit(descriptor));
}

/** SLDT and STR: 16 bits to memory, zero-extended to a wider register. */
function storeSelector(segment: number): SystemHandler {
  return (cpu, operands) => {
    requireProtectedMode(cpu);
    requireUserInstructionAllowed(cpu);
    const size = operands.isMemory ? 2 : operands.operandSize;
    operands.writeRm(size, BigInt(cpu.state.selector(segment)));
  };
}

export const storeLocalTable = storeSelector(SEGMENT_INDEX.LDTR);
export const storeTaskRegister = storeSelector(SEGMENT_INDEX.TR);
