import type { AccessSize, BusTarget, DmaPort } from '../../machine/ports.ts';
import { bit, bits, RO, RW, reg16, reg32 } from '../../registers/declaration.ts';
import type { RegisterFile } from '../../registers/register-file.ts';
import type { Capability } from '../config-space.ts';

/** Bytes of one table entry: address, upper address, data, vector control (PCI 3.0 §6.8.2.6). */
const ENTRY_BYTES = 16;

/** MSI-X (PCI 3.0 §6.8.2). Offsets are bytes into the BAR and multiples of 8. */
export function msixCapability(layout: {
  readonly vectors: number;
  readonly bar: number;
  readonly tableOffset: number;
  readonly pbaOffset: number;
}): Capability {
  return {
    name: 'MSIX',
    id: 0x11,
    byteLength: 12,
    registers: {
      CONTROL: reg16(2, {
        TABLE_SIZE: bits(10, 0, RO, layout.vectors - 1),
        FUNCTION_MASK: bit(14, RW),
        ENABLE: bit(15, RW),
      }),
      TABLE: reg32(4, { BIR: bits(2, 0, RO, layout.bar), OFFSET: bits(31, 3, RO, layout.tableOffset / 8) }),
      PBA: reg32(8, { BIR: bits(2, 0, RO, layout.bar), OFFSET: bits(31, 3, RO, layout.pbaOffset / 8) }),
    },
  };
}

/** The vectors of a function: table, pending bits and the messages. The function maps `table` and `pba` into its BAR. */
export class Msix {
  readonly vectors: number;
  readonly table: BusTarget;
  readonly pba: BusTarget;
  readonly #registers: RegisterFile;
  readonly #dma: DmaPort;
  readonly #entries: DataView;
  readonly #pending: Uint8Array;

  /** `dma` must be the function's own, which Bus Master Enable gates. */
  constructor(vectors: number, registers: RegisterFile, dma: DmaPort) {
    this.vectors = vectors;
    this.#registers = registers;
    this.#dma = dma;
    this.#entries = new DataView(new ArrayBuffer(vectors * ENTRY_BYTES));
    this.#pending = new Uint8Array(Math.ceil(vectors / 64) * 8);
    this.table = {
      read: (offset, size) => readBytes(this.#entries, offset, size),
      write: (offset, size, value) => this.#writeTable(offset, size, value),
    };
    const pending = new DataView(this.#pending.buffer);
    // Read only: software has no say in what is pending.
    this.pba = { read: (offset, size) => readBytes(pending, offset, size), write() {} };
    this.reset();
  }

  get tableBytes(): number {
    return this.vectors * ENTRY_BYTES;
  }

  get pbaBytes(): number {
    return this.#pending.length;
  }

  get enabled(): boolean {
    return this.#registers.field('MSIX.CONTROL', 'ENABLE') === 1;
  }

  /** Every vector is masked after reset (PCI 3.0 §6.8.2.9). */
  reset(): void {
    this.#pending.fill(0);
    for (let vector = 0; vector < this.vectors; vector++) {
      for (let word = 0; word < 3; word++) this.#entries.setUint32(vector * ENTRY_BYTES + 4 * word, 0, true);
      this.#entries.setUint32(vector * ENTRY_BYTES + 12, 1, true);
    }
  }

  /** Sends vector `vector`, or marks it pending while masked. Says whether MSI-X is enabled at all. */
  send(vector: number): boolean {
    if (!this.enabled) return false;
    if (vector >= this.vectors) return true;
    if (this.#masked(vector)) this.#pending[vector >> 3] |= 1 << (vector & 7);
    else this.#deliver(vector);
    return true;
  }

  isPending(vector: number): boolean {
    return ((this.#pending[vector >> 3] >> (vector & 7)) & 1) === 1;
  }

  /** Sends what has become deliverable: called after a write to the table or to message control. */
  flush(): void {
    if (!this.enabled) return;
    for (let vector = 0; vector < this.vectors; vector++) {
      if (!this.isPending(vector) || this.#masked(vector)) continue;
      this.#pending[vector >> 3] &= ~(1 << (vector & 7));
      this.#deliver(vector);
    }
  }

  snapshot(): { readonly table: readonly number[]; readonly pending: readonly number[] } {
    return { table: [...new Uint8Array(this.#entries.buffer)], pending: [...this.#pending] };
  }

  restore(state: { readonly table: readonly number[]; readonly pending: readonly number[] }): void {
    new Uint8Array(this.#entries.buffer).set(state.table);
    this.#pending.set(state.pending);
  }

  #masked(vector: number): boolean {
    if (this.#registers.field('MSIX.CONTROL', 'FUNCTION_MASK') === 1) return true;
    return (this.#entries.getUint32(vector * ENTRY_BYTES + 12, true) & 1) === 1;
  }

  #deliver(vector: number): void {
    const at = vector * ENTRY_BYTES;
    const address = this.#entries.getUint32(at + 4, true) * 2 ** 32 + this.#entries.getUint32(at, true);
    const message = new Uint8Array(4);
    new DataView(message.buffer).setUint32(0, this.#entries.getUint32(at + 8, true), true);
    this.#dma.write(address, message);
  }

  #writeTable(offset: number, size: AccessSize, value: number): void {
    for (let index = 0; index < size && offset + index < this.#entries.byteLength; index++) {
      this.#entries.setUint8(offset + index, (value >>> (8 * index)) & 0xff);
    }
    this.flush();
  }
}

function readBytes(view: DataView, offset: number, size: AccessSize): number {
  let value = 0;
  for (let index = size - 1; index >= 0; index--) {
    value = value * 0x100 + (offset + index < view.byteLength ? view.getUint8(offset + index) : 0);
  }
  return value;
}
