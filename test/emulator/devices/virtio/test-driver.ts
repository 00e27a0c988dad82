import type { VirtioDevice } from '../../../../src/emulator/devices/virtio/virtio-device.ts';
import { VirtioPciFunction } from '../../../../src/emulator/devices/virtio/virtio-pci.ts';
import { DEVICE_CATALOG, type DeviceModel } from '../../../../src/emulator/machine/device-catalog.ts';
import type { AccessSize, Clock } from '../../../../src/emulator/machine/ports.ts';
import { viewOf } from '../../../../src/shared/bytes.ts';
import { TestClock, TestLine } from '../test-clock.ts';
import { TestMemory } from '../test-memory.ts';

export interface Buffer {
  /** Bytes for the device to read, one descriptor each. */
  readonly out?: readonly Uint8Array[];
  /** Sizes of what the device may write, one descriptor each. */
  readonly in?: readonly number[];
}

const COMMON = 0x0000;
const NOTIFY = 0x3000;
const QUEUE_BYTES = 0x4000;
const DATA = 0x2_0000;

/** A virtio PCI function alone with 1 MiB of RAM, and a driver that follows the specification by hand. */
export class TestDriver {
  readonly memory: TestMemory;
  readonly clock = new TestClock();
  readonly interrupt = new TestLine();
  readonly guestErrors: string[] = [];
  /** MSI-X messages: the data written to 0xfee0_0000. */
  readonly messages: number[] = [];
  readonly pci: VirtioPciFunction;
  readonly #view: DataView;
  readonly #available = new Map<number, number>();
  readonly #used = new Map<number, number>();
  readonly #descriptors = new Map<number, number>();
  #data = DATA;

  constructor(
    model: DeviceModel,
    device: VirtioDevice | ((clock: Clock) => VirtioDevice),
    behindExpressPort = false,
    ramBytes = 0x10_0000,
  ) {
    this.memory = new TestMemory(ramBytes);
    this.#view = viewOf(this.memory.bytes);
    const facts = DEVICE_CATALOG[model];
    const config = {
      id: model,
      model,
      device: 3,
      function: 0,
      bars: facts.bars,
      interruptPin: facts.interruptPin,
      options: {},
    };
    const context = { expressBus: true, behindExpressPort, multifunction: false };
    const dma = {
      read: (iova: number, target: Uint8Array) => this.memory.read(iova, target),
      write: (iova: number, source: Uint8Array) => {
        if (iova !== 0xfee0_0000) return this.memory.write(iova, source);
        this.messages.push(viewOf(source).getUint32(0, true));
        return true;
      },
    };
    this.pci = new VirtioPciFunction(
      config,
      context,
      {
        interrupt: this.interrupt,
        dma,
        clock: this.clock,
        log: { guestError: (site) => void this.guestErrors.push(site) },
      },
      typeof device === 'function' ? device(this.clock) : device,
    );
    this.pci.reset();
    this.pci.writeConfig(4, 2, 0x0006);
  }

  read(offset: number, size: AccessSize): number {
    return this.pci.barTarget(4).read(offset, size);
  }

  write(offset: number, size: AccessSize, value: number): void {
    this.pci.barTarget(4).write(offset, size, value);
  }

  /** Offered features. */
  get offered(): bigint {
    this.write(COMMON, 4, 0);
    const low = this.read(COMMON + 4, 4);
    this.write(COMMON, 4, 1);
    return BigInt(low) | (BigInt(this.read(COMMON + 4, 4)) << 32n);
  }

  /** The whole of virtio 1.0 §3.1.1 with every queue at `size`. */
  start(features = this.offered, size = 8): void {
    this.write(COMMON + 0x14, 1, 0);
    this.write(COMMON + 0x14, 1, 1);
    this.write(COMMON + 0x14, 1, 3);
    for (const select of [0, 1]) {
      this.write(COMMON + 8, 4, select);
      this.write(COMMON + 0xc, 4, Number((features >> BigInt(32 * select)) & 0xffff_ffffn));
    }
    this.write(COMMON + 0x14, 1, 0xb);
    const queues = this.read(COMMON + 0x12, 2);
    for (let queue = 0; queue < queues; queue++) {
      this.write(COMMON + 0x16, 2, queue);
      this.write(COMMON + 0x18, 2, size);
      if (this.pci.msix!.enabled) this.write(COMMON + 0x1a, 2, 1);
      for (const [index, register] of [0x20, 0x28, 0x30].entries()) {
        this.write(COMMON + register, 4, this.#queueBase(queue) + 0x1000 * index);
        this.write(COMMON + register + 4, 4, 0);
      }
      this.write(COMMON + 0x1c, 2, 1);
    }
    this.write(COMMON + 0x14, 1, 0xf);
    this.clock.advance(2_000);
  }

  /** Enables MSI-X with vector n sending 0x40 + n. */
  enableMsix(): void {
    for (let vector = 0; vector < this.pci.msix!.vectors; vector++) {
      const table = this.pci.msix!.table;
      table.write(16 * vector, 4, 0xfee0_0000);
      table.write(16 * vector + 8, 4, 0x40 + vector);
      table.write(16 * vector + 12, 4, 0);
    }
    const { offset } = this.pci.registers.map.registers['MSIX.CONTROL'];
    this.pci.writeConfig(offset, 2, 0x8000);
  }

  /** Makes a buffer available without notifying; returns the addresses of its writable parts. */
  add(queue: number, buffer: Buffer, indirect = false): readonly number[] {
    const base = this.#queueBase(queue);
    const parts: { address: number; byteLength: number; write: boolean }[] = [];
    for (const bytes of buffer.out ?? []) {
      const address = this.#allocate(bytes.length);
      this.memory.bytes.set(bytes, address);
      parts.push({ address, byteLength: bytes.length, write: false });
    }
    for (const byteLength of buffer.in ?? [])
      parts.push({ address: this.#allocate(byteLength), byteLength, write: true });
    const size = this.#size(queue);
    let head = this.#descriptors.get(queue) ?? 0;
    const writeTable = (table: number, first: number, limit: number) => {
      for (const [index, part] of parts.entries()) {
        const at = table + 16 * ((first + index) % limit);
        const last = index === parts.length - 1;
        this.#view.setUint32(at, part.address, true);
        this.#view.setUint32(at + 4, 0, true);
        this.#view.setUint32(at + 8, part.byteLength, true);
        this.#view.setUint16(at + 12, (part.write ? 2 : 0) | (last ? 0 : 1), true);
        this.#view.setUint16(at + 14, (first + index + 1) % limit, true);
      }
    };
    if (indirect) {
      const table = this.#allocate(16 * parts.length);
      writeTable(table, 0, parts.length + 1);
      const at = base + 16 * head;
      this.#view.setUint32(at, table, true);
      this.#view.setUint32(at + 4, 0, true);
      this.#view.setUint32(at + 8, 16 * parts.length, true);
      this.#view.setUint16(at + 12, 4, true);
      this.#descriptors.set(queue, (head + 1) % size);
    } else {
      writeTable(base, head, size);
      this.#descriptors.set(queue, (head + parts.length) % size);
    }
    head %= size;
    const index = this.#available.get(queue) ?? 0;
    this.#view.setUint16(base + 0x1000 + 4 + 2 * (index % size), head, true);
    this.#available.set(queue, (index + 1) & 0xffff);
    this.#view.setUint16(base + 0x1000 + 2, (index + 1) & 0xffff, true);
    return parts.filter((part) => part.write).map((part) => part.address);
  }

  notify(queue: number): void {
    this.write(NOTIFY + 4 * queue, 2, queue);
    this.clock.advance(2_000);
  }

  /** Adds a buffer, notifies, and returns what the device wrote: the concatenated writable parts, cut at the used length. */
  exchange(queue: number, buffer: Buffer, indirect = false): Uint8Array {
    const writable = this.add(queue, buffer, indirect);
    this.notify(queue);
    const used = this.takeUsed(queue);
    if (used === undefined) throw new Error('the buffer did not come back');
    const all: number[] = [];
    for (const [index, address] of writable.entries())
      all.push(...this.memory.bytes.subarray(address, address + (buffer.in?.[index] ?? 0)));
    return Uint8Array.from(all).subarray(0, used);
  }

  /** Length of the next used buffer, or undefined. */
  takeUsed(queue: number): number | undefined {
    const base = this.#queueBase(queue) + 0x2000;
    const taken = this.#used.get(queue) ?? 0;
    if (this.#view.getUint16(base + 2, true) === taken) return undefined;
    this.#used.set(queue, (taken + 1) & 0xffff);
    return this.#view.getUint32(base + 4 + 8 * (taken % this.#size(queue)) + 4, true);
  }

  /** Address of a ring's part: 0 descriptors, 1 available, 2 used. */
  ring(queue: number, part: 0 | 1 | 2): number {
    return this.#queueBase(queue) + 0x1000 * part;
  }

  get view(): DataView {
    return this.#view;
  }

  #size(queue: number): number {
    return this.pci.queues[queue].size;
  }

  #queueBase(queue: number): number {
    return 0x4000 + QUEUE_BYTES * queue;
  }

  #allocate(byteLength: number): number {
    const address = this.#data;
    this.#data += (byteLength + 15) & ~15;
    if (this.#data > this.memory.bytes.length) this.#data = DATA;
    return address;
  }
}
