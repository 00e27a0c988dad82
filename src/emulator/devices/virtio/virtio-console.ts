import type { ByteSink, ByteSource } from '../../machine/ports.ts';
import { plain, RO, RW } from '../../registers/declaration.ts';
import { RegisterFile } from '../../registers/register-file.ts';
import { registerBlock } from '../../registers/register-map.ts';
import type { DescriptorChain } from './split-virtqueue.ts';
import type { VirtioDevice, VirtioTransport } from './virtio-device.ts';

const QUEUE_SIZE = 128;
const PIECE_BYTES = 4096;
/** Queues of port 0 (virtio 1.0 §5.3.2). */
const QUEUE = { RECEIVE: 0, TRANSMIT: 1 } as const;

/** Feature bits (virtio 1.0 §5.3.3). */
export const VIRTIO_CONSOLE_F = { EMERG_WRITE: 1n << 2n } as const;

/** Device configuration (virtio 1.0 §5.3.4). */
export const VIRTIO_CONSOLE_CONFIG = registerBlock('virtio-console configuration', 12, {
  COLS: plain(0, 2, RO),
  ROWS: plain(2, 2, RO),
  MAX_NR_PORTS: plain(4, 4, RO, 1),
  EMERG_WR: plain(8, 4, RW),
});

/** virtio-console with its one port, a console (virtio 1.0 §5.3). No multiport: port 0 is all there is. */
export class VirtioConsole implements VirtioDevice {
  readonly features = VIRTIO_CONSOLE_F.EMERG_WRITE;
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE];
  readonly config = new RegisterFile(VIRTIO_CONSOLE_CONFIG);
  readonly #sink: ByteSink;
  readonly #source: ByteSource | undefined;
  #transport: VirtioTransport | undefined;

  constructor(sink: ByteSink, source?: ByteSource) {
    this.#sink = sink;
    this.#source = source;
  }

  connect(transport: VirtioTransport): void {
    this.#transport = transport;
    this.#source?.onData(() => this.#receive());
  }

  reset(): void {
    this.config.reset();
  }

  configWritten(touched: readonly string[]): void {
    if (!touched.includes('EMERG_WR')) return;
    this.#sink.write(this.config.get('EMERG_WR') & 0xff);
  }

  serveQueue(index: number): void {
    if (index === QUEUE.TRANSMIT) this.#transmit();
    else this.#receive();
  }

  #transmit(): void {
    const transport = this.#transport!;
    const queue = transport.queues[QUEUE.TRANSMIT];
    for (let chain = queue.pop(); chain; chain = queue.pop()) {
      this.#send(chain);
      queue.push(chain, 0);
    }
    transport.buffersUsed(QUEUE.TRANSMIT);
  }

  /** In pieces: a guest may name any length. Ends at the first one that DMA refuses. */
  #send(chain: DescriptorChain): void {
    const piece = new Uint8Array(PIECE_BYTES);
    for (let offset = 0; ; offset += PIECE_BYTES) {
      const count = chain.read(offset, piece);
      for (let index = 0; index < count; index++) this.#sink.write(piece[index]);
      if (count < PIECE_BYTES) return;
    }
  }

  /** Moves waiting bytes into the driver's buffers; what finds none stays in the source. */
  #receive(): void {
    const transport = this.#transport!;
    const queue = transport.queues[QUEUE.RECEIVE];
    if (!this.#source || !transport.driverReady) return;
    while (queue.available > 0) {
      const first = this.#source.read();
      if (first < 0) break;
      const chain = queue.pop();
      if (!chain) break;
      const bytes = [first];
      const room = chain.writableBytes;
      while (bytes.length < room) {
        const byte = this.#source.read();
        if (byte < 0) break;
        bytes.push(byte);
      }
      queue.push(chain, Math.max(0, chain.write(0, Uint8Array.from(bytes))));
    }
    transport.buffersUsed(QUEUE.RECEIVE);
  }
}
