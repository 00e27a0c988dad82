import { VECTOR } from '../exceptions/vectors.ts';
import { ioPrivilegeLevel, isProtected, isVirtual8086 } from '../modes.ts';
import { Stack } from '../segmentation/stack.ts';
import { CPL, FLAGS_SYSTEM, HALTED, INTERRUPT_SHADOW, RFLAGS } from '../state.ts';
import type { CpuContext, DecodedOperands } from '../system-context.ts';
import { requireSupervisor } from './privilege.ts';

/** PUSHF images never show VM and RF. */
const PUSHED = 0x00fc_ffff;
const POPPED_16 =
  RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.TF | RFLAGS.DF | RFLAGS.OF | RFLAGS.NT;

/** PUSHF, PUSHFD, PUSHFQ. */
export function pushFlags(cpu: CpuContext, operands: DecodedOperands): void {
  const { state } = cpu;
  if (isVirtual8086(state) && ioPrivilegeLevel(state) !== 3) cpu.fault(VECTOR.GP, 0);
  const stack = Stack.current(cpu);
  stack.push(operands.operandSize, BigInt(state.rflags() & PUSHED));
  stack.commit();
}

/** POPF, POPFD, POPFQ: IF by IOPL, IOPL by CPL 0; RF, VIF and VIP are cleared. */
export function popFlags(cpu: CpuContext, operands: DecodedOperands): void {
  const { state } = cpu;
  const v8086 = isVirtual8086(state);
  const ioPrivilege = ioPrivilegeLevel(state);
  if (v8086 && ioPrivilege !== 3) cpu.fault(VECTOR.GP, 0);
  const stack = Stack.current(cpu);
  const popped = Number(stack.pop(operands.operandSize) & 0xffff_ffffn);
  const cpl = state.u32(CPL);
  let mask = POPPED_16;
  if (cpl <= ioPrivilege) mask |= RFLAGS.IF;
  if (cpl === 0) mask |= RFLAGS.IOPL;
  let cleared: number = RFLAGS.RF;
  if (operands.operandSize !== 2) {
    mask |= RFLAGS.AC | RFLAGS.ID;
    cleared |= v8086 ? 0 : RFLAGS.VIF | RFLAGS.VIP;
  }
  stack.commit();
  const old = state.rflags();
  state.setRflags((old & ~(mask | cleared)) | (popped & mask));
  if (((old ^ popped) & mask & RFLAGS.AC) !== 0) cpu.modesChanged();
}

/** CLI and STI: #GP(0) unless CPL ≤ IOPL; in real mode always allowed. */
function requireInterruptControl(cpu: CpuContext): void {
  const { state } = cpu;
  if (isProtected(state) && state.u32(CPL) > ioPrivilegeLevel(state)) cpu.fault(VECTOR.GP, 0);
}

export function clearInterruptFlag(cpu: CpuContext): void {
  requireInterruptControl(cpu);
  const { state } = cpu;
  state.setU32(FLAGS_SYSTEM, (state.u32(FLAGS_SYSTEM) & ~RFLAGS.IF) >>> 0);
}

/** STI: when IF was 0 the next instruction still runs undisturbed. */
export function setInterruptFlag(cpu: CpuContext): void {
  requireInterruptControl(cpu);
  const { state } = cpu;
  const flags = state.u32(FLAGS_SYSTEM);
  if ((flags & RFLAGS.IF) === 0) state.setU32(INTERRUPT_SHADOW, 1);
  state.setU32(FLAGS_SYSTEM, flags | RFLAGS.IF);
}

/** HLT: the engine's loop waits while HALTED is set; RIP is already behind it. */
export function halt(cpu: CpuContext): void {
  requireSupervisor(cpu);
  cpu.state.setU32(HALTED, 1);
}

/** PAUSE: whoever spins waits for another processor. */
export function pause(cpu: CpuContext): void {
  cpu.yieldTurn();
}

/** CLAC and STAC (SMAP). */
function setAlignmentCheck(cpu: CpuContext, set: boolean): void {
  const { state } = cpu;
  if (!isProtected(state) || state.u32(CPL) !== 0) cpu.fault(VECTOR.UD);
  const flags = state.u32(FLAGS_SYSTEM);
  state.setU32(FLAGS_SYSTEM, (set ? flags | RFLAGS.AC : flags & ~RFLAGS.AC) >>> 0);
  cpu.modesChanged();
}

export const clearAlignmentCheck = (cpu: CpuContext): void => setAlignmentCheck(cpu, false);
export const setAlignmentCheckFlag = (cpu: CpuContext): void => setAlignmentCheck(cpu, true);
