import type { RegisterFile } from '../../registers/register-file.ts';
import type { SplitVirtqueue } from './split-virtqueue.ts';

/** What a device type may do with its transport. */
export interface VirtioTransport {
  readonly queues: readonly SplitVirtqueue[];
  /** Features that the driver accepted. */
  readonly features: bigint;
  /** The driver has set DRIVER_OK. */
  readonly driverReady: boolean;
  /** Interrupts for buffers given back on queue `index`, if the driver wants to know. */
  buffersUsed(index: number): void;
  /** The device configuration has changed. */
  configChanged(): void;
}

/** A virtio device type apart from its transport (virtio 1.0 §5): features, queues and configuration. */
export interface VirtioDevice {
  /** Offered besides those of rings and transport. */
  readonly features: bigint;
  /** Largest size of each queue. */
  readonly queueSizes: readonly number[];
  /** Device configuration structure. */
  readonly config: RegisterFile;
  /** Called once, before anything else. */
  connect(transport: VirtioTransport): void;
  /** The driver made buffers available on queue `index`, or DRIVER_OK came while some were. */
  serveQueue(index: number): void;
  /** The driver wrote these registers of the configuration. */
  configWritten?(touched: readonly string[]): void;
  reset(): void;
  /** What it keeps beyond queues and configuration; JSON. */
  snapshot?(): unknown;
  restore?(state: unknown): void;
}
