import { evaluationError } from './evaluation-error.ts';

/** What one evaluation may use: bounds for endless loops and hostile tables. */
export interface EvaluationLimits {
  /** Terms that are run. */
  readonly steps: number;
  /** Invocations inside one another. */
  readonly invocations: number;
  /** Terms inside one another, those of the callers included. */
  readonly nesting: number;
  /** Bytes of all objects that are made. */
  readonly bytes: number;
  /** Virtual time that one While may take, in units of 100 ns: 30 s, as ACPICA has it. */
  readonly loopTime: bigint;
}

export const DEFAULT_LIMITS: EvaluationLimits = {
  steps: 5_000_000,
  invocations: 128,
  nesting: 900,
  bytes: 0x1000_0000,
  loopTime: 300_000_000n,
};

/** What the running evaluation has used, and the time: each term takes 100 ns of it, Sleep and Stall what they say. */
export class Budget {
  readonly limits: EvaluationLimits;
  #steps = 0;
  #bytes = 0;
  #nesting = 0;
  #slept = 0n;
  #earlierSteps = 0;

  constructor(limits: EvaluationLimits) {
    this.limits = limits;
  }

  /** A new evaluation, or the next statement of a table. Time goes on. */
  restart(): void {
    this.#earlierSteps += this.#steps;
    this.#steps = 0;
    this.#bytes = 0;
  }

  /** `run` with a budget of its own: an object of a table that is made when it is first looked at. */
  apart<Result>(run: () => Result): Result {
    const [steps, bytes] = [this.#steps, this.#bytes];
    this.restart();
    try {
      return run();
    } finally {
      this.#earlierSteps += this.#steps - steps;
      this.#steps = steps;
      this.#bytes = bytes;
    }
  }

  step(): void {
    if (++this.#steps <= this.limits.steps) return;
    throw evaluationError('AE_AML_LOOP_TIMEOUT', `more than ${this.limits.steps} steps`);
  }

  /** An object of `byteLength` bytes is about to be made. */
  allocate(byteLength: number): void {
    this.#bytes += byteLength;
    if (this.#bytes <= this.limits.bytes) return;
    throw evaluationError('AE_NO_MEMORY', `the objects of one evaluation take more than ${this.limits.bytes} bytes`);
  }

  /** Into a term; `ascend` when it is done, however it ended. */
  descend(): void {
    if (++this.#nesting <= this.limits.nesting) return;
    throw evaluationError('AE_AML_METHOD_LIMIT', `terms nest more than ${this.limits.nesting} deep`);
  }

  ascend(): void {
    this.#nesting--;
  }

  invoke(depth: number): void {
    if (depth <= this.limits.invocations) return;
    throw evaluationError('AE_AML_METHOD_LIMIT', `${this.limits.invocations} invocations inside one another`);
  }

  /** A While that began at `start` goes on. */
  loop(start: bigint): void {
    if (this.time - start <= this.limits.loopTime) return;
    throw evaluationError('AE_AML_LOOP_TIMEOUT', `a While takes more than ${this.limits.loopTime / 10_000_000n} s`);
  }

  /** Virtual time in units of 100 ns. */
  get time(): bigint {
    return this.#slept + BigInt(this.#earlierSteps + this.#steps);
  }

  sleep(hundredNanoseconds: bigint): void {
    this.#slept += hundredNanoseconds;
  }
}
