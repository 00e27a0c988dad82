import { isLongActive, isProtected } from '../modes.ts';
import { RFLAGS } from '../state.ts';
import { markDelivered } from '../stored-registers.ts';
import type { CpuContext } from '../system-context.ts';
import type { CpuEvent } from './event.ts';
import { deliverLong } from './long-mode-delivery.ts';
import { deliverProtected } from './protected-delivery.ts';
import { deliverReal } from './real-mode-delivery.ts';
import { VECTOR } from './vectors.ts';

/** What a delivery pushes. */
export interface DeliveryFrame {
  readonly event: CpuEvent;
  readonly returnAddress: bigint;
  /** RFLAGS image, RF as the event's class asks. */
  readonly flags: number;
  /** EXT bit of error codes of faults that come up on the way. */
  readonly ext: 0 | 1;
}

/**
 * Delivers one event through the IVT or IDT: NEXT_RIP becomes the handler's entry. A fault on the way is thrown with everything but accessed
 * bits and stack contents as it was; classing it (double fault, shutdown) is ExceptionUnit's matter.
 */
export function deliverEvent(cpu: CpuContext, event: CpuEvent): void {
  const { state } = cpu;
  const afterInstruction = event.kind === 'trap' || event.kind === 'software';
  const flags = state.rflags();
  // Faults push RF = 1, so that an instruction breakpoint does not hit twice (SDM vol. 3 §17.3.1.1).
  const resumes = event.kind === 'fault' && event.vector !== VECTOR.DB;
  const frame: DeliveryFrame = {
    event,
    returnAddress: afterInstruction ? state.nextRip : state.rip,
    flags: resumes ? flags | RFLAGS.RF : flags,
    ext: event.kind === 'software' ? 0 : 1,
  };
  if (!isProtected(state)) deliverReal(cpu, frame);
  else if (isLongActive(state)) deliverLong(cpu, frame);
  else deliverProtected(cpu, frame);
  markDelivered(state);
}

/** Flags that every delivery clears; interrupt gates clear IF too. */
export function clearFlagsForHandler(cpu: CpuContext, clearInterrupt: boolean, alsoCleared = 0): void {
  const { state } = cpu;
  const cleared = RFLAGS.TF | RFLAGS.NT | RFLAGS.RF | RFLAGS.VM | alsoCleared | (clearInterrupt ? RFLAGS.IF : 0);
  state.setRflags(state.rflags() & ~cleared);
}
