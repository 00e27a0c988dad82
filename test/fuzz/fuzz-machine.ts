import type { CpuBus } from '../../src/emulator/cpu/bus.ts';
import { CpuState } from '../../src/emulator/cpu/cpu-state.ts';
import type { CpuEngine } from '../../src/emulator/cpu/engine.ts';
import { createEngineMemory, ENGINE_MACHINE_OFFSET } from '../../src/emulator/cpu/execution/engine-memory.ts';
import { MAX_CPU_MODEL } from '../../src/emulator/cpu/model/cpu-model.ts';
import { createEngine } from '../../src/emulator/cpu/processor.ts';
import * as field from '../../src/emulator/cpu/state.ts';
import { storedRegister } from '../../src/emulator/cpu/stored-registers.ts';
import { buildKernel, type Kernel } from './kernel.ts';
import { CODE, DATA, DEVICE_GPA, KERNEL, PAGE, PORTS, RAM_BYTES, SELECTORS, VARIABLES, VECTORS } from './memory-map.ts';
import type { Program } from './program.ts';

const { SEGMENT_INDEX } = field;

/** RAM, a device page and three ports; time is retired instructions plus what halts skipped. */
class FuzzBus implements CpuBus {
  engine!: CpuEngine;
  interrupt = false;
  /** Virtual time that passed in halts. */
  skipped = 0;
  /** Sum of all that was written to devices, with the time: order and moment of every access count. */
  trace = 0;

  hostPage(gpa: number): number {
    return gpa < RAM_BYTES ? ENGINE_MACHINE_OFFSET + gpa : -1;
  }
  read(gpa: number): number {
    this.#note(gpa);
    return Math.imul(this.now() + gpa - DEVICE_GPA, 0x9e37_79b1) >>> 0;
  }
  write(gpa: number, _size: number, value: number): void {
    this.#note(gpa ^ value);
    // Half of the device's page raises the interrupt.
    if ((gpa & 0x800) !== 0) this.#raise();
  }
  portRead(port: number): number {
    this.#note(port);
    return this.now() >>> 0;
  }
  portWrite(port: number, _size: number, value: number): void {
    this.#note(port ^ value);
    if (port === PORTS.RAISE) this.#raise();
    else if (port === PORTS.ACKNOWLEDGE) this.interrupt = false;
  }
  now(): number {
    return this.engine.retired() + this.skipped;
  }
  interruptPending(): boolean {
    return this.interrupt;
  }
  acknowledgeInterrupt(): number {
    if (!this.interrupt) return -1;
    this.interrupt = false;
    return VECTORS.TIMER;
  }
  readonly localApic = {
    baseMsr: () => 0xfee0_0900n,
    setBaseMsr() {},
    taskPriorityClass: () => 0,
    setTaskPriorityClass() {},
    tscDeadline: () => 0n,
    setTscDeadline() {},
    setTscOffset() {},
    readMsr: () => undefined,
    writeMsr: () => false,
  };

  #raise(): void {
    this.interrupt = true;
    this.engine.interruptRaised(0);
    this.engine.requestExit();
  }

  #note(value: number): void {
    this.trace = Math.imul(this.trace ^ value ^ (this.now() | 0), 0x0100_0193);
  }
}

/** A machine that runs one program after the other; between two it forgets everything. */
export class FuzzMachine {
  readonly #state: CpuState;
  readonly #engine: CpuEngine;
  readonly #bus = new FuzzBus();
  /** By paging and gates. */
  readonly #kernels = new Map<string, Kernel>();
  readonly #ram: Uint8Array;
  #started = 0;
  /** When the interrupt comes next, and which of the program's ticks that is. */
  #timer = 0;
  #nextTick = 0;

  /** @param regionsAfter entries after which a block is compiled; undefined: the engine's own choice */
  constructor(regionsAfter: number | undefined) {
    const memory = createEngineMemory(RAM_BYTES);
    this.#state = new CpuState(memory.buffer);
    this.#ram = this.#state.bytes.subarray(ENGINE_MACHINE_OFFSET, ENGINE_MACHINE_OFFSET + RAM_BYTES);
    const placement = { memory, ramOffset: ENGINE_MACHINE_OFFSET };
    this.#engine = createEngine(placement, this.#bus, undefined, { model: MAX_CPU_MODEL, regionsAfter });
    this.#bus.engine = this.#engine;
  }

  get regionsCompiled(): number {
    return this.#engine.regionStatistics().compiled;
  }

  load(program: Program): void {
    const kernel = this.#kernel(program);
    this.#ram.set(kernel.ram);
    this.#ram.set(program.code, CODE.physical);
    this.#ram.set(program.data, DATA.physical);
    const state = this.#state;
    state.setU64(ENGINE_MACHINE_OFFSET + VARIABLES.CODE_BASE, BigInt(program.mode === 16 ? 0 : CODE.linear));
    state.setU64(ENGINE_MACHINE_OFFSET + VARIABLES.STACK, program.registers[4]);
    this.#engine.reset();
    this.#enter(program, kernel);
    this.#engine.stateReplaced();
    this.#bus.interrupt = false;
    this.#bus.trace = 0;
    this.#started = this.#engine.retired();
    this.#bus.skipped = -this.#started;
    this.#nextTick = 0;
    this.#timer = program.timer[0] ?? Number.POSITIVE_INFINITY;
  }

  #kernel({ paging, gates }: Program): Kernel {
    const key = `${paging} ${gates}`;
    let kernel = this.#kernels.get(key);
    if (kernel === undefined) {
      kernel = buildKernel(paging, gates);
      this.#kernels.set(key, kernel);
    }
    return kernel;
  }

  /** Instructions of this program, and the time in halts. */
  get time(): number {
    return this.#bus.now();
  }

  /** Runs until `time` is reached, in slices of at most `slice` instructions; false when the guest has come to a dead end. */
  runUntil(time: number, program: Program, slice: number): boolean {
    while (this.time < time) {
      if (this.time >= this.#timer) this.#tick(program);
      const exit = this.#engine.run(Math.max(1, Math.min(time, this.#timer, this.time + slice) - this.time));
      if (exit === 'shutdown') return false;
      if (exit === 'halt' && !this.#skipHalt(time)) return true;
    }
    return true;
  }

  /** Registers and what the bus saw. */
  stateBytes(): Uint8Array {
    return this.#engine.stateBytes();
  }

  /** Registers of `other` that differ from ours, with both values. */
  describeDifference(other: FuzzMachine): string {
    const wanted = this.registers();
    const got = other.registers();
    return Object.keys(wanted)
      .filter((name) => wanted[name] !== got[name])
      .map((name) => `${name} ${got[name]}, not ${wanted[name]}`)
      .join('; ');
  }

  registers(): Readonly<Record<string, string>> {
    return this.#engine.snapshot().processors[0].registers;
  }

  get ram(): Uint8Array {
    return this.#ram;
  }

  get trace(): number {
    return this.#bus.trace;
  }

  #tick(program: Program): void {
    this.#bus.interrupt = true;
    this.#engine.interruptRaised(0);
    const { timer } = program;
    while (timer[this.#nextTick] <= this.time) this.#nextTick++;
    this.#timer = timer[this.#nextTick] ?? Number.POSITIVE_INFINITY;
  }

  /** Time goes on to the next tick, or to `time`; false when that is reached. */
  #skipHalt(time: number): boolean {
    const until = Math.min(time, this.#timer);
    if (until > this.time) this.#bus.skipped += until - this.time;
    return this.time < time;
  }

  #enter(program: Program, { cr3, entries }: Kernel): void {
    const state = this.#state;
    const { mode, privilege, paging } = program;
    const isLong = paging === 'long';
    state.setU64(field.CR0, 0x8001_0033n);
    state.setU64(field.CR3, BigInt(cr3));
    state.setU64(field.CR4, paging === 'two-level' ? 0x4_0680n : 0x4_06a0n);
    state.setU64(field.XCR0, 7n);
    state.setU64(field.EFER, isLong ? 0xd01n : 0x801n);
    if (paging === 'pae') state.setU64(storedRegister('PDPTE0'), BigInt(KERNEL.DIRECTORY | 1));
    state.setU64(storedRegister('STAR'), (BigInt(SELECTORS.CODE_32 | 3) << 48n) | (BigInt(SELECTORS.KERNEL) << 32n));
    state.setU64(storedRegister('LSTAR'), BigInt(entries.syscall));
    state.setU64(storedRegister('SFMASK'), BigInt(program.syscallMask));
    state.setU64(storedRegister('SYSENTER_CS'), BigInt(SELECTORS.KERNEL));
    state.setU64(storedRegister('SYSENTER_ESP'), BigInt(KERNEL.STACK_TOP));
    state.setU64(storedRegister('SYSENTER_EIP'), BigInt(entries.sysenter));
    state.setU32(field.MXCSR, program.mxcsr);
    state.setU64(field.GDTR_BASE, BigInt(KERNEL.GDT));
    state.setU32(field.GDTR_LIMIT, 0x4f);
    state.setU64(field.IDTR_BASE, BigInt(KERNEL.IDT));
    state.setU32(field.IDTR_LIMIT, PAGE - 1);
    state.setU32(field.CPL, privilege);
    const base = mode === 16 ? BigInt(CODE.linear) : 0n;
    const limit = mode === 16 ? 0xffff : 0xffff_ffff;
    const data = mode === 16 ? SELECTORS.DATA_16 : SELECTORS.DATA_32;
    const attributes = mode === 16 ? 0x00f3 : 0xc0f3;
    for (const segment of [SEGMENT_INDEX.ES, SEGMENT_INDEX.DS, SEGMENT_INDEX.FS, SEGMENT_INDEX.GS]) {
      state.setSegment(segment, data | 3, attributes, base, limit);
    }
    const level = privilege << 5;
    const [code, codeAttributes] =
      mode === 64
        ? [SELECTORS.CODE_64, 0xa09b]
        : mode === 32
          ? [SELECTORS.CODE_32, 0xc09b]
          : [SELECTORS.CODE_16, 0x009b];
    const ring0 = privilege === 0;
    state.setSegment(SEGMENT_INDEX.CS, ring0 ? SELECTORS.KERNEL : code | 3, codeAttributes | level, base, limit);
    state.setSegment(
      SEGMENT_INDEX.SS,
      ring0 ? SELECTORS.KERNEL_DATA : data | 3,
      (attributes & ~0x60) | level,
      base,
      limit,
    );
    state.setSegment(SEGMENT_INDEX.TR, SELECTORS.TSS, 0x8b, BigInt(KERNEL.TSS), 0x67);
    state.setSegment(SEGMENT_INDEX.LDTR, 0, 0x1_0000, 0n, 0);
    program.registers.forEach((value, index) => {
      state.setGpr(index, value);
    });
    for (let index = 0; index < 32; index++) state.setU64(field.XMM + 16 * index, program.registers[index & 15]);
    state.setRflags(program.flags);
    state.rip = BigInt(program.entry);
  }
}
