import type { CpuBus, CpuLocalApic } from '../../../../src/emulator/cpu/bus.ts';
import { CpuState } from '../../../../src/emulator/cpu/cpu-state.ts';
import { TranslatedMemory } from '../../../../src/emulator/cpu/mmu/linear-memory.ts';
import { PageWalker } from '../../../../src/emulator/cpu/mmu/page-walk.ts';
import { type CpuModel, DEFAULT_CPU_MODEL } from '../../../../src/emulator/cpu/model/cpu-model.ts';
import { SeededEntropy } from '../../../../src/emulator/cpu/model/entropy.ts';
import { updateModes } from '../../../../src/emulator/cpu/modes.ts';
import { type CpuContext, GuestFault } from '../../../../src/emulator/cpu/system-context.ts';
import { SINGLE_PROCESSOR } from '../../../../src/emulator/machine/processor-topology.ts';

/** Where its RAM stands behind its state. */
export const FAKE_RAM_OFFSET = 0x1_0000;

/** A local APIC that only remembers. */
export class FakeLocalApic implements CpuLocalApic {
  base = 0xfee0_0900n;
  priority = 0;
  deadline = 0n;
  baseMsr = () => this.base;
  setBaseMsr = (value: bigint) => {
    this.base = value;
  };
  taskPriorityClass = () => this.priority;
  setTaskPriorityClass = (value: number) => {
    this.priority = value;
  };
  tscDeadline = () => this.deadline;
  setTscDeadline = (value: bigint) => {
    this.deadline = value;
  };
  setTscOffset = () => {};
  readMsr = (register: number) => (register === 2 ? 0x1234n : undefined);
  writeMsr = (register: number) => register === 0xb;
}

/** RAM at 0 and nothing else; reads outside answer all ones and writes are noted. */
export class FakeBus implements CpuBus {
  readonly localApic = new FakeLocalApic();
  /** Virtual time, ns. */
  ticks = 1000;
  readonly portWrites: string[] = [];
  readonly portValues = new Map<number, number>();
  readonly deviceWrites: string[] = [];
  readonly #ramBytes: number;

  constructor(ramBytes: number) {
    this.#ramBytes = ramBytes;
  }

  hostPage(gpa: number, _write: boolean): number {
    return gpa < this.#ramBytes ? FAKE_RAM_OFFSET + gpa : -1;
  }

  read(_gpa: number, size: number): number {
    return size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff;
  }

  write(gpa: number, size: number, value: number): void {
    this.deviceWrites.push(`${gpa.toString(16)}/${size}=${value.toString(16)}`);
  }

  portRead(port: number, size: number): number {
    return this.portValues.get(port) ?? this.read(0, size);
  }

  portWrite(port: number, size: number, value: number): void {
    this.portWrites.push(`${port.toString(16)}/${size}=${value.toString(16)}`);
  }

  now = (): number => this.ticks;
  interruptPending = () => false;
  acknowledgeInterrupt = () => -1;
}

/** A processor without an instruction loop, on plain RAM: what the system code needs to be tried piece by piece. */
export class FakeProcessor implements CpuContext {
  readonly state: CpuState;
  readonly bus: FakeBus;
  readonly walker: PageWalker;
  readonly memory: TranslatedMemory;
  readonly model: CpuModel;
  readonly entropy = new SeededEntropy();
  topology = SINGLE_PROCESSOR;
  apicId = 0;
  readonly logs: string[] = [];
  readonly flushes: { linear?: bigint; global: boolean }[] = [];
  readonly physicalWrites: number[] = [];
  readonly #fault = new GuestFault();

  constructor(ramBytes = 0x10_0000, model: CpuModel = DEFAULT_CPU_MODEL) {
    this.model = model;
    this.state = new CpuState(new ArrayBuffer(FAKE_RAM_OFFSET + ramBytes));
    this.bus = new FakeBus(ramBytes);
    const onWrite = (gpa: number) => {
      this.physicalWrites.push(gpa);
    };
    this.walker = new PageWalker(this.state, this.bus, onWrite);
    this.memory = new TranslatedMemory({
      state: this.state,
      bus: this.bus,
      walker: this.walker,
      fault: (vector, errorCode) => this.fault(vector, errorCode),
      onPhysicalWrite: onWrite,
    });
  }

  tsc(): bigint {
    return BigInt(this.bus.ticks);
  }

  fault(vector: number, errorCode = -1): never {
    this.#fault.vector = vector;
    this.#fault.errorCode = errorCode;
    throw this.#fault;
  }

  flushTranslations(options: { linear?: bigint; global: boolean }): void {
    this.flushes.push(options);
  }

  modesChanged(): void {
    updateModes(this.state);
  }

  breakpointsChanged(): void {}

  debugTrap(): void {}

  yieldTurn(): void {}

  log(site: string, message: string): void {
    this.logs.push(`${site}: ${message}`);
  }

  poke32(gpa: number, value: number): void {
    this.state.setU32(FAKE_RAM_OFFSET + gpa, value);
  }

  poke64(gpa: number, value: bigint): void {
    this.state.setU64(FAKE_RAM_OFFSET + gpa, value);
  }

  peek32(gpa: number): number {
    return this.state.u32(FAKE_RAM_OFFSET + gpa);
  }

  peek16(gpa: number): number {
    return this.state.view.getUint16(FAKE_RAM_OFFSET + gpa, true);
  }

  peek64(gpa: number): bigint {
    return this.state.u64(FAKE_RAM_OFFSET + gpa);
  }
}

/** The fault that `action` throws as `vector` or `vector(code)`, or 'none'. */
export function faultOf(action: () => void): string {
  try {
    action();
  } catch (error) {
    if (!(error instanceof GuestFault)) throw error;
    return error.errorCode < 0 ? `${error.vector}` : `${error.vector}(${error.errorCode.toString(16)})`;
  }
  return 'none';
}
