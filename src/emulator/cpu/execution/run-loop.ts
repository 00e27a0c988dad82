import { DR6_BITS } from '../control-bits.ts';
import type { EngineExit } from '../engine.ts';
import type { EventKind } from '../exceptions/event.ts';
import type { ExceptionUnit } from '../exceptions/exception-unit.ts';
import { DELIVERY } from '../interpreter/delivery-code.ts';
import { EXIT, UOP } from '../interpreter/micro-op.ts';
import { SHADOW } from '../segmentation/load-segment.ts';
import {
  CURRENT_UOP,
  DR6,
  EXIT_REASON,
  FAULT_ERROR_CODE,
  FAULT_VECTOR,
  FLAGS_SYSTEM,
  HALTED,
  INTERRUPT_REQUEST,
  INTERRUPT_SHADOW,
  NO_SHADOW,
  RFLAGS,
  RIP,
  STI_SHADOW_RIP,
} from '../state.ts';
import { isNmiBlocked, takeDelivered } from '../stored-registers.ts';
import type { CpuContext } from '../system-context.ts';
import type { Budget } from './budget.ts';
import type { ExitRequest } from './exit-request.ts';
import type { Deliver } from './generated-code.ts';
import { setRipOf } from './instruction-pointer.ts';
import type { ProcessorSet } from './processor-set.ts';

const VECTOR_DB = 1;
const VECTOR_NMI = 2;

/** What the loop drives. */
export interface RunLoopPorts {
  readonly context: CpuContext;
  readonly processors: ProcessorSet;
  readonly budget: Budget;
  readonly exitRequest: ExitRequest;
  readonly exceptions: ExceptionUnit;
  /** Of generated code: runs micro-ops until one leaves; delivers an event, or refuses. */
  readonly run: (uop: number) => void;
  readonly deliver: Deliver;
}

/** From block to block: what interrupts between them, and what generated code came back for. */
export class RunLoop {
  readonly #ports: RunLoopPorts;
  /** The code at RIP was withdrawn. */
  #isStale = false;

  constructor(ports: RunLoopPorts) {
    this.#ports = ports;
  }

  /** Runs until the slice's budget is used up or something ends it earlier. */
  run(): EngineExit {
    const { context, processors, budget } = this.#ports;
    const { state } = context;
    const { events, caches } = processors.current;
    const { breakpoints, lookup } = caches;
    for (;;) {
      if (events.shutdown) return 'shutdown';
      if (breakpoints.takeTraps()) this.#trap();
      const shadow = state.u32(INTERRUPT_SHADOW) !== 0 || state.u32(STI_SHADOW_RIP) === state.u32(RIP);
      if (!shadow) this.#takeInterrupts();
      if (state.u32(HALTED) !== 0) return 'halt';
      if (events.shutdown) return 'shutdown';
      const { left } = budget;
      if (budget.exitRequested) return 'request';
      if (left <= 0) return 'budget';
      const isWatched = lookup.isWatched(state.u32(RIP), state.u32(RIP + 4));
      if (isWatched && lookup.takeBreakpoint(state.u32(RIP), state.u32(RIP + 4))) {
        this.#deliver(VECTOR_DB, -1, 'fault');
        continue;
      }
      const trap = (state.u32(FLAGS_SYSTEM) & RFLAGS.TF) !== 0;
      if (shadow || trap || isWatched) this.#single(left, trap);
      else if (this.#isStale) this.#lookUp();
      else this.#enter(0);
    }
  }

  /** RIP's place in the jump cache may name code that was withdrawn: replaces it. */
  #lookUp(): void {
    const { context, processors } = this.#ports;
    const { state } = context;
    this.#isStale = false;
    this.#runFrom(processors.current.caches.lookup.block(state.u32(RIP), state.u32(RIP + 4)));
  }

  #takeInterrupts(): void {
    const { context, processors } = this.#ports;
    const { state, bus } = context;
    const { events } = processors.current;
    if (events.nmi && !isNmiBlocked(state)) {
      events.nmi = false;
      this.#deliver(VECTOR_NMI, -1, 'nmi');
    }
    if ((state.u32(FLAGS_SYSTEM) & RFLAGS.IF) !== 0 && bus.interruptPending()) {
      const vector = bus.acknowledgeInterrupt();
      if (vector >= 0) this.#deliver(vector, -1, 'external');
    }
    state.setU32(INTERRUPT_REQUEST, events.nmi || bus.interruptPending() ? 1 : 0);
  }

  /** One instruction: after STI or MOV SS, under TF, and where a breakpoint is near. */
  #single(left: number, trap: boolean): void {
    const { context, budget, processors } = this.#ports;
    const { state } = context;
    state.setU32(INTERRUPT_SHADOW, 0);
    state.setU32(STI_SHADOW_RIP, NO_SHADOW);
    const uop = processors.current.caches.lookup.once(state.u32(RIP), state.u32(RIP + 4), 1);
    budget.hold(left - 1);
    takeDelivered(state);
    const faulted = this.#runFrom(uop);
    budget.release();
    if (!trap || faulted) return;
    // INT n leaves no trap behind it, a load of SS puts it off to the next instruction.
    if (takeDelivered(state) || state.u32(INTERRUPT_SHADOW) === SHADOW.MOV_SS) return;
    this.#singleStepTrap();
  }

  /** The trap comes after the instruction, with DR6.BS (SDM vol. 3 §17.2.3). */
  #singleStepTrap(): void {
    const { context, processors } = this.#ports;
    const { state } = context;
    processors.current.caches.breakpoints.takeTraps();
    state.setU32(DR6, state.u32(DR6) | DR6_BITS.BS);
    this.#trap();
  }

  /** #DB behind the instruction before RIP; DR6 says why. */
  #trap(): void {
    const { state } = this.#ports.context;
    state.nextRip = state.rip;
    this.#deliver(VECTOR_DB, -1, 'trap');
  }

  /** Runs from a micro-op that was looked up (0: a fault was recorded); see `#enter`. */
  #runFrom(uop: number): boolean {
    if (uop !== 0) return this.#enter(uop);
    this.#deliverRecorded();
    return true;
  }

  /** Runs from a micro-op, or 0 from RIP, until the interpreter returns; true when that was by a fault. */
  #enter(uop: number): boolean {
    const { context, budget, processors, exitRequest, run } = this.#ports;
    const { state } = context;
    run(uop);
    exitRequest.restoreCode();
    switch (state.u32(EXIT_REASON)) {
      case EXIT.FAULT:
        processors.current.caches.breakpoints.forget();
        this.#rewind(true);
        this.#deliverRecorded();
        return true;
      case EXIT.STALE:
        this.#isStale = true;
        this.#rewind(true);
        return false;
      case EXIT.BUDGET: {
        this.#rewind(false);
        const { left } = budget;
        if (budget.exitRequested || left <= 0) return false;
        const { lookup } = processors.current.caches;
        return this.#runFrom(lookup.once(state.u32(RIP), state.u32(RIP + 4), left));
      }
      default:
        return false;
    }
  }

  /** RIP of CURRENT_UOP; `entered`: its block's count was taken, what had not run is given back. */
  #rewind(entered: boolean): void {
    const { context, budget } = this.#ports;
    const { state } = context;
    const uop = state.u32(CURRENT_UOP);
    // A fault on the way to a block has no micro-op: RIP is set already.
    if (uop === 0) return;
    setRipOf(state, uop, RIP, 0);
    if (entered) budget.refund(state.bytes[uop + UOP.REMAINING]);
  }

  #deliverRecorded(): void {
    const { state } = this.#ports.context;
    this.#deliver(state.u32(FAULT_VECTOR), state.view.getInt32(FAULT_ERROR_CODE, true), 'fault');
  }

  #deliver(vector: number, errorCode: number, kind: EventKind): void {
    const { context, exceptions, processors, deliver } = this.#ports;
    const { state } = context;
    if (kind === 'fault' || kind === 'external') {
      // Faults push RF = 1, so that an instruction breakpoint does not hit twice (SDM vol. 3 §17.3.1.1).
      const options = kind === 'fault' && vector !== VECTOR_DB ? DELIVERY.RESUMES : 0;
      if (deliver(vector, errorCode, options, state.u32(RIP) | 0, state.u32(RIP + 4) | 0) !== 0) {
        state.setU32(HALTED, 0);
        state.setU32(INTERRUPT_SHADOW, 0);
        return;
      }
    }
    const { events, caches } = processors.current;
    if (exceptions.deliver({ vector, errorCode, kind }) === 'shutdown') events.shutdown = true;
    caches.translations.applyModes();
  }
}
