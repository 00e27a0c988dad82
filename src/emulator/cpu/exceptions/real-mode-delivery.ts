import { enterRealCode } from '../segmentation/code-segment.ts';
import { Stack } from '../segmentation/stack.ts';
import { IDTR_BASE, IDTR_LIMIT, RFLAGS, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext } from '../system-context.ts';
import type { DeliveryFrame } from './delivery.ts';
import { VECTOR } from './vectors.ts';

/** Real mode: far pointers of 4 bytes at IDTR; no error codes (SDM vol. 3 §20.1.4). */
export function deliverReal(cpu: CpuContext, frame: DeliveryFrame): void {
  const { state, memory } = cpu;
  const offset = frame.event.vector * 4;
  if (offset + 3 > state.u32(IDTR_LIMIT)) cpu.fault(VECTOR.GP, offset + 2);
  const entry = BigInt.asUintN(32, state.u64(IDTR_BASE) + BigInt(offset));
  const target = memory.read(entry, 2, 'supervisor');
  const selector = memory.read(entry + 2n, 2, 'supervisor');
  const stack = Stack.current(cpu);
  stack.push(2, BigInt(frame.flags & 0xffff));
  stack.push(2, BigInt(state.selector(SEGMENT_INDEX.CS)));
  stack.push(2, frame.returnAddress);
  enterRealCode(cpu, selector, BigInt(target));
  stack.commit();
  state.setRflags(state.rflags() & ~(RFLAGS.IF | RFLAGS.TF | RFLAGS.AC | RFLAGS.RF));
  cpu.modesChanged();
}
