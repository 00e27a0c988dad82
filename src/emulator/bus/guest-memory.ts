import { alignUp } from '../../shared/bytes.ts';
import type { MachineConfig } from '../machine/config.ts';
import { HIGH_RAM_BASE } from '../machine/memory-map.ts';
import { type PageSource, PendingPages } from './pending-pages.ts';

const PAGE = 0x1000;

/** Where the machine may put RAM and ROM: a Wasm memory, from `ramOffset` (a multiple of 4096) on. */
export interface RamPlacement {
  readonly memory: { readonly buffer: ArrayBuffer | SharedArrayBuffer };
  readonly ramOffset: number;
}

/** Bytes that RAM and ROM take from `ramOffset` on. */
export function guestMemoryBytes(config: MachineConfig, romBytes: number): number {
  return alignUp(config.ramBytes, PAGE) + alignUp(romBytes, PAGE);
}

/**
 * Guest RAM and ROM as host pages in one Wasm memory: RAM below 4 GiB first, RAM above it next, then the ROM. Views are made
 * anew when the memory's buffer changes (it may have grown).
 */
export class GuestMemory {
  readonly lowRamBytes: number;
  readonly highRamBytes: number;
  readonly romBytes: number;
  readonly lowRamOffset: number;
  readonly highRamOffset: number;
  readonly romOffset: number;
  readonly #memory: RamPlacement['memory'];
  #buffer: ArrayBuffer | SharedArrayBuffer;
  #bytes: Uint8Array;
  #pending: PendingPages | undefined;

  /** Copies `rom` in and clears RAM. */
  constructor(placement: RamPlacement, config: MachineConfig, rom: Uint8Array) {
    this.lowRamBytes = config.lowRamBytes;
    this.highRamBytes = config.ramBytes - config.lowRamBytes;
    this.romBytes = rom.length;
    this.lowRamOffset = placement.ramOffset;
    this.highRamOffset = this.lowRamOffset + this.lowRamBytes;
    this.romOffset = this.highRamOffset + this.highRamBytes;
    this.#memory = placement.memory;
    this.#buffer = placement.memory.buffer;
    this.#bytes = new Uint8Array(this.#buffer);
    const needed = this.romOffset + rom.length;
    if (needed > this.#bytes.length) {
      throw new Error(`guest memory ends at ${this.#bytes.length}, RAM and ROM need ${needed} bytes`);
    }
    this.#bytes.set(rom, this.romOffset);
  }

  /** The whole Wasm memory; host offsets index it. Ask again each time: growth replaces it. */
  readonly bytes = (): Uint8Array => {
    if (this.#memory.buffer !== this.#buffer) {
      this.#buffer = this.#memory.buffer;
      this.#bytes = new Uint8Array(this.#buffer);
    }
    return this.#bytes;
  };

  /** Offset of RAM at `gpa` past all decoding, or −1: for loaders and debuggers, after `ram()`. */
  ramOffset(gpa: number): number {
    if (gpa < this.lowRamBytes) return this.lowRamOffset + gpa;
    const above = gpa - HIGH_RAM_BASE;
    return above >= 0 && above < this.highRamBytes ? this.highRamOffset + above : -1;
  }

  /** RAM as it lies in memory, low part then high part: what a state hash covers. */
  ram(): Uint8Array {
    while (this.settleNext());
    return this.#ram();
  }

  #ram(): Uint8Array {
    return this.bytes().subarray(this.lowRamOffset, this.romOffset);
  }

  /** From now on the pages of `sources` hold what these will load, when somebody looks; all others stay as they are. */
  fillLater(sources: readonly PageSource[]): void {
    while (this.settleNext());
    this.#pending = new PendingPages(this.#ram(), sources);
  }

  /** True while pages wait for their bytes: whoever reads or writes by host offset must `settle` first. */
  get isPending(): boolean {
    return this.#pending !== undefined;
  }

  /** Before bytes at a host offset are looked at or written. */
  settle(hostOffset: number, byteLength: number): void {
    if (this.#pending === undefined || hostOffset >= this.romOffset) return;
    this.#pending.settle(hostOffset - this.lowRamOffset, byteLength);
  }

  /** Gets some more of what waits; false when nothing does any longer. */
  settleNext(): boolean {
    if (this.#pending?.settleNext() === true) return true;
    this.#pending = undefined;
    return false;
  }
}
