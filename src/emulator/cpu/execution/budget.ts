import type { CpuState } from '../cpu-state.ts';
import { BUDGET, TICKS_END } from '../state.ts';

/** Taken from the budget to stop at the next block, and given back. */
const EXIT_TOLL = 2 ** 40;
const TWO_32 = 0x1_0000_0000;

/** Counts instructions: what is left of the slice, which generated code takes from block by block, and what has retired in all. */
export class Budget {
  readonly #state: CpuState;
  /** Instructions retired before the current slice, and what the slice started with. */
  #retiredBefore = 0;
  #sliceLength = 0;
  /** Put aside while a single instruction runs on a budget of its own. */
  #held = 0;
  #exitRequested = false;
  readonly #now: () => number;

  /** `now`: virtual time, ns. */
  constructor(state: CpuState, now: () => number) {
    this.#state = state;
    this.#now = now;
  }

  /** The slice is to end at the next block: the budget that generated code sees is below 0. */
  get exitRequested(): boolean {
    return this.#exitRequested;
  }

  /** Instructions left in the slice. */
  get left(): number {
    const value = readWide(this.#state, BUDGET);
    return this.#exitRequested ? value + EXIT_TOLL : value;
  }

  set left(count: number) {
    writeWide(this.#state, BUDGET, this.#exitRequested ? count - EXIT_TOLL : count);
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
    this.#ticksEnd = this.#now() + length;
  }

  get #ticksEnd(): number {
    return readWide(this.#state, TICKS_END);
  }

  set #ticksEnd(ticks: number) {
    writeWide(this.#state, TICKS_END, ticks);
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
    this.#ticksEnd -= rest;
  }

  release(): void {
    const rest = this.#held;
    this.#held = 0;
    this.left += rest;
    this.#ticksEnd += rest;
  }
}

/** A signed 64-bit number of the state; all that are counted stay below 2^53. */
function readWide({ view }: CpuState, offset: number): number {
  return view.getInt32(offset + 4, true) * TWO_32 + view.getUint32(offset, true);
}

function writeWide({ view }: CpuState, offset: number, value: number): void {
  view.setInt32(offset + 4, Math.floor(value / TWO_32), true);
  view.setUint32(offset, value >>> 0, true);
}
