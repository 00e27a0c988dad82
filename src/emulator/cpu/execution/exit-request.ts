import type { CpuState } from '../cpu-state.ts';
import { SPECIAL_HANDLERS } from '../interpreter/handlers.ts';
import { UOP } from '../interpreter/micro-op.ts';
import { INTERRUPT_REQUEST } from '../state.ts';
import type { CodeCache } from '../translation/code-cache.ts';
import type { Budget } from './budget.ts';
import type { CurrentCall } from './current-call.ts';

/** Ends a slice early, exactly after the current instruction. */
export class ExitRequest {
  readonly #state: CpuState;
  readonly #codeCache: CodeCache;
  readonly #budget: Budget;
  readonly #call: CurrentCall;
  /** The micro-op that #stopAfter withdrew. */
  #stopped: { readonly at: number; readonly handler: number; readonly withdrawals: number } | undefined;

  constructor(state: CpuState, codeCache: CodeCache, budget: Budget, call: CurrentCall) {
    this.#state = state;
    this.#codeCache = codeCache;
    this.#budget = budget;
    this.#call = call;
  }

  make(): void {
    this.#state.setU32(INTERRUPT_REQUEST, 1);
    if (this.#budget.exitRequested) return;
    this.#budget.requestExit();
    if (this.#call.uop !== 0) this.#stopAfter(this.#call.uop);
  }

  /**
   * The instruction at `uop` is the last one before the exit: the next micro-op of its block is withdrawn until then. So an interrupt that a
   * device raises comes at the same instruction boundary whatever the blocks and slices are.
   */
  #stopAfter(uop: number): void {
    const state = this.#state;
    if (state.bytes[uop + UOP.REMAINING] <= 1) return;
    const next = uop + UOP.BYTE_LENGTH + UOP.HANDLER;
    this.#stopped = { at: next, handler: state.view.getUint16(next, true), withdrawals: this.#codeCache.withdrawals };
    state.view.setUint16(next, SPECIAL_HANDLERS.STALE, true);
  }

  /** Generated code has returned: undoes #stopAfter, unless the block was withdrawn for good meanwhile. */
  restoreCode(): void {
    const stopped = this.#stopped;
    if (stopped === undefined) return;
    this.#stopped = undefined;
    if (stopped.withdrawals === this.#codeCache.withdrawals)
      this.#state.view.setUint16(stopped.at, stopped.handler, true);
  }
}
