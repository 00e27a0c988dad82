import { isVirtual8086 } from '../modes.ts';
import { checkCodeOffset, enterCode } from '../segmentation/code-segment.ts';
import {
  type Descriptor,
  descriptorDpl,
  isCode,
  isConforming,
  isNullSelector,
  isPresent,
  readDescriptor,
  SYSTEM_TYPE,
  selectorErrorCode,
  setSegmentFrom,
} from '../segmentation/descriptor.ts';
import { checkStackSegment, setNullSegment } from '../segmentation/load-segment.ts';
import { Stack } from '../segmentation/stack.ts';
import { innerStack, isTaskState32 } from '../segmentation/task-state.ts';
import { switchTask } from '../segmentation/task-switch.ts';
import { CPL, IDTR_BASE, IDTR_LIMIT, REGISTER, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext } from '../system-context.ts';
import { clearFlagsForHandler, type DeliveryFrame } from './delivery.ts';
import { VECTOR } from './vectors.ts';

interface Gate {
  readonly type: number;
  readonly selector: number;
  readonly offset: bigint;
}

const INTERRUPT_TYPES: ReadonlySet<number> = new Set([SYSTEM_TYPE.INTERRUPT_GATE_16, SYSTEM_TYPE.INTERRUPT_GATE_32]);
const GATE_TYPES: ReadonlySet<number> = new Set([
  SYSTEM_TYPE.TASK_GATE,
  SYSTEM_TYPE.INTERRUPT_GATE_16,
  SYSTEM_TYPE.TRAP_GATE_16,
  SYSTEM_TYPE.INTERRUPT_GATE_32,
  SYSTEM_TYPE.TRAP_GATE_32,
]);

/** Protected mode without long mode: interrupt, trap and task gates, virtual-8086 interruptees (SDM vol. 3 §6.12). */
export function deliverProtected(cpu: CpuContext, frame: DeliveryFrame): void {
  const { state } = cpu;
  const v8086 = isVirtual8086(state);
  const gate = readGate(cpu, frame);
  if (gate.type === SYSTEM_TYPE.TASK_GATE) {
    switchTask(cpu, gate.selector, 'interrupt', { ext: frame.ext, returnAddress: frame.returnAddress });
    pushTaskErrorCode(cpu, frame);
    return;
  }
  const code = readHandlerCode(cpu, gate.selector, frame.ext);
  const inner = !isConforming(code) && descriptorDpl(code) < state.u32(CPL);
  if (v8086 && (!inner || descriptorDpl(code) !== 0)) {
    cpu.fault(VECTOR.GP, selectorErrorCode(gate.selector, frame.ext));
  }
  if (inner) enterInner(cpu, frame, gate, code);
  else enterSame(cpu, frame, gate, code);
  clearFlagsForHandler(cpu, INTERRUPT_TYPES.has(gate.type));
  cpu.modesChanged();
}

function readGate(cpu: CpuContext, frame: DeliveryFrame): Gate {
  const { state, memory } = cpu;
  const { vector, kind } = frame.event;
  const errorCode = vector * 8 + 2 + frame.ext;
  if (vector * 8 + 7 > state.u32(IDTR_LIMIT)) cpu.fault(VECTOR.GP, errorCode);
  const address = BigInt.asUintN(32, state.u64(IDTR_BASE) + BigInt(vector * 8));
  const low = memory.read(address, 4, 'supervisor');
  const high = memory.read(address + 4n, 4, 'supervisor');
  const type = (high >>> 8) & 0x1f;
  if (!GATE_TYPES.has(type)) cpu.fault(VECTOR.GP, errorCode);
  if (kind === 'software' && ((high >>> 13) & 3) < state.u32(CPL)) cpu.fault(VECTOR.GP, errorCode);
  if ((high & 0x8000) === 0) cpu.fault(VECTOR.NP, errorCode);
  const narrow = (type & 8) === 0;
  const offset = (low & 0xffff) + (narrow ? 0 : (high & 0xffff_0000) >>> 0);
  return { type, selector: low >>> 16, offset: BigInt(offset) };
}

/** The handler's code segment: at most as privileged as CPL allows. */
export function readHandlerCode(cpu: CpuContext, selector: number, ext: number): Descriptor {
  if (isNullSelector(selector)) cpu.fault(VECTOR.GP, ext);
  const code = readDescriptor(cpu, selector, VECTOR.GP, ext);
  const errorCode = selectorErrorCode(selector, ext);
  if (!isCode(code) || descriptorDpl(code) > cpu.state.u32(CPL)) cpu.fault(VECTOR.GP, errorCode);
  if (!isPresent(code)) cpu.fault(VECTOR.NP, errorCode);
  return code;
}

const gateSize = (gate: Gate): 2 | 4 => ((gate.type & 8) !== 0 ? 4 : 2);

function pushReturn(cpu: CpuContext, stack: Stack, frame: DeliveryFrame, size: 2 | 4): void {
  stack.push(size, BigInt(frame.flags >>> 0));
  stack.push(size, BigInt(cpu.state.selector(SEGMENT_INDEX.CS)));
  stack.push(size, frame.returnAddress);
  if (frame.event.errorCode >= 0) stack.push(size, BigInt(frame.event.errorCode));
}

function enterSame(cpu: CpuContext, frame: DeliveryFrame, gate: Gate, code: Descriptor): void {
  const stack = Stack.current(cpu);
  pushReturn(cpu, stack, frame, gateSize(gate));
  checkCodeOffset(cpu, code, gate.offset, frame.ext);
  stack.commit();
  enterCode(cpu, code, cpu.state.u32(CPL), gate.offset);
}

function enterInner(cpu: CpuContext, frame: DeliveryFrame, gate: Gate, code: Descriptor): void {
  const { state } = cpu;
  const { ext } = frame;
  const size = gateSize(gate);
  const cpl = descriptorDpl(code);
  const inner = innerStack(cpu, cpl, ext);
  const descriptor = checkStackSegment(cpu, inner.selector, cpl, VECTOR.TS, ext);
  const options = { errorCode: selectorErrorCode(inner.selector, ext), privilege: 'supervisor' as const };
  const stack = Stack.of(cpu, descriptor, inner.pointer, options);
  const v8086 = isVirtual8086(state);
  if (v8086) {
    for (const segment of [SEGMENT_INDEX.GS, SEGMENT_INDEX.FS, SEGMENT_INDEX.DS, SEGMENT_INDEX.ES]) {
      stack.push(size, BigInt(state.selector(segment)));
    }
  }
  stack.push(size, BigInt(state.selector(SEGMENT_INDEX.SS)));
  stack.push(size, state.gpr(REGISTER.RSP));
  pushReturn(cpu, stack, frame, size);
  checkCodeOffset(cpu, code, gate.offset, ext);
  if (v8086) {
    clearFlagsForHandler(cpu, false);
    for (const segment of [SEGMENT_INDEX.GS, SEGMENT_INDEX.FS, SEGMENT_INDEX.DS, SEGMENT_INDEX.ES]) {
      setNullSegment(cpu, segment, 0);
    }
  }
  setSegmentFrom(cpu, SEGMENT_INDEX.SS, inner.selector, descriptor);
  enterCode(cpu, code, cpl, gate.offset);
  stack.commit();
}

/** An exception through a task gate pushes its error code on the new task's stack. */
function pushTaskErrorCode(cpu: CpuContext, frame: DeliveryFrame): void {
  if (frame.event.errorCode < 0) return;
  const stack = Stack.current(cpu);
  stack.push(isTaskState32(cpu) ? 4 : 2, BigInt(frame.event.errorCode));
  stack.commit();
}
