import { VECTOR } from '../exceptions/vectors.ts';
import { isLongActive, isRealAddressing } from '../modes.ts';
import { CPL, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext } from '../system-context.ts';
import { callThroughGate, jumpThroughGate } from './call-gate.ts';
import {
  checkCodeOffset,
  checkDirectCode,
  enterCode,
  enterRealCode,
  isCode64Descriptor,
  readReturnCode,
} from './code-segment.ts';
import {
  type Descriptor,
  descriptorDpl,
  isNullSelector,
  isPresent,
  isSystem,
  readDescriptor,
  SYSTEM_TYPE,
  selectorErrorCode,
  setSegmentFrom,
  systemType,
} from './descriptor.ts';
import { checkStackSegment, dropInnerSegments, setNullSegment } from './load-segment.ts';
import { Stack, setStackPointer } from './stack.ts';
import { switchTask } from './task-switch.ts';

type OperandSize = 2 | 4 | 8;

/** JMP ptr16:16/32, JMP m16:16/32/64. */
export function farJump(cpu: CpuContext, selector: number, offset: bigint): void {
  if (isRealAddressing(cpu.state)) {
    enterRealCode(cpu, selector, offset);
    return;
  }
  const descriptor = readTarget(cpu, selector);
  if (isSystem(descriptor)) {
    transferThroughSystemDescriptor(cpu, descriptor, 'jump', 4);
    return;
  }
  checkDirectCode(cpu, descriptor);
  checkCodeOffset(cpu, descriptor, offset);
  enterCode(cpu, descriptor, cpu.state.u32(CPL), offset);
}

/** CALL ptr16:16/32, CALL m16:16/32/64; pushes CS and NEXT_RIP in `operandSize`. */
export function farCall(cpu: CpuContext, selector: number, offset: bigint, operandSize: OperandSize): void {
  const { state } = cpu;
  if (isRealAddressing(state)) {
    const stack = pushReturn(cpu, operandSize);
    enterRealCode(cpu, selector, offset);
    stack.commit();
    return;
  }
  const descriptor = readTarget(cpu, selector);
  if (isSystem(descriptor)) {
    transferThroughSystemDescriptor(cpu, descriptor, 'call', operandSize);
    return;
  }
  checkDirectCode(cpu, descriptor);
  const stack = pushReturn(cpu, operandSize);
  checkCodeOffset(cpu, descriptor, offset);
  stack.commit();
  enterCode(cpu, descriptor, state.u32(CPL), offset);
}

function pushReturn(cpu: CpuContext, operandSize: OperandSize): Stack {
  const stack = Stack.current(cpu);
  stack.push(operandSize, BigInt(cpu.state.selector(SEGMENT_INDEX.CS)));
  stack.push(operandSize, cpu.state.nextRip);
  return stack;
}

function readTarget(cpu: CpuContext, selector: number): Descriptor {
  if (isNullSelector(selector)) cpu.fault(VECTOR.GP, 0);
  return readDescriptor(cpu, selector);
}

/** Call gates, task gates and TSSs; in long mode call gates only. */
function transferThroughSystemDescriptor(
  cpu: CpuContext,
  descriptor: Descriptor,
  kind: 'jump' | 'call',
  operandSize: OperandSize,
): void {
  const errorCode = selectorErrorCode(descriptor.selector);
  const type = systemType(descriptor);
  const long = isLongActive(cpu.state);
  const isCallGate = type === SYSTEM_TYPE.CALL_GATE_32 || (type === SYSTEM_TYPE.CALL_GATE_16 && !long);
  const isTask =
    !long && (type === SYSTEM_TYPE.TASK_GATE || type === SYSTEM_TYPE.TSS_16 || type === SYSTEM_TYPE.TSS_32);
  if (!isCallGate && !isTask) cpu.fault(VECTOR.GP, errorCode);
  const dpl = descriptorDpl(descriptor);
  if (dpl < cpu.state.u32(CPL) || dpl < (descriptor.selector & 3)) cpu.fault(VECTOR.GP, errorCode);
  if (!isPresent(descriptor)) cpu.fault(VECTOR.NP, errorCode);
  if (isCallGate) {
    if (kind === 'call') callThroughGate(cpu, descriptor);
    else jumpThroughGate(cpu, descriptor);
    return;
  }
  const selector = type === SYSTEM_TYPE.TASK_GATE ? (descriptor.low >>> 16) & 0xffff : descriptor.selector;
  switchTask(cpu, selector, kind);
  void operandSize;
}

/** RETF: `released` bytes of parameters are dropped from both stacks. */
export function farReturn(cpu: CpuContext, operandSize: OperandSize, released: number): void {
  const { state } = cpu;
  const stack = Stack.current(cpu);
  const offset = stack.pop(operandSize);
  const selector = Number(stack.pop(operandSize) & 0xffffn);
  if (isRealAddressing(state)) {
    stack.release(released);
    enterRealCode(cpu, selector, offset);
    stack.commit();
    return;
  }
  const code = readReturnCode(cpu, selector);
  stack.release(released);
  if ((selector & 3) === state.u32(CPL)) {
    checkCodeOffset(cpu, code, offset);
    stack.commit();
    enterCode(cpu, code, selector & 3, offset);
    return;
  }
  const pointer = stack.pop(operandSize);
  const stackSelector = Number(stack.pop(operandSize) & 0xffffn);
  returnOutward(cpu, code, offset, { selector: stackSelector, pointer: pointer + BigInt(released) });
}

/** The common end of RETF and IRET to another stack: loads SS:RSP, CS:RIP and drops data segments that are too privileged now. */
export function returnOutward(
  cpu: CpuContext,
  code: Descriptor,
  offset: bigint,
  stack: { selector: number; pointer: bigint },
): void {
  const { state } = cpu;
  const cpl = code.selector & 3;
  const to64 = isCode64Descriptor(cpu, code);
  const stackDescriptor = readOuterStack(cpu, stack.selector, cpl, to64);
  checkCodeOffset(cpu, code, offset);
  const goesOutward = cpl > state.u32(CPL);
  enterCode(cpu, code, cpl, offset);
  if (stackDescriptor === undefined) setNullSegment(cpu, SEGMENT_INDEX.SS, stack.selector, cpl);
  else setSegmentFrom(cpu, SEGMENT_INDEX.SS, stack.selector, stackDescriptor);
  const wide = stackDescriptor === undefined || (stackDescriptor.high & 0x40_0000) !== 0;
  setStackPointer(cpu, to64 ? 64 : wide ? 32 : 16, stack.pointer);
  if (goesOutward) dropInnerSegments(cpu);
  cpu.modesChanged();
}

/** A null SS is fine on the way to 64-bit code below CPL 3. */
function readOuterStack(cpu: CpuContext, selector: number, cpl: number, to64: boolean): Descriptor | undefined {
  if (!isNullSelector(selector)) return checkStackSegment(cpu, selector, cpl, VECTOR.GP);
  if (!to64 || cpl === 3 || (selector & 3) !== cpl) cpu.fault(VECTOR.GP, 0);
  return undefined;
}
