import type { BusTarget } from '../machine/ports.ts';
import { bytePorts } from './byte-ports.ts';

/** How long a write takes on LPC, ns. Kernels write here to wait that long (Linux's io_delay). */
const WRITE_TIME = 1000;

/** Port 0x80: power-on self-test codes. Reads find nothing there. */
export class PostPort {
  readonly ports: BusTarget = bytePorts(this);
  /** The last code written. */
  code = 0;
  readonly #wait: (nanoseconds: number) => void;

  /** `wait` lets virtual time pass. */
  constructor(wait: (nanoseconds: number) => void) {
    this.#wait = wait;
  }

  snapshot(): { readonly code: number } {
    return { code: this.code };
  }

  restore(state: { readonly code: number }): void {
    this.code = state.code;
  }

  readByte(): number {
    return 0xff;
  }

  writeByte(_offset: number, value: number): void {
    this.code = value;
    this.#wait(WRITE_TIME);
  }
}
