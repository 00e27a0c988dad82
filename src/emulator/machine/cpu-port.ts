import type { AddressSpace } from '../bus/address-space.ts';
import type { CpuBus, CpuLocalApic } from '../cpu/bus.ts';
import type { LocalApics } from './local-apics.ts';
import type { AccessSize, Clock } from './ports.ts';

const PAGE = 0x1000;

/** What the processor's bus leads to. */
export interface CpuPortParts {
  readonly memory: AddressSpace;
  readonly io: AddressSpace;
  readonly localApics: LocalApics;
  readonly clock: Clock;
  /** The page of the local APIC of the processor that runs moved, appeared or vanished. */
  onLocalApicMoved(): void;
}

/** The face that the machine shows to its processors. */
export class CpuPort implements CpuBus {
  readonly localApic: CpuLocalApic;
  readonly #parts: CpuPortParts;
  readonly #memory: AddressSpace;

  constructor(parts: CpuPortParts) {
    this.#parts = parts;
    this.#memory = parts.memory;
    const apics = parts.localApics;
    this.localApic = {
      baseMsr: () => apics.current.baseMsr(),
      setBaseMsr: (value) => {
        apics.current.setBaseMsr(value);
        if (apics.moved()) parts.onLocalApicMoved();
      },
      taskPriorityClass: () => apics.current.taskPriorityClass(),
      setTaskPriorityClass: (value) => apics.current.setTaskPriorityClass(value),
      tscDeadline: () => apics.current.tscDeadline(),
      setTscDeadline: (value) => apics.current.setTscDeadline(value),
      setTscOffset: (offset) => apics.current.setTscOffset(offset),
      readMsr: (register) => apics.current.readMsr(register),
      writeMsr: (register, value) => apics.current.writeMsr(register, value),
    };
  }

  hostPage(gpa: number, write: boolean): number {
    // `&` sees the low 32 bits of any address, and is far cheaper than `%` beyond them.
    return this.#memory.hostOffset(gpa - (gpa & (PAGE - 1)), PAGE, write);
  }

  read(gpa: number, size: AccessSize): number {
    return this.#parts.memory.read(gpa, size);
  }

  write(gpa: number, size: AccessSize, value: number): void {
    this.#parts.memory.write(gpa, size, value);
  }

  portRead(port: number, size: AccessSize): number {
    return this.#parts.io.read(port, size);
  }

  portWrite(port: number, size: AccessSize, value: number): void {
    this.#parts.io.write(port, size, value);
  }

  now(): number {
    return this.#parts.clock.now();
  }

  interruptPending(processor?: number): boolean {
    const { localApics } = this.#parts;
    return (processor === undefined ? localApics.current : localApics.all[processor]).interruptPending();
  }

  acknowledgeInterrupt(): number {
    return this.#parts.localApics.current.acknowledgeInterrupt();
  }

  selectProcessor(processor: number): void {
    if (this.#parts.localApics.select(processor)) this.#parts.onLocalApicMoved();
  }
}
