import type { BusTarget } from '../machine/ports.ts';
import { bytePorts } from './byte-ports.ts';

/** Port 0x80: power-on self-test codes; also what kernels write to for a short delay. Reads find nothing there. */
export class PostPort {
  readonly ports: BusTarget = bytePorts(this);
  /** The last code written. */
  code = 0;

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
  }
}
