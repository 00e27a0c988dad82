import { isCanonical } from '../mmu/canonical.ts';
import { enterCode, isCode64Descriptor, isInvalidLongCode } from '../segmentation/code-segment.ts';
import { descriptorDpl, isConforming, SYSTEM_TYPE, selectorErrorCode } from '../segmentation/descriptor.ts';
import { setNullSegment } from '../segmentation/load-segment.ts';
import { Stack } from '../segmentation/stack.ts';
import { innerStack64, interruptStack } from '../segmentation/task-state.ts';
import { CPL, IDTR_BASE, IDTR_LIMIT, REGISTER, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext } from '../system-context.ts';
import { clearFlagsForHandler, type DeliveryFrame } from './delivery.ts';
import { readHandlerCode } from './protected-delivery.ts';
import { VECTOR } from './vectors.ts';

interface LongGate {
  readonly isInterrupt: boolean;
  readonly stackIndex: number;
  readonly selector: number;
  readonly offset: bigint;
}

/** Long mode: 16-byte gates to 64-bit code, SS:RSP always pushed, IST (SDM vol. 3 §6.14). */
export function deliverLong(cpu: CpuContext, frame: DeliveryFrame): void {
  const { state } = cpu;
  const { ext, event } = frame;
  const gate = readGate(cpu, frame);
  const code = readHandlerCode(cpu, gate.selector, ext);
  if (!isCode64Descriptor(cpu, code) || isInvalidLongCode(cpu, code)) {
    cpu.fault(VECTOR.GP, selectorErrorCode(gate.selector, ext));
  }
  const cpl = isConforming(code) ? state.u32(CPL) : descriptorDpl(code);
  const inner = cpl < state.u32(CPL);
  let pointer: bigint;
  if (gate.stackIndex !== 0) pointer = interruptStack(cpu, gate.stackIndex, ext);
  else if (inner) pointer = innerStack64(cpu, cpl, ext);
  else pointer = state.gpr(REGISTER.RSP);
  const privilege = inner ? 'supervisor' : undefined;
  const stack = Stack.flat64(cpu, pointer & ~0xfn, { errorCode: ext, privilege });
  stack.push(8, BigInt(state.selector(SEGMENT_INDEX.SS)));
  stack.push(8, state.gpr(REGISTER.RSP));
  stack.push(8, BigInt(frame.flags >>> 0));
  stack.push(8, BigInt(state.selector(SEGMENT_INDEX.CS)));
  stack.push(8, frame.returnAddress);
  if (event.errorCode >= 0) stack.push(8, BigInt(event.errorCode));
  if (!isCanonical(cpu.state, gate.offset)) cpu.fault(VECTOR.GP, ext);
  if (inner) setNullSegment(cpu, SEGMENT_INDEX.SS, cpl, cpl);
  clearFlagsForHandler(cpu, gate.isInterrupt);
  enterCode(cpu, code, cpl, gate.offset);
  stack.commit();
}

function readGate(cpu: CpuContext, frame: DeliveryFrame): LongGate {
  const { state, memory } = cpu;
  const { vector, kind } = frame.event;
  const errorCode = vector * 8 + 2 + frame.ext;
  if (vector * 16 + 15 > state.u32(IDTR_LIMIT)) cpu.fault(VECTOR.GP, errorCode);
  const address = BigInt.asUintN(64, state.u64(IDTR_BASE) + BigInt(vector * 16));
  const low = memory.read(address, 4, 'supervisor');
  const high = memory.read(address + 4n, 4, 'supervisor');
  const upper = memory.read(address + 8n, 4, 'supervisor');
  const type = (high >>> 8) & 0x1f;
  if (type !== SYSTEM_TYPE.INTERRUPT_GATE_32 && type !== SYSTEM_TYPE.TRAP_GATE_32) cpu.fault(VECTOR.GP, errorCode);
  if (kind === 'software' && ((high >>> 13) & 3) < state.u32(CPL)) cpu.fault(VECTOR.GP, errorCode);
  if ((high & 0x8000) === 0) cpu.fault(VECTOR.NP, errorCode);
  const offset = (BigInt(upper) << 32n) | BigInt(((high & 0xffff_0000) | (low & 0xffff)) >>> 0);
  return { isInterrupt: type === SYSTEM_TYPE.INTERRUPT_GATE_32, stackIndex: high & 7, selector: low >>> 16, offset };
}
