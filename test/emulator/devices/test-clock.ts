import type { Alarm, AlarmState, Clock, InterruptLine } from '../../../src/emulator/machine/ports.ts';

/** Virtual time that a test moves by hand. */
export class TestClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #alarms = new Set<{ deadline: number; callback: () => void }>();

  now(): number {
    return this.#now;
  }

  schedule(deadline: number, callback: () => void): Alarm {
    return this.rearm({ deadline, order: this.#order++ }, callback);
  }

  rearm(state: AlarmState, callback: () => void): Alarm {
    const entry = { deadline: state.deadline, callback };
    this.#alarms.add(entry);
    return { state, cancel: () => void this.#alarms.delete(entry) };
  }

  /** Moves to `time`, running what is due on the way in order of deadline. */
  advanceTo(time: number): void {
    for (;;) {
      let next: { deadline: number; callback: () => void } | undefined;
      for (const entry of this.#alarms)
        if (entry.deadline <= time && (!next || entry.deadline < next.deadline)) next = entry;
      if (!next) break;
      this.#alarms.delete(next);
      this.#now = Math.max(this.#now, next.deadline);
      next.callback();
    }
    this.#now = time;
  }

  advance(nanoseconds: number): void {
    this.advanceTo(this.#now + nanoseconds);
  }

  get armed(): number {
    return this.#alarms.size;
  }
}

/** A wire that remembers its level and counts rising edges. */
export class TestLine implements InterruptLine {
  level = false;
  edges = 0;

  set(asserted: boolean): void {
    if (asserted && !this.level) this.edges++;
    this.level = asserted;
  }
}
