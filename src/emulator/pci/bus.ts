import { AddressSpace } from '../bus/address-space.ts';
import { SpaceDma } from '../bus/space-dma.ts';
import type { InterruptPin } from '../machine/interrupt-routing.ts';
import type { Clock, DeviceLog, DmaPort, InterruptLine } from '../machine/ports.ts';
import type { PciFunction, PciPorts } from './function.ts';

/** What stands above a bus: a bridge's primary side, or the host. */
export interface PciUpstream {
  /** Where a transfer goes that nothing on the bus claims. */
  readonly dma: DmaPort;
  /** A further wire onto the interrupt pin of device `device` of this bus; wires onto one pin are or-ed. */
  interruptLine(device: number, pin: InterruptPin): InterruptLine;
}

/** Ports that all functions of a machine share. */
export interface PciServices {
  readonly clock: Clock;
  readonly log: DeviceLog;
}

/** Device and function packed, as config cycles carry them. */
export function devfn(device: number, fn: number): number {
  return device * 8 + fn;
}

/**
 * One PCI bus: the functions on it, what memory and I/O addresses they claim, and the way up. It knows neither its number nor
 * where its windows lie: bridges do.
 */
export class PciBus {
  readonly name: string;
  /** Addresses are the system's; only what a function claims is mapped. */
  readonly memory: AddressSpace;
  readonly io: AddressSpace;
  /** Bus-master access issued on this bus: peers first, then upstream. */
  readonly dma: DmaPort;
  readonly #functions = new Map<number, PciFunction>();
  readonly #upstream: PciUpstream;
  readonly #services: PciServices;

  constructor(name: string, upstream: PciUpstream, services: PciServices) {
    this.name = name;
    this.memory = new AddressSpace(`${name} memory`);
    this.io = new AddressSpace(`${name} I/O`);
    this.#upstream = upstream;
    this.#services = services;
    this.dma = this.#makeDma();
  }

  /** The ports of the function that will stand at `device`, with `pin` as its INTx (0 for none). */
  portsFor(device: number, pin: 0 | InterruptPin): PciPorts {
    return {
      interrupt: pin === 0 ? UNCONNECTED : this.#upstream.interruptLine(device, pin),
      dma: this.dma,
      ...this.#services,
    };
  }

  interruptLine(device: number, pin: InterruptPin): InterruptLine {
    return this.#upstream.interruptLine(device, pin);
  }

  attach(device: number, fn: number, pciFunction: PciFunction): void {
    const key = devfn(device, fn);
    if (this.#functions.has(key)) throw new Error(`${this.name}: device ${device} function ${fn} is taken`);
    this.#functions.set(key, pciFunction);
    this.remap();
  }

  at(device: number, fn: number): PciFunction | undefined {
    return this.#functions.get(devfn(device, fn));
  }

  /** Functions in order of device and function. */
  functions(): readonly PciFunction[] {
    return [...this.#functions.entries()].sort(([left], [right]) => left - right).map(([, found]) => found);
  }

  isOccupied(): boolean {
    return this.#functions.size > 0;
  }

  /** Rebuilds what the bus claims from the functions' registers. */
  remap(): void {
    this.memory.clear();
    this.io.clear();
    for (const found of this.functions()) found.mapResources(this.memory, this.io);
  }

  /** Resets every function on the bus, and through bridges those below. */
  reset(): void {
    for (const found of this.functions()) found.reset();
    this.remap();
  }

  #makeDma(): DmaPort {
    const noMemory = (): Uint8Array => {
      throw new Error(`${this.name}: PCI buses hold no plain memory`);
    };
    const peers = new SpaceDma(this.memory, noMemory, () => {});
    return {
      read: (iova, target) => {
        let complete = true;
        for (let done = 0; done < target.length; ) {
          const run = this.memory.run(iova + done, target.length - done, false);
          const piece = target.subarray(done, done + run.byteLength);
          const port = run.segment === undefined ? this.#upstream.dma : peers;
          complete = port.read(iova + done, piece) && complete;
          done += run.byteLength;
        }
        return complete;
      },
      write: (iova, source) => {
        let complete = true;
        for (let done = 0; done < source.length; ) {
          const run = this.memory.run(iova + done, source.length - done, true);
          const port = run.segment === undefined ? this.#upstream.dma : peers;
          complete = port.write(iova + done, source.subarray(done, done + run.byteLength)) && complete;
          done += run.byteLength;
        }
        return complete;
      },
    };
  }
}

/** The wire of a function without INTx. */
export const UNCONNECTED: InterruptLine = { set() {} };
