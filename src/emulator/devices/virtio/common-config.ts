import type { AccessSize, BusTarget } from '../../machine/ports.ts';
import { COMMON, NO_VECTOR, VIRTIO_F, VIRTIO_STATUS } from './registers.ts';
import type { QueueAddresses, SplitVirtqueue } from './split-virtqueue.ts';

/** What the common configuration sets off. */
export interface CommonConfigEvents {
  /** The driver wrote 0 to the device status. */
  resetDevice(): void;
  /** The driver has just set DRIVER_OK. */
  driverReady(): void;
}

const RING_FEATURES = VIRTIO_F.RING_INDIRECT_DESC | VIRTIO_F.RING_EVENT_IDX | VIRTIO_F.VERSION_1;

/** Queue address registers by offset: which part of the queue, and whether the high half. */
const ADDRESS_REGISTERS = new Map<number, readonly [keyof QueueAddresses, boolean]>([
  [COMMON.QUEUE_DESC, ['descriptors', false]],
  [COMMON.QUEUE_DESC + 4, ['descriptors', true]],
  [COMMON.QUEUE_DRIVER, ['driver', false]],
  [COMMON.QUEUE_DRIVER + 4, ['driver', true]],
  [COMMON.QUEUE_DEVICE, ['device', false]],
  [COMMON.QUEUE_DEVICE + 4, ['device', true]],
]);

export interface CommonConfigState {
  readonly status: number;
  readonly generation: number;
  readonly configVector: number;
  readonly accepted: string;
  readonly deviceFeatureSelect: number;
  readonly driverFeatureSelect: number;
  readonly queueSelect: number;
}

/** Common configuration structure of a virtio PCI device (virtio 1.0 §4.1.4.3): features, status and the queues' registers. */
export class CommonConfig implements BusTarget {
  status = 0;
  generation = 0;
  configVector = NO_VECTOR;
  readonly #offered: bigint;
  readonly #queues: readonly SplitVirtqueue[];
  readonly #vectors: number;
  readonly #events: CommonConfigEvents;
  #accepted = 0n;
  #deviceFeatureSelect = 0;
  #driverFeatureSelect = 0;
  #queueSelect = 0;

  constructor(features: bigint, queues: readonly SplitVirtqueue[], vectors: number, events: CommonConfigEvents) {
    this.#offered = features | RING_FEATURES;
    this.#queues = queues;
    this.#vectors = vectors;
    this.#events = events;
  }

  /** Features that the driver accepted. */
  get features(): bigint {
    return this.#accepted;
  }

  reset(): void {
    this.status = 0;
    this.generation = 0;
    this.configVector = NO_VECTOR;
    this.#accepted = 0n;
    this.#deviceFeatureSelect = 0;
    this.#driverFeatureSelect = 0;
    this.#queueSelect = 0;
  }

  snapshot(): CommonConfigState {
    return {
      status: this.status,
      generation: this.generation,
      configVector: this.configVector,
      accepted: `0x${this.#accepted.toString(16)}`,
      deviceFeatureSelect: this.#deviceFeatureSelect,
      driverFeatureSelect: this.#driverFeatureSelect,
      queueSelect: this.#queueSelect,
    };
  }

  restore(state: CommonConfigState): void {
    this.status = state.status;
    this.generation = state.generation;
    this.configVector = state.configVector;
    this.#accepted = BigInt(state.accepted);
    this.#deviceFeatureSelect = state.deviceFeatureSelect;
    this.#driverFeatureSelect = state.driverFeatureSelect;
    this.#queueSelect = state.queueSelect;
  }

  read(offset: number, size: AccessSize): number {
    const address = ADDRESS_REGISTERS.get(offset);
    if (address) {
      const value = this.#queue?.addresses[address[0]] ?? 0;
      return address[1] ? Math.floor(value / 2 ** 32) : value % 2 ** 32;
    }
    const value = this.#readRegister(offset);
    return size === 4 ? value : value % 2 ** (8 * size);
  }

  write(offset: number, size: AccessSize, value: number): void {
    const address = ADDRESS_REGISTERS.get(offset);
    if (!address) this.#writeRegister(offset, value);
    else if (size === 4) this.#writeAddress(address[0], address[1], value);
  }

  get #queue(): SplitVirtqueue | undefined {
    return this.#queues[this.#queueSelect];
  }

  #readRegister(offset: number): number {
    switch (offset) {
      case COMMON.DEVICE_FEATURE_SELECT:
        return this.#deviceFeatureSelect;
      case COMMON.DEVICE_FEATURE:
        return featureWord(this.#offered, this.#deviceFeatureSelect);
      case COMMON.DRIVER_FEATURE_SELECT:
        return this.#driverFeatureSelect;
      case COMMON.DRIVER_FEATURE:
        return featureWord(this.#accepted, this.#driverFeatureSelect);
      case COMMON.MSIX_CONFIG:
        return this.configVector;
      case COMMON.NUM_QUEUES:
        return this.#queues.length;
      case COMMON.DEVICE_STATUS:
        return this.status;
      case COMMON.CONFIG_GENERATION:
        return this.generation;
      case COMMON.QUEUE_SELECT:
        return this.#queueSelect;
      // A queue that does not exist has size 0 (virtio 1.0 §4.1.5.1.3).
      case COMMON.QUEUE_SIZE:
        return this.#queue?.size ?? 0;
      case COMMON.QUEUE_MSIX_VECTOR:
        return this.#queue?.vector ?? NO_VECTOR;
      case COMMON.QUEUE_ENABLE:
        return this.#queue?.enabled ? 1 : 0;
      case COMMON.QUEUE_NOTIFY_OFF:
        return this.#queueSelect;
      default:
        return 0;
    }
  }

  #writeRegister(offset: number, value: number): void {
    switch (offset) {
      case COMMON.DEVICE_FEATURE_SELECT:
        this.#deviceFeatureSelect = value;
        break;
      case COMMON.DRIVER_FEATURE_SELECT:
        this.#driverFeatureSelect = value;
        break;
      case COMMON.DRIVER_FEATURE:
        this.#acceptFeatures(value);
        break;
      case COMMON.MSIX_CONFIG:
        this.configVector = this.#checkedVector(value);
        break;
      case COMMON.DEVICE_STATUS:
        this.#writeStatus(value & 0xff);
        break;
      case COMMON.QUEUE_SELECT:
        this.#queueSelect = value & 0xffff;
        break;
      default:
        this.#writeQueue(offset, value & 0xffff);
    }
  }

  #writeQueue(offset: number, value: number): void {
    const queue = this.#queue;
    if (!queue) return;
    switch (offset) {
      case COMMON.QUEUE_SIZE:
        // The driver may make it smaller; a power of two (virtio 1.0 §4.1.4.3.2).
        if (value > 0 && value <= queue.maximumSize && (value & (value - 1)) === 0) queue.size = value;
        break;
      case COMMON.QUEUE_MSIX_VECTOR:
        queue.vector = this.#checkedVector(value);
        break;
      case COMMON.QUEUE_ENABLE:
        if (value !== 1) return;
        queue.eventIndex = (this.#accepted & VIRTIO_F.RING_EVENT_IDX) !== 0n;
        queue.enabled = true;
        break;
    }
  }

  #writeAddress(part: keyof QueueAddresses, high: boolean, value: number): void {
    const addresses = this.#queue?.addresses;
    if (!addresses) return;
    const old = addresses[part];
    addresses[part] = high ? (old % 2 ** 32) + value * 2 ** 32 : Math.floor(old / 2 ** 32) * 2 ** 32 + value;
  }

  /** A vector beyond the table is refused by reading back as "none" (virtio 1.0 §4.1.5.1.2). */
  #checkedVector(value: number): number {
    return value < this.#vectors ? value : NO_VECTOR;
  }

  #acceptFeatures(value: number): void {
    if (this.#driverFeatureSelect > 1 || this.status & VIRTIO_STATUS.FEATURES_OK) return;
    const shift = BigInt(32 * this.#driverFeatureSelect);
    const others = this.#accepted & ~(0xffff_ffffn << shift);
    this.#accepted = (others | (BigInt(value >>> 0) << shift)) & this.#offered;
  }

  #writeStatus(value: number): void {
    if (value === 0) {
      this.reset();
      this.#events.resetDevice();
      return;
    }
    let status = value | (this.status & VIRTIO_STATUS.NEEDS_RESET);
    // Only drivers of virtio 1.0 are served (virtio 1.0 §6.1).
    if (!(this.#accepted & VIRTIO_F.VERSION_1)) status &= ~VIRTIO_STATUS.FEATURES_OK;
    const ready = (status & ~this.status & VIRTIO_STATUS.DRIVER_OK) !== 0;
    this.status = status;
    if (ready) this.#events.driverReady();
  }
}

function featureWord(features: bigint, select: number): number {
  return select > 1 ? 0 : Number((features >> BigInt(32 * select)) & 0xffff_ffffn);
}
