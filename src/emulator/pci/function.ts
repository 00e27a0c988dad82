import { AddressSpace } from '../bus/address-space.ts';
import type { BarConfig } from '../machine/config.ts';
import type { AccessSize, BusTarget, Clock, DeviceLog, DmaPort, InterruptLine } from '../machine/ports.ts';
import { RegisterFile, type RegisterSnapshot } from '../registers/register-file.ts';
import type { RegisterMap } from '../registers/register-map.ts';
import { Msi } from './capabilities/msi.ts';
import { Msix } from './capabilities/msix.ts';
import { barName } from './config-header.ts';

/** What a PCI function receives: its INTx wire, its way to memory, time and a log. */
export interface PciPorts {
  readonly interrupt: InterruptLine;
  /** Access as the bus sees it; Bus Master Enable is the function's matter (`PciFunction.dma`). */
  readonly dma: DmaPort;
  readonly clock: Clock;
  readonly log: DeviceLog;
}

/** What a config write asks of the machine. */
export interface ConfigEffects {
  /** Address decoding changed: BARs, windows, COMMAND or the power state. */
  readonly remap: boolean;
}

export const NO_EFFECTS: ConfigEffects = { remap: false };
export const REMAP: ConfigEffects = { remap: true };

const RESERVED: BusTarget = { read: () => 0, write() {} };

export interface PciFunctionDeclaration {
  readonly config: RegisterMap;
  readonly bars: readonly BarConfig[];
  /** MSI-X table and pending bits: vectors and where they stand in which BAR; needs an `MSIX` capability in `config`. */
  readonly msix?: {
    readonly vectors: number;
    readonly bar: number;
    readonly tableOffset: number;
    readonly pbaOffset: number;
  };
}

export interface PciFunctionSnapshot {
  readonly config: RegisterSnapshot;
  readonly msix?: ReturnType<Msix['snapshot']>;
  readonly device?: unknown;
}

/**
 * One PCI function: declared config space, BARs, INTx, MSI and MSI-X. A device model extends it, puts its registers behind BARs
 * with `mapBar`, and overrides `onConfigWrite` and `onReset`.
 */
export class PciFunction {
  readonly registers: RegisterFile;
  readonly bars: readonly BarConfig[];
  /** Bus-master access, refused while Bus Master Enable is clear. */
  readonly dma: DmaPort;
  readonly msi: Msi | undefined;
  readonly msix: Msix | undefined;
  protected readonly ports: PciPorts;
  readonly #barSpaces = new Map<number, AddressSpace>();
  #interruptAsserted = false;

  constructor(declaration: PciFunctionDeclaration, ports: PciPorts) {
    this.registers = new RegisterFile(declaration.config);
    this.bars = declaration.bars;
    this.ports = ports;
    this.dma = {
      read: (iova, target) => {
        if (this.busMaster) return ports.dma.read(iova, target);
        target.fill(0xff);
        return false;
      },
      write: (iova, source) => this.busMaster && ports.dma.write(iova, source),
    };
    for (const bar of declaration.bars) {
      const space = new AddressSpace(`${declaration.config.name} BAR${bar.index}`);
      // A claimed address is never a master abort: what has no register reads 0.
      space.mapTarget('reserved', 0, bar.size, RESERVED, { priority: -1 });
      this.#barSpaces.set(bar.index, space);
    }
    this.msi =
      declaration.config.registers['MSI.CONTROL'] === undefined ? undefined : new Msi(this.registers, this.dma);
    this.msix = declaration.msix === undefined ? undefined : this.#mapMsix(declaration.msix);
  }

  get name(): string {
    return this.registers.map.name;
  }

  get busMaster(): boolean {
    return this.registers.field('COMMAND', 'BUS_MASTER') === 1;
  }

  /** D0: the only power state in which memory, I/O and INTx work (PCI PM 1.2 §5.4). */
  get powered(): boolean {
    return (
      this.registers.map.registers['PM.CONTROL'] === undefined ||
      this.registers.field('PM.CONTROL', 'POWER_STATE') === 0
    );
  }

  readConfig(offset: number, size: AccessSize): number {
    return this.registers.read(offset, size);
  }

  /** Writes config space and says what the machine must do about it. */
  writeConfig(offset: number, size: AccessSize, value: number): ConfigEffects {
    const touched = this.registers.write(offset, size, value);
    let remap = false;
    for (const name of touched) {
      if (name === 'COMMAND') this.#driveInterrupt();
      if (name === 'MSIX.CONTROL') this.msix?.flush();
      remap ||= name === 'COMMAND' || name.startsWith('BAR') || name === 'PM.CONTROL';
      if (name === 'EXP.DEVCTL' && this.#startsFunctionLevelReset(offset, value)) {
        this.reset();
        return REMAP;
      }
    }
    return this.onConfigWrite(touched) || remap ? REMAP : NO_EFFECTS;
  }

  /** Puts `target` behind BAR `index`: over all of it, or from `offset` for `size` bytes. Later pieces lie under earlier ones. */
  mapBar(index: number, target: BusTarget, offset = 0, size = this.#bar(index).size - offset): void {
    this.#barSpaces.get(index)!.mapTarget(`${this.name} BAR${index}`, offset, size, target);
  }

  /** What stands behind BAR `index`. */
  barTarget(index: number): BusTarget {
    return this.#barSpaces.get(index)!;
  }

  /** Where BAR `index` decodes now, or undefined while its space is disabled or the address is none. */
  barBase(index: number): number | undefined {
    const bar = this.#bar(index);
    if (this.registers.field('COMMAND', bar.kind === 'io' ? 'IO_SPACE' : 'MEMORY_SPACE') === 0 || !this.powered)
      return undefined;
    const value = this.registers.get(barName(index));
    const base = value - (value % 0x10) + (bar.kind === 'io' ? (value % 0x10) & ~3 : 0);
    // 0 and what is left over from sizing are not addresses (as in QEMU, which firmware relies on).
    if (
      base === 0 ||
      base + bar.size > (bar.kind === 'io' ? 0x1_0000 : bar.kind.startsWith('mem32') ? 2 ** 32 : 2 ** 52)
    )
      return undefined;
    return base;
  }

  /** Adds the function's BARs to the spaces of its bus. Bridges add their windows. */
  mapResources(memory: AddressSpace, io: AddressSpace): void {
    for (const bar of this.bars) {
      const base = this.barBase(bar.index);
      if (base === undefined) continue;
      const space = bar.kind === 'io' ? io : memory;
      space.mapTarget(`${this.name} BAR${bar.index}`, base, bar.size, this.barTarget(bar.index));
    }
  }

  /** Drives INTx: the status bit always follows, the wire unless Interrupt Disable is set (PCI 3.0 §6.2.2). */
  setInterrupt(asserted: boolean): void {
    this.#interruptAsserted = asserted;
    this.registers.setField('STATUS', 'INTERRUPT', asserted ? 1 : 0);
    this.#driveInterrupt();
  }

  /** Conventional or fundamental reset: config space and the device itself. The machine remaps afterwards. */
  reset(): void {
    this.registers.reset();
    this.msix?.reset();
    this.setInterrupt(false);
    this.onReset();
  }

  snapshot(): PciFunctionSnapshot {
    return { config: this.registers.snapshot(), msix: this.msix?.snapshot(), device: this.snapshotDevice() };
  }

  restore(state: PciFunctionSnapshot): void {
    this.registers.restore(state.config);
    if (state.msix !== undefined) this.msix?.restore(state.msix);
    this.restoreDevice(state.device);
    this.setInterrupt(this.registers.field('STATUS', 'INTERRUPT') === 1);
    this.onRestore();
  }

  /** Of the model's own state in `snapshot`: a change of its meaning gets a new number. */
  get snapshotVersion(): number {
    return 1;
  }

  /** A write touched these registers. True when address decoding changed beyond BARs and COMMAND. */
  protected onConfigWrite(_touched: readonly string[]): boolean {
    return false;
  }

  protected onReset(): void {}

  /** The registers were restored: what they move outside of the function follows. The machine remaps afterwards. */
  protected onRestore(): void {}

  protected snapshotDevice(): unknown {
    return undefined;
  }

  protected restoreDevice(_state: unknown): void {}

  /** PCIe 5.0 §6.6.2: bit 15 of Device Control, where Device Capabilities offers it. */
  #startsFunctionLevelReset(offset: number, value: number): boolean {
    if (this.registers.field('EXP.DEVCAP', 'FUNCTION_LEVEL_RESET') === 0) return false;
    const shift = 8 * (this.registers.map.registers['EXP.DEVCTL'].offset - offset) + 15;
    return shift >= 0 && shift < 32 && ((value >>> shift) & 1) === 1;
  }

  #driveInterrupt(): void {
    const enabled = this.registers.field('COMMAND', 'INTERRUPT_DISABLE') === 0 && this.powered;
    this.ports.interrupt.set(this.#interruptAsserted && enabled);
  }

  #mapMsix(layout: NonNullable<PciFunctionDeclaration['msix']>): Msix {
    const msix = new Msix(layout.vectors, this.registers, this.dma);
    this.mapBar(layout.bar, msix.table, layout.tableOffset, msix.tableBytes);
    this.mapBar(layout.bar, msix.pba, layout.pbaOffset, msix.pbaBytes);
    return msix;
  }

  #bar(index: number): BarConfig {
    const bar = this.bars.find((candidate) => candidate.index === index);
    if (bar === undefined) throw new Error(`${this.name} has no BAR ${index}`);
    return bar;
  }
}
