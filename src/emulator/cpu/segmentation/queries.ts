import { isLongActive } from '../modes.ts';
import { CPL, RFLAGS } from '../state.ts';
import { requireProtectedMode } from '../system/privilege.ts';
import type { CpuContext, DecodedOperands } from '../system-context.ts';
import {
  DESCRIPTOR,
  type Descriptor,
  descriptorDpl,
  descriptorLimit,
  isCode,
  isConforming,
  isNullSelector,
  isSystem,
  isWritableData,
  SYSTEM_TYPE,
  systemType,
  tryReadDescriptor,
} from './descriptor.ts';

const LAR_LEGACY: ReadonlySet<number> = new Set([
  SYSTEM_TYPE.TSS_16,
  SYSTEM_TYPE.LDT,
  SYSTEM_TYPE.TSS_16_BUSY,
  SYSTEM_TYPE.CALL_GATE_16,
  SYSTEM_TYPE.TASK_GATE,
  SYSTEM_TYPE.TSS_32,
  SYSTEM_TYPE.TSS_32_BUSY,
  SYSTEM_TYPE.CALL_GATE_32,
]);
const LAR_LONG: ReadonlySet<number> = new Set([
  SYSTEM_TYPE.LDT,
  SYSTEM_TYPE.TSS_32,
  SYSTEM_TYPE.TSS_32_BUSY,
  SYSTEM_TYPE.CALL_GATE_32,
]);
const GATES: ReadonlySet<number> = new Set([SYSTEM_TYPE.CALL_GATE_16, SYSTEM_TYPE.TASK_GATE, SYSTEM_TYPE.CALL_GATE_32]);

/** LAR: access rights into the register and ZF = 1 when the selector is visible, else ZF = 0. */
export function loadAccessRights(cpu: CpuContext, operands: DecodedOperands): void {
  const descriptor = visibleDescriptor(cpu, operands, systemTypes(cpu));
  if (descriptor !== undefined) writeDestination(cpu, operands, (descriptor.high & 0x00f0_ff00) >>> 0);
  setZero(cpu, descriptor !== undefined);
}

/** LSL: limit in bytes. */
export function loadSegmentLimit(cpu: CpuContext, operands: DecodedOperands): void {
  const types = new Set([...systemTypes(cpu)].filter((type) => !GATES.has(type)));
  const descriptor = visibleDescriptor(cpu, operands, types);
  if (descriptor !== undefined) writeDestination(cpu, operands, descriptorLimit(descriptor));
  setZero(cpu, descriptor !== undefined);
}

const systemTypes = (cpu: CpuContext): ReadonlySet<number> => (isLongActive(cpu.state) ? LAR_LONG : LAR_LEGACY);

/** VERR. */
export function verifyRead(cpu: CpuContext, operands: DecodedOperands): void {
  const descriptor = visibleDescriptor(cpu, operands, new Set());
  const readable = descriptor !== undefined && (!isCode(descriptor) || (descriptor.high & DESCRIPTOR.READABLE) !== 0);
  setZero(cpu, readable);
}

/** VERW. */
export function verifyWrite(cpu: CpuContext, operands: DecodedOperands): void {
  const descriptor = visibleDescriptor(cpu, operands, new Set());
  setZero(cpu, descriptor !== undefined && isWritableData(descriptor));
}

/** The descriptor of the operand's selector when CPL and RPL may see it; `types` are the system descriptors that count. */
function visibleDescriptor(
  cpu: CpuContext,
  operands: DecodedOperands,
  types: ReadonlySet<number>,
): Descriptor | undefined {
  requireProtectedMode(cpu);
  const selector = Number(operands.readRm(2));
  if (isNullSelector(selector)) return undefined;
  const descriptor = tryReadDescriptor(cpu, selector);
  if (descriptor === undefined) return undefined;
  if (isSystem(descriptor) && !types.has(systemType(descriptor))) return undefined;
  if (isCode(descriptor) && isConforming(descriptor)) return descriptor;
  const dpl = descriptorDpl(descriptor);
  return dpl >= cpu.state.u32(CPL) && dpl >= (selector & 3) ? descriptor : undefined;
}

function writeDestination(cpu: CpuContext, operands: DecodedOperands, value: number): void {
  const { state } = cpu;
  if (operands.operandSize !== 2) {
    state.setGpr32(operands.reg, value);
    return;
  }
  const kept = state.gpr(operands.reg) & ~0xffffn;
  state.setGpr(operands.reg, kept | BigInt(value & 0xffff));
}

function setZero(cpu: CpuContext, zero: boolean): void {
  const flags = cpu.state.rflags();
  cpu.state.setRflags(zero ? flags | RFLAGS.ZF : flags & ~RFLAGS.ZF);
}

/** ARPL: raises the destination's RPL to the source's. */
export function adjustRequestedPrivilege(cpu: CpuContext, operands: DecodedOperands): void {
  requireProtectedMode(cpu);
  const destination = Number(operands.readRm(2));
  const source = cpu.state.gpr32(operands.reg) & 3;
  const raise = (destination & 3) < source;
  if (raise) operands.writeRm(2, BigInt((destination & 0xfffc) | source));
  setZero(cpu, raise);
}
