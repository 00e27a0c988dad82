import type { BusTarget } from '../machine/ports.ts';
import { bytePorts } from './byte-ports.ts';

const CHANNELS = 4;
/** Registers above the channels' addresses and counts (8237A table "Software command codes"). */
const REGISTER = {
  STATUS_COMMAND: 8,
  REQUEST: 9,
  MASK_BIT: 10,
  MODE: 11,
  CLEAR_FLIP_FLOP: 12,
  CLEAR: 13,
  CLEAR_MASK: 14,
  MASK: 15,
};
/** Ports 0x81 to 0x8f. */
const PAGE_REGISTERS = 15;

export interface Dma8237State {
  readonly addresses: readonly number[];
  readonly counts: readonly number[];
  readonly mask: number;
  readonly highNext: boolean;
}

/**
 * One 8237A DMA controller: its registers, which firmware and kernels initialize. No device of this board requests ISA DMA, so no
 * transfer ever happens. `stride` is the distance of registers on the bus: 1, or 2 for the second controller.
 */
export class Dma8237 {
  readonly ports: BusTarget = bytePorts(this);
  readonly #stride: 1 | 2;
  readonly #addresses = new Uint16Array(CHANNELS);
  readonly #counts = new Uint16Array(CHANNELS);
  #mask = 0x0f;
  #highNext = false;

  constructor(stride: 1 | 2) {
    this.#stride = stride;
  }

  reset(): void {
    this.#addresses.fill(0);
    this.#counts.fill(0);
    this.#clear();
  }

  snapshot(): Dma8237State {
    return {
      addresses: [...this.#addresses],
      counts: [...this.#counts],
      mask: this.#mask,
      highNext: this.#highNext,
    };
  }

  restore(state: Dma8237State): void {
    this.#addresses.set(state.addresses);
    this.#counts.set(state.counts);
    this.#mask = state.mask;
    this.#highNext = state.highNext;
  }

  readByte(offset: number): number {
    const register = Math.floor(offset / this.#stride);
    if (register < 2 * CHANNELS) {
      const value = this.#pair(register)[register >> 1];
      return this.#flip() ? value >> 8 : value & 0xff;
    }
    return register === REGISTER.MASK ? this.#mask | 0xf0 : 0;
  }

  writeByte(offset: number, value: number): void {
    const register = Math.floor(offset / this.#stride);
    if (register < 2 * CHANNELS) {
      const pair = this.#pair(register);
      const channel = register >> 1;
      pair[channel] = this.#flip() ? (pair[channel] & 0xff) | (value << 8) : (pair[channel] & 0xff00) | value;
      return;
    }
    switch (register) {
      case REGISTER.MASK_BIT:
        if (value & 4) this.#mask |= 1 << (value & 3);
        else this.#mask &= ~(1 << (value & 3));
        break;
      case REGISTER.CLEAR_FLIP_FLOP:
        this.#highNext = false;
        break;
      case REGISTER.CLEAR:
        this.#clear();
        break;
      case REGISTER.CLEAR_MASK:
        this.#mask = 0;
        break;
      case REGISTER.MASK:
        this.#mask = value & 0x0f;
        break;
    }
  }

  /** Master clear (8237A §"Master Clear"). */
  #clear(): void {
    this.#mask = 0x0f;
    this.#highNext = false;
  }

  #pair(register: number): Uint16Array {
    return register & 1 ? this.#counts : this.#addresses;
  }

  #flip(): boolean {
    const high = this.#highNext;
    this.#highNext = !high;
    return high;
  }
}

/** DMA page registers, ports 0x81–0x8f: bytes that keep what is written. */
export class DmaPages {
  readonly ports: BusTarget = bytePorts(this);
  readonly #pages = new Uint8Array(PAGE_REGISTERS);

  reset(): void {
    this.#pages.fill(0);
  }

  snapshot(): { readonly pages: readonly number[] } {
    return { pages: [...this.#pages] };
  }

  restore(state: { readonly pages: readonly number[] }): void {
    this.#pages.set(state.pages);
  }

  readByte(offset: number): number {
    return this.#pages[offset];
  }

  writeByte(offset: number, value: number): void {
    this.#pages[offset] = value;
  }
}
