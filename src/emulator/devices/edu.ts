import { AlarmSlot } from '../machine/alarm-slot.ts';
import type { PciFunctionConfig } from '../machine/config.ts';
import { DEVICE_CATALOG } from '../machine/device-catalog.ts';
import type { AccessSize, AlarmState, BusTarget } from '../machine/ports.ts';
import { MSI_CAPABILITY } from '../pci/capabilities/msi.ts';
import { QEMU_SUBSYSTEM, type0Header } from '../pci/config-header.ts';
import { configSpace } from '../pci/config-space.ts';
import { PciFunction, type PciPorts } from '../pci/function.ts';
import type { ModelContext } from './model-context.ts';

/** Registers in BAR 0, as QEMU's docs/specs/edu lists them. */
const REGISTER = {
  ID: 0x00,
  LIVENESS: 0x04,
  FACTORIAL: 0x08,
  STATUS: 0x20,
  INTERRUPT_STATUS: 0x24,
  INTERRUPT_RAISE: 0x60,
  INTERRUPT_ACKNOWLEDGE: 0x64,
  DMA_SOURCE: 0x80,
  DMA_DESTINATION: 0x88,
  DMA_COUNT: 0x90,
  DMA_COMMAND: 0x98,
} as const;

const ID = 0x0100_00ed;
const STATUS = { COMPUTING: 0x01, INTERRUPT: 0x80 } as const;
const INTERRUPT = { FACTORIAL: 0x001, DMA: 0x100 } as const;
const DMA = { RUN: 0x01, TO_MEMORY: 0x02, INTERRUPT: 0x04, WRITABLE: 0x07 } as const;
/** The device's own memory, as DMA addresses name it. */
const BUFFER = { base: 0x4_0000, size: 0x1000 } as const;
/** Address bits that DMA drives unless `dma_mask` says otherwise. */
const DEFAULT_DMA_MASK = 0x0fff_ffff;
/** How long the device takes, nanoseconds. */
const FACTORIAL_TIME = 1_000;
const DMA_TIME = 100_000;

interface EduState {
  readonly buffer: readonly number[];
  readonly liveness: number;
  readonly factorial: number;
  readonly status: number;
  readonly interrupts: number;
  readonly source: number;
  readonly destination: number;
  readonly count: number;
  readonly command: number;
  readonly factorialDone?: AlarmState;
  readonly transferDue?: AlarmState;
}

/** QEMU's educational device (1234:11e8): factorial, interrupts by INTx or MSI, DMA to and from a buffer. */
export class EduDevice extends PciFunction {
  readonly #buffer = new Uint8Array(BUFFER.size);
  readonly #dmaMask: number;
  #liveness = 0;
  #factorial = 0;
  #status = 0;
  #interrupts = 0;
  #source = 0;
  #destination = 0;
  #count = 0;
  #command = 0;
  /** What is under way. */
  readonly #factorialDone: AlarmSlot;
  readonly #transferDue: AlarmSlot;

  constructor(config: PciFunctionConfig, { multifunction }: ModelContext, ports: PciPorts) {
    const map = configSpace('edu', {
      header: (capabilitiesPointer) =>
        type0Header(
          {
            identity: { ...DEVICE_CATALOG.edu, ...QEMU_SUBSYSTEM },
            bars: config.bars,
            interruptPin: config.interruptPin,
            multifunction,
          },
          capabilitiesPointer,
        ),
      capabilities: [{ offset: 0x40, capability: MSI_CAPABILITY }],
    });
    super({ config: map, bars: config.bars }, ports);
    this.#dmaMask = config.options.dma_mask === undefined ? DEFAULT_DMA_MASK : Number(config.options.dma_mask);
    const registers: BusTarget = {
      read: (offset, size) => this.#read(offset, size),
      write: (offset, size, value) => this.#write(offset, size, value),
    };
    this.mapBar(0, registers);
    this.#factorialDone = new AlarmSlot(ports.clock, () => this.#finishFactorial());
    this.#transferDue = new AlarmSlot(ports.clock, () => this.#transfer());
  }

  protected override onReset(): void {
    this.#factorialDone.cancel();
    this.#transferDue.cancel();
    this.#liveness = 0;
    this.#factorial = 0;
    this.#status = 0;
    this.#interrupts = 0;
    this.#source = 0;
    this.#destination = 0;
    this.#count = 0;
    this.#command = 0;
  }

  protected override snapshotDevice(): EduState {
    return {
      buffer: [...this.#buffer],
      liveness: this.#liveness,
      factorial: this.#factorial,
      status: this.#status,
      interrupts: this.#interrupts,
      source: this.#source,
      destination: this.#destination,
      count: this.#count,
      command: this.#command,
      factorialDone: this.#factorialDone.snapshot(),
      transferDue: this.#transferDue.snapshot(),
    };
  }

  protected override restoreDevice(state: EduState): void {
    this.#buffer.set(state.buffer);
    this.#liveness = state.liveness;
    this.#factorial = state.factorial;
    this.#status = state.status;
    this.#interrupts = state.interrupts;
    this.#source = state.source;
    this.#destination = state.destination;
    this.#count = state.count;
    this.#command = state.command;
    this.#factorialDone.restore(state.factorialDone);
    this.#transferDue.restore(state.transferDue);
  }

  #read(offset: number, size: AccessSize): number {
    if (size !== 4) return size === 2 ? 0xffff : 0xff;
    switch (offset) {
      case REGISTER.ID:
        return ID;
      case REGISTER.LIVENESS:
        return this.#liveness;
      case REGISTER.FACTORIAL:
        return this.#factorial;
      case REGISTER.STATUS:
        return this.#status;
      case REGISTER.INTERRUPT_STATUS:
        return this.#interrupts;
      case REGISTER.DMA_SOURCE:
        return this.#source % 2 ** 32;
      case REGISTER.DMA_SOURCE + 4:
        return Math.floor(this.#source / 2 ** 32);
      case REGISTER.DMA_DESTINATION:
        return this.#destination % 2 ** 32;
      case REGISTER.DMA_DESTINATION + 4:
        return Math.floor(this.#destination / 2 ** 32);
      case REGISTER.DMA_COUNT:
        return this.#count;
      case REGISTER.DMA_COMMAND:
        return this.#command;
      default:
        return 0xffff_ffff;
    }
  }

  #write(offset: number, size: AccessSize, value: number): void {
    if (size !== 4) return;
    switch (offset) {
      case REGISTER.LIVENESS:
        this.#liveness = ~value >>> 0;
        break;
      case REGISTER.FACTORIAL:
        this.#startFactorial(value);
        break;
      case REGISTER.STATUS:
        this.#status = (this.#status & ~STATUS.INTERRUPT) | (value & STATUS.INTERRUPT);
        break;
      case REGISTER.INTERRUPT_RAISE:
        this.#raise(value);
        break;
      case REGISTER.INTERRUPT_ACKNOWLEDGE:
        this.#interrupts = (this.#interrupts & ~value) >>> 0;
        if (this.#interrupts === 0) this.setInterrupt(false);
        break;
      default:
        this.#writeDma(offset, value);
    }
  }

  /** The DMA registers stand still while a transfer runs. An 8-byte write comes as two, low half first. */
  #writeDma(offset: number, value: number): void {
    if (this.#command & DMA.RUN) return;
    switch (offset) {
      case REGISTER.DMA_SOURCE:
        this.#source = value;
        break;
      case REGISTER.DMA_SOURCE + 4:
        this.#source = (this.#source % 2 ** 32) + value * 2 ** 32;
        break;
      case REGISTER.DMA_DESTINATION:
        this.#destination = value;
        break;
      case REGISTER.DMA_DESTINATION + 4:
        this.#destination = (this.#destination % 2 ** 32) + value * 2 ** 32;
        break;
      case REGISTER.DMA_COUNT:
        this.#count = value;
        break;
      case REGISTER.DMA_COMMAND:
        this.#command = value & DMA.WRITABLE;
        if (value & DMA.RUN) this.#transferDue.arm(this.ports.clock.now() + DMA_TIME);
        break;
      default:
        this.ports.log.guestError(`edu ${offset.toString(16)}`, 'write to an offset without a register');
    }
  }

  #startFactorial(operand: number): void {
    // A second operand while one is worked on is lost, as in QEMU.
    if (this.#status & STATUS.COMPUTING) return;
    this.#factorial = operand;
    this.#status |= STATUS.COMPUTING;
    this.#factorialDone.arm(this.ports.clock.now() + FACTORIAL_TIME);
  }

  #finishFactorial(): void {
    let product = 1;
    // 34! is 0 modulo 2^32, and so is every one after it.
    for (let factor = Math.min(this.#factorial, 34); factor > 1; factor--) product = Math.imul(product, factor) >>> 0;
    this.#factorial = product;
    this.#status &= ~STATUS.COMPUTING;
    if (this.#status & STATUS.INTERRUPT) this.#raise(INTERRUPT.FACTORIAL);
  }

  #transfer(): void {
    const toMemory = (this.#command & DMA.TO_MEMORY) !== 0;
    const inside = (toMemory ? this.#source : this.#destination) - BUFFER.base;
    if (inside < 0 || inside + this.#count > BUFFER.size) {
      this.ports.log.guestError('edu dma', `${this.#count} bytes at offset ${inside} lie outside the buffer`);
    } else {
      const piece = this.#buffer.subarray(inside, inside + this.#count);
      if (toMemory) this.dma.write(this.#masked(this.#destination), piece);
      else this.dma.read(this.#masked(this.#source), piece);
    }
    this.#command &= ~DMA.RUN;
    if (this.#command & DMA.INTERRUPT) this.#raise(INTERRUPT.DMA);
  }

  #masked(address: number): number {
    return Number(BigInt(address) & BigInt(this.#dmaMask));
  }

  #raise(bits: number): void {
    this.#interrupts = (this.#interrupts | bits) >>> 0;
    if (this.#interrupts === 0) return;
    if (!this.msi!.send()) this.setInterrupt(true);
  }
}
