import { VECTOR } from '../exceptions/vectors.ts';
import { ioPrivilegeLevel, isCode64, isLongActive, isProtected, isVirtual8086 } from '../modes.ts';
import { CPL, FLAGS_SYSTEM, REGISTER, RFLAGS, SEGMENT_INDEX } from '../state.ts';
import { unblockNmi } from '../stored-registers.ts';
import type { CpuContext } from '../system-context.ts';
import { checkCodeOffset, enterCode, enterRealCode, readReturnCode } from './code-segment.ts';
import { returnOutward } from './far-transfer.ts';
import { loadRealSegment } from './load-segment.ts';
import { Stack } from './stack.ts';
import { switchTask } from './task-switch.ts';

const ARITHMETIC =
  RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.TF | RFLAGS.DF | RFLAGS.OF | RFLAGS.NT;

/** IRET, IRETD, IRETQ in every mode. */
export function interruptReturn(cpu: CpuContext, operandSize: 2 | 4 | 8): void {
  const { state } = cpu;
  if (!isProtected(state)) returnReal(cpu, operandSize);
  else if (isVirtual8086(state)) returnInVirtual8086(cpu, operandSize);
  else returnProtected(cpu, operandSize);
  unblockNmi(state);
}

/** Bits of RFLAGS that IRET takes from the stack at `cpl` (SDM IRET). */
function poppedMask(operandSize: 2 | 4 | 8, cpl: number, ioPrivilege: number): number {
  let mask = ARITHMETIC;
  if (operandSize !== 2) mask |= RFLAGS.AC | RFLAGS.ID;
  if (cpl <= ioPrivilege) mask |= RFLAGS.IF;
  if (cpl === 0) mask |= RFLAGS.IOPL;
  if (cpl === 0 && operandSize !== 2) mask |= RFLAGS.VIF | RFLAGS.VIP;
  return mask;
}

/**
 * Takes the bits of `mask` from `popped`. RF is dropped: it would hold back an instruction breakpoint for one instruction, and this
 * processor takes breakpoints by other means.
 */
function mergeFlags(cpu: CpuContext, popped: bigint, mask: number): void {
  const { state } = cpu;
  const value = Number(popped & 0xffff_ffffn);
  state.setRflags((state.rflags() & ~(mask | RFLAGS.RF)) | (value & mask));
}

function returnReal(cpu: CpuContext, operandSize: 2 | 4 | 8): void {
  const stack = Stack.current(cpu);
  const offset = stack.pop(operandSize);
  const selector = Number(stack.pop(operandSize) & 0xffffn);
  const flags = stack.pop(operandSize);
  enterRealCode(cpu, selector, offset);
  stack.commit();
  const mask = ARITHMETIC | RFLAGS.IF | RFLAGS.IOPL | (operandSize === 2 ? 0 : RFLAGS.AC | RFLAGS.ID);
  mergeFlags(cpu, flags, mask);
  cpu.modesChanged();
}

function returnInVirtual8086(cpu: CpuContext, operandSize: 2 | 4 | 8): void {
  if (ioPrivilegeLevel(cpu.state) !== 3) cpu.fault(VECTOR.GP, 0);
  const stack = Stack.current(cpu);
  const offset = stack.pop(operandSize);
  const selector = Number(stack.pop(operandSize) & 0xffffn);
  const flags = stack.pop(operandSize);
  enterRealCode(cpu, selector, offset);
  stack.commit();
  mergeFlags(cpu, flags, poppedMask(operandSize, 3, 3));
  cpu.modesChanged();
}

function returnProtected(cpu: CpuContext, operandSize: 2 | 4 | 8): void {
  const { state } = cpu;
  if ((state.u32(FLAGS_SYSTEM) & RFLAGS.NT) !== 0) {
    if (isLongActive(state)) cpu.fault(VECTOR.GP, 0);
    returnToPreviousTask(cpu);
    return;
  }
  const stack = Stack.current(cpu);
  const offset = stack.pop(operandSize);
  const selector = Number(stack.pop(operandSize) & 0xffffn);
  const flags = stack.pop(operandSize);
  const cpl = state.u32(CPL);
  const toVirtual8086 = operandSize === 4 && cpl === 0 && !isLongActive(state) && (Number(flags) & RFLAGS.VM) !== 0;
  if (toVirtual8086) {
    enterVirtual8086(cpu, stack, { offset, selector, flags });
    return;
  }
  const mask = poppedMask(operandSize, cpl, ioPrivilegeLevel(state));
  const code = readReturnCode(cpu, selector);
  if ((selector & 3) === cpl && !isCode64(state)) {
    checkCodeOffset(cpu, code, offset);
    stack.commit();
    enterCode(cpu, code, cpl, offset);
  } else {
    const pointer = stack.pop(operandSize);
    const stackSelector = Number(stack.pop(operandSize) & 0xffffn);
    returnOutward(cpu, code, offset, { selector: stackSelector, pointer });
  }
  mergeFlags(cpu, flags, mask);
  cpu.modesChanged();
}

/** The back link of the current TSS names the task to go back to. */
function returnToPreviousTask(cpu: CpuContext): void {
  const { state } = cpu;
  const link = cpu.memory.read(state.segmentBase(SEGMENT_INDEX.TR), 2, 'supervisor');
  switchTask(cpu, link, 'iret');
}

function enterVirtual8086(
  cpu: CpuContext,
  stack: Stack,
  frame: { offset: bigint; selector: number; flags: bigint },
): void {
  const { state } = cpu;
  const pointer = stack.pop(4);
  const selectors = [0, 0, 0, 0, 0, 0];
  for (const segment of [SEGMENT_INDEX.SS, SEGMENT_INDEX.ES, SEGMENT_INDEX.DS, SEGMENT_INDEX.FS, SEGMENT_INDEX.GS]) {
    selectors[segment] = Number(stack.pop(4) & 0xffffn);
  }
  selectors[SEGMENT_INDEX.CS] = frame.selector;
  state.setRflags(Number(frame.flags & 0x003e_7fd5n) | 2);
  state.setU32(CPL, 3);
  for (let segment = 0; segment < 6; segment++) loadRealSegment(cpu, segment, selectors[segment]);
  state.setGpr(REGISTER.RSP, pointer);
  state.nextRip = frame.offset & 0xffffn;
  cpu.modesChanged();
}
