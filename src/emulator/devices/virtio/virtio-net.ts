import type { Clock, NetworkBackend } from '../../machine/ports.ts';
import { bits, plain, type Registers, RO, reg16 } from '../../registers/declaration.ts';
import { RegisterFile } from '../../registers/register-file.ts';
import { registerBlock } from '../../registers/register-map.ts';
import type { VirtioDevice, VirtioTransport } from './virtio-device.ts';

const QUEUE_SIZE = 256;
const QUEUE = { RECEIVE: 0, TRANSMIT: 1 } as const;
/** virtio_net_hdr with num_buffers, which version 1 always has (virtio 1.0 §5.1.6). */
const HEADER_BYTES = 12;
const NUM_BUFFERS_OFFSET = 10;
/** Without offloads no frame comes near it; a longer one is dropped. */
const LONGEST_FRAME = 0x1_0000;
/** Frames that wait for a receive buffer; more are dropped, as on a wire. */
const BACKLOG = 256;

/** Feature bits (virtio 1.0 §5.1.3). */
export const VIRTIO_NET_F = { MAC: 1n << 5n, STATUS: 1n << 16n } as const;

/** Device configuration (virtio 1.0 §5.1.4). */
export const VIRTIO_NET_CONFIG = registerBlock('virtio-net configuration', 10, {
  ...macRegisters(),
  STATUS: reg16(6, { LINK_UP: bits(0, 0, RO, 1), ANNOUNCE: bits(1, 1, RO) }),
  MAX_VIRTQUEUE_PAIRS: plain(8, 2, RO, 1),
});

function macRegisters(): Registers {
  return Object.fromEntries([0, 1, 2, 3, 4, 5].map((index) => [`MAC${index}`, plain(index, 1, RO)]));
}

interface VirtioNetState {
  /** Frames that wait for a receive buffer. */
  readonly backlog: readonly (readonly number[])[];
  readonly network?: unknown;
}

/** virtio-net: one pair of queues, no offloads (virtio 1.0 §5.1). */
export class VirtioNet implements VirtioDevice {
  readonly features = VIRTIO_NET_F.MAC | VIRTIO_NET_F.STATUS;
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE];
  readonly config = new RegisterFile(VIRTIO_NET_CONFIG);
  readonly #mac: readonly number[];
  readonly #backend: NetworkBackend | undefined;
  readonly #clock: Clock;
  #transport: VirtioTransport | undefined;
  #backlog: Uint8Array[] = [];

  /** `mac` has six bytes. Without a backend the link is down. */
  constructor(mac: readonly number[], backend: NetworkBackend | undefined, clock: Clock) {
    this.#mac = mac;
    this.#backend = backend;
    this.#clock = clock;
    this.reset();
  }

  connect(transport: VirtioTransport): void {
    this.#transport = transport;
    this.#backend?.connect((frame) => this.#arrive(frame), this.#clock);
  }

  reset(): void {
    this.#backlog = [];
    this.config.reset();
    for (const [index, byte] of this.#mac.entries()) this.config.set(`MAC${index}`, byte);
    if (!this.#backend) this.config.setField('STATUS', 'LINK_UP', 0);
  }

  snapshot(): VirtioNetState {
    return { backlog: this.#backlog.map((frame) => [...frame]), network: this.#backend?.snapshot?.() };
  }

  restore(state: VirtioNetState): void {
    this.#backlog = state.backlog.map((frame) => Uint8Array.from(frame));
    if (state.network !== undefined) this.#backend?.restore?.(state.network);
  }

  serveQueue(index: number): void {
    if (index === QUEUE.TRANSMIT) this.#transmit();
    else this.#receive();
  }

  #transmit(): void {
    const transport = this.#transport!;
    const queue = transport.queues[QUEUE.TRANSMIT];
    for (let chain = queue.pop(); chain; chain = queue.pop()) {
      const byteLength = chain.readableBytes - HEADER_BYTES;
      if (byteLength > 0 && byteLength <= LONGEST_FRAME) {
        const frame = new Uint8Array(byteLength);
        if (chain.read(HEADER_BYTES, frame) === byteLength) this.#backend?.transmit(frame);
      }
      queue.push(chain, 0);
    }
    transport.buffersUsed(QUEUE.TRANSMIT);
  }

  #arrive(frame: Uint8Array): void {
    if (!this.#transport?.driverReady || this.#backlog.length >= BACKLOG) return;
    this.#backlog.push(frame);
    this.#receive();
  }

  #receive(): void {
    const transport = this.#transport!;
    const queue = transport.queues[QUEUE.RECEIVE];
    while (this.#backlog.length > 0) {
      const chain = queue.pop();
      if (!chain) break;
      const frame = this.#backlog.shift()!;
      const packet = new Uint8Array(HEADER_BYTES + frame.length);
      packet[NUM_BUFFERS_OFFSET] = 1;
      packet.set(frame, HEADER_BYTES);
      // Without mergeable buffers a frame that does not fit is lost.
      const fits = chain.writableBytes >= packet.length;
      queue.push(chain, fits ? Math.max(0, chain.write(0, packet)) : 0);
    }
    transport.buffersUsed(QUEUE.RECEIVE);
  }
}
