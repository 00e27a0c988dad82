import type { CpuState } from '../cpu-state.ts';
import { BUDGET } from '../state.ts';

/** Taken from the budget to stop at the next block, and given back. */
const EXIT_TOLL = 2 ** 40;

/** Counts instructions: what is left of the slice, which generated code takes from block by block, and what has retired in all. */
export class Budget {
  readonly #state: CpuState;
  /** Instructions retired before the current slice, and what the slice started with. */
  #retiredBefore = 0;
  #sliceLength = 0;
  /** Put aside while a single instruction runs on a budget of its own. */
  #held = 0;
  #exitRequested = false;

  constructor(state: CpuState) {
    this.#state = state;
  }

  /** The slice is to end at the next block: the budget that generated code sees is below 0. */
  get exitRequested(): boolean {
    return this.#exitRequested;
  }

  /** Instructions left in the slice. */
  get left(): number {
    const { view } = this.#state;
    const value = view.getInt32(BUDGET + 4, true) * 0x1_0000_0000 + view.getUint32(BUDGET, true);
    return this.#exitRequested ? value + EXIT_TOLL : value;
  }

  set left(count: number) {
    const value = this.#exitRequested ? count - EXIT_TOLL : count;
    const { view } = this.#state;
    view.setInt32(BUDGET + 4, Math.floor(value / 0x1_0000_0000), true);
    view.setUint32(BUDGET, value >>> 0, true);
  }

  /** Instructions retired up to the last slice's end. */
  get retiredBefore(): number {
    return this.#retiredBefore;
  }

  /** Instructions retired by now; `unfinished`: those that the current block was charged for and has not run. */
  retired(unfinished: number): number {
    return this.#retiredBefore + this.#sliceLength - this.#held - this.left - unfinished;
  }

  beginSlice(length: number): void {
    this.#sliceLength = length;
    this.left = length;
  }

  endSlice(): void {
    this.#retiredBefore += this.#sliceLength - this.left;
    this.#sliceLength = 0;
    // In this order: the budget carries the toll while an exit is requested.
    this.#exitRequested = false;
    this.left = 0;
  }

  /** Between slices: goes on from another count, that of a snapshot. */
  restore(retired: number): void {
    this.#retiredBefore = retired;
  }

  requestExit(): void {
    const { left } = this;
    this.#exitRequested = true;
    this.left = left;
  }

  /** Gives back what a block was charged for and did not run. */
  refund(count: number): void {
    if (count !== 0) this.left += count;
  }

  /** Leaves one instruction in the budget and puts the rest aside: time still counts from the whole. */
  hold(rest: number): void {
    this.#held = rest;
    this.left = 1;
  }

  release(): void {
    const rest = this.#held;
    this.#held = 0;
    this.left += rest;
  }
}
