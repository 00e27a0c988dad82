import { guestMemoryBytes } from '../../../src/emulator/bus/guest-memory.ts';
import type { CpuBus } from '../../../src/emulator/cpu/bus.ts';
import type {
  CpuEngine,
  EngineExit,
  EnginePlacement,
  EnginePosition,
  EngineState,
} from '../../../src/emulator/cpu/engine.ts';
import type { HostBridgeConfig, MachineConfig } from '../../../src/emulator/machine/config.ts';
import { createMachine, type Machine, type MachineOptions } from '../../../src/emulator/machine/machine.ts';
import type { AccessSize } from '../../../src/emulator/machine/ports.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { functionConfig, type TestFunction } from '../pci/pci-board.ts';

/** One instruction of a scripted processor: it may use the bus, and says how the slice goes on. */
export type Step = (bus: CpuBus) => EngineExit | undefined;

/** An engine whose instructions are functions: what the machine needs to be tried without a processor. */
export class ScriptedEngine implements CpuEngine {
  readonly bus: CpuBus;
  steps: Step[] = [];
  vectors: number[] = [];
  interruptsEnabled = true;
  flushes = 0;
  resets = 0;
  invalidated: [number, number][] = [];
  a20 = true;
  #retired = 0;
  #exitRequested = false;

  constructor(bus: CpuBus) {
    this.bus = bus;
  }

  run(maxInstructions: number): EngineExit {
    this.#exitRequested = false;
    for (let left = maxInstructions; left > 0; left--) {
      if (this.interruptsEnabled && this.bus.interruptPending()) {
        const vector = this.bus.acknowledgeInterrupt();
        if (vector >= 0) this.vectors.push(vector);
      }
      const step = this.steps.shift();
      if (step === undefined) return 'halt';
      const exit = step(this.bus);
      this.#retired++;
      if (exit !== undefined) return exit;
      if (this.#exitRequested) return 'request';
    }
    return 'budget';
  }

  retired(): number {
    return this.#retired;
  }

  stateBytes(): Uint8Array {
    return Uint8Array.of(this.#retired & 0xff, this.#retired >> 8);
  }

  position(): EnginePosition {
    return { rip: 0n, privilege: 0, paging: false, halted: false };
  }

  snapshot(): EngineState {
    return {
      features: [],
      retired: this.#retired,
      a20Enabled: this.a20,
      processors: [],
      turn: { current: 0, left: 0, paused: 0, ready: [] },
    };
  }

  restore(state: EngineState): void {
    this.#retired = state.retired;
    this.a20 = state.a20Enabled;
  }

  takesInterrupts(): boolean {
    return true;
  }

  regionStatistics() {
    return { compiled: 0, modules: 0, instructions: 0, wasmBytes: 0 };
  }

  autopsy(): string {
    return 'scripted shutdown';
  }

  flushTranslations(): void {
    this.flushes++;
  }

  requestExit(): void {
    this.#exitRequested = true;
  }

  invalidateCode(gpa: number, byteLength: number): void {
    this.invalidated.push([gpa, byteLength]);
  }

  reset(): void {
    this.resets++;
  }

  stateReplaced(): void {}

  setNmi(): void {}

  initialize(): void {}

  startUp(): void {}

  interruptRaised(): void {
    this.requestExit();
  }

  setA20(enabled: boolean): void {
    this.a20 = enabled;
  }
}

export const ROM_BYTES = 0x2_0000;

export function boardConfig(
  functions: readonly TestFunction[] = [],
  expanders: readonly { id: string; busNumber: number; slot: number; functions: readonly TestFunction[] }[] = [],
): MachineConfig {
  const bridges: HostBridgeConfig[] = [
    { id: 'pcie.0', segment: 0, busNumber: 0, functions: functions.map(functionConfig) },
    ...expanders.map((expander) => ({ ...expander, segment: 0, functions: expander.functions.map(functionConfig) })),
  ];
  return { ramBytes: 0x80_0000, lowRamBytes: 0x40_0000, cpus: 1, numaNodes: [], pm: 'qemu', hostBridges: bridges };
}

export interface ScriptedMachine {
  readonly machine: Machine;
  readonly engine: ScriptedEngine;
  readonly serial: number[];
  readonly placement: EnginePlacement;
  /** Queues instructions. */
  queue(...steps: Step[]): void;
}

/** A machine of 8 MiB of RAM (half of it above 4 GiB) and a 128 KiB ROM whose bytes are their own offset, modulo 251. */
export function scriptedMachine(
  config: MachineConfig = boardConfig(),
  options: Partial<MachineOptions> = {},
): ScriptedMachine {
  const rom = Uint8Array.from({ length: ROM_BYTES }, (_, index) => index % 251);
  const ramOffset = 0x1000;
  const placement = { memory: { buffer: new ArrayBuffer(ramOffset + guestMemoryBytes(config, ROM_BYTES)) }, ramOffset };
  const serial: number[] = [];
  let engine: ScriptedEngine | undefined;
  const machine = createMachine({
    config,
    rom,
    placement,
    createEngine: (_placement, bus) => {
      engine = new ScriptedEngine(bus);
      return engine;
    },
    backends: {
      drive: () => undefined,
      network: () => undefined,
      entropy: () => ({ fill: (target) => void target.fill(0x5a) }),
      character: () => undefined,
    },
    serial: { sink: { write: (byte) => void serial.push(byte) } },
    debugcon: { write() {} },
    logger: silentLogger,
    ...options,
  });
  return { machine, engine: engine!, serial, placement, queue: (...steps) => void engine!.steps.push(...steps) };
}

export function configAddress(bus: number, device: number, fn: number, register: number): number {
  return (0x8000_0000 | (bus << 16) | (device << 11) | (fn << 8) | (register & 0xfc)) >>> 0;
}

export function writeConfig(
  bus: CpuBus,
  address: readonly [number, number, number],
  register: number,
  size: AccessSize,
  value: number,
): void {
  bus.portWrite(0xcf8, 4, configAddress(...address, register));
  bus.portWrite(0xcfc + (register & 3), size, value);
}

export function readConfig(
  bus: CpuBus,
  address: readonly [number, number, number],
  register: number,
  size: AccessSize,
): number {
  bus.portWrite(0xcf8, 4, configAddress(...address, register));
  return bus.portRead(0xcfc + (register & 3), size);
}
