import type { BusTarget } from '../machine/ports.ts';
import { bytePorts } from './byte-ports.ts';

/** PORT92 (ICH9 §13.7.5). */
const PORT92 = { INIT_NOW: 0x01, ALT_A20_GATE: 0x02 } as const;

/** Where A20 and the fast reset lead, for port 0x92 and the keyboard controller alike. */
export interface ResetAndA20 {
  setA20(enabled: boolean): void;
  /** INIT to the processor, as a system reset on this board. */
  requestReset(): void;
}

/** Port 0x92: fast A20 and fast reset. */
export class Port92 {
  readonly ports: BusTarget = bytePorts(this);
  readonly #wires: ResetAndA20;
  #value = 0;

  constructor(wires: ResetAndA20) {
    this.#wires = wires;
  }

  reset(): void {
    this.#value = 0;
  }

  snapshot(): { readonly value: number } {
    return { value: this.#value };
  }

  /** A20 itself is the processor's to restore. */
  restore(state: { readonly value: number }): void {
    this.#value = state.value;
  }

  readByte(): number {
    return this.#value;
  }

  writeByte(_offset: number, value: number): void {
    const rising = value & ~this.#value;
    this.#value = value;
    this.#wires.setA20((value & PORT92.ALT_A20_GATE) !== 0);
    // INIT_NOW works on its rising edge.
    if (rising & PORT92.INIT_NOW) this.#wires.requestReset();
  }
}
