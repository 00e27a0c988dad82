import type { AddressSpace } from '../bus/address-space.ts';
import type { CpuBus, CpuLocalApic } from '../cpu/bus.ts';
import type { LocalApic } from '../cpu/local-apic/local-apic.ts';
import type { AccessSize, Clock } from './ports.ts';

const PAGE = 0x1000;

/** What the processor's bus leads to. */
export interface CpuPortParts {
  readonly memory: AddressSpace;
  readonly io: AddressSpace;
  readonly localApic: LocalApic;
  readonly clock: Clock;
  /** The local APIC's page moved, appeared or vanished. */
  onLocalApicMoved(): void;
}

/** The processor's face of the machine. */
export class CpuPort implements CpuBus {
  readonly localApic: CpuLocalApic;
  readonly #parts: CpuPortParts;
  readonly #memory: AddressSpace;

  constructor(parts: CpuPortParts) {
    this.#parts = parts;
    this.#memory = parts.memory;
    const apic = parts.localApic;
    this.localApic = {
      baseMsr: () => apic.baseMsr(),
      setBaseMsr: (value) => {
        const before = apic.mmioBase;
        apic.setBaseMsr(value);
        if (apic.mmioBase !== before) parts.onLocalApicMoved();
      },
      taskPriorityClass: () => apic.taskPriorityClass(),
      setTaskPriorityClass: (value) => apic.setTaskPriorityClass(value),
      tscDeadline: () => apic.tscDeadline(),
      setTscDeadline: (value) => apic.setTscDeadline(value),
      setTscOffset: (offset) => apic.setTscOffset(offset),
      readMsr: (register) => apic.readMsr(register),
      writeMsr: (register, value) => apic.writeMsr(register, value),
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

  interruptPending(): boolean {
    return this.#parts.localApic.interruptPending();
  }

  acknowledgeInterrupt(): number {
    return this.#parts.localApic.acknowledgeInterrupt();
  }
}
