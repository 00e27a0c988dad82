import type { BarConfig, PciFunctionConfig } from '../../machine/config.ts';
import { DEVICE_CATALOG } from '../../machine/device-catalog.ts';
import type { BusTarget } from '../../machine/ports.ts';
import { endpointExpressCapability } from '../../pci/capabilities/express.ts';
import { MSI_CAPABILITY } from '../../pci/capabilities/msi.ts';
import { msixCapability } from '../../pci/capabilities/msix.ts';
import { POWER_MANAGEMENT_CAPABILITY } from '../../pci/capabilities/power-management.ts';
import { QEMU_SUBSYSTEM, type0Header } from '../../pci/config-header.ts';
import { type Capability, configSpace, type Placed } from '../../pci/config-space.ts';
import { PciFunction, type PciFunctionDeclaration, type PciPorts } from '../../pci/function.ts';
import type { ModelContext } from '../model-context.ts';
import {
  TESTDEV,
  TESTDEV_BUFFER,
  TESTDEV_DMA,
  TESTDEV_DMA_STATUS,
  TESTDEV_ID,
  TESTDEV_MINIMUM_BAR,
  TESTDEV_MSIX,
} from './registers.ts';
import { SparseStorage } from './sparse-storage.ts';

const FACTS = DEVICE_CATALOG['q35-testdev'];

/** The BAR that carries the registers, or undefined when the board gives the device none that is large enough. */
function registerBar(bars: readonly BarConfig[]): BarConfig | undefined {
  const first = bars.find(({ kind }) => kind !== 'io');
  return first !== undefined && first.size >= TESTDEV_MINIMUM_BAR ? first : undefined;
}

function declaration(config: PciFunctionConfig, context: ModelContext): PciFunctionDeclaration {
  const bar = registerBar(config.bars);
  const msix = bar === undefined ? undefined : { vectors: FACTS.msixVectors, bar: bar.index, ...TESTDEV_MSIX };
  const capabilities: Placed<Capability>[] = [{ offset: 0x40, capability: POWER_MANAGEMENT_CAPABILITY }];
  if (bar !== undefined) capabilities.push({ offset: 0x50, capability: MSI_CAPABILITY });
  if (msix !== undefined) capabilities.push({ offset: 0x60, capability: msixCapability(msix) });
  if (context.behindExpressPort) {
    capabilities.push({ offset: 0x70, capability: endpointExpressCapability({ functionLevelReset: true }) });
  }
  const map = configSpace('q35-testdev', {
    header: (capabilitiesPointer) =>
      type0Header(
        {
          identity: { ...FACTS, ...QEMU_SUBSYSTEM },
          bars: config.bars,
          interruptPin: config.interruptPin,
          multifunction: context.multifunction,
        },
        capabilitiesPointer,
      ),
    capabilities,
    express: context.expressBus,
  });
  return { config: map, bars: config.bars, msix };
}

interface TestDeviceState {
  /** Written pages by BAR. */
  readonly storage: readonly (readonly [number, ReturnType<SparseStorage['snapshot']>])[];
  readonly buffer: readonly number[];
  readonly words: readonly number[];
}

/** This project's own test device: BARs of any kind and size, storage behind them, DMA, and interrupts of all three sorts. */
export class Q35TestDevice extends PciFunction {
  readonly #storage = new Map<number, SparseStorage>();
  readonly #buffer = new Uint8Array(TESTDEV_BUFFER.size);
  readonly #words = new Uint32Array(TESTDEV.END / 4);

  constructor(config: PciFunctionConfig, context: ModelContext, ports: PciPorts) {
    super(declaration(config, context), ports);
    const carrier = registerBar(config.bars);
    if (carrier !== undefined) {
      const registers: BusTarget = {
        read: (offset, size) => (offset % 4 === 0 && size === 4 ? this.#read(offset) : 0),
        write: (offset, size, value) => {
          if (offset % 4 === 0 && size === 4) this.#write(offset, value);
        },
      };
      this.mapBar(carrier.index, registers, 0, TESTDEV.END);
      this.mapBar(carrier.index, bytesTarget(this.#buffer), TESTDEV_BUFFER.offset, TESTDEV_BUFFER.size);
    }
    for (const { index } of config.bars) {
      const storage = new SparseStorage();
      this.#storage.set(index, storage);
      this.mapBar(index, storage);
    }
  }

  protected override onReset(): void {
    for (const storage of this.#storage.values()) storage.clear();
    this.#buffer.fill(0);
    this.#words.fill(0);
  }

  protected override snapshotDevice(): TestDeviceState {
    return {
      storage: [...this.#storage.entries()].map(([index, storage]) => [index, storage.snapshot()] as const),
      buffer: [...this.#buffer],
      words: [...this.#words],
    };
  }

  protected override restoreDevice(state: TestDeviceState): void {
    for (const [index, pages] of state.storage) this.#storage.get(index)?.restore(pages);
    this.#buffer.set(state.buffer);
    this.#words.set(state.words);
  }

  #word(register: number): number {
    return this.#words[register / 4];
  }

  #read(register: number): number {
    return register === TESTDEV.ID ? TESTDEV_ID : this.#word(register);
  }

  #write(register: number, value: number): void {
    switch (register) {
      case TESTDEV.LIVENESS:
        this.#words[register / 4] = ~value;
        break;
      case TESTDEV.DMA_COMMAND:
        this.#transfer(value);
        break;
      case TESTDEV.INTERRUPT_RAISE:
        this.#raise(value & 0xff);
        break;
      case TESTDEV.INTERRUPT_ACKNOWLEDGE:
        this.#words[TESTDEV.INTERRUPT_STATUS / 4] = 0;
        this.setInterrupt(false);
        break;
      case TESTDEV.ID:
      case TESTDEV.DMA_STATUS:
      case TESTDEV.INTERRUPT_STATUS:
        break;
      default:
        this.#words[register / 4] = value;
    }
  }

  #transfer(command: number): void {
    const offset = this.#word(TESTDEV.DMA_OFFSET);
    const count = this.#word(TESTDEV.DMA_COUNT);
    const address = this.#word(TESTDEV.DMA_ADDRESS_HIGH) * 2 ** 32 + this.#word(TESTDEV.DMA_ADDRESS);
    let done = false;
    if (offset + count > TESTDEV_BUFFER.size) {
      this.ports.log.guestError('q35-testdev dma', `${count} bytes at ${offset} lie outside the buffer`);
    } else {
      const piece = this.#buffer.subarray(offset, offset + count);
      if (command & TESTDEV_DMA.FROM_MEMORY) done = this.dma.read(address, piece);
      if (command & TESTDEV_DMA.TO_MEMORY) done = this.dma.write(address, piece);
    }
    this.#words[TESTDEV.DMA_STATUS / 4] = done ? TESTDEV_DMA_STATUS.DONE : TESTDEV_DMA_STATUS.ABORTED;
    if (command & TESTDEV_DMA.INTERRUPT) this.#raise(0);
  }

  #raise(vector: number): void {
    if (this.msix!.send(vector) || this.msi!.send()) return;
    this.#words[TESTDEV.INTERRUPT_STATUS / 4] = 1;
    this.setInterrupt(true);
  }
}

function bytesTarget(bytes: Uint8Array): BusTarget {
  return {
    read: (offset, size) => {
      let value = 0;
      for (let index = size - 1; index >= 0; index--) value = value * 0x100 + bytes[offset + index];
      return value;
    },
    write: (offset, size, value) => {
      for (let index = 0; index < size; index++) bytes[offset + index] = value >>> (8 * index);
    },
  };
}
