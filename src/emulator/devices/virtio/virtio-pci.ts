import { AlarmSlot } from '../../machine/alarm-slot.ts';
import type { PciFunctionConfig } from '../../machine/config.ts';
import { DEVICE_CATALOG } from '../../machine/device-catalog.ts';
import type { AccessSize, AlarmState, BusTarget } from '../../machine/ports.ts';
import { endpointExpressCapability } from '../../pci/capabilities/express.ts';
import { msixCapability } from '../../pci/capabilities/msix.ts';
import { POWER_MANAGEMENT_CAPABILITY } from '../../pci/capabilities/power-management.ts';
import { QEMU_SUBSYSTEM, type0Header } from '../../pci/config-header.ts';
import { type Capability, configSpace, type Placed } from '../../pci/config-space.ts';
import { PciFunction, type PciFunctionDeclaration, type PciPorts } from '../../pci/function.ts';
import type { RegisterSnapshot } from '../../registers/register-file.ts';
import type { ModelContext } from '../model-context.ts';
import { CommonConfig, type CommonConfigState } from './common-config.ts';
import {
  NO_VECTOR,
  NOTIFY_MULTIPLIER,
  VIRTIO_BAR,
  VIRTIO_CAPABILITIES,
  VIRTIO_ISR,
  VIRTIO_MSIX,
  VIRTIO_REGIONS,
  VIRTIO_STATUS,
} from './registers.ts';
import { SplitVirtqueue, type VirtqueueState } from './split-virtqueue.ts';
import type { VirtioDevice, VirtioTransport } from './virtio-device.ts';

/** From a notification to the work, nanoseconds: the device never works inside the instruction that notifies it. */
const NOTIFY_LATENCY = 1_000;

/** The chain from its end to its start, at QEMU's offsets: they differ behind a port, where two capabilities come first. */
function capabilityChain(vectors: number, behindExpressPort: boolean): readonly Placed<Capability>[] {
  const first = behindExpressPort ? 0x84 : 0x40;
  const { COMMON, ISR, DEVICE, NOTIFY, PCI } = VIRTIO_CAPABILITIES;
  const chain: Placed<Capability>[] = [
    { offset: first + 0x58, capability: msixCapability({ vectors, ...VIRTIO_MSIX }) },
    { offset: first + 0x44, capability: PCI },
    { offset: first + 0x30, capability: NOTIFY },
    { offset: first + 0x20, capability: DEVICE },
    { offset: first + 0x10, capability: ISR },
    { offset: first, capability: COMMON },
  ];
  if (behindExpressPort) {
    chain.push({ offset: 0x7c, capability: POWER_MANAGEMENT_CAPABILITY });
    chain.push({ offset: 0x40, capability: endpointExpressCapability({ functionLevelReset: true }) });
  }
  return chain;
}

function declaration(config: PciFunctionConfig, context: ModelContext): PciFunctionDeclaration {
  const facts = DEVICE_CATALOG[config.model];
  const map = configSpace(config.model, {
    header: (capabilitiesPointer) =>
      type0Header(
        {
          identity: { ...facts, ...QEMU_SUBSYSTEM },
          bars: config.bars,
          interruptPin: config.interruptPin,
          multifunction: context.multifunction,
        },
        capabilitiesPointer,
      ),
    capabilities: capabilityChain(facts.msixVectors, context.behindExpressPort),
    express: context.expressBus,
  });
  return { config: map, bars: config.bars, msix: { vectors: facts.msixVectors, ...VIRTIO_MSIX } };
}

interface VirtioPciState {
  readonly isr: number;
  readonly common: CommonConfigState;
  readonly queues: readonly { readonly ring: VirtqueueState; readonly notified?: AlarmState }[];
  readonly config: RegisterSnapshot;
  readonly device?: unknown;
}

/** A virtio device on PCI, modern interface only (virtio 1.0 §4.1): its structures lie in BAR 4, MSI-X in BAR 1. */
export class VirtioPciFunction extends PciFunction implements VirtioTransport {
  readonly queues: readonly SplitVirtqueue[];
  readonly #device: VirtioDevice;
  readonly #common: CommonConfig;
  /** Work that a notification put off, by queue. */
  readonly #notified: readonly AlarmSlot[];
  #isr = 0;

  constructor(config: PciFunctionConfig, context: ModelContext, ports: PciPorts, device: VirtioDevice) {
    super(declaration(config, context), ports);
    this.#device = device;
    this.queues = device.queueSizes.map((size) => new SplitVirtqueue(size, this.dma));
    this.#notified = this.queues.map((_, index) => new AlarmSlot(ports.clock, () => this.#serve(index)));
    this.#common = new CommonConfig(device.features, this.queues, this.msix!.vectors, {
      resetDevice: () => this.#resetDevice(),
      driverReady: () => {
        for (let index = 0; index < this.queues.length; index++) this.#notify(index);
      },
    });
    device.connect(this);
    this.#mapRegions();
  }

  get features(): bigint {
    return this.#common.features;
  }

  get driverReady(): boolean {
    return (this.#common.status & VIRTIO_STATUS.DRIVER_OK) !== 0;
  }

  buffersUsed(index: number): void {
    const queue = this.queues[index];
    if (queue.wantsInterrupt()) this.#interrupt(VIRTIO_ISR.QUEUE, queue.vector);
    if (queue.fault !== undefined) this.#fail(index, queue.fault);
  }

  configChanged(): void {
    this.#common.generation = (this.#common.generation + 1) & 0xff;
    this.#interrupt(VIRTIO_ISR.CONFIG, this.#common.configVector);
  }

  override readConfig(offset: number, size: AccessSize): number {
    if (this.#touchesWindow(offset, size)) this.#readWindow();
    return super.readConfig(offset, size);
  }

  protected override onConfigWrite(touched: readonly string[]): boolean {
    if (touched.includes('VIRTIO_PCI.DATA')) this.#writeWindow();
    return false;
  }

  protected override onReset(): void {
    this.#common.reset();
    this.#resetDevice();
  }

  protected override snapshotDevice(): VirtioPciState {
    return {
      isr: this.#isr,
      common: this.#common.snapshot(),
      queues: this.queues.map((queue, index) => ({
        ring: queue.snapshot(),
        notified: this.#notified[index].snapshot(),
      })),
      config: this.#device.config.snapshot(),
      device: this.#device.snapshot?.(),
    };
  }

  protected override restoreDevice(state: VirtioPciState): void {
    this.#isr = state.isr;
    this.#common.restore(state.common);
    for (const [index, queue] of this.queues.entries()) {
      queue.restore(state.queues[index].ring);
      this.#notified[index].restore(state.queues[index].notified);
    }
    this.#device.config.restore(state.config);
    this.#device.restore?.(state.device);
  }

  #resetDevice(): void {
    for (const notified of this.#notified) notified.cancel();
    for (const queue of this.queues) queue.reset();
    this.#isr = 0;
    this.setInterrupt(false);
    this.#device.reset();
  }

  #interrupt(cause: number, vector: number): void {
    this.#isr |= cause;
    if (this.msix!.enabled) {
      if (vector !== NO_VECTOR) this.msix!.send(vector);
    } else this.setInterrupt(true);
  }

  /** Device status says that only a reset helps (virtio 1.0 §2.1.2). */
  #fail(index: number, fault: string): void {
    if (this.#common.status & VIRTIO_STATUS.NEEDS_RESET) return;
    this.ports.log.guestError(`${this.name} queue ${index}`, fault);
    this.#common.status |= VIRTIO_STATUS.NEEDS_RESET;
    if (this.driverReady) this.configChanged();
  }

  #notify(index: number): void {
    if (index >= this.queues.length || this.#notified[index].armed) return;
    this.#notified[index].arm(this.ports.clock.now() + NOTIFY_LATENCY);
  }

  #serve(index: number): void {
    if (!this.driverReady || !this.queues[index].enabled) return;
    this.#device.serveQueue(index);
    const { fault } = this.queues[index];
    if (fault !== undefined) this.#fail(index, fault);
  }

  #mapRegions(): void {
    const { COMMON, ISR, DEVICE, NOTIFY } = VIRTIO_REGIONS;
    const isr: BusTarget = { read: () => this.#readIsr(), write() {} };
    const device: BusTarget = {
      read: (offset, size) => (offset < this.#device.config.bytes.length ? this.#device.config.read(offset, size) : 0),
      write: (offset, size, value) => {
        const touched = this.#device.config.write(offset, size, value);
        this.#device.configWritten?.(touched);
      },
    };
    const notify: BusTarget = {
      read: () => 0,
      write: (offset) => this.#notify(Math.floor(offset / NOTIFY_MULTIPLIER)),
    };
    this.mapBar(VIRTIO_BAR, this.#common, COMMON.offset, COMMON.size);
    this.mapBar(VIRTIO_BAR, isr, ISR.offset, ISR.size);
    this.mapBar(VIRTIO_BAR, device, DEVICE.offset, DEVICE.size);
    this.mapBar(VIRTIO_BAR, notify, NOTIFY.offset, NOTIFY.size);
  }

  /** Reading clears it and takes the interrupt back (virtio 1.0 §4.1.4.5). */
  #readIsr(): number {
    const value = this.#isr;
    this.#isr = 0;
    this.setInterrupt(false);
    return value;
  }

  #touchesWindow(offset: number, size: number): boolean {
    const { offset: at } = this.registers.map.registers['VIRTIO_PCI.DATA'];
    return offset < at + 4 && at < offset + size;
  }

  /** The BAR access that the PCI configuration window names, if it names one (virtio 1.0 §4.1.4.7). */
  #window(): { readonly offset: number; readonly size: AccessSize } | undefined {
    const offset = this.registers.get('VIRTIO_PCI.OFFSET');
    const size = this.registers.get('VIRTIO_PCI.LENGTH');
    if (this.registers.get('VIRTIO_PCI.BAR') !== VIRTIO_BAR) return undefined;
    return (size === 1 || size === 2 || size === 4) && offset % size === 0 ? { offset, size } : undefined;
  }

  #readWindow(): void {
    const window = this.#window();
    if (window) this.registers.set('VIRTIO_PCI.DATA', this.barTarget(VIRTIO_BAR).read(window.offset, window.size));
  }

  #writeWindow(): void {
    const window = this.#window();
    if (!window) return;
    const value = this.registers.get('VIRTIO_PCI.DATA') % 2 ** (8 * window.size);
    this.barTarget(VIRTIO_BAR).write(window.offset, window.size, value);
  }
}
