import { AddressSpace } from '../bus/address-space.ts';
import { SpaceDma } from '../bus/space-dma.ts';
import { type InterruptPin, swizzlePin } from '../machine/interrupt-routing.ts';
import type { AccessSize, DmaPort, InterruptLine } from '../machine/ports.ts';
import { PciBus, type PciServices, type PciUpstream } from './bus.ts';
import { type ConfigEffects, PciFunction, type PciFunctionDeclaration, type PciPorts } from './function.ts';

interface Range {
  readonly base: number;
  readonly size: number;
}

const WINDOW_REGISTERS = new Set([
  'IO_BASE',
  'IO_LIMIT',
  'MEMORY_BASE',
  'MEMORY_LIMIT',
  'PREFETCHABLE_BASE',
  'PREFETCHABLE_LIMIT',
  'PREFETCHABLE_BASE_UPPER',
  'PREFETCHABLE_LIMIT_UPPER',
  'BRIDGE_CONTROL',
]);

/** VGA's own addresses (PCI-to-PCI Bridge 1.2 §3.2.5.18). */
const VGA_MEMORY: Range = { base: 0xa_0000, size: 0x2_0000 };
const VGA_PORTS: readonly Range[] = [
  { base: 0x3b0, size: 0xc },
  { base: 0x3c0, size: 0x20 },
];

/**
 * A PCI-PCI bridge. Downstream it forwards what its windows claim and nothing else; upstream it forwards what its windows do not
 * claim, and only as a bus master. Config cycles pass by bus number.
 */
export class PciBridge extends PciFunction {
  readonly secondary: PciBus;
  /** What is not forwarded upstream: the memory windows, mapped as holes. */
  readonly #claimed: AddressSpace;
  readonly #primary: PciBus;
  readonly #device: number;

  /** `device` is the bridge's own on `primary`. */
  constructor(declaration: PciFunctionDeclaration, ports: PciPorts, primary: PciBus, device: number) {
    super(declaration, ports);
    this.#primary = primary;
    this.#device = device;
    this.#claimed = new AddressSpace(`${this.name} windows`);
    const services: PciServices = { clock: ports.clock, log: ports.log };
    const upstream: PciUpstream = {
      dma: this.#upstreamDma(),
      interruptLine: (below, pin) => this.#interruptLine(below, pin),
    };
    this.secondary = new PciBus(`${this.name} secondary`, upstream, services);
  }

  get secondaryBus(): number {
    return this.registers.get('SECONDARY_BUS');
  }

  get subordinateBus(): number {
    return this.registers.get('SUBORDINATE_BUS');
  }

  /** The function that a type 1 config cycle for `bus` reaches below this bridge. */
  configTarget(bus: number, device: number, fn: number): ConfigTarget | undefined {
    if (!this.forwardsConfig(bus)) return undefined;
    // Type 1 becomes type 0 on the secondary bus itself.
    if (bus === this.secondaryBus) return configTargetAt(this.secondary, device, fn);
    return forwardConfig(this.secondary, bus, device, fn);
  }

  /** Secondary..subordinate; a bridge that firmware has not numbered forwards nothing. */
  forwardsConfig(bus: number): boolean {
    return this.secondaryBus !== 0 && bus >= this.secondaryBus && bus <= this.subordinateBus;
  }

  override writeConfig(offset: number, size: AccessSize, value: number): ConfigEffects {
    const heldInReset = this.registers.field('BRIDGE_CONTROL', 'SECONDARY_BUS_RESET') === 1;
    const effects = super.writeConfig(offset, size, value);
    if (!heldInReset && this.registers.field('BRIDGE_CONTROL', 'SECONDARY_BUS_RESET') === 1) this.secondary.reset();
    return effects;
  }

  override mapResources(memory: AddressSpace, io: AddressSpace): void {
    super.mapResources(memory, io);
    this.#claimed.clear();
    for (const range of this.memoryWindows()) {
      memory.mapTarget(`${this.name} window`, range.base, range.size, this.secondary.memory, {
        targetOffset: range.base,
      });
      this.#claimed.mapHole('window', range.base, range.size);
    }
    for (const range of this.ioWindows()) {
      io.mapTarget(`${this.name} I/O window`, range.base, range.size, this.secondary.io, { targetOffset: range.base });
    }
  }

  /** Memory that the bridge forwards downstream now. */
  memoryWindows(): readonly Range[] {
    if (this.registers.field('COMMAND', 'MEMORY_SPACE') === 0 || !this.powered) return [];
    const windows: Range[] = [];
    const add = (base: number, limit: number): void => {
      if (base <= limit) windows.push({ base, size: limit - base + 0x10_0000 });
    };
    const registers = this.registers;
    add(registers.field('MEMORY_BASE', 'BASE') * 0x10_0000, registers.field('MEMORY_LIMIT', 'LIMIT') * 0x10_0000);
    add(
      registers.get('PREFETCHABLE_BASE_UPPER') * 2 ** 32 + registers.field('PREFETCHABLE_BASE', 'BASE') * 0x10_0000,
      registers.get('PREFETCHABLE_LIMIT_UPPER') * 2 ** 32 + registers.field('PREFETCHABLE_LIMIT', 'LIMIT') * 0x10_0000,
    );
    if (this.#control('VGA_ENABLE')) windows.push(VGA_MEMORY);
    return windows;
  }

  /** Ports that the bridge forwards downstream now. */
  ioWindows(): readonly Range[] {
    if (this.registers.field('COMMAND', 'IO_SPACE') === 0 || !this.powered) return [];
    const windows: Range[] = [];
    const base = this.registers.field('IO_BASE', 'BASE') * 0x1000;
    const limit = this.registers.field('IO_LIMIT', 'LIMIT') * 0x1000 + 0xfff;
    if (base <= limit) {
      // ISA Enable leaves the last 768 bytes of each KiB to ISA cards (PCI-to-PCI Bridge 1.2 §4.1.2).
      if (this.#control('ISA_ENABLE'))
        for (let at = base; at < limit; at += 0x400) windows.push({ base: at, size: 0x100 });
      else windows.push({ base, size: limit - base + 1 });
    }
    if (this.#control('VGA_ENABLE')) windows.push(...this.#vgaPorts());
    return windows;
  }

  protected override onConfigWrite(touched: readonly string[]): boolean {
    return touched.some((name) => WINDOW_REGISTERS.has(name));
  }

  protected override onReset(): void {
    this.secondary.reset();
  }

  #control(field: string): boolean {
    return this.registers.field('BRIDGE_CONTROL', field) === 1;
  }

  /** Without 16-bit decoding, bits 15:10 of a VGA port do not count: it shows every KiB. */
  #vgaPorts(): readonly Range[] {
    if (this.#control('VGA_16BIT_DECODE')) return VGA_PORTS;
    return VGA_PORTS.flatMap(({ base, size }) =>
      Array.from({ length: 64 }, (_, kib) => ({ base: base + kib * 0x400, size })),
    );
  }

  #interruptLine(device: number, pin: InterruptPin): InterruptLine {
    return this.#primary.interruptLine(this.#device, swizzlePin(device, pin));
  }

  /** Inverse decoding (PCI-to-PCI Bridge 1.2 §4.2): what a window claims stays below and aborts there. */
  #upstreamDma(): DmaPort {
    const refuse = new SpaceDma(
      new AddressSpace('nothing'),
      () => new Uint8Array(0),
      () => {},
    );
    const portFor = (inside: boolean): DmaPort => (inside || !this.busMaster ? refuse : this.#primary.dma);
    return {
      read: (iova, target) => {
        let complete = true;
        for (let done = 0; done < target.length; ) {
          const run = this.#claimed.run(iova + done, target.length - done, false);
          const piece = target.subarray(done, done + run.byteLength);
          complete = portFor(run.segment !== undefined).read(iova + done, piece) && complete;
          done += run.byteLength;
        }
        if (!complete) this.#abort();
        return complete;
      },
      write: (iova, source) => {
        let complete = true;
        for (let done = 0; done < source.length; ) {
          const run = this.#claimed.run(iova + done, source.length - done, true);
          const piece = source.subarray(done, done + run.byteLength);
          complete = portFor(run.segment !== undefined).write(iova + done, piece) && complete;
          done += run.byteLength;
        }
        if (!complete) this.#abort();
        return complete;
      },
    };
  }

  #abort(): void {
    this.registers.setField('SECONDARY_STATUS', 'RECEIVED_MASTER_ABORT', 1);
    this.ports.log.guestError(
      `${this.name} upstream`,
      'a transfer from below was not forwarded: no bus master, or inside a window',
    );
  }
}

/** Where a config cycle ends: the function and the bus that must be remapped when its decoding changes. */
export interface ConfigTarget {
  readonly bus: PciBus;
  readonly function: PciFunction;
}

/** The target of a type 0 cycle on `bus`. */
export function configTargetAt(bus: PciBus, device: number, fn: number): ConfigTarget | undefined {
  const found = bus.at(device, fn);
  return found === undefined ? undefined : { bus, function: found };
}

/** The target of a config cycle for bus number `bus` that starts on `from`: the first bridge that forwards it has the last word. */
export function forwardConfig(from: PciBus, bus: number, device: number, fn: number): ConfigTarget | undefined {
  for (const found of from.functions()) {
    if (found instanceof PciBridge && found.forwardsConfig(bus)) return found.configTarget(bus, device, fn);
  }
  return undefined;
}
