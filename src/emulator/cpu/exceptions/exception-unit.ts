import { HALTED, INTERRUPT_SHADOW } from '../state.ts';
import { blockNmi } from '../stored-registers.ts';
import { type CpuContext, GuestFault } from '../system-context.ts';
import { deliverEvent } from './delivery.ts';
import type { CpuEvent } from './event.ts';
import { type FaultSnapshot, takeSnapshot } from './fault-chain.ts';
import { VECTOR } from './vectors.ts';

/** A fault chain never gets longer: original, nested, double, the one that ends it. */
const MAX_CHAIN = 8;

type FaultClass = 'benign' | 'contributory' | 'page-fault' | 'double-fault';

function classOf(event: CpuEvent): FaultClass {
  if (event.kind !== 'fault') return 'benign';
  switch (event.vector) {
    case VECTOR.DE:
    case VECTOR.TS:
    case VECTOR.NP:
    case VECTOR.SS:
    case VECTOR.GP:
      return 'contributory';
    case VECTOR.PF:
      return 'page-fault';
    case VECTOR.DF:
      return 'double-fault';
    default:
      return 'benign';
  }
}

/** What the second fault makes of the first (SDM vol. 3 table 6-5): itself, a double fault, or shutdown. */
function combine(first: FaultClass, second: FaultClass): 'serial' | 'double-fault' | 'shutdown' {
  if (second === 'benign') return 'serial';
  if (first === 'double-fault') return 'shutdown';
  if (first === 'contributory') return second === 'contributory' ? 'double-fault' : 'serial';
  return first === 'page-fault' ? 'double-fault' : 'serial';
}

/** Takes events to their handlers, and faults on the way to double fault and shutdown. */
export class ExceptionUnit {
  /** The events of the last delivery that did not go straight through; after a shutdown its whole history. */
  chain: readonly FaultSnapshot[] = [];
  readonly #cpu: CpuContext;

  constructor(cpu: CpuContext) {
    this.#cpu = cpu;
  }

  /**
   * Delivers `event`. 'delivered': RIP and NEXT_RIP are the handler's entry. 'shutdown': a triple fault, and `chain` says how. An NMI or external
   * interrupt also ends HLT.
   */
  deliver(event: CpuEvent): 'delivered' | 'shutdown' {
    const cpu = this.#cpu;
    const { state } = cpu;
    let current = event;
    let severity = classOf(event);
    let chain: FaultSnapshot[] | undefined;
    for (let attempt = 0; attempt < MAX_CHAIN; attempt++) {
      try {
        deliverEvent(cpu, current);
        state.rip = state.nextRip;
        state.setU32(HALTED, 0);
        state.setU32(INTERRUPT_SHADOW, 0);
        if (event.kind === 'nmi') blockNmi(state);
        if (chain !== undefined) this.chain = chain;
        return 'delivered';
      } catch (error) {
        if (!(error instanceof GuestFault)) throw error;
        chain ??= [takeSnapshot(cpu, current)];
        const next: CpuEvent = { vector: error.vector, errorCode: error.errorCode, kind: 'fault' };
        chain.push(takeSnapshot(cpu, next));
        const outcome = combine(severity, classOf(next));
        if (outcome === 'shutdown') break;
        current = outcome === 'serial' ? next : { vector: VECTOR.DF, errorCode: 0, kind: 'fault' };
        if (outcome === 'double-fault') chain.push(takeSnapshot(cpu, current));
        severity = classOf(current);
        // What a trap pushed after the instruction, its nested fault pushes too.
        if (event.kind === 'trap') state.rip = state.nextRip;
      }
    }
    this.chain = chain ?? [];
    return 'shutdown';
  }
}
