import { viewOf } from '../../../shared/bytes.ts';
import type { DmaPort } from '../../machine/ports.ts';

const DESCRIPTOR_BYTES = 16;
/** Descriptor flags (virtio 1.0 §2.4.5). */
const DESCRIPTOR = { NEXT: 1, WRITE: 2, INDIRECT: 4 } as const;
/** Flag of the available and the used ring: the other side wants no interrupt or notification. */
const RING_NO_NOTIFY = 1;

/** A piece of guest memory that a chain names. */
export interface Segment {
  readonly address: number;
  readonly byteLength: number;
}

/** A buffer that the driver made available: what the device reads, and what it writes. */
export class DescriptorChain {
  readonly head: number;
  readonly readable: readonly Segment[];
  readonly writable: readonly Segment[];
  readonly #dma: DmaPort;

  constructor(head: number, readable: readonly Segment[], writable: readonly Segment[], dma: DmaPort) {
    this.head = head;
    this.readable = readable;
    this.writable = writable;
    this.#dma = dma;
  }

  get readableBytes(): number {
    return this.readable.reduce((total, segment) => total + segment.byteLength, 0);
  }

  get writableBytes(): number {
    return this.writable.reduce((total, segment) => total + segment.byteLength, 0);
  }

  /** Fills `target` from the readable part, from byte `offset` on. Returns the bytes there were, or −1 when DMA is refused. */
  read(offset: number, target: Uint8Array): number {
    return transfer(this.readable, offset, target, (address, piece) => this.#dma.read(address, piece));
  }

  /** Writes `source` into the writable part, from byte `offset` on. Returns the bytes that fitted, or −1 when DMA is refused. */
  write(offset: number, source: Uint8Array): number {
    return transfer(this.writable, offset, source, (address, piece) => this.#dma.write(address, piece));
  }
}

function transfer(
  segments: readonly Segment[],
  offset: number,
  bytes: Uint8Array,
  move: (address: number, piece: Uint8Array) => boolean,
): number {
  let skip = offset;
  let done = 0;
  for (const { address, byteLength } of segments) {
    if (done === bytes.length) break;
    if (skip >= byteLength) {
      skip -= byteLength;
      continue;
    }
    const count = Math.min(byteLength - skip, bytes.length - done);
    if (!move(address + skip, bytes.subarray(done, done + count))) return -1;
    done += count;
    skip = 0;
  }
  return done;
}

/** Where the driver put the three parts of a queue, as IOVAs. */
export interface QueueAddresses {
  descriptors: number;
  /** Available ring. */
  driver: number;
  /** Used ring. */
  device: number;
}

export interface VirtqueueState {
  readonly addresses: Readonly<QueueAddresses>;
  readonly size: number;
  readonly enabled: boolean;
  readonly vector: number;
  readonly eventIndex: boolean;
  readonly fault?: string;
  readonly nextAvailable: number;
  readonly usedIndex: number;
  readonly reportedIndex: number;
}

/** A split virtqueue as the device walks it (virtio 1.0 §2.4): indirect descriptors, event index. */
export class SplitVirtqueue {
  readonly maximumSize: number;
  readonly addresses: QueueAddresses = { descriptors: 0, driver: 0, device: 0 };
  size: number;
  enabled = false;
  vector = 0xffff;
  /** The driver negotiated VIRTIO_F_RING_EVENT_IDX. */
  eventIndex = false;
  /** Why the ring cannot be followed any more; the device then needs a reset. */
  fault: string | undefined;
  readonly #dma: DmaPort;
  readonly #scratch = new Uint8Array(8);
  readonly #view = viewOf(this.#scratch);
  #nextAvailable = 0;
  #usedIndex = 0;
  /** `#usedIndex` when the driver was last asked about interrupts. */
  #reportedIndex = 0;

  constructor(maximumSize: number, dma: DmaPort) {
    this.maximumSize = maximumSize;
    this.size = maximumSize;
    this.#dma = dma;
  }

  reset(): void {
    this.addresses.descriptors = 0;
    this.addresses.driver = 0;
    this.addresses.device = 0;
    this.size = this.maximumSize;
    this.enabled = false;
    this.vector = 0xffff;
    this.eventIndex = false;
    this.fault = undefined;
    this.#nextAvailable = 0;
    this.#usedIndex = 0;
    this.#reportedIndex = 0;
  }

  snapshot(): VirtqueueState {
    return {
      addresses: { ...this.addresses },
      size: this.size,
      enabled: this.enabled,
      vector: this.vector,
      eventIndex: this.eventIndex,
      fault: this.fault,
      nextAvailable: this.#nextAvailable,
      usedIndex: this.#usedIndex,
      reportedIndex: this.#reportedIndex,
    };
  }

  restore(state: VirtqueueState): void {
    Object.assign(this.addresses, state.addresses);
    this.size = state.size;
    this.enabled = state.enabled;
    this.vector = state.vector;
    this.eventIndex = state.eventIndex;
    this.fault = state.fault;
    this.#nextAvailable = state.nextAvailable;
    this.#usedIndex = state.usedIndex;
    this.#reportedIndex = state.reportedIndex;
  }

  /** Buffers that wait. */
  get available(): number {
    if (!this.enabled || this.fault !== undefined) return 0;
    return (this.#read16(this.addresses.driver + 2) - this.#nextAvailable) & 0xffff;
  }

  /** Takes the next available buffer; undefined when there is none or the ring is broken. */
  pop(): DescriptorChain | undefined {
    if (!this.enabled || this.fault !== undefined) return undefined;
    const waiting = this.available;
    if (this.fault !== undefined) return undefined;
    if (waiting > this.size) return this.#break(`${waiting} buffers available in a ring of ${this.size}`);
    if (waiting === 0) return this.#wantNotification();
    const head = this.#read16(this.addresses.driver + 4 + 2 * (this.#nextAvailable % this.size));
    this.#nextAvailable = (this.#nextAvailable + 1) & 0xffff;
    return this.#walk(head);
  }

  /** Gives a buffer back with `written` bytes in its writable part. */
  push(chain: DescriptorChain, written: number): void {
    if (this.fault !== undefined) return;
    this.#view.setUint32(0, chain.head, true);
    this.#view.setUint32(4, written, true);
    const slot = this.addresses.device + 4 + 8 * (this.#usedIndex % this.size);
    this.#usedIndex = (this.#usedIndex + 1) & 0xffff;
    if (!this.#dma.write(slot, this.#scratch)) this.#break('the used ring cannot be written');
    this.#write16(this.addresses.device + 2, this.#usedIndex);
  }

  /** Whether the driver wants an interrupt for the buffers given back since the last call (virtio 1.0 §2.4.7). */
  wantsInterrupt(): boolean {
    const reported = this.#reportedIndex;
    this.#reportedIndex = this.#usedIndex;
    if (reported === this.#usedIndex || this.fault !== undefined) return false;
    if (!this.eventIndex) return (this.#read16(this.addresses.driver) & RING_NO_NOTIFY) === 0;
    const event = this.#read16(this.addresses.driver + 4 + 2 * this.size);
    return ((this.#usedIndex - event - 1) & 0xffff) < ((this.#usedIndex - reported) & 0xffff);
  }

  /** With the event index, the driver must be told after which buffer to notify again. */
  #wantNotification(): undefined {
    if (this.eventIndex) this.#write16(this.addresses.device + 4 + 8 * this.size, this.#nextAvailable);
    return undefined;
  }

  #walk(head: number): DescriptorChain | undefined {
    const readable: Segment[] = [];
    const writable: Segment[] = [];
    let table = this.addresses.descriptors;
    let tableSize = this.size;
    let index = head;
    const bytes = new Uint8Array(DESCRIPTOR_BYTES);
    const view = viewOf(bytes);
    for (let steps = 0; ; steps++) {
      if (index >= tableSize) return this.#break(`descriptor ${index} of ${tableSize}`);
      if (steps > tableSize) return this.#break('a loop of descriptors');
      if (!this.#dma.read(table + DESCRIPTOR_BYTES * index, bytes)) return this.#break('descriptors cannot be read');
      const address = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
      const byteLength = view.getUint32(8, true);
      const flags = view.getUint16(12, true);
      if (flags & DESCRIPTOR.INDIRECT) {
        if (table !== this.addresses.descriptors || flags & DESCRIPTOR.NEXT || byteLength % DESCRIPTOR_BYTES !== 0)
          return this.#break('a malformed indirect descriptor');
        table = address;
        tableSize = byteLength / DESCRIPTOR_BYTES;
        index = 0;
        steps = -1;
        continue;
      }
      if (flags & DESCRIPTOR.WRITE) writable.push({ address, byteLength });
      else if (writable.length > 0) return this.#break('a readable descriptor after a writable one');
      else readable.push({ address, byteLength });
      if (!(flags & DESCRIPTOR.NEXT)) return new DescriptorChain(head, readable, writable, this.#dma);
      index = view.getUint16(14, true);
    }
  }

  #break(fault: string): undefined {
    this.fault ??= fault;
    return undefined;
  }

  #read16(address: number): number {
    if (!this.#dma.read(address, this.#scratch.subarray(0, 2))) this.#break('the available ring cannot be read');
    return this.fault === undefined ? this.#view.getUint16(0, true) : 0;
  }

  #write16(address: number, value: number): void {
    this.#view.setUint16(0, value, true);
    if (!this.#dma.write(address, this.#scratch.subarray(0, 2))) this.#break('the used ring cannot be written');
  }
}
