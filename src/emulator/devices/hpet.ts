import { AlarmSlot } from '../machine/alarm-slot.ts';
import type { AccessSize, AlarmState, BusTarget, Clock, InterruptLine } from '../machine/ports.ts';

/** Register offsets (IA-PC HPET 1.0a §2.3); timers follow at 0x100, 0x20 bytes each. */
const REGISTER = {
  CAPABILITY: 0x00,
  CONFIG: 0x10,
  STATUS: 0x20,
  COUNTER: 0xf0,
  TIMERS: 0x100,
  TIMER_BYTES: 0x20,
} as const;
const TIMER_REGISTER = { CONFIG: 0x00, COMPARATOR: 0x08 } as const;
const CONFIG = { ENABLE: 1, LEGACY: 2 } as const;
const TIMER = {
  LEVEL: 0x0002,
  INT_ENABLE: 0x0004,
  PERIODIC: 0x0008,
  PERIODIC_CAP: 0x0010,
  SIZE_CAP: 0x0020,
  VAL_SET: 0x0040,
  MODE_32: 0x0100,
  ROUTE_SHIFT: 9,
  ROUTE: 0x1f,
  WRITABLE: 0x7f4e,
} as const;
/** A match that neither interrupts nor sets a status bit nor moves the comparator on goes unseen: Linux measures the HPET with thousands of them. */
const MATCH_SHOWS = TIMER.INT_ENABLE | TIMER.LEVEL | TIMER.PERIODIC;
const TIMERS = 3;
/** 10 ns a tick: 100 MHz; the capability register has it in femtoseconds. */
export const HPET_NANOSECONDS = 10;
const CAPABILITY_LOW = (0x8086_a001 | ((TIMERS - 1) << 8)) >>> 0;
const CAPABILITY_HIGH = HPET_NANOSECONDS * 1_000_000;
/** I/O APIC pins that each timer may drive: 2, 8 and 16–23. */
const ROUTE_CAP = 0x00ff_0104;
const TWO_32 = 0x1_0000_0000;
const NO_WIRE: InterruptLine = { set() {} };
/** Shortest time between two periodic interrupts, ns, for a guest that asks for a tick's length. */
const SHORTEST_PERIOD = 1000;

interface HpetTimer {
  config: number;
  comparator: bigint;
  period: bigint;
  readonly alarm: AlarmSlot;
  /** The wire that the timer holds asserted (level mode). */
  held: InterruptLine | undefined;
}

export interface HpetState {
  readonly config: number;
  readonly status: number;
  readonly counterBase: string;
  readonly startedAt: number;
  readonly pitLevel: boolean;
  readonly rtcLevel: boolean;
  readonly timers: readonly {
    readonly config: number;
    readonly comparator: string;
    readonly period: string;
    readonly alarm?: AlarmState;
    /** The timer holds its wire asserted. */
    readonly held: boolean;
  }[];
}

export interface HpetWires {
  /** I/O APIC pin or 8259 line by GSI. */
  line(gsi: number): InterruptLine;
  /** IRQ 0 and IRQ 8, which legacy replacement takes over from PIT and RTC. */
  readonly irq0: InterruptLine;
  readonly irq8: InterruptLine;
}

/** High Precision Event Timer: a 64-bit counter at 100 MHz and three comparators, all periodic-capable (HPET 1.0a). */
export class Hpet {
  /** The register block, 1 KiB. */
  readonly registers: BusTarget;
  /** Where PIT and RTC drive their interrupts, so that legacy replacement can cut them off. */
  readonly pitInput: InterruptLine;
  readonly rtcInput: InterruptLine;
  readonly #clock: Clock;
  readonly #wires: HpetWires;
  readonly #timers: readonly HpetTimer[];
  #config = 0;
  #status = 0;
  /** The counter while halted; while it runs, its value at `#startedAt` ns. */
  #counterBase = 0n;
  #startedAt = 0;
  #pitLevel = false;
  #rtcLevel = false;

  constructor(clock: Clock, wires: HpetWires) {
    this.#clock = clock;
    this.#wires = wires;
    this.#timers = Array.from({ length: TIMERS }, (_, index) => {
      const timer: HpetTimer = {
        config: 0,
        comparator: 0n,
        period: 0n,
        alarm: new AlarmSlot(clock, () => this.#match(timer, index)),
        held: undefined,
      };
      return timer;
    });
    this.registers = {
      read: (offset, size) => this.#read(offset, size),
      write: (offset, size, value) => this.#write(offset, size, value >>> 0),
    };
    this.pitInput = { set: (asserted) => this.#setPit(asserted) };
    this.rtcInput = { set: (asserted) => this.#setRtc(asserted) };
    this.reset();
  }

  reset(): void {
    for (const timer of this.#timers) {
      timer.alarm.cancel();
      this.#release(timer);
      timer.config = TIMER.PERIODIC_CAP | TIMER.SIZE_CAP;
      timer.comparator = 0xffff_ffff_ffff_ffffn;
      timer.period = 0n;
    }
    this.#config = 0;
    this.#status = 0;
    this.#counterBase = 0n;
  }

  snapshot(): HpetState {
    return {
      config: this.#config,
      status: this.#status,
      counterBase: hexText(this.#counterBase),
      startedAt: this.#startedAt,
      pitLevel: this.#pitLevel,
      rtcLevel: this.#rtcLevel,
      timers: this.#timers.map((timer) => ({
        config: timer.config,
        comparator: hexText(timer.comparator),
        period: hexText(timer.period),
        alarm: timer.alarm.snapshot(),
        held: timer.held !== undefined,
      })),
    };
  }

  restore(state: HpetState): void {
    for (const timer of this.#timers) this.#release(timer);
    this.#config = state.config;
    this.#status = state.status;
    this.#counterBase = BigInt(state.counterBase);
    this.#startedAt = state.startedAt;
    this.#pitLevel = state.pitLevel;
    this.#rtcLevel = state.rtcLevel;
    this.#wires.irq0.set(!this.#legacy && this.#pitLevel);
    this.#wires.irq8.set(!this.#legacy && this.#rtcLevel);
    for (const [index, timer] of this.#timers.entries()) {
      const saved = state.timers[index];
      timer.config = saved.config;
      timer.comparator = BigInt(saved.comparator);
      timer.period = BigInt(saved.period);
      timer.alarm.restore(saved.alarm);
      if (!saved.held) continue;
      timer.held = this.#lineOf(timer, index);
      timer.held.set(true);
    }
  }

  get #legacy(): boolean {
    return (this.#config & CONFIG.LEGACY) !== 0;
  }

  get #enabled(): boolean {
    return (this.#config & CONFIG.ENABLE) !== 0;
  }

  get #counter(): bigint {
    return BigInt.asUintN(64, this.#counterBase + BigInt(this.#ticks));
  }

  /** 10 ns ticks since the counter was let run; 0 while it is halted. */
  get #ticks(): number {
    return this.#enabled ? Math.floor((this.#clock.now() - this.#startedAt) / HPET_NANOSECONDS) : 0;
  }

  /** A half of the counter. Guests read it by the hundred thousand: no big integers for one that began at 0. */
  #counterHalf(high: boolean): number {
    if (this.#counterBase !== 0n) return Number(high ? this.#counter >> 32n : BigInt.asUintN(32, this.#counter));
    return high ? Math.floor(this.#ticks / TWO_32) : this.#ticks >>> 0;
  }

  #setPit(asserted: boolean): void {
    this.#pitLevel = asserted;
    if (!this.#legacy) this.#wires.irq0.set(asserted);
  }

  #setRtc(asserted: boolean): void {
    this.#rtcLevel = asserted;
    if (!this.#legacy) this.#wires.irq8.set(asserted);
  }

  #read(offset: number, size: AccessSize): number {
    const value = this.#readRegister(offset & ~3) >>> (8 * (offset & 3));
    return size === 4 ? value : value & (2 ** (8 * size) - 1);
  }

  #readRegister(offset: number): number {
    if (offset >= REGISTER.TIMERS) {
      const timer = this.#timers[Math.floor((offset - REGISTER.TIMERS) / REGISTER.TIMER_BYTES)];
      return timer ? readTimer(timer, offset & (REGISTER.TIMER_BYTES - 1)) : 0;
    }
    switch (offset) {
      case REGISTER.CAPABILITY:
        return CAPABILITY_LOW;
      case REGISTER.CAPABILITY + 4:
        return CAPABILITY_HIGH;
      case REGISTER.CONFIG:
        return this.#config;
      case REGISTER.STATUS:
        return this.#status;
      case REGISTER.COUNTER:
        return this.#counterHalf(false);
      case REGISTER.COUNTER + 4:
        return this.#counterHalf(true);
      default:
        return 0;
    }
  }

  #write(offset: number, size: AccessSize, value: number): void {
    // HPET 1.0a §2.3.1: registers are written as 32 or 64 bits.
    if (size !== 4 || offset & 3) return;
    if (offset >= REGISTER.TIMERS) {
      const index = Math.floor((offset - REGISTER.TIMERS) / REGISTER.TIMER_BYTES);
      if (index < TIMERS) this.#writeTimer(index, offset & (REGISTER.TIMER_BYTES - 1), value);
      return;
    }
    switch (offset) {
      case REGISTER.CONFIG:
        this.#writeConfig(value & (CONFIG.ENABLE | CONFIG.LEGACY));
        break;
      case REGISTER.STATUS:
        this.#timers.forEach((timer, index) => {
          if (value & this.#status & (1 << index)) this.#release(timer);
        });
        this.#status &= ~value;
        break;
      // The counter is written while it is halted (HPET 1.0a §2.3.7).
      case REGISTER.COUNTER:
        if (!this.#enabled) this.#counterBase = withHalf(this.#counterBase, false, value);
        break;
      case REGISTER.COUNTER + 4:
        if (!this.#enabled) this.#counterBase = withHalf(this.#counterBase, true, value);
        break;
    }
  }

  #writeConfig(value: number): void {
    const counter = this.#counter;
    const changed = this.#config ^ value;
    this.#config = value;
    if (changed & CONFIG.ENABLE) {
      this.#counterBase = counter;
      this.#startedAt = this.#clock.now();
    }
    if (changed & CONFIG.LEGACY) {
      for (const timer of this.#timers) this.#release(timer);
      this.#wires.irq0.set(!this.#legacy && this.#pitLevel);
      this.#wires.irq8.set(!this.#legacy && this.#rtcLevel);
    }
    this.#timers.forEach((timer) => {
      if (this.#enabled) this.#arm(timer);
      else {
        timer.alarm.cancel();
        this.#release(timer);
      }
    });
  }

  #writeTimer(index: number, register: number, value: number): void {
    const timer = this.#timers[index];
    switch (register) {
      case TIMER_REGISTER.CONFIG: {
        timer.config = (timer.config & ~TIMER.WRITABLE) | (value & TIMER.WRITABLE);
        if (timer.config & TIMER.MODE_32) {
          timer.comparator = BigInt.asUintN(32, timer.comparator);
          timer.period = BigInt.asUintN(32, timer.period);
        }
        this.#release(timer);
        break;
      }
      case TIMER_REGISTER.COMPARATOR:
        this.#writeComparator(timer, false, value);
        break;
      case TIMER_REGISTER.COMPARATOR + 4:
        if (!(timer.config & TIMER.MODE_32)) this.#writeComparator(timer, true, value);
        break;
      default:
        return;
    }
    if (this.#enabled) this.#arm(timer);
  }

  /** In periodic mode a write is the period, and with VAL_SET the comparator's first value too (HPET 1.0a §2.3.9.2.2). */
  #writeComparator(timer: HpetTimer, high: boolean, value: number): void {
    const periodic = (timer.config & TIMER.PERIODIC) !== 0;
    if (!periodic || timer.config & TIMER.VAL_SET) timer.comparator = withHalf(timer.comparator, high, value);
    if (periodic) timer.period = withHalf(timer.period, high, high ? value & 0x7fff_ffff : value);
    timer.config &= ~TIMER.VAL_SET;
  }

  /**
   * Arms for the next match. DEVIATION(spec): a comparator up to half the range behind the counter matches at once, as on QEMU,
   * where hardware would wait for the counter to wrap.
   */
  #arm(timer: HpetTimer, earliest = 0): void {
    if ((timer.config & MATCH_SHOWS) === 0) {
      timer.alarm.cancel();
      return;
    }
    const width = timer.config & TIMER.MODE_32 ? 32 : 64;
    const ahead = BigInt.asIntN(width, timer.comparator - this.#counter);
    const now = this.#clock.now();
    const phase = (now - this.#startedAt) % HPET_NANOSECONDS;
    const wait = ahead > 0n ? Number(ahead) * HPET_NANOSECONDS - phase : 0;
    timer.alarm.arm(now + Math.max(wait, earliest));
  }

  #match(timer: HpetTimer, index: number): void {
    if (timer.config & TIMER.PERIODIC && timer.period !== 0n) {
      const width = timer.config & TIMER.MODE_32 ? 32 : 64;
      const behind = BigInt.asUintN(width, this.#counter - timer.comparator);
      timer.comparator = BigInt.asUintN(width, timer.comparator + (behind / timer.period + 1n) * timer.period);
      this.#arm(timer, SHORTEST_PERIOD);
    }
    this.#interrupt(timer, index);
  }

  #interrupt(timer: HpetTimer, index: number): void {
    if (!(timer.config & TIMER.INT_ENABLE)) {
      if (timer.config & TIMER.LEVEL) this.#status |= 1 << index;
      return;
    }
    const line = this.#lineOf(timer, index);
    if (timer.config & TIMER.LEVEL) {
      this.#status |= 1 << index;
      timer.held = line;
      line.set(true);
    } else {
      line.set(true);
      line.set(false);
    }
  }

  /** In legacy replacement timer 0 is IRQ 0 and timer 1 is IRQ 8 (HPET 1.0a table 3). */
  #lineOf(timer: HpetTimer, index: number): InterruptLine {
    if (this.#legacy && index === 0) return this.#wires.irq0;
    if (this.#legacy && index === 1) return this.#wires.irq8;
    const route = (timer.config >> TIMER.ROUTE_SHIFT) & TIMER.ROUTE;
    // A pin that the timer may not drive has no wire.
    return ROUTE_CAP & (1 << route) ? this.#wires.line(route) : NO_WIRE;
  }

  #release(timer: HpetTimer): void {
    timer.held?.set(false);
    timer.held = undefined;
  }
}

const hexText = (value: bigint): string => `0x${value.toString(16)}`;

function withHalf(value: bigint, high: boolean, half: number): bigint {
  if (high) return (BigInt(half) << 32n) | BigInt.asUintN(32, value);
  return (value & 0xffff_ffff_0000_0000n) | BigInt(half);
}

function readTimer(timer: HpetTimer, register: number): number {
  switch (register) {
    case TIMER_REGISTER.CONFIG:
      return timer.config;
    case TIMER_REGISTER.CONFIG + 4:
      return ROUTE_CAP;
    case TIMER_REGISTER.COMPARATOR:
      return Number(BigInt.asUintN(32, timer.comparator));
    case TIMER_REGISTER.COMPARATOR + 4:
      return Number(timer.comparator >> 32n);
    default:
      return 0;
  }
}
