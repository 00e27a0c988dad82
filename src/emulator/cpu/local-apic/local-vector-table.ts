import {
  APIC,
  DELIVERY,
  type DeliveryMode,
  LVT_LEVEL,
  LVT_MASKED,
  LVT_POLARITY_LOW,
  LVT_REMOTE_IRR,
  LVT_WRITABLE,
} from './registers.ts';

export interface LocalVectorTableState {
  /** By slot from LVT_TIMER on. */
  readonly entries: readonly number[];
  readonly lint0Level: boolean;
  readonly lint1Level: boolean;
}

/** Local vector table with the LINT pins that two of its entries describe (SDM Vol. 3 §11.5.1). Slots are those of `APIC`. */
export class LocalVectorTable {
  readonly #entries = new Uint32Array(LVT_WRITABLE.length);
  readonly #deliver: (vector: number, mode: DeliveryMode, level: boolean) => void;
  #lint0Level = false;
  #lint1Level = false;

  constructor(deliver: (vector: number, mode: DeliveryMode, level: boolean) => void) {
    this.#deliver = deliver;
  }

  /**
   * Masks all. DEVIATION(spec): LINT0 of the boot processor is an open ExtINT instead, as on QEMU: firmware and kernels without
   * APIC code expect a PC's 8259 to work.
   */
  reset(bootProcessor: boolean): void {
    this.#entries.fill(LVT_MASKED);
    if (bootProcessor) this.#entries[APIC.LVT_LINT0 - APIC.LVT_TIMER] = DELIVERY.EXTINT << 8;
  }

  snapshot(): LocalVectorTableState {
    return { entries: [...this.#entries], lint0Level: this.#lint0Level, lint1Level: this.#lint1Level };
  }

  restore(state: LocalVectorTableState): void {
    this.#entries.set(state.entries);
    this.#lint0Level = state.lint0Level;
    this.#lint1Level = state.lint1Level;
  }

  /** Software disable of the APIC (SDM Vol. 3 §11.4.7.2). */
  maskAll(): void {
    for (let index = 0; index < this.#entries.length; index++) this.#entries[index] |= LVT_MASKED;
  }

  get lint0Level(): boolean {
    return this.#lint0Level;
  }

  /** LINT0 passes the 8259's interrupts. */
  get externalOpen(): boolean {
    return !(this.read(APIC.LVT_LINT0) & LVT_MASKED) && this.mode(APIC.LVT_LINT0) === DELIVERY.EXTINT;
  }

  read(slot: number): number {
    return this.#entries[slot - APIC.LVT_TIMER];
  }

  /** `enabled`: the APIC is, else entries stay masked; ExtINT excepted, for the same reason as at reset. */
  write(slot: number, value: number, enabled: boolean): void {
    const index = slot - APIC.LVT_TIMER;
    let entry = (value & LVT_WRITABLE[index]) | (this.#entries[index] & LVT_REMOTE_IRR);
    if (!enabled && (entry & 0x700) !== DELIVERY.EXTINT << 8) entry |= LVT_MASKED;
    this.#entries[index] = entry;
  }

  /** Delivery mode; timer and error entries have none and are fixed. */
  mode(slot: number): DeliveryMode {
    if (slot === APIC.LVT_TIMER || slot === APIC.LVT_ERROR) return DELIVERY.FIXED;
    return ((this.read(slot) >> 8) & 7) as DeliveryMode;
  }

  /** An event at the source of entry `slot`. */
  raise(slot: number): void {
    const entry = this.read(slot);
    if (entry & LVT_MASKED) return;
    const mode = this.mode(slot);
    const level = slot !== APIC.LVT_TIMER && mode === DELIVERY.FIXED && (entry & LVT_LEVEL) !== 0;
    if (level) this.#entries[slot - APIC.LVT_TIMER] |= LVT_REMOTE_IRR;
    this.#deliver(entry & 0xff, mode, level);
  }

  /** Level of the LINT0 pin; true when it has just risen. */
  setLint0(asserted: boolean): boolean {
    const rising = asserted && !this.#lint0Level;
    this.#lint0Level = asserted;
    return rising;
  }

  /** Level of the LINT1 pin; true when it has just risen. */
  setLint1(asserted: boolean): boolean {
    const rising = asserted && !this.#lint1Level;
    this.#lint1Level = asserted;
    return rising;
  }

  /** EOI of `vector`: a level pin that still stands asks again. */
  endOfInterrupt(vector: number): void {
    this.#endOfLevel(APIC.LVT_LINT0, this.#lint0Level, vector);
    this.#endOfLevel(APIC.LVT_LINT1, this.#lint1Level, vector);
  }

  #endOfLevel(slot: number, asserted: boolean, vector: number): void {
    const entry = this.read(slot);
    if (!(entry & LVT_REMOTE_IRR) || (entry & 0xff) !== vector) return;
    this.#entries[slot - APIC.LVT_TIMER] &= ~LVT_REMOTE_IRR;
    if (asserted !== ((entry & LVT_POLARITY_LOW) !== 0)) this.raise(slot);
  }
}
