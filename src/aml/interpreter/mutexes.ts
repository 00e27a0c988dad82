import { evaluationError } from './evaluation-error.ts';
import type { MutexObject } from './objects.ts';

/**
 * The mutexes that the one thread of an evaluation holds (ACPI 6.5 §19.6.2, §19.6.114): acquired in the order of their sync levels,
 * released in the opposite one. Nobody else runs, so that an Acquire never waits.
 */
export class Mutexes {
  readonly #held: { readonly mutex: MutexObject; readonly levelBefore: number }[] = [];
  #level = 0;

  get syncLevel(): number {
    return this.#level;
  }

  acquire(mutex: MutexObject, path?: string): void {
    this.requireLevel(mutex.syncLevel, path);
    if (mutex.held === 0) {
      this.#held.push({ mutex, levelBefore: this.#level });
      this.#level = mutex.syncLevel;
    }
    mutex.held++;
  }

  release(mutex: MutexObject, path?: string): void {
    if (mutex.held === 0)
      throw evaluationError('AE_AML_MUTEX_NOT_ACQUIRED', 'Release of a mutex that nobody holds', path);
    if (mutex.syncLevel !== this.#level) {
      const message = `Release at sync level ${mutex.syncLevel} while ${this.#level} is current`;
      throw evaluationError('AE_AML_MUTEX_ORDER', message, path);
    }
    if (--mutex.held > 0) return;
    const index = this.#held.findLastIndex((entry) => entry.mutex === mutex);
    const [{ levelBefore }] = this.#held.splice(index, 1);
    this.#level = levelBefore;
  }

  /** A serialized method runs at its sync level (§19.6.85); the answer is what to give to `restore` when it ends. */
  enter(syncLevel: number, path?: string): number {
    this.requireLevel(syncLevel, path);
    const before = this.#level;
    this.#level = syncLevel;
    return before;
  }

  restore(level: number): void {
    this.#level = level;
  }

  requireLevel(wanted: number, path?: string): void {
    if (wanted >= this.#level) return;
    throw evaluationError('AE_AML_MUTEX_ORDER', `sync level ${wanted} is below the current ${this.#level}`, path);
  }

  /** An evaluation is over: what it left acquired is released, as an OS does when the thread ends. */
  releaseAll(): void {
    for (const { mutex } of this.#held.splice(0)) mutex.held = 0;
    this.#level = 0;
  }
}
