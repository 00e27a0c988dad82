import type { BusTarget } from '../../machine/ports.ts';

/** RST_CNT (ICH9 §13.7.7). */
const RST_CNT = { SYS_RST: 0x02, RST_CPU: 0x04, FULL_RST: 0x08 } as const;
const WRITABLE = RST_CNT.SYS_RST | RST_CNT.RST_CPU | RST_CNT.FULL_RST;

/** Reset control at 0xcf9: one byte. */
export class ResetControl {
  /** Offsets count from 0xcf8, so that it can stand behind CONFIG_ADDRESS as the answer to narrow accesses. */
  readonly narrow: BusTarget;
  #value = 0;

  constructor(requestReset: () => void) {
    this.narrow = {
      read: (offset) => (offset === 1 ? this.#value : 0xff),
      write: (offset, _size, value) => {
        if (offset !== 1) return;
        this.#value = value & WRITABLE;
        // QEMU resets on any write with RST_CPU set; the datasheet on its rising edge. The register is 0 after the reset either way.
        if (value & RST_CNT.RST_CPU) requestReset();
      },
    };
  }

  snapshot(): { readonly value: number } {
    return { value: this.#value };
  }

  restore(state: { readonly value: number }): void {
    this.#value = state.value;
  }

  reset(): void {
    this.#value = 0;
  }
}
