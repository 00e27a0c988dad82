import type { Alarm, AlarmState, Clock } from './ports.ts';

interface Entry {
  /** `order` is that of arming: alarms of the same deadline ring in the order in which they were armed. */
  readonly state: AlarmState;
  readonly callback: () => void;
  cancelled: boolean;
}

/** Time itself; the alarms are their owners' matter. */
export interface ClockState {
  /** Nanoseconds that halts have skipped. */
  readonly skipped: number;
  /** Alarms armed since power-on. */
  readonly armed: number;
}

/**
 * Virtual time: retired instructions plus the time that a halted processor skipped, in nanoseconds. Alarms are a binary heap on
 * (deadline, order), so that the same run rings the same alarms in the same order.
 */
export class VirtualClock implements Clock {
  readonly #retired: () => number;
  readonly #onEarlier: (deadline: number) => void;
  readonly #heap: Entry[] = [];
  #skipped = 0;
  #armed = 0;

  /**
   * `retired` gives the instructions retired since power-on, exact at the instruction that asks. `onEarlier` hears of each
   * deadline that becomes the first one, so that a running slice can be cut short.
   */
  constructor(retired: () => number, onEarlier: (deadline: number) => void = () => {}) {
    this.#retired = retired;
    this.#onEarlier = onEarlier;
  }

  now(): number {
    return this.#skipped + this.#retired();
  }

  schedule(requested: number, callback: () => void): Alarm {
    // Whole nanoseconds: the clock is the TSC, and a skip to a deadline must leave it one.
    return this.rearm({ deadline: Math.ceil(requested), order: this.#armed++ }, callback);
  }

  rearm(state: AlarmState, callback: () => void): Alarm {
    const entry: Entry = { state, callback, cancelled: false };
    const earlier = state.deadline < this.nextDeadline();
    this.#push(entry);
    if (earlier) this.#onEarlier(state.deadline);
    return {
      state,
      cancel() {
        entry.cancelled = true;
      },
    };
  }

  snapshot(): ClockState {
    return { skipped: this.#skipped, armed: this.#armed };
  }

  /** Forgets all alarms, whose owners arm theirs again, and takes up the time of a snapshot. */
  restore(state: ClockState): void {
    this.#heap.length = 0;
    this.#skipped = state.skipped;
    this.#armed = state.armed;
  }

  /** Deadline of the first armed alarm in nanoseconds; Infinity when none is armed. */
  nextDeadline(): number {
    while (this.#heap.length > 0 && this.#heap[0].cancelled) this.#pop();
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : this.#heap[0].state.deadline;
  }

  /** Lets time pass without instructions, as a halted processor does. A time that has gone by already is ignored. */
  skipTo(time: number): void {
    const now = this.now();
    if (time > now) this.#skipped += time - now;
  }

  /** Rings the alarms that are due, those included that ringing arms. Returns how many rang. */
  runDue(): number {
    let rung = 0;
    while (this.nextDeadline() <= this.now()) {
      const entry = this.#pop();
      entry.callback();
      rung++;
    }
    return rung;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent])) break;
      heap[index] = heap[parent];
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], last)) break;
      heap[index] = heap[child];
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore({ state: left }: Entry, { state: right }: Entry): boolean {
  return left.deadline < right.deadline || (left.deadline === right.deadline && left.order < right.order);
}
