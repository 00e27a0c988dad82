import type { AccessSize } from '../machine/ports.ts';

/**
 * What the CPU sees of the machine. Guest-physical addresses are plain numbers (below 2^52). The engine keeps host pages in its
 * TLB, so the machine calls `CpuControl.flushTranslations` when the map changes (PAM, SMRAM, PCIEXBAR, BARs onto RAM).
 */
export interface CpuBus {
  /**
   * Offset in the engine's Wasm memory of the 4 KiB page at `gpa` when it is plain memory for this access; −1 when the access must go
   * through `read`/`write` (MMIO, writes to ROM, nothing there).
   */
  hostPage(gpa: number, write: boolean): number;
  read(gpa: number, size: AccessSize): number;
  write(gpa: number, size: AccessSize, value: number): void;
  portRead(port: number, size: AccessSize): number;
  portWrite(port: number, size: AccessSize, value: number): void;
  /** Virtual time in ns, which is TSC ticks: `retired()` of the engine plus what halts have skipped. */
  now(): number;
  /**
   * The INTR pin of the processor that runs, or of another by its number: a maskable interrupt waits (8259 through LINT0, or the local APIC).
   */
  interruptPending(processor?: number): boolean;
  /** Interrupt acknowledge cycle: the vector, 0–255, or −1 when the request has gone away (spurious). */
  acknowledgeInterrupt(): number;
  /** MSRs and CR8 that belong to the local APIC of the processor that runs. */
  readonly localApic: CpuLocalApic;
  /** From now on this processor runs: accesses come from it. Boards with one processor have no need of it. */
  selectProcessor?(processor: number): void;
}

/** The local APIC's face towards its own processor. */
export interface CpuLocalApic {
  /** IA32_APIC_BASE. */
  baseMsr(): bigint;
  setBaseMsr(value: bigint): void;
  /** CR8: task priority class, 0–15. */
  taskPriorityClass(): number;
  setTaskPriorityClass(value: number): void;
  /** IA32_TSC_DEADLINE. */
  tscDeadline(): bigint;
  setTscDeadline(value: bigint): void;
  /** The guest's TSC is now the clock's nanoseconds plus `offset` (modulo 2^64): deadlines move with it. */
  setTscOffset(offset: bigint): void;
  /** x2APIC MSR 0x800 + register; undefined → #GP. */
  readMsr(register: number): bigint | undefined;
  writeMsr(register: number, value: bigint): boolean;
}

/** What the machine may ask of the engine. */
export interface CpuControl {
  /** Drop cached translations (the physical map changed). */
  flushTranslations(): void;
  /** Something changed that may stop or interrupt the guest: return to the machine loop at the next instruction boundary. */
  requestExit(): void;
  /** Bytes at [gpa, gpa+byteLength) of RAM were written by a device: forget translated code there. */
  invalidateCode(gpa: number, byteLength: number): void;
  /** Power-on reset of all processors. */
  reset(): void;
  /** An NMI for a processor, by number. */
  setNmi(processor: number): void;
  /** INIT for a processor: the boot processor then starts at the reset vector, others wait for `startUp`. */
  initialize(processor: number): void;
  /** A start-up message: a processor that waits for one begins at `vector` × 4 KiB, others ignore it. */
  startUp(processor: number, vector: number): void;
  /** INTR of a processor may have become asserted. */
  interruptRaised(processor: number): void;
  setA20(enabled: boolean): void;
}
