import type { Alarm, AlarmState, Clock } from './ports.ts';

/** One alarm of a device: arming it replaces it, it knows when it has rung, and its state goes into snapshots. */
export class AlarmSlot {
  readonly #clock: Clock;
  readonly #callback: () => void;
  #alarm: Alarm | undefined;

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock;
    this.#callback = callback;
  }

  get armed(): boolean {
    return this.#alarm !== undefined;
  }

  /** Rings at `deadline` (ns) instead of whenever it would have rung. */
  arm(deadline: number): void {
    this.cancel();
    this.#alarm = this.#clock.schedule(deadline, () => this.#ring());
  }

  cancel(): void {
    this.#alarm?.cancel();
    this.#alarm = undefined;
  }

  /** Undefined while not armed. */
  snapshot(): AlarmState | undefined {
    return this.#alarm?.state;
  }

  restore(state: AlarmState | undefined): void {
    this.cancel();
    if (state !== undefined) this.#alarm = this.#clock.rearm(state, () => this.#ring());
  }

  #ring(): void {
    this.#alarm = undefined;
    this.#callback();
  }
}
