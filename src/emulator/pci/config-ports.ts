import type { AccessSize, BusTarget } from '../machine/ports.ts';
import type { PciRootComplex } from './root-complex.ts';

/** CONFIG_ADDRESS bit 31 (PCI 3.0 §3.2.2.3.2). */
const ENABLE = 0x8000_0000;

/**
 * Configuration mechanism 1: CONFIG_ADDRESS takes 4-byte accesses only; narrower ones at 0xcf8–0xcfb belong to whoever else stands
 * there (reset control at 0xcf9).
 */
export class ConfigPorts {
  readonly address: BusTarget;
  readonly data: BusTarget;
  #address = 0;

  /** `narrow` answers the accesses that are not 4 bytes wide, by offset from 0xcf8. */
  constructor(root: PciRootComplex, narrow: BusTarget) {
    this.address = {
      read: (offset, size) => (size === 4 && offset === 0 ? this.#address : narrow.read(offset, size)),
      write: (offset, size, value) => {
        if (size === 4 && offset === 0) this.#address = (value & 0x80ff_fffc) >>> 0;
        else narrow.write(offset, size, value);
      },
    };
    this.data = {
      read: (offset, size) => {
        if (this.#address < ENABLE) return size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff;
        const { bus, device, fn, register } = this.#decode(offset);
        return root.readConfig(bus, device, fn, register, size);
      },
      write: (offset: number, size: AccessSize, value: number) => {
        if (this.#address < ENABLE) return;
        const { bus, device, fn, register } = this.#decode(offset);
        root.writeConfig(bus, device, fn, register, size, value);
      },
    };
  }

  reset(): void {
    this.#address = 0;
  }

  snapshot(): { readonly address: number } {
    return { address: this.#address };
  }

  restore(state: { readonly address: number }): void {
    this.#address = state.address;
  }

  #decode(offset: number): { bus: number; device: number; fn: number; register: number } {
    const address = this.#address;
    return {
      bus: (address >>> 16) & 0xff,
      device: (address >>> 11) & 0x1f,
      fn: (address >>> 8) & 7,
      register: (address & 0xfc) + offset,
    };
  }
}
