import { asciiBytes, viewOf } from '../../../shared/bytes.ts';
import type { BlockBackend, DeviceLog } from '../../machine/ports.ts';
import { bits, plain, RO, RW, reg8 } from '../../registers/declaration.ts';
import { RegisterFile } from '../../registers/register-file.ts';
import { registerBlock } from '../../registers/register-map.ts';
import type { DescriptorChain } from './split-virtqueue.ts';
import type { VirtioDevice, VirtioTransport } from './virtio-device.ts';

export const SECTOR_BYTES = 512;
const QUEUE_SIZE = 256;
/** Header: type u32, reserved u32, sector u64 (virtio 1.0 §5.2.6). */
const HEADER_BYTES = 16;
const ID_BYTES = 20;

/** Feature bits (virtio 1.0 §5.2.3). */
export const VIRTIO_BLK_F = {
  SEG_MAX: 1n << 2n,
  GEOMETRY: 1n << 4n,
  RO: 1n << 5n,
  BLK_SIZE: 1n << 6n,
  FLUSH: 1n << 9n,
  TOPOLOGY: 1n << 10n,
  CONFIG_WCE: 1n << 11n,
} as const;

const REQUEST = { IN: 0, OUT: 1, FLUSH: 4, GET_ID: 8 } as const;
const STATUS = { OK: 0, IOERR: 1, UNSUPP: 2 } as const;

/** Device configuration (virtio 1.0 §5.2.4). */
export const VIRTIO_BLK_CONFIG = registerBlock('virtio-blk configuration', 60, {
  CAPACITY: plain(0, 8, RO),
  SIZE_MAX: plain(8, 4, RO),
  SEG_MAX: plain(12, 4, RO, QUEUE_SIZE - 2),
  CYLINDERS: plain(16, 2, RO),
  HEADS: plain(18, 1, RO, 16),
  SECTORS: plain(19, 1, RO, 63),
  BLK_SIZE: plain(20, 4, RO, SECTOR_BYTES),
  PHYSICAL_BLOCK_EXP: plain(24, 1, RO),
  ALIGNMENT_OFFSET: plain(25, 1, RO),
  MIN_IO_SIZE: plain(26, 2, RO, 1),
  OPT_IO_SIZE: plain(28, 4, RO),
  WRITEBACK: reg8(32, { WCE: bits(0, 0, RW, 1) }),
  NUM_QUEUES: plain(34, 2, RO, 1),
});

/** virtio-blk: one request queue over a block backend (virtio 1.0 §5.2). */
export class VirtioBlk implements VirtioDevice {
  readonly features: bigint;
  readonly queueSizes = [QUEUE_SIZE];
  readonly config = new RegisterFile(VIRTIO_BLK_CONFIG);
  readonly #backend: BlockBackend;
  readonly #serial: Uint8Array;
  readonly #log: DeviceLog;
  #transport: VirtioTransport | undefined;

  /** `serial` is what GET_ID answers, cut at 20 characters. */
  constructor(backend: BlockBackend, serial: string, log: DeviceLog) {
    this.#backend = backend;
    this.#serial = asciiBytes(serial, ID_BYTES);
    this.#log = log;
    const { SEG_MAX, GEOMETRY, BLK_SIZE, FLUSH, TOPOLOGY, CONFIG_WCE, RO: READ_ONLY } = VIRTIO_BLK_F;
    this.features = SEG_MAX | GEOMETRY | BLK_SIZE | FLUSH | TOPOLOGY | CONFIG_WCE | (backend.readOnly ? READ_ONLY : 0n);
    this.reset();
  }

  connect(transport: VirtioTransport): void {
    this.#transport = transport;
  }

  reset(): void {
    this.config.reset();
    const sectors = Math.floor(this.#backend.byteLength / SECTOR_BYTES);
    this.config.set('CAPACITY', sectors);
    // QEMU's translation: never fewer than two cylinders.
    this.config.set('CYLINDERS', Math.min(16_383, Math.max(2, Math.floor(sectors / (16 * 63)))));
  }

  serveQueue(index: number): void {
    const transport = this.#transport!;
    const queue = transport.queues[index];
    for (let chain = queue.pop(); chain; chain = queue.pop()) queue.push(chain, this.#serve(chain));
    transport.buffersUsed(index);
  }

  /** Runs one request; returns the bytes written to the driver's buffer, the status byte last among them. */
  #serve(chain: DescriptorChain): number {
    const header = new Uint8Array(HEADER_BYTES);
    const space = chain.writableBytes;
    if (chain.read(0, header) !== HEADER_BYTES || space < 1) {
      this.#log.guestError('virtio-blk request', 'a request without header or status byte');
      return 0;
    }
    const view = viewOf(header);
    const offset = (view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32) * SECTOR_BYTES;
    const data = space - 1;
    const [status, written] = this.#run(view.getUint32(0, true), chain, offset, data);
    chain.write(data, Uint8Array.of(status));
    return written + 1;
  }

  /** Status and bytes written before the status byte. */
  #run(type: number, chain: DescriptorChain, offset: number, space: number): readonly [number, number] {
    switch (type) {
      case REQUEST.IN: {
        if (!this.#inRange(offset, space)) return [STATUS.IOERR, 0];
        const bytes = new Uint8Array(space);
        this.#backend.read(offset, bytes);
        return chain.write(0, bytes) === space ? [STATUS.OK, space] : [STATUS.IOERR, 0];
      }
      case REQUEST.OUT: {
        const byteLength = chain.readableBytes - HEADER_BYTES;
        if (this.#backend.readOnly || !this.#inRange(offset, byteLength)) return [STATUS.IOERR, 0];
        const bytes = new Uint8Array(byteLength);
        if (chain.read(HEADER_BYTES, bytes) !== bytes.length) return [STATUS.IOERR, 0];
        this.#backend.write(offset, bytes);
        // Without the write cache every write is on the medium when it is reported.
        if (this.config.field('WRITEBACK', 'WCE') === 0) this.#backend.flush();
        return [STATUS.OK, 0];
      }
      case REQUEST.FLUSH:
        this.#backend.flush();
        return [STATUS.OK, 0];
      case REQUEST.GET_ID: {
        const bytes = this.#serial.subarray(0, space);
        return [STATUS.OK, Math.max(0, chain.write(0, bytes))];
      }
      default:
        return [STATUS.UNSUPP, 0];
    }
  }

  #inRange(offset: number, byteLength: number): boolean {
    if (byteLength % SECTOR_BYTES === 0 && offset + byteLength <= this.#backend.byteLength) return true;
    this.#log.guestError('virtio-blk range', `${byteLength} bytes at ${offset} lie outside the disk`);
    return false;
  }
}
