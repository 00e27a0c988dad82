import { AlarmSlot } from '../machine/alarm-slot.ts';
import type { AlarmState, BusTarget, Clock, InterruptLine } from '../machine/ports.ts';
import { bytePorts } from './byte-ports.ts';

/** Register addresses (MC146818A figure 9); the century is the PC's, named in the FADT. */
export const RTC = {
  SECONDS: 0x00,
  SECONDS_ALARM: 0x01,
  MINUTES: 0x02,
  MINUTES_ALARM: 0x03,
  HOURS: 0x04,
  HOURS_ALARM: 0x05,
  DAY_OF_WEEK: 0x06,
  DAY_OF_MONTH: 0x07,
  MONTH: 0x08,
  YEAR: 0x09,
  A: 0x0a,
  B: 0x0b,
  C: 0x0c,
  D: 0x0d,
  CENTURY: 0x32,
} as const;

const A = { UIP: 0x80, DV: 0x70, DV_RUN: 0x20, RS: 0x0f } as const;
const B = { SET: 0x80, PIE: 0x40, AIE: 0x20, UIE: 0x10, DM: 0x04, HOURS_24: 0x02 } as const;
const C = { IRQF: 0x80, PF: 0x40, AF: 0x20, UF: 0x10 } as const;
const D_VALID = 0x80;
/** Alarm bytes from 0xc0 match every value. */
const ALARM_ANY = 0xc0;
const SECOND = 1_000_000_000;
const DAY_SECONDS = 86_400;
/** UIP is up for 244 µs before each update. */
const UIP_NANOSECONDS = 244_140;
const CRYSTAL = 32_768;

/** 2024-01-01T00:00:00Z in seconds since 1970: the date of every boot that names none. */
export const DEFAULT_START_SECONDS = 1_704_067_200;

const TIME_REGISTERS: readonly number[] = [
  ...[RTC.SECONDS, RTC.MINUTES, RTC.HOURS, RTC.DAY_OF_WEEK, RTC.DAY_OF_MONTH, RTC.MONTH, RTC.YEAR, RTC.CENTURY],
];

export interface RtcState {
  readonly cmos: readonly number[];
  readonly index: number;
  readonly baseSeconds: number;
  readonly baseTime: number;
  readonly running: boolean;
  readonly checkedSeconds: number;
  readonly checkedPeriods: number;
  readonly alarm?: AlarmState;
}

/**
 * MC146818 real-time clock with 128 bytes of CMOS. The date starts at an injected second and moves with virtual time. Flags of
 * register C are computed when they are looked at; alarms are armed only for enabled interrupts.
 */
export class Mc146818 {
  /** Ports 0x70 (index) and 0x71 (data). */
  readonly ports: BusTarget = bytePorts(this);
  readonly #clock: Clock;
  readonly #irq: InterruptLine;
  readonly #cmos = new Uint8Array(128);
  #index = 0;
  /** The date (seconds since 1970) at `#baseTime` ns. */
  #baseSeconds: number;
  #baseTime = 0;
  #running = true;
  /** Up to when UF, AF and PF are accounted for. */
  #checkedSeconds: number;
  #checkedPeriods = 0;
  /** The next enabled event. */
  readonly #alarm: AlarmSlot;

  /** `contents` are CMOS bytes by address, for firmware. `startSeconds`: the date at power-on, UTC, since 1970. */
  constructor(
    clock: Clock,
    irq: InterruptLine,
    contents: ReadonlyMap<number, number> = new Map(),
    startSeconds = DEFAULT_START_SECONDS,
  ) {
    this.#clock = clock;
    this.#irq = irq;
    this.#baseSeconds = startSeconds;
    this.#checkedSeconds = startSeconds;
    for (const [address, value] of contents) this.#cmos[address] = value;
    this.#cmos[RTC.A] = 0x26;
    this.#cmos[RTC.B] = B.HOURS_24;
    this.#cmos[RTC.D] = D_VALID;
    this.#alarm = new AlarmSlot(clock, () => {
      this.#sync();
      this.#reschedule();
    });
  }

  snapshot(): RtcState {
    return {
      cmos: [...this.#cmos],
      index: this.#index,
      baseSeconds: this.#baseSeconds,
      baseTime: this.#baseTime,
      running: this.#running,
      checkedSeconds: this.#checkedSeconds,
      checkedPeriods: this.#checkedPeriods,
      alarm: this.#alarm.snapshot(),
    };
  }

  /** The level of IRQ's wire is restored where the wire leads. */
  restore(state: RtcState): void {
    this.#cmos.set(state.cmos);
    this.#index = state.index;
    this.#baseSeconds = state.baseSeconds;
    this.#baseTime = state.baseTime;
    this.#running = state.running;
    this.#checkedSeconds = state.checkedSeconds;
    this.#checkedPeriods = state.checkedPeriods;
    this.#alarm.restore(state.alarm);
  }

  /** RESET# clears interrupt enables and flags; the date and the CMOS are on battery (MC146818A §"RESET"). */
  reset(): void {
    this.#cmos[RTC.B] &= ~(B.PIE | B.AIE | B.UIE);
    this.#cmos[RTC.C] = 0;
    this.#reschedule();
  }

  readByte(offset: number): number {
    // The index port is write-only.
    if (offset === 0) return 0xff;
    const address = this.#index;
    if (address === RTC.A) return this.#cmos[RTC.A] | (this.#updateInProgress ? A.UIP : 0);
    if (address === RTC.C) return this.#readC();
    if (TIME_REGISTERS.includes(address)) this.#storeTime();
    return this.#cmos[address];
  }

  writeByte(offset: number, value: number): void {
    // Bit 7 of the index masks NMI, which nothing on this board raises by that path.
    if (offset === 0) this.#index = value & 0x7f;
    else this.#writeRegister(this.#index, value);
  }

  #writeRegister(address: number, value: number): void {
    if (TIME_REGISTERS.includes(address)) {
      this.#storeTime();
      this.#cmos[address] = value;
      if (this.#running) this.#adoptTime(this.#phase);
      return;
    }
    switch (address) {
      case RTC.A:
      case RTC.B:
        this.#sync();
        this.#storeTime();
        if (address === RTC.A) this.#cmos[RTC.A] = value & ~A.UIP;
        else this.#cmos[RTC.B] = value & B.SET ? value & ~B.UIE : value;
        this.#setRunning();
        this.#checkedPeriods = this.#periods;
        break;
      case RTC.C:
      case RTC.D:
        return;
      default:
        this.#sync();
        this.#cmos[address] = value;
    }
    this.#reschedule();
  }

  /** Nanoseconds since the last update. */
  get #phase(): number {
    return this.#running ? (this.#clock.now() - this.#baseTime) % SECOND : 0;
  }

  get #seconds(): number {
    if (!this.#running) return this.#baseSeconds;
    return this.#baseSeconds + Math.floor((this.#clock.now() - this.#baseTime) / SECOND);
  }

  get #updateInProgress(): boolean {
    return this.#running && this.#phase >= SECOND - UIP_NANOSECONDS;
  }

  /** SET or a divider that is off or held in reset stops the updates. */
  #setRunning(): void {
    const running = !(this.#cmos[RTC.B] & B.SET) && (this.#cmos[RTC.A] & A.DV) <= A.DV_RUN;
    if (running === this.#running) return;
    if (running) {
      this.#running = true;
      this.#adoptTime(0);
    } else {
      this.#baseSeconds = this.#seconds;
      this.#running = false;
    }
  }

  /** Writes the date into its registers, in the format that register B asks for. */
  #storeTime(): void {
    if (!this.#running) return;
    const date = new Date(this.#seconds * 1000);
    const hours = date.getUTCHours();
    let hourByte = this.#encode(hours);
    if (!(this.#cmos[RTC.B] & B.HOURS_24)) hourByte = this.#encode(hours % 12 || 12) | (hours >= 12 ? 0x80 : 0);
    this.#cmos[RTC.SECONDS] = this.#encode(date.getUTCSeconds());
    this.#cmos[RTC.MINUTES] = this.#encode(date.getUTCMinutes());
    this.#cmos[RTC.HOURS] = hourByte;
    this.#cmos[RTC.DAY_OF_WEEK] = this.#encode(date.getUTCDay() + 1);
    this.#cmos[RTC.DAY_OF_MONTH] = this.#encode(date.getUTCDate());
    this.#cmos[RTC.MONTH] = this.#encode(date.getUTCMonth() + 1);
    this.#cmos[RTC.YEAR] = this.#encode(date.getUTCFullYear() % 100);
    this.#cmos[RTC.CENTURY] = this.#encode(Math.floor(date.getUTCFullYear() / 100));
  }

  /** Takes the date from its registers; `phase` nanoseconds of the second are over. */
  #adoptTime(phase: number): void {
    const year = this.#decode(this.#cmos[RTC.CENTURY]) * 100 + this.#decode(this.#cmos[RTC.YEAR]);
    const month = this.#decode(this.#cmos[RTC.MONTH]) - 1;
    const day = this.#decode(this.#cmos[RTC.DAY_OF_MONTH]);
    const minutes = this.#decode(this.#cmos[RTC.MINUTES]);
    const seconds = this.#decode(this.#cmos[RTC.SECONDS]);
    const hours = this.#decodeHours(this.#cmos[RTC.HOURS]);
    this.#baseSeconds = Date.UTC(year, month, day, hours, minutes, seconds) / 1000;
    this.#baseTime = this.#clock.now() - phase;
    this.#checkedSeconds = this.#baseSeconds;
    this.#reschedule();
  }

  #encode(value: number): number {
    return this.#cmos[RTC.B] & B.DM ? value : (Math.floor(value / 10) << 4) | (value % 10);
  }

  #decode(value: number): number {
    return this.#cmos[RTC.B] & B.DM ? value : (value >> 4) * 10 + (value & 15);
  }

  #decodeHours(value: number): number {
    if (this.#cmos[RTC.B] & B.HOURS_24) return this.#decode(value);
    return (this.#decode(value & 0x7f) % 12) + (value & 0x80 ? 12 : 0);
  }

  /** Nanoseconds between periodic interrupts; 0 for none (MC146818A table 5: the first two rates repeat 8 and 9). */
  get #period(): number {
    const rate = this.#cmos[RTC.A] & A.RS;
    if (rate === 0) return 0;
    return (2 ** ((rate <= 2 ? rate + 7 : rate) - 1) * SECOND) / CRYSTAL;
  }

  /** Whole periods since power-on. */
  get #periods(): number {
    return this.#period === 0 ? 0 : Math.floor(this.#clock.now() / this.#period);
  }

  /** The first second after `after` that the alarm bytes match; Infinity for none. */
  #nextAlarm(after: number): number {
    const hours = this.#alarmValue(RTC.HOURS_ALARM);
    const minutes = this.#alarmValue(RTC.MINUTES_ALARM);
    const seconds = this.#alarmValue(RTC.SECONDS_ALARM);
    // What does not match is passed over by the hour and by the minute, so that a day takes some 150 steps.
    for (let second = after + 1; second <= after + DAY_SECONDS; ) {
      const ofDay = second % DAY_SECONDS;
      if (hours >= 0 && Math.floor(ofDay / 3600) !== hours) second += 3600 - (ofDay % 3600);
      else if (minutes >= 0 && Math.floor(ofDay / 60) % 60 !== minutes) second += 60 - (ofDay % 60);
      else if (seconds >= 0 && ofDay % 60 !== seconds) second++;
      else return second;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** The value that an alarm byte waits for, −1 for any. */
  #alarmValue(address: number): number {
    const value = this.#cmos[address];
    if (value >= ALARM_ANY) return -1;
    return address === RTC.HOURS_ALARM ? this.#decodeHours(value) : this.#decode(value);
  }

  /** Brings the flags of register C up to now. */
  #sync(): void {
    const seconds = this.#seconds;
    if (seconds > this.#checkedSeconds) {
      this.#cmos[RTC.C] |= C.UF;
      const alarmed = this.#cmos[RTC.C] & C.AF || this.#nextAlarm(this.#checkedSeconds) <= seconds;
      if (alarmed) this.#cmos[RTC.C] |= C.AF;
    }
    this.#checkedSeconds = seconds;
    const periods = this.#periods;
    if (periods > this.#checkedPeriods) this.#cmos[RTC.C] |= C.PF;
    this.#checkedPeriods = periods;
  }

  #readC(): number {
    this.#sync();
    const flags = this.#cmos[RTC.C] & (C.PF | C.AF | C.UF);
    const value = flags | (flags & this.#cmos[RTC.B] ? C.IRQF : 0);
    this.#cmos[RTC.C] = 0;
    this.#reschedule();
    return value;
  }

  /** Drives IRQ and arms the alarm for the next enabled event. */
  #reschedule(): void {
    this.#alarm.cancel();
    const pending = (this.#cmos[RTC.C] & this.#cmos[RTC.B] & (C.PF | C.AF | C.UF)) !== 0;
    this.#irq.set(pending);
    if (pending) return;
    const deadline = this.#nextEvent();
    if (deadline !== Number.POSITIVE_INFINITY) this.#alarm.arm(deadline);
  }

  #nextEvent(): number {
    const enables = this.#cmos[RTC.B];
    let deadline = Number.POSITIVE_INFINITY;
    if (this.#running && enables & (B.UIE | B.AIE)) {
      const seconds = this.#seconds;
      const next = enables & B.UIE ? seconds + 1 : this.#nextAlarm(seconds);
      deadline = this.#baseTime + (next - this.#baseSeconds) * SECOND;
    }
    const period = this.#period;
    if (enables & B.PIE && period !== 0) deadline = Math.min(deadline, Math.ceil((this.#periods + 1) * period));
    return deadline;
  }
}
