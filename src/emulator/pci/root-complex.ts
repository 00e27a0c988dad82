import type { AddressSpace } from '../bus/address-space.ts';
import type { InterruptPin } from '../machine/interrupt-routing.ts';
import type { AccessSize, BusTarget, DmaPort, InterruptLine } from '../machine/ports.ts';
import { type ConfigTarget, configTargetAt, forwardConfig, PciBridge } from './bridge.ts';
import { PciBus, type PciServices } from './bus.ts';
import type { PciFunction } from './function.ts';

/** What the chipset gives to the root complex. */
export interface RootComplexPorts extends PciServices {
  /** System memory as bus masters see it: RAM, and 0xfeex_xxxx for interrupt messages. */
  readonly systemDma: DmaPort;
}

interface RootBus {
  /** First bus number; the next root bus ends the range. */
  readonly number: number;
  readonly bus: PciBus;
}

/** ECAM: bus, device, function and register are the bits of the offset (PCIe 5.0 §7.2.2). */
const ECAM_BUS = 0x10_0000;
const ECAM_DEVICE = 0x8000;
const ECAM_FUNCTION = 0x1000;

const ALL_ONES = { 1: 0xff, 2: 0xffff, 4: 0xffff_ffff } as const;

/** The root buses of one segment: routes config cycles by bus number, memory and I/O to whichever root bus claims them. */
export class PciRootComplex {
  /** What the PCI side claims of the memory and I/O space; everything else on it is a master abort. */
  readonly memory: BusTarget;
  readonly io: BusTarget;
  /** Config space by offset into the ECAM window. */
  readonly ecam: BusTarget;
  readonly #ports: RootComplexPorts;
  #roots: RootBus[] = [];

  constructor(ports: RootComplexPorts) {
    this.#ports = ports;
    this.memory = this.#claimedBy((bus) => bus.memory);
    this.io = this.#claimedBy((bus) => bus.io);
    this.ecam = {
      read: (offset, size) => {
        const { bus, device, fn, register } = decodeEcam(offset);
        return this.readConfig(bus, device, fn, register, size);
      },
      write: (offset, size, value) => {
        const { bus, device, fn, register } = decodeEcam(offset);
        this.writeConfig(bus, device, fn, register, size, value);
      },
    };
  }

  /** Adds a root bus that starts at bus `number`; `interruptLine` gives a further wire onto INTx of a device on it. */
  addRootBus(
    name: string,
    number: number,
    interruptLine: (device: number, pin: InterruptPin) => InterruptLine,
  ): PciBus {
    const bus = new PciBus(
      name,
      {
        dma: this.#peerDma(() => bus),
        interruptLine,
      },
      this.#ports,
    );
    this.#roots = [...this.#roots, { number, bus }].sort((left, right) => left.number - right.number);
    return bus;
  }

  rootBuses(): readonly RootBus[] {
    return this.#roots;
  }

  /** Little-endian; all ones where there is no function. */
  readConfig(bus: number, device: number, fn: number, register: number, size: AccessSize): number {
    const target = this.configTarget(bus, device, fn);
    return target === undefined ? ALL_ONES[size] : target.function.readConfig(register, size);
  }

  writeConfig(bus: number, device: number, fn: number, register: number, size: AccessSize, value: number): void {
    const target = this.configTarget(bus, device, fn);
    if (target?.function.writeConfig(register, size, value).remap) target.bus.remap();
  }

  /** The function at bus, device, function as the bus numbers in the bridges now say. */
  configTarget(bus: number, device: number, fn: number): ConfigTarget | undefined {
    const root = this.#roots.findLast(({ number }) => number <= bus);
    if (root === undefined) return undefined;
    return root.number === bus ? configTargetAt(root.bus, device, fn) : forwardConfig(root.bus, bus, device, fn);
  }

  /** Every function, depth first, for dumps, snapshots and contract tests. */
  functions(): readonly PciFunction[] {
    const walk = (bus: PciBus): PciFunction[] =>
      bus.functions().flatMap((found) => (found instanceof PciBridge ? [found, ...walk(found.secondary)] : [found]));
    return this.#roots.flatMap(({ bus }) => walk(bus));
  }

  reset(): void {
    for (const { bus } of this.#roots) bus.reset();
  }

  /** Applies restored registers: every bus decodes anew. */
  remapAll(): void {
    for (const found of this.functions()) if (found instanceof PciBridge) found.secondary.remap();
    for (const { bus } of this.#roots) bus.remap();
  }

  #claimedBy(space: (bus: PciBus) => AddressSpace): BusTarget {
    return {
      read: (address, size) => {
        for (const { bus } of this.#roots) {
          if (space(bus).find(address, false) !== undefined) return space(bus).read(address, size);
        }
        return ALL_ONES[size];
      },
      write: (address, size, value) => {
        for (const { bus } of this.#roots) {
          if (space(bus).find(address, true) !== undefined) {
            space(bus).write(address, size, value);
            return;
          }
        }
      },
    };
  }

  /** A transfer that came up to the root: a device below another root bus, or system memory. */
  #peerDma(own: () => PciBus): DmaPort {
    const system = this.#ports.systemDma;
    const portAt = (iova: number, write: boolean): DmaPort => {
      const peer = this.#roots.find(({ bus }) => bus !== own() && bus.memory.find(iova, write) !== undefined);
      return peer === undefined ? system : peer.bus.dma;
    };
    // A transfer stays within one claim: requests do not cross 4 KiB (PCIe 5.0 §2.2.7), no BAR or window splits a request.
    return {
      read: (iova, target) => {
        let complete = true;
        for (let done = 0; done < target.length; ) {
          const byteLength = Math.min(target.length - done, 0x1000 - ((iova + done) % 0x1000));
          const piece = target.subarray(done, done + byteLength);
          complete = portAt(iova + done, false).read(iova + done, piece) && complete;
          done += byteLength;
        }
        return complete;
      },
      write: (iova, source) => {
        let complete = true;
        for (let done = 0; done < source.length; ) {
          const byteLength = Math.min(source.length - done, 0x1000 - ((iova + done) % 0x1000));
          const piece = source.subarray(done, done + byteLength);
          complete = portAt(iova + done, true).write(iova + done, piece) && complete;
          done += byteLength;
        }
        return complete;
      },
    };
  }
}

function decodeEcam(offset: number): { bus: number; device: number; fn: number; register: number } {
  return {
    bus: Math.floor(offset / ECAM_BUS),
    device: Math.floor(offset / ECAM_DEVICE) & 0x1f,
    fn: Math.floor(offset / ECAM_FUNCTION) & 7,
    register: offset & 0xfff,
  };
}
