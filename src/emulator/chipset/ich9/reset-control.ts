import type { BusTarget } from '../../machine/ports.ts';

/** RST_CNT (ICH9 §13.7.7). */
const RST_CNT = { SYS_RST: 0x02, RST_CPU: 0x04, FULL_RST: 0x08 } as const;
const WRITABLE = RST_CNT.SYS_RST | RST_CNT.RST_CPU | RST_CNT.FULL_RST;
/** Port 0x92 (ICH9 §13.7.4). */
const PORT92 = { INIT_NOW: 0x01, ALT_A20_GATE: 0x02 } as const;

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

  reset(): void {
    this.#value = 0;
  }
}

/** Port 0x92: fast A20 and fast reset. */
export class Port92 {
  readonly ports: BusTarget;
  readonly #setA20: (enabled: boolean) => void;
  #value = 0;

  constructor(setA20: (enabled: boolean) => void, requestReset: () => void) {
    this.#setA20 = setA20;
    this.ports = {
      read: () => this.#value,
      write: (_offset, _size, value) => {
        const resets = (this.#value & PORT92.INIT_NOW) === 0 && (value & PORT92.INIT_NOW) !== 0;
        this.#value = value & (PORT92.INIT_NOW | PORT92.ALT_A20_GATE);
        setA20((value & PORT92.ALT_A20_GATE) !== 0);
        if (resets) requestReset();
      },
    };
  }

  /** DEVIATION(spec): A20 is open from reset, as on every machine since firmware lives above 1 MiB; QEMU's is as well. */
  reset(): void {
    this.#value = PORT92.ALT_A20_GATE;
    this.#setA20(true);
  }
}
