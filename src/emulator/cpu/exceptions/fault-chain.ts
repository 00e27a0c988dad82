import { CR0, CR2, CR3, CR4, EFER, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext } from '../system-context.ts';
import type { CpuEvent } from './event.ts';

/** The processor at one link of a chain of faults. */
export interface FaultSnapshot {
  readonly event: CpuEvent;
  readonly cs: number;
  readonly rip: bigint;
  readonly ss: number;
  readonly rsp: bigint;
  readonly cr0: bigint;
  readonly cr2: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
}

export function takeSnapshot(cpu: CpuContext, event: CpuEvent): FaultSnapshot {
  const { state } = cpu;
  return {
    event,
    cs: state.selector(SEGMENT_INDEX.CS),
    rip: state.rip,
    ss: state.selector(SEGMENT_INDEX.SS),
    rsp: state.gpr(4),
    cr0: state.u64(CR0),
    cr2: state.u64(CR2),
    cr3: state.u64(CR3),
    cr4: state.u64(CR4),
    efer: state.u64(EFER),
  };
}
