import type { EngineExit } from '../engine.ts';
import type { ProcessorSet } from './processor-set.ts';

/** Instructions of a turn: long against the cost of a change of processors, short against the time that guests wait for one another. */
const TURN = 20_000;

/** Whose turn it is. JSON. */
export interface TurnState {
  readonly current: number;
  /** Instructions left of the turn. */
  readonly left: number;
  /** Turns in a row that ended with PAUSE. */
  readonly paused: number;
  /** Processors that may have something to do. */
  readonly ready: readonly number[];
}

/**
 * Gives the processors turns, in the order of their numbers. A turn lasts a number of instructions and ends early with HLT and, because a
 * processor that spins waits for another one, with PAUSE. Everything here depends on the guest alone, never on how its run is cut into slices.
 */
export class RoundRobin {
  readonly #processors: ProcessorSet;
  /** 1: may be runnable; 0: is not. */
  readonly #ready: Uint8Array;
  #readyCount = 1;
  #left = TURN;
  #paused = 0;
  #yielded = false;

  constructor(processors: ProcessorSet) {
    this.#processors = processors;
    this.#ready = new Uint8Array(processors.all.length);
    this.reset();
  }

  /** All but the boot processor sleep. */
  reset(): void {
    this.#processors.select(0);
    this.#ready.fill(0);
    this.#ready[0] = 1;
    this.#readyCount = 1;
    this.#left = TURN;
    this.#paused = 0;
    this.#yielded = false;
  }

  /** Something came for a processor that may make it go on. */
  wake(index: number): void {
    if (this.#ready[index] !== 0) return;
    this.#ready[index] = 1;
    this.#readyCount++;
  }

  /** The running processor has executed PAUSE. */
  yield(): void {
    this.#yielded = true;
  }

  /** Selects the processor whose turn it is, and returns the instructions that it may run; 0 when none can. A single one has no turns. */
  next(): number {
    const { current, all } = this.#processors;
    if (all.length === 1) return Number.POSITIVE_INFINITY;
    if (this.#left > 0 && this.#canRun(current.index)) return this.#left;
    for (let step = 1; step <= all.length; step++) {
      const index = (current.index + step) % all.length;
      if (!this.#canRun(index)) continue;
      this.#processors.select(index);
      this.#left = TURN;
      return TURN;
    }
    return 0;
  }

  #canRun(index: number): boolean {
    if (this.#ready[index] === 0) return false;
    if (this.#processors.all[index].isRunnable) return true;
    this.#sleep(index);
    return false;
  }

  #sleep(index: number): void {
    if (this.#ready[index] === 0) return;
    this.#ready[index] = 0;
    this.#readyCount--;
  }

  /** The current processor has run. True when by now every processor that could run has ended its turn with PAUSE: all wait for time to pass. */
  ran(instructions: number, exit: EngineExit): boolean {
    this.#left -= instructions;
    if (exit === 'halt') this.#sleep(this.#processors.current.index);
    if (this.#yielded) {
      this.#yielded = false;
      this.#left = 0;
      this.#paused++;
      if (this.#paused < this.#readyCount) return false;
      this.#paused = 0;
      return true;
    }
    if (exit === 'halt' || this.#left <= 0) this.#paused = 0;
    return false;
  }

  snapshot(): TurnState {
    return {
      current: this.#processors.current.index,
      left: this.#left,
      paused: this.#paused,
      ready: [...this.#ready.keys()].filter((index) => this.#ready[index] !== 0),
    };
  }

  restore(state: TurnState): void {
    this.#processors.select(state.current);
    this.#left = state.left;
    this.#paused = state.paused;
    this.#ready.fill(0);
    for (const index of state.ready) this.#ready[index] = 1;
    this.#readyCount = state.ready.length;
    this.#yielded = false;
  }
}
