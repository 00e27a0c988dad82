import { AlarmSlot } from '../../machine/alarm-slot.ts';
import type { AlarmState, Clock } from '../../machine/ports.ts';

/** Frequency of the timer's input, Hz: one tick a nanosecond of virtual time, as the TSC has it. */
export const APIC_TIMER_FREQUENCY = 1_000_000_000;

/**
 * Shortest period, ns. DEVIATION(spec): hardware would interrupt on every tick, because a guest that asks for one would leave no
 * instruction between two alarms.
 */
const SHORTEST_PERIOD = 1000;

/** LVT timer bits 18:17 (SDM Vol. 3 §11.5.4). */
export const TIMER_MODE = { ONE_SHOT: 0, PERIODIC: 1, TSC_DEADLINE: 2 } as const;

export interface ApicTimerState {
  readonly mode: number;
  readonly divideRegister: number;
  readonly initialCount: number;
  readonly startedAt: number;
  readonly deadline: string;
  readonly tscOffset: string;
  readonly alarm?: AlarmState;
}

/** The local APIC's timer: counts down by divided bus clocks, or waits for a TSC value. */
export class ApicTimer {
  readonly #clock: Clock;
  #mode: number = TIMER_MODE.ONE_SHOT;
  #divideRegister = 0;
  #initialCount = 0;
  #startedAt = 0;
  #deadline = 0n;
  #tscOffset = 0n;
  readonly #alarm: AlarmSlot;

  constructor(clock: Clock, onExpire: () => void) {
    this.#clock = clock;
    this.#alarm = new AlarmSlot(clock, () => {
      if (this.#mode === TIMER_MODE.PERIODIC) this.#arm();
      this.#deadline = 0n;
      onExpire();
    });
  }

  snapshot(): ApicTimerState {
    return {
      mode: this.#mode,
      divideRegister: this.#divideRegister,
      initialCount: this.#initialCount,
      startedAt: this.#startedAt,
      deadline: `0x${this.#deadline.toString(16)}`,
      tscOffset: `0x${this.#tscOffset.toString(16)}`,
      alarm: this.#alarm.snapshot(),
    };
  }

  restore(state: ApicTimerState): void {
    this.#mode = state.mode;
    this.#divideRegister = state.divideRegister;
    this.#initialCount = state.initialCount;
    this.#startedAt = state.startedAt;
    this.#deadline = BigInt(state.deadline);
    this.#tscOffset = BigInt(state.tscOffset);
    this.#alarm.restore(state.alarm);
  }

  reset(): void {
    this.#alarm.cancel();
    this.#mode = TIMER_MODE.ONE_SHOT;
    this.#divideRegister = 0;
    this.#initialCount = 0;
    this.#deadline = 0n;
  }

  get mode(): number {
    return this.#mode;
  }

  /** A change between deadline mode and the counting modes disarms the timer (SDM Vol. 3 §11.5.4.1). */
  set mode(mode: number) {
    if (mode === this.#mode) return;
    const crosses = mode === TIMER_MODE.TSC_DEADLINE || this.#mode === TIMER_MODE.TSC_DEADLINE;
    const remaining = this.currentCount;
    this.#mode = mode;
    if (crosses) {
      this.#alarm.cancel();
      this.#initialCount = 0;
      this.#deadline = 0n;
    } else if (remaining !== 0) this.#arm();
    else this.#alarm.cancel();
  }

  get divideRegister(): number {
    return this.#divideRegister;
  }

  set divideRegister(value: number) {
    this.#divideRegister = value & 0xb;
    if (this.#initialCount !== 0 && this.#alarm.armed) this.#start();
  }

  get initialCount(): number {
    return this.#initialCount;
  }

  /** Starts the countdown; 0 stops it. Ignored in TSC-deadline mode. */
  set initialCount(value: number) {
    if (this.#mode === TIMER_MODE.TSC_DEADLINE) return;
    this.#initialCount = value >>> 0;
    this.#start();
  }

  get currentCount(): number {
    if (this.#initialCount === 0) return 0;
    const elapsed = Math.floor((this.#clock.now() - this.#startedAt) / this.#divisor);
    if (this.#mode === TIMER_MODE.PERIODIC) return this.#initialCount - (elapsed % this.#initialCount);
    return Math.max(0, this.#initialCount - elapsed);
  }

  get deadline(): bigint {
    return this.#deadline;
  }

  /** IA32_TSC_DEADLINE: 0 disarms; a value in the past expires at once. Ignored in the counting modes. */
  set deadline(value: bigint) {
    if (this.#mode !== TIMER_MODE.TSC_DEADLINE) return;
    this.#alarm.cancel();
    this.#deadline = value;
    if (value !== 0n) this.#arm();
  }

  /** The guest's TSC is the clock's nanoseconds plus this, modulo 2^64; a deadline is a value of the TSC and moves with it. */
  set tscOffset(offset: bigint) {
    if (offset === this.#tscOffset) return;
    this.#tscOffset = offset;
    if (this.#mode === TIMER_MODE.TSC_DEADLINE && this.#deadline !== 0n) this.#arm();
  }

  #untilDeadline(now: number): number {
    const tsc = BigInt.asUintN(64, BigInt(Math.floor(now)) + this.#tscOffset);
    return this.#deadline > tsc ? Number(this.#deadline - tsc) : 0;
  }

  get #divisor(): number {
    const code = (this.#divideRegister & 3) | ((this.#divideRegister >> 1) & 4);
    return code === 7 ? 1 : 2 << code;
  }

  #start(): void {
    this.#startedAt = this.#clock.now();
    this.#alarm.cancel();
    if (this.#initialCount !== 0) this.#arm();
  }

  #arm(): void {
    const now = this.#clock.now();
    let at: number;
    if (this.#mode === TIMER_MODE.TSC_DEADLINE) at = now + this.#untilDeadline(now);
    else {
      const period = this.#initialCount * this.#divisor;
      at = this.#startedAt + period * (Math.floor((now - this.#startedAt) / period) + 1);
      if (this.#mode === TIMER_MODE.PERIODIC) at = Math.max(at, now + SHORTEST_PERIOD);
    }
    this.#alarm.arm(Math.max(at, now));
  }
}
