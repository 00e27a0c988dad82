import type { BusTarget } from '../machine/ports.ts';
import { bytePorts } from './byte-ports.ts';
import type { I8254 } from './i8254.ts';

/** NMI_SC, port 0x61 (ICH9 §13.7.1): speaker gate and data, refresh toggle, OUT of timer 2. */
const NMI_SC = { TIM_CNT2_EN: 0x01, SPKR_DAT_EN: 0x02, REF_TOGGLE: 0x10, TMR2_OUT_STS: 0x20, WRITABLE: 0x0f } as const;

/** Port 0x61. No speaker is attached, and no error source raises the NMI bits. */
export class NmiStatus {
  readonly ports: BusTarget = bytePorts(this);
  readonly #pit: I8254;
  #control = 0;
  #refresh = false;

  constructor(pit: I8254) {
    this.#pit = pit;
  }

  reset(): void {
    this.#control = 0;
    this.#refresh = false;
  }

  snapshot(): { readonly control: number; readonly refresh: boolean } {
    return { control: this.#control, refresh: this.#refresh };
  }

  restore(state: { readonly control: number; readonly refresh: boolean }): void {
    this.#control = state.control;
    this.#refresh = state.refresh;
  }

  readByte(): number {
    // Loops of old counted refresh cycles by this bit: it moves with each read.
    this.#refresh = !this.#refresh;
    const speaker = this.#control & ~NMI_SC.TIM_CNT2_EN;
    return (
      speaker |
      (this.#pit.speakerGate ? NMI_SC.TIM_CNT2_EN : 0) |
      (this.#refresh ? NMI_SC.REF_TOGGLE : 0) |
      (this.#pit.speakerOut ? NMI_SC.TMR2_OUT_STS : 0)
    );
  }

  writeByte(_offset: number, value: number): void {
    this.#control = value & NMI_SC.WRITABLE;
    this.#pit.speakerGate = (value & NMI_SC.TIM_CNT2_EN) !== 0;
  }
}
