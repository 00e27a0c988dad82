import { AlarmSlot } from '../machine/alarm-slot.ts';
import type { AlarmState, BusTarget, Clock, InterruptLine } from '../machine/ports.ts';
import { bytePorts } from './byte-ports.ts';

/** Input frequency of all three counters, Hz: 14.31818 MHz / 12. */
export const PIT_FREQUENCY = 1_193_182;
const NANOSECONDS = 1_000_000_000;

/** PIT ticks in `nanoseconds`, exact beyond 2^53 / frequency. */
function ticksIn(nanoseconds: number): number {
  const seconds = Math.floor(nanoseconds / NANOSECONDS);
  return seconds * PIT_FREQUENCY + Math.floor(((nanoseconds % NANOSECONDS) * PIT_FREQUENCY) / NANOSECONDS);
}

/** The first nanosecond by which `ticks` have passed. */
function nanosecondsOf(ticks: number): number {
  const seconds = Math.floor(ticks / PIT_FREQUENCY);
  return seconds * NANOSECONDS + Math.ceil(((ticks % PIT_FREQUENCY) * NANOSECONDS) / PIT_FREQUENCY);
}

/** Control word bits 5:4. */
const ACCESS = { LATCH: 0, LOW: 1, HIGH: 2, WORD: 3 } as const;
/** Read-back command bits (8254 §"Read-Back Command"): COUNT and STATUS are active low. */
const READ_BACK = { COUNT: 0x20, STATUS: 0x10 } as const;

function fromBcd(value: number): number {
  return (value >> 12) * 1000 + ((value >> 8) & 15) * 100 + ((value >> 4) & 15) * 10 + (value & 15);
}

function toBcd(value: number): number {
  return (
    (Math.floor(value / 1000) << 12) |
    (Math.floor((value / 100) % 10) << 8) |
    (Math.floor((value / 10) % 10) << 4) |
    (value % 10)
  );
}

interface CounterState {
  readonly mode: number;
  readonly access: number;
  readonly bcd: boolean;
  readonly gate: boolean;
  readonly reload: number;
  readonly startedAt: number;
  readonly ticksBefore: number;
  readonly running: boolean;
  readonly lowByte: number;
  readonly writeHighNext: boolean;
  readonly readHighNext: boolean;
  readonly latchedCount?: number;
  readonly latchedStatus?: number;
  readonly alarm?: AlarmState;
}

/** One of the three 16-bit counters. Counting is computed from virtual time; only OUT's edges need an alarm. */
class I8254Counter {
  readonly #clock: Clock;
  readonly #onOut: (level: boolean) => void;
  #mode = 0;
  #access: number = ACCESS.WORD;
  #bcd = false;
  #gate: boolean;
  readonly #gateAtReset: boolean;
  /** Divisor, 1–65536 (1–10000 in BCD); 0 until one was written. */
  #reload = 0;
  /** When counting began (ns), and the ticks counted before a low gate stopped it. */
  #startedAt = 0;
  #ticksBefore = 0;
  #running = false;
  #lowByte = 0;
  #writeHighNext = false;
  #readHighNext = false;
  /** A latched count with the bytes that are still to be read of it, or undefined. */
  #latchedCount: number | undefined;
  #latchedStatus: number | undefined;
  /** OUT's next rising edge. */
  readonly #alarm: AlarmSlot;

  constructor(clock: Clock, gateAtReset: boolean, onOut: (level: boolean) => void) {
    this.#clock = clock;
    this.#gateAtReset = gateAtReset;
    this.#gate = gateAtReset;
    this.#onOut = onOut;
    this.#alarm = new AlarmSlot(clock, () => {
      onOut(false);
      onOut(true);
      this.#schedule();
    });
  }

  snapshot(): CounterState {
    return {
      mode: this.#mode,
      access: this.#access,
      bcd: this.#bcd,
      gate: this.#gate,
      reload: this.#reload,
      startedAt: this.#startedAt,
      ticksBefore: this.#ticksBefore,
      running: this.#running,
      lowByte: this.#lowByte,
      writeHighNext: this.#writeHighNext,
      readHighNext: this.#readHighNext,
      latchedCount: this.#latchedCount,
      latchedStatus: this.#latchedStatus,
      alarm: this.#alarm.snapshot(),
    };
  }

  /** The level of OUT's wire is restored where the wire leads. */
  restore(state: CounterState): void {
    this.#mode = state.mode;
    this.#access = state.access;
    this.#bcd = state.bcd;
    this.#gate = state.gate;
    this.#reload = state.reload;
    this.#startedAt = state.startedAt;
    this.#ticksBefore = state.ticksBefore;
    this.#running = state.running;
    this.#lowByte = state.lowByte;
    this.#writeHighNext = state.writeHighNext;
    this.#readHighNext = state.readHighNext;
    this.#latchedCount = state.latchedCount;
    this.#latchedStatus = state.latchedStatus;
    this.#alarm.restore(state.alarm);
  }

  reset(): void {
    this.#alarm.cancel();
    this.#gate = this.#gateAtReset;
    this.#access = ACCESS.WORD;
    this.#bcd = false;
    this.#latchedCount = undefined;
    this.#latchedStatus = undefined;
    this.#writeHighNext = false;
    this.#readHighNext = false;
    // The chip itself has no reset; a PC finds channel 0 in mode 3 with the full count, as firmware of old left it.
    this.#mode = 3;
    this.#load(0);
  }

  /** OUT pin now. */
  get out(): boolean {
    return this.#outAfter(this.#ticks());
  }

  get gate(): boolean {
    return this.#gate;
  }

  /** Drives GATE (8254 figure "Gate pin operations summary"). */
  setGate(level: boolean): void {
    if (level === this.#gate) return;
    const ticks = this.#ticks();
    this.#gate = level;
    const rising = level;
    switch (this.#mode) {
      case 1:
      case 5:
        if (rising) this.#start(0);
        break;
      case 0:
      case 4:
        this.#ticksBefore = ticks;
        this.#startedAt = this.#clock.now();
        this.#running = level && this.#reload !== 0;
        this.#schedule();
        break;
      default:
        if (rising) this.#start(0);
        else {
          this.#running = false;
          this.#ticksBefore = 0;
          this.#schedule();
        }
    }
  }

  /** A control word for this counter, or its latch command. */
  writeControl(value: number): void {
    const access = (value >> 4) & 3;
    if (access === ACCESS.LATCH) {
      this.latchCount();
      return;
    }
    this.#access = access;
    this.#mode = [0, 1, 2, 3, 4, 5, 2, 3][(value >> 1) & 7];
    this.#bcd = (value & 1) !== 0;
    this.#writeHighNext = false;
    this.#readHighNext = false;
    this.#latchedCount = undefined;
    this.#latchedStatus = undefined;
    // OUT takes the mode's idle level at once; counting waits for a count.
    this.#reload = 0;
    this.#running = false;
    this.#ticksBefore = 0;
    this.#schedule();
    this.#onOut(this.#mode !== 0);
  }

  latchCount(): void {
    this.#latchedCount ??= this.#count();
  }

  latchStatus(): void {
    if (this.#latchedStatus !== undefined) return;
    const nullCount = this.#reload === 0 ? 0x40 : 0;
    this.#latchedStatus =
      (this.out ? 0x80 : 0) | nullCount | (this.#access << 4) | (this.#mode << 1) | (this.#bcd ? 1 : 0);
  }

  readByte(): number {
    if (this.#latchedStatus !== undefined) {
      const status = this.#latchedStatus;
      this.#latchedStatus = undefined;
      return status;
    }
    const count = this.#latchedCount ?? this.#count();
    const high = this.#access === ACCESS.HIGH || (this.#access === ACCESS.WORD && this.#readHighNext);
    if (this.#access === ACCESS.WORD) this.#readHighNext = !this.#readHighNext;
    if (this.#access !== ACCESS.WORD || !this.#readHighNext) this.#latchedCount = undefined;
    return high ? count >> 8 : count & 0xff;
  }

  writeByte(value: number): void {
    switch (this.#access) {
      case ACCESS.LOW:
        this.#load(value);
        break;
      case ACCESS.HIGH:
        this.#load(value << 8);
        break;
      default:
        if (this.#writeHighNext) this.#load(this.#lowByte | (value << 8));
        else this.#lowByte = value;
        this.#writeHighNext = !this.#writeHighNext;
    }
  }

  #load(value: number): void {
    this.#reload = (this.#bcd ? fromBcd(value) : value) || this.#modulus;
    // Modes 1 and 5 wait for the gate's trigger.
    if (this.#mode === 1 || this.#mode === 5) {
      this.#schedule();
      return;
    }
    this.#start(0);
  }

  #start(ticksBefore: number): void {
    this.#ticksBefore = ticksBefore;
    this.#startedAt = this.#clock.now();
    this.#running = this.#reload !== 0 && (this.#gate || this.#mode === 1 || this.#mode === 5);
    this.#onOut(this.out);
    this.#schedule();
  }

  get #modulus(): number {
    return this.#bcd ? 10_000 : 0x1_0000;
  }

  #ticks(): number {
    return this.#running ? this.#ticksBefore + ticksIn(this.#clock.now() - this.#startedAt) : this.#ticksBefore;
  }

  #count(): number {
    if (this.#reload === 0) return 0;
    const ticks = this.#ticks();
    const modulus = this.#modulus;
    let count: number;
    if (this.#mode === 2) count = this.#reload - (ticks % this.#reload);
    else if (this.#mode === 3) count = this.#reload - ((2 * ticks) % this.#reload);
    else count = (((this.#reload - ticks) % modulus) + modulus) % modulus;
    count %= modulus;
    return this.#bcd ? toBcd(count) : count;
  }

  /** OUT when `ticks` have been counted since the load or the trigger. */
  #outAfter(ticks: number): boolean {
    if (!this.#running && this.#ticksBefore === 0) return this.#mode !== 0;
    switch (this.#mode) {
      case 0:
      case 1:
        return ticks >= this.#reload;
      case 2:
        return ticks % this.#reload !== this.#reload - 1;
      case 3:
        return ticks % this.#reload < (this.#reload + 1) >> 1;
      default:
        return ticks !== this.#reload;
    }
  }

  /** Arms the alarm for OUT's next rising edge: what interrupts are made of. */
  #schedule(): void {
    this.#alarm.cancel();
    if (!this.#running) return;
    const ticks = this.#ticks();
    let target: number;
    if (this.#mode === 2 || this.#mode === 3) target = (Math.floor(ticks / this.#reload) + 1) * this.#reload;
    else target = this.#mode < 2 ? this.#reload : this.#reload + 1;
    if (target <= ticks) return;
    this.#alarm.arm(this.#startedAt + nanosecondsOf(target - this.#ticksBefore));
  }
}

/** 8254 Programmable Interval Timer: counter 0 drives IRQ 0, counter 2 is gated and read through port 0x61. */
export class I8254 {
  /** Ports 0x40–0x43. */
  readonly ports: BusTarget = bytePorts(this);
  readonly #counters: readonly I8254Counter[];

  constructor(clock: Clock, irq0: InterruptLine) {
    this.#counters = [
      new I8254Counter(clock, true, (level) => irq0.set(level)),
      new I8254Counter(clock, true, () => {}),
      new I8254Counter(clock, false, () => {}),
    ];
    this.reset();
  }

  reset(): void {
    for (const counter of this.#counters) counter.reset();
  }

  snapshot(): { readonly counters: readonly CounterState[] } {
    return { counters: this.#counters.map((counter) => counter.snapshot()) };
  }

  restore(state: { readonly counters: readonly CounterState[] }): void {
    for (const [index, counter] of this.#counters.entries()) counter.restore(state.counters[index]);
  }

  /** OUT of counter 2, port 0x61 bit 5. */
  get speakerOut(): boolean {
    return this.#counters[2].out;
  }

  /** GATE of counter 2, port 0x61 bit 0. */
  get speakerGate(): boolean {
    return this.#counters[2].gate;
  }

  set speakerGate(level: boolean) {
    this.#counters[2].setGate(level);
  }

  readByte(offset: number): number {
    // The control word register cannot be read (8254 §"Read operations"); the bus floats low as QEMU has it.
    return offset === 3 ? 0 : this.#counters[offset].readByte();
  }

  writeByte(offset: number, value: number): void {
    if (offset !== 3) {
      this.#counters[offset].writeByte(value);
      return;
    }
    const select = value >> 6;
    if (select !== 3) {
      this.#counters[select].writeControl(value);
      return;
    }
    this.#counters.forEach((counter, index) => {
      if (!(value & (2 << index))) return;
      if (!(value & READ_BACK.COUNT)) counter.latchCount();
      if (!(value & READ_BACK.STATUS)) counter.latchStatus();
    });
  }
}
