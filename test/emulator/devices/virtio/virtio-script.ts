import type { RegisterStep } from '../../../oracle/qtest.ts';

/** Where the script puts BAR 4, and the slot that the device stands in. */
export const SCRIPT_BAR = 0xe000_0000;
export const SCRIPT_DEVICE = 3;
const QUEUES = 0x10_0000;
const QUEUE_BYTES = 0x4000;
const DATA = 0x12_0000;
const QUEUE_SIZE = 8;
/** Notification to completion on QEMU, milliseconds; ours takes microseconds. */
const PATIENCE = 40;

export interface ScriptBuffer {
  readonly out?: readonly Uint8Array[];
  readonly in?: readonly number[];
  readonly indirect?: boolean;
}

/** Writes a driver's register and memory accesses down, so that the same ones run on our device and on QEMU's. */
export class VirtioScript {
  readonly steps: RegisterStep[] = [];
  readonly #available = new Map<number, number>();
  readonly #descriptors = new Map<number, number>();
  #data = DATA;

  /** BAR, COMMAND and the initialization of virtio 1.0 §3.1.1 with the queues 0 to `queues` − 1. */
  start(features: bigint, queues: number): this {
    this.#config(0x20, SCRIPT_BAR);
    this.#config(0x24, 0);
    this.#config(0x04, 0x0006);
    this.#bar(0x14, 1, 0).#bar(0x14, 1, 1).#bar(0x14, 1, 3);
    for (const select of [0, 1]) {
      this.#bar(8, 4, select);
      this.#bar(0xc, 4, Number((features >> BigInt(32 * select)) & 0xffff_ffffn));
    }
    this.#bar(0x14, 1, 0xb);
    this.steps.push(['read', SCRIPT_BAR + 0x14, 1]);
    for (let queue = 0; queue < queues; queue++) {
      this.#bar(0x16, 2, queue).#bar(0x18, 2, QUEUE_SIZE);
      for (const [index, register] of [0x20, 0x28, 0x30].entries()) {
        this.#bar(register, 4, this.#ring(queue) + 0x1000 * index);
        this.#bar(register + 4, 4, 0);
      }
      this.#bar(0x1c, 2, 1);
    }
    this.#bar(0x14, 1, 0xf);
    this.steps.push(['read', SCRIPT_BAR + 0x14, 1]);
    return this;
  }

  /** Makes a buffer available; returns where its writable parts lie. */
  add(queue: number, buffer: ScriptBuffer): readonly number[] {
    const parts: { address: number; byteLength: number; write: boolean }[] = [];
    for (const bytes of buffer.out ?? []) {
      const address = this.#allocate(bytes.length);
      for (let offset = 0; offset < bytes.length; offset += 4) this.#memory(address + offset, 4, word(bytes, offset));
      parts.push({ address, byteLength: bytes.length, write: false });
    }
    for (const byteLength of buffer.in ?? [])
      parts.push({ address: this.#allocate(byteLength), byteLength, write: true });
    const ring = this.#ring(queue);
    const head = this.#descriptors.get(queue) ?? 0;
    const index = this.#available.get(queue) ?? 0;
    if (buffer.indirect) {
      const table = this.#allocate(16 * parts.length);
      this.#table(table, 0, parts);
      this.#memory(ring + 16 * head, 4, table);
      this.#memory(ring + 16 * head + 4, 4, 0);
      this.#memory(ring + 16 * head + 8, 4, 16 * parts.length);
      this.#memory(ring + 16 * head + 12, 4, 4);
    } else this.#table(ring, head, parts);
    this.#descriptors.set(queue, (head + (buffer.indirect ? 1 : parts.length)) % QUEUE_SIZE);
    this.#memory(ring + 0x1000 + 4 + 2 * (index % QUEUE_SIZE), 2, head);
    this.#memory(ring + 0x1000 + 2, 2, index + 1);
    this.#available.set(queue, index + 1);
    return parts.filter((part) => part.write).map((part) => part.address);
  }

  /** Notifies, waits, and reads what the device says to it: used index and length, ISR. */
  notify(queue: number, readLength = true): this {
    const used = this.#ring(queue) + 0x2000;
    const last = (this.#available.get(queue) ?? 1) - 1;
    this.#bar(0x3000 + 4 * queue, 2, queue);
    this.steps.push(['wait', PATIENCE], ['read', used + 2, 2]);
    if (readLength) {
      this.steps.push(['read', used + 4 + 8 * (last % QUEUE_SIZE), 4]);
      this.steps.push(['read', used + 8 + 8 * (last % QUEUE_SIZE), 4]);
    }
    this.steps.push(['read', SCRIPT_BAR + 0x1000, 1]);
    return this;
  }

  /** Reads `byteLength` bytes of memory back. */
  read(address: number, byteLength: number): this {
    for (let offset = 0; offset < byteLength; ) {
      const size = byteLength - offset >= 4 ? 4 : 1;
      this.steps.push(['read', address + offset, size]);
      offset += size;
    }
    return this;
  }

  /** Adds, notifies and reads the writable parts back. */
  exchange(queue: number, buffer: ScriptBuffer, readLength = true): this {
    const writable = this.add(queue, buffer);
    this.notify(queue, readLength);
    for (const [index, address] of writable.entries()) this.read(address, buffer.in?.[index] ?? 0);
    return this;
  }

  /** Sets the available ring's flags, or its used_event. */
  setAvailable(queue: number, field: 'flags' | 'used_event', value: number): this {
    return this.#memory(this.#ring(queue) + 0x1000 + (field === 'flags' ? 0 : 4 + 2 * QUEUE_SIZE), 2, value);
  }

  readAvailableEvent(queue: number): this {
    this.steps.push(['read', this.#ring(queue) + 0x2000 + 4 + 8 * QUEUE_SIZE, 2]);
    return this;
  }

  #table(
    table: number,
    first: number,
    parts: readonly { address: number; byteLength: number; write: boolean }[],
  ): void {
    for (const [index, part] of parts.entries()) {
      const at = table + 16 * ((first + index) % QUEUE_SIZE);
      const more = index < parts.length - 1;
      this.#memory(at, 4, part.address)
        .#memory(at + 4, 4, 0)
        .#memory(at + 8, 4, part.byteLength);
      this.#memory(at + 12, 2, (part.write ? 2 : 0) | (more ? 1 : 0));
      this.#memory(at + 14, 2, (first + index + 1) % QUEUE_SIZE);
    }
  }

  #config(offset: number, value: number): void {
    this.steps.push(['out', 0xcf8, 0x8000_0000 + SCRIPT_DEVICE * 0x800 + offset, 4], ['out', 0xcfc, value, 4]);
  }

  #bar(offset: number, size: 1 | 2 | 4, value: number): this {
    return this.#memory(SCRIPT_BAR + offset, size, value);
  }

  #memory(address: number, size: 1 | 2 | 4, value: number): this {
    this.steps.push(['write', address, value, size]);
    return this;
  }

  #ring(queue: number): number {
    return QUEUES + QUEUE_BYTES * queue;
  }

  #allocate(byteLength: number): number {
    const address = this.#data;
    this.#data += (byteLength + 63) & ~63;
    return address;
  }
}

function word(bytes: Uint8Array, offset: number): number {
  let value = 0;
  for (let index = 3; index >= 0; index--) value = value * 0x100 + (bytes[offset + index] ?? 0);
  return value;
}
