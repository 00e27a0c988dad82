import type { EntropySource } from '../../machine/ports.ts';
import { RegisterFile } from '../../registers/register-file.ts';
import { registerBlock } from '../../registers/register-map.ts';
import type { VirtioDevice, VirtioTransport } from './virtio-device.ts';

const QUEUE_SIZE = 8;
/** Most bytes given for one buffer, however large it is. */
const LARGEST_ANSWER = 4096;

/** virtio-rng: fills the driver's buffers from an entropy source (virtio 1.0 §5.4). No configuration. */
export class VirtioRng implements VirtioDevice {
  readonly features = 0n;
  readonly queueSizes = [QUEUE_SIZE];
  readonly config = new RegisterFile(registerBlock('virtio-rng configuration', 0, {}));
  readonly #source: EntropySource;
  #transport: VirtioTransport | undefined;

  constructor(source: EntropySource) {
    this.#source = source;
  }

  connect(transport: VirtioTransport): void {
    this.#transport = transport;
  }

  reset(): void {}

  snapshot(): unknown {
    return this.#source.snapshot?.();
  }

  restore(state: unknown): void {
    if (state !== undefined) this.#source.restore?.(state);
  }

  serveQueue(index: number): void {
    const transport = this.#transport!;
    const queue = transport.queues[index];
    for (let chain = queue.pop(); chain; chain = queue.pop()) {
      const bytes = new Uint8Array(Math.min(chain.writableBytes, LARGEST_ANSWER));
      this.#source.fill(bytes);
      queue.push(chain, Math.max(0, chain.write(0, bytes)));
    }
    transport.buffersUsed(index);
  }
}
