import { VECTOR } from '../exceptions/vectors.ts';
import { isLongActive } from '../modes.ts';
import { CPL, REGISTER, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext } from '../system-context.ts';
import { checkCodeOffset, enterCode, isCode64Descriptor, isInvalidLongCode } from './code-segment.ts';
import {
  type Descriptor,
  descriptorDpl,
  isCode,
  isConforming,
  isNullSelector,
  isPresent,
  readDescriptor,
  readUpperHalf,
  SYSTEM_TYPE,
  selectorErrorCode,
  setSegmentFrom,
  systemType,
} from './descriptor.ts';
import { checkStackSegment, setNullSegment } from './load-segment.ts';
import { Stack } from './stack.ts';
import { innerStack, innerStack64 } from './task-state.ts';

interface GateTarget {
  readonly code: Descriptor;
  readonly offset: bigint;
  /** Bytes that each pushed value takes. */
  readonly size: 2 | 4 | 8;
  /** Parameters to copy to an inner stack. */
  readonly parameters: number;
}

/** JMP through a call gate: never changes CPL. */
export function jumpThroughGate(cpu: CpuContext, gate: Descriptor): void {
  const { code, offset } = readGate(cpu, gate);
  const cpl = cpu.state.u32(CPL);
  if (!isConforming(code) && descriptorDpl(code) !== cpl) cpu.fault(VECTOR.GP, selectorErrorCode(code.selector));
  if (!isPresent(code)) cpu.fault(VECTOR.NP, selectorErrorCode(code.selector));
  checkCodeOffset(cpu, code, offset);
  enterCode(cpu, code, cpl, offset);
}

/** CALL through a call gate, to the same or an inner level (SDM vol. 3 §5.8.3–5.8.5). */
export function callThroughGate(cpu: CpuContext, gate: Descriptor): void {
  const target = readGate(cpu, gate);
  const { code, offset, size } = target;
  const { state } = cpu;
  const cpl = state.u32(CPL);
  if (!isPresent(code)) cpu.fault(VECTOR.NP, selectorErrorCode(code.selector));
  if (!isConforming(code) && descriptorDpl(code) < cpl) {
    callInward(cpu, target);
    return;
  }
  // A 64-bit gate pushes 8 bytes whatever the mode of the caller.
  const stack = size === 8 ? Stack.flat64(cpu, state.gpr(REGISTER.RSP), { errorCode: 0 }) : Stack.current(cpu);
  stack.push(size, BigInt(state.selector(SEGMENT_INDEX.CS)));
  stack.push(size, state.nextRip);
  checkCodeOffset(cpu, code, offset);
  stack.commit();
  enterCode(cpu, code, cpl, offset);
}

function readGate(cpu: CpuContext, gate: Descriptor): GateTarget {
  const long = isLongActive(cpu.state);
  const low = BigInt((gate.low & 0xffff) | (gate.high & 0xffff_0000)) & 0xffff_ffffn;
  const offset = long ? low | readUpperHalf(cpu, gate) : low;
  const selector = gate.low >>> 16;
  if (isNullSelector(selector)) cpu.fault(VECTOR.GP, 0);
  const code = readDescriptor(cpu, selector);
  const errorCode = selectorErrorCode(selector);
  if (!isCode(code) || descriptorDpl(code) > cpu.state.u32(CPL)) cpu.fault(VECTOR.GP, errorCode);
  if (long && (!isCode64Descriptor(cpu, code) || isInvalidLongCode(cpu, code))) cpu.fault(VECTOR.GP, errorCode);
  const narrow = systemType(gate) === SYSTEM_TYPE.CALL_GATE_16;
  const size = long ? 8 : narrow ? 2 : 4;
  return { code, offset: narrow ? offset & 0xffffn : offset, size, parameters: long ? 0 : gate.high & 0x1f };
}

function callInward(cpu: CpuContext, target: GateTarget): void {
  const { state } = cpu;
  const { code, offset, size } = target;
  const cpl = descriptorDpl(code);
  const oldSelector = BigInt(state.selector(SEGMENT_INDEX.SS));
  const oldPointer = state.gpr(REGISTER.RSP);
  if (size === 8) {
    const stack = Stack.flat64(cpu, innerStack64(cpu, cpl), { errorCode: 0, privilege: 'supervisor' });
    pushFrame(cpu, stack, target, oldSelector, oldPointer);
    checkCodeOffset(cpu, code, offset);
    setNullSegment(cpu, SEGMENT_INDEX.SS, cpl, cpl);
    enterCode(cpu, code, cpl, offset);
    stack.commit();
    return;
  }
  const inner = innerStack(cpu, cpl);
  const descriptor = checkStackSegment(cpu, inner.selector, cpl, VECTOR.TS);
  const options = { errorCode: selectorErrorCode(inner.selector), privilege: 'supervisor' as const };
  const stack = Stack.of(cpu, descriptor, inner.pointer, options);
  pushFrame(cpu, stack, target, oldSelector, oldPointer);
  checkCodeOffset(cpu, code, offset);
  setSegmentFrom(cpu, SEGMENT_INDEX.SS, inner.selector, descriptor);
  enterCode(cpu, code, cpl, offset);
  stack.commit();
}

/** SS, RSP, the parameters in their order, CS, RIP. */
function pushFrame(cpu: CpuContext, stack: Stack, target: GateTarget, selector: bigint, pointer: bigint): void {
  const { size, parameters } = target;
  stack.push(size, selector);
  stack.push(size, pointer);
  const old = Stack.current(cpu);
  const values: bigint[] = [];
  for (let index = 0; index < parameters; index++) values.push(old.pop(size));
  for (const value of values.reverse()) stack.push(size, value);
  stack.push(size, BigInt(cpu.state.selector(SEGMENT_INDEX.CS)));
  stack.push(size, cpu.state.nextRip);
}
