import { AlarmSlot } from '../../machine/alarm-slot.ts';
import type { AccessSize, AlarmState, BusTarget, Clock } from '../../machine/ports.ts';
import { PM_BLOCK } from '../../machine/power-management.ts';
import { RegisterFile, type RegisterSnapshot } from '../../registers/register-file.ts';
import { registerBlock } from '../../registers/register-map.ts';
import { PM_BLOCK_BYTES, PM_REGISTERS } from './registers.ts';

/** PM timer, Hz (ACPI 6.5 §4.8.2.1). */
export const PM_TIMER_FREQUENCY = 3_579_545;
const NANOSECONDS = 1_000_000_000;
/** TMROF is set when bit 23 of the 24-bit counter changes. */
const HALF_PERIOD = 0x80_0000;

const MAP = registerBlock('ich9 PM', PM_BLOCK_BYTES, PM_REGISTERS);

export interface PmBlockState {
  readonly registers: RegisterSnapshot;
  readonly halfPeriods: number;
  readonly overflow?: AlarmState;
}

export interface PmPorts {
  readonly clock: Clock;
  /** The SCI's level. */
  readonly sci: (asserted: boolean) => void;
  /** SLP_EN was written: the value of SLP_TYP. */
  readonly sleep: (slpTyp: number) => void;
}

/** ICH9's ACPI register block: PM1, the PM timer, GPE0, SMI and TCO registers (ICH9 §13.8.3). */
export class PmBlock {
  /** `PM_BLOCK_BYTES` ports from PMBASE. */
  readonly ports: BusTarget;
  readonly registers = new RegisterFile(MAP);
  readonly #ports: PmPorts;
  /** Half periods of the timer that software has seen (cleared TMROF for). */
  #halfPeriods = 0;
  /** The timer's next overflow that raises the SCI. */
  readonly #overflow: AlarmSlot;

  constructor(ports: PmPorts) {
    this.#ports = ports;
    this.#overflow = new AlarmSlot(ports.clock, () => {
      this.#latchOverflow();
      this.#update();
    });
    this.ports = {
      read: (offset, size) => this.#read(offset, size),
      write: (offset, size, value) => this.#write(offset, size, value),
    };
  }

  reset(): void {
    this.registers.reset();
    this.#halfPeriods = Math.floor(this.#ticks() / HALF_PERIOD);
    this.#update();
  }

  /** ACPI mode on or off, as the APM commands do. */
  setSciEnable(enabled: boolean): void {
    this.registers.setField('PM1_CNT', 'SCI_EN', enabled ? 1 : 0);
    this.#update();
  }

  /** A press of the power button. */
  pressPowerButton(): void {
    this.registers.setField('PM1_STS', 'PWRBTN', 1);
    this.#update();
  }

  /** Raises general-purpose event `number` (0–63). */
  raiseGpe(number: number): void {
    const at = PM_BLOCK.GPE0.offset + (number >> 3);
    this.registers.bytes[at] |= 1 << (number & 7);
    this.#update();
  }

  snapshot(): PmBlockState {
    return {
      registers: this.registers.snapshot(),
      halfPeriods: this.#halfPeriods,
      overflow: this.#overflow.snapshot(),
    };
  }

  restore(state: PmBlockState): void {
    this.registers.restore(state.registers);
    this.#halfPeriods = state.halfPeriods;
    this.#driveSci();
    this.#overflow.restore(state.overflow);
  }

  #read(offset: number, size: AccessSize): number {
    const timer = PM_BLOCK.PM_TMR.offset;
    if (offset >= timer && offset < timer + 4) return readTimer(this.#ticks(), offset - timer, size);
    this.#latchOverflow();
    return this.registers.read(offset, size);
  }

  #write(offset: number, size: AccessSize, value: number): void {
    this.#latchOverflow();
    const clearsOverflow = offset === PM_BLOCK.PM1_EVT.offset && (value & 1) === 1;
    const touched = this.registers.write(offset, size, value);
    if (clearsOverflow) this.#halfPeriods = Math.floor(this.#ticks() / HALF_PERIOD);
    this.#update();
    if (touched.includes('PM1_CNT')) {
      // SLP_EN is bit 13: in the second byte of the register.
      const shift = 8 * (PM_BLOCK.PM1_CNT.offset - offset) + 13;
      if (shift >= 0 && shift < 8 * size && (value >>> shift) & 1)
        this.#ports.sleep(this.registers.field('PM1_CNT', 'SLP_TYP'));
    }
  }

  #ticks(): number {
    return Math.floor((this.#ports.clock.now() * PM_TIMER_FREQUENCY) / NANOSECONDS);
  }

  #latchOverflow(): void {
    if (Math.floor(this.#ticks() / HALF_PERIOD) > this.#halfPeriods) this.registers.setField('PM1_STS', 'TMROF', 1);
  }

  /** Drives the SCI and arms the timer's overflow when it would raise one. */
  #update(): void {
    const registers = this.registers;
    this.#driveSci();
    this.#overflow.cancel();
    if (registers.field('PM1_EN', 'TMROF') === 0 || registers.field('PM1_STS', 'TMROF') === 1) return;
    const nextToggle = (this.#halfPeriods + 1) * HALF_PERIOD;
    this.#overflow.arm(Math.ceil((nextToggle * NANOSECONDS) / PM_TIMER_FREQUENCY));
  }

  #driveSci(): void {
    const { registers } = this;
    const fixed = registers.get('PM1_STS') & registers.get('PM1_EN');
    const enabled = registers.field('PM1_CNT', 'SCI_EN') === 1;
    this.#ports.sci(enabled && (fixed !== 0 || this.#gpePending()));
  }

  #gpePending(): boolean {
    const { offset } = PM_BLOCK.GPE0;
    for (let index = 0; index < 8; index++) {
      if (this.registers.bytes[offset + index] & this.registers.bytes[offset + 8 + index]) return true;
    }
    return false;
  }
}

/** 24 bits; a read of one or two bytes gives its part. */
function readTimer(ticks: number, offset: number, size: AccessSize): number {
  const value = ticks % 0x100_0000;
  const mask = size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff;
  return ((value >>> (8 * offset)) & mask) >>> 0;
}
