import type { CpuBus } from '../../../src/emulator/cpu/bus.ts';
import { CpuState } from '../../../src/emulator/cpu/cpu-state.ts';
import type { CpuEngine } from '../../../src/emulator/cpu/engine.ts';
import { createEngineMemory, ENGINE_MACHINE_OFFSET } from '../../../src/emulator/cpu/execution/engine-memory.ts';
import { MAX_CPU_MODEL } from '../../../src/emulator/cpu/model/cpu-model.ts';
import { createEngine } from '../../../src/emulator/cpu/processor.ts';
import {
  CPL,
  CR0,
  CR2,
  CR3,
  CR4,
  EFER,
  GDTR_BASE,
  GDTR_LIMIT,
  HALTED,
  IDTR_BASE,
  IDTR_LIMIT,
  INTERRUPT_SHADOW,
  MXCSR,
  SEGMENT_INDEX,
  X87_CONTROL,
  X87_REGISTERS,
  X87_STATUS,
  X87_TOP,
  X87_VALID,
  XCR0,
  XMM,
} from '../../../src/emulator/cpu/state.ts';
import {
  CODE_BASE,
  CODE_BYTE_LENGTH,
  type CpuVector,
  type CpuVectorState,
  DATA_BASE,
  DATA_BYTE_LENGTH,
  type FpuState,
  GS_BASE,
} from './vector.ts';

/** Guest RAM: tables below 1 MiB, the vectors' code and data pages at the linear addresses of vector.ts. */
const RAM_BYTES = 0x20_0000;
const GDT = 0x1000;
const TSS = 0x1800;
const IDT = 0x2000;
const PML4 = 0x4000;
const PDPT = 0x5000;
const LOW_DIRECTORY = 0x6000;
const LOW_TABLE = 0x7000;
const HIGH_TABLE = 0x9000;
const HANDLERS = 0xa000;
const KERNEL_STACK = 0xe000;
const PHYSICAL_CODE = 0x10_0000;
const PHYSICAL_DATA = PHYSICAL_CODE + CODE_BYTE_LENGTH;
const CS_KERNEL = 0x08;
const CS_64 = 0x1b;
const CS_32 = 0x23;
const CS_16 = 0x2b;
const DS_32 = 0x33;
const DS_16 = 0x3b;
const TR = 0x40;
const VECTOR_NAMES = 256;
const BREAKPOINT = 3;
/** Instructions that a sequence may take: its loops are short. */
const SEQUENCE_LIMIT = 2000;

/** Sequences run as one block up to the INT3 behind them; single instructions are stepped. */
const isSequence = (vector: CpuVector): boolean => vector.name.startsWith('sequence');

class FlatBus implements CpuBus {
  hostPage(gpa: number): number {
    return gpa < RAM_BYTES ? ENGINE_MACHINE_OFFSET + gpa : -1;
  }
  read(): number {
    return 0xffff_ffff;
  }
  write(): void {}
  portRead(): number {
    return 0xffff_ffff;
  }
  portWrite(): void {}
  now(): number {
    return 0;
  }
  interruptPending(): boolean {
    return false;
  }
  acknowledgeInterrupt(): number {
    return -1;
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
}

/** What the engine made of a vector. */
export interface EngineOutcome {
  readonly gpr: readonly bigint[];
  readonly rflags: number;
  readonly rip: bigint;
  readonly fault?: { vector: number; errorCode: number; cr2: bigint };
  readonly data: Uint8Array;
  readonly fpu: FpuState;
}

/** An engine in long mode at CPL 3 that runs single instructions from vectors; faults arrive at HLTs in ring 0, one a vector. */
export class EngineHarness {
  readonly state: CpuState;
  readonly #engine: CpuEngine;

  readonly #regionsAfter: number | undefined;

  /** `regionsAfter`: see EngineOptions; single instructions then run as the beginning of a block that goes on. */
  constructor(regionsAfter?: number) {
    this.#regionsAfter = regionsAfter;
    const memory = createEngineMemory(RAM_BYTES);
    this.state = new CpuState(memory.buffer);
    this.#writeTables();
    this.#engine = createEngine({ memory, ramOffset: ENGINE_MACHINE_OFFSET }, new FlatBus(), undefined, {
      model: MAX_CPU_MODEL,
      regionsAfter,
    });
  }

  /** `adjust` changes the state after the vector's own (control registers and the like). */
  run(vector: CpuVector, adjust?: (state: CpuState) => void): EngineOutcome {
    const { state } = this;
    const ram = state.bytes.subarray(ENGINE_MACHINE_OFFSET, ENGINE_MACHINE_OFFSET + RAM_BYTES);
    ram.fill(0xcc, PHYSICAL_CODE, PHYSICAL_CODE + CODE_BYTE_LENGTH);
    ram.fill(0, PHYSICAL_DATA, PHYSICAL_DATA + DATA_BYTE_LENGTH);
    const linear = Number(vector.before.rip) + (vector.mode === 16 ? CODE_BASE : 0);
    ram.set(vector.bytes, PHYSICAL_CODE + linear - CODE_BASE);
    for (const window of vector.before.memory) ram.set(window.bytes, physicalOf(window.address));
    this.#enter(vector.mode, vector.before);
    adjust?.(state);
    this.#engine.stateReplaced();
    if (isSequence(vector) || this.#regionsAfter !== undefined) this.#engine.run(SEQUENCE_LIMIT);
    else this.#runOne(vector);
    return this.#outcome(ram);
  }

  #runOne(vector: CpuVector): void {
    const { state } = this;
    for (let attempt = 0; attempt < 64; attempt++) {
      this.#engine.run(1);
      // A REP in portions stands where it was until it is done.
      if (state.rip !== vector.before.rip) break;
    }
  }

  #writeTables(): void {
    const { view } = this.state;
    const at = (offset: number): number => ENGINE_MACHINE_OFFSET + offset;
    const u64 = (offset: number, value: bigint): void => view.setBigUint64(at(offset), value, true);
    const code16Base = BigInt(CODE_BASE);
    const based = (descriptor: bigint): bigint =>
      descriptor | ((code16Base & 0xff_ffffn) << 16n) | ((code16Base >> 24n) << 56n);
    u64(GDT + 0x08, 0x00af_9b00_0000_ffffn);
    u64(GDT + 0x10, 0x00cf_9300_0000_ffffn);
    u64(GDT + 0x18, 0x00af_fb00_0000_ffffn);
    u64(GDT + 0x20, 0x00cf_fb00_0000_ffffn);
    u64(GDT + 0x28, based(0x0000_fb00_0000_ffffn));
    u64(GDT + 0x30, 0x00cf_f300_0000_ffffn);
    u64(GDT + 0x38, based(0x0000_f300_0000_ffffn));
    u64(TSS + 4, BigInt(KERNEL_STACK));
    // No I/O permission bitmap.
    view.setUint16(at(TSS + 0x66), 0x68, true);
    for (let vector = 0; vector < VECTOR_NAMES; vector++) {
      const handler = BigInt(HANDLERS + vector * 16);
      const dpl = vector === 3 || vector === 4 ? 0xeen : 0x8en;
      u64(
        IDT + vector * 16,
        (handler & 0xffffn) | (BigInt(CS_KERNEL) << 16n) | (dpl << 40n) | ((handler >> 16n) << 48n),
      );
      view.setUint8(at(HANDLERS + vector * 16), 0xf4);
    }
    u64(PML4, BigInt(PDPT) | 7n);
    u64(PDPT, BigInt(LOW_DIRECTORY) | 7n);
    u64(LOW_DIRECTORY, BigInt(LOW_TABLE) | 7n);
    for (let page = 0; page < 16; page++) u64(LOW_TABLE + page * 8, BigInt(page * 0x1000) | 0x63n);
    u64(LOW_DIRECTORY + (CODE_BASE / 0x20_0000) * 8, BigInt(HIGH_TABLE) | 7n);
    const map = (linear: number, physical: number, byteLength: number): void => {
      for (let offset = 0; offset < byteLength; offset += 0x1000) {
        u64(HIGH_TABLE + (((linear + offset) >>> 12) & 0x1ff) * 8, BigInt(physical + offset) | 0x67n);
      }
    };
    map(CODE_BASE, PHYSICAL_CODE, CODE_BYTE_LENGTH);
    map(DATA_BASE, PHYSICAL_DATA, DATA_BYTE_LENGTH);
  }

  #enter(mode: 16 | 32 | 64, before: CpuVectorState): void {
    const { state } = this;
    state.setU64(CR0, 0x8001_0033n);
    state.setU64(CR2, 0n);
    state.setU64(CR3, BigInt(PML4));
    state.setU64(CR4, 0x4_06a0n);
    state.setU64(XCR0, 7n);
    state.setU64(EFER, 0xd01n);
    state.setU64(GDTR_BASE, BigInt(GDT));
    state.setU32(GDTR_LIMIT, 0x4f);
    state.setU64(IDTR_BASE, BigInt(IDT));
    state.setU32(IDTR_LIMIT, 0xfff);
    state.setU32(CPL, 3);
    state.setU32(HALTED, 0);
    state.setU32(INTERRUPT_SHADOW, 0);
    const base = mode === 16 ? BigInt(CODE_BASE) : 0n;
    const limit = mode === 16 ? 0xffff : 0xffff_ffff;
    const dataSelector = mode === 16 ? DS_16 : DS_32;
    const dataAttributes = mode === 16 ? 0x00f3 : 0xc0f3;
    for (const segment of [SEGMENT_INDEX.ES, SEGMENT_INDEX.SS, SEGMENT_INDEX.DS, SEGMENT_INDEX.FS]) {
      state.setSegment(segment, dataSelector, dataAttributes, base, limit);
    }
    state.setSegment(SEGMENT_INDEX.GS, dataSelector, dataAttributes, BigInt(GS_BASE), limit);
    const [csSelector, csAttributes] = mode === 64 ? [CS_64, 0xa0fb] : mode === 32 ? [CS_32, 0xc0fb] : [CS_16, 0x00fb];
    state.setSegment(SEGMENT_INDEX.CS, csSelector, csAttributes, base, limit);
    state.setSegment(SEGMENT_INDEX.TR, TR, 0x8b, BigInt(TSS), 0x67);
    state.setSegment(SEGMENT_INDEX.LDTR, 0, 0x1_0000, 0n, 0);
    before.gpr.forEach((value, index) => {
      state.setGpr(index, mode === 64 ? value : index < 8 ? value & 0xffff_ffffn : 0n);
    });
    state.setRflags(before.rflags);
    state.rip = before.rip;
    if (before.fpu !== undefined) this.#loadFpu(before.fpu);
  }

  #loadFpu(fpu: FpuState): void {
    const { state } = this;
    const top = (fpu.statusWord >> 11) & 7;
    state.setU32(X87_CONTROL, fpu.controlWord);
    state.setU32(X87_STATUS, fpu.statusWord & ~0x3800);
    state.setU32(X87_TOP, top);
    state.setU32(X87_VALID, fpu.validMask);
    state.setU32(MXCSR, fpu.mxcsr);
    fpu.st.forEach((value, index) => {
      const slot = X87_REGISTERS + ((top + index) & 7) * 16;
      state.setU64(slot, value & 0xffff_ffff_ffff_ffffn);
      state.setU64(slot + 8, value >> 64n);
    });
    fpu.xmm.forEach((value, index) => {
      state.setU64(XMM + index * 32, value & 0xffff_ffff_ffff_ffffn);
      state.setU64(XMM + index * 32 + 8, value >> 64n);
      const upper = fpu.ymm?.[index] ?? 0n;
      state.setU64(XMM + index * 32 + 16, upper & 0xffff_ffff_ffff_ffffn);
      state.setU64(XMM + index * 32 + 24, upper >> 64n);
    });
  }

  #outcome(ram: Uint8Array): EngineOutcome {
    const { state } = this;
    const data = ram.slice(PHYSICAL_DATA, PHYSICAL_DATA + DATA_BYTE_LENGTH);
    const gpr = Array.from({ length: 16 }, (_, index) => state.gpr(index));
    const fpu = this.#fpu();
    if (state.u32(CPL) !== 0) return { gpr, rflags: state.rflags(), rip: state.rip, data, fpu };
    // RIP stands at (or after) the HLT of the vector's handler; the frame tells the rest.
    const number = (Number(state.rip) - HANDLERS) >> 4;
    const withCode = [8, 10, 11, 12, 13, 14, 17].includes(number);
    const rsp = Number(state.gpr(4));
    const slot = (index: number): bigint => state.u64(ENGINE_MACHINE_OFFSET + rsp + index * 8);
    const first = withCode ? 1 : 0;
    gpr[4] = slot(first + 3);
    // The INT3 after a sequence.
    if (number === BREAKPOINT) return { gpr, rflags: Number(slot(2)), rip: slot(0) - 1n, data, fpu };
    return {
      gpr,
      rflags: Number(slot(first + 2) & ~0x1_0000n),
      rip: slot(first),
      fault: {
        vector: number,
        errorCode: withCode ? Number(slot(0)) : 0,
        cr2: number === 14 ? state.u64(CR2) : 0n,
      },
      data,
      fpu,
    };
  }

  #fpu(): FpuState {
    const { state } = this;
    const top = state.u32(X87_TOP);
    return {
      controlWord: state.u32(X87_CONTROL),
      statusWord: state.u32(X87_STATUS) | (top << 11),
      validMask: state.u32(X87_VALID),
      mxcsr: state.u32(MXCSR),
      st: Array.from({ length: 8 }, (_, index) => {
        const slot = X87_REGISTERS + ((top + index) & 7) * 16;
        return ((state.u64(slot + 8) & 0xffffn) << 64n) | state.u64(slot);
      }),
      xmm: Array.from(
        { length: 16 },
        (_, index) => (state.u64(XMM + index * 32 + 8) << 64n) | state.u64(XMM + index * 32),
      ),
      ymm: Array.from(
        { length: 16 },
        (_, index) => (state.u64(XMM + index * 32 + 24) << 64n) | state.u64(XMM + index * 32 + 16),
      ),
    };
  }
}

function physicalOf(linear: number): number {
  return linear < DATA_BASE ? PHYSICAL_CODE + linear - CODE_BASE : PHYSICAL_DATA + linear - DATA_BASE;
}

/** What differs from the processor's own outcome, as text; empty: nothing. */
export function differences(vector: CpuVector, outcome: EngineOutcome, compareFpu: boolean): string[] {
  const list: string[] = [];
  const { after } = vector;
  const mask = vector.mode === 64 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  const count = vector.mode === 64 ? 16 : 8;
  const show = (value: bigint | number | undefined): string => (value === undefined ? '-' : value.toString(16));
  if (after.fault?.vector !== outcome.fault?.vector)
    list.push(`fault ${show(outcome.fault?.vector)}, processor ${show(after.fault?.vector)}`);
  else if (after.fault !== undefined && outcome.fault !== undefined) {
    if (after.fault.errorCode !== outcome.fault.errorCode)
      list.push(`error code ${show(outcome.fault.errorCode)}, processor ${show(after.fault.errorCode)}`);
    if (after.fault.cr2 !== outcome.fault.cr2)
      list.push(`cr2 ${show(outcome.fault.cr2)}, processor ${show(after.fault.cr2)}`);
  }
  for (let index = 0; index < count; index++) {
    const wanted = after.gpr[index] & mask;
    if ((outcome.gpr[index] & mask) !== wanted)
      list.push(`gpr${index} ${show(outcome.gpr[index] & mask)}, processor ${show(wanted)}`);
  }
  const flagMask = 0xcd5 & ~vector.undefinedFlags;
  if ((outcome.rflags & flagMask) !== (after.rflags & flagMask)) {
    list.push(`flags ${show(outcome.rflags & flagMask)}, processor ${show(after.rflags & flagMask)}`);
  }
  if (outcome.rip !== after.rip) list.push(`rip ${show(outcome.rip)}, processor ${show(after.rip)}`);
  const wanted = new Uint8Array(DATA_BYTE_LENGTH);
  for (const window of [...vector.before.memory, ...after.memory]) {
    if (window.address >= DATA_BASE) wanted.set(window.bytes, window.address - DATA_BASE);
  }
  maskPointers(vector, wanted, outcome.data);
  const wrong = wanted.findIndex((byte, index) => byte !== outcome.data[index]);
  if (wrong >= 0)
    list.push(`memory ${show(DATA_BASE + wrong)}: ${show(outcome.data[wrong])}, processor ${show(wanted[wrong])}`);
  if (compareFpu && after.fpu !== undefined) list.push(...fpuDifferences(vector, outcome.fpu));
  return list;
}

/** FNSTENV's 14-byte format: by operand size. */
function hasShortEnvironment(vector: CpuVector): boolean {
  const prefixes = vector.bytes.findIndex((byte) => ![0x65, 0x66, 0x67].includes(byte));
  const overridden = vector.bytes.subarray(0, prefixes).includes(0x66);
  return (vector.mode === 16) !== overridden;
}

/**
 * What models of processors differ in: instruction and operand pointers (AMD saves them only with an exception pending) and the mask of
 * MXCSR's bits. They are taken over from the engine.
 */
function maskPointers(vector: CpuVector, wanted: Uint8Array, got: Uint8Array): void {
  const parts: readonly (readonly [number, number])[] = /^FN(STENV|SAVE)/.test(vector.name)
    ? hasShortEnvironment(vector)
      ? [[6, 14]]
      : [[12, 28]]
    : /^FXSAVE/.test(vector.name)
      ? [
          [6, 24],
          [28, 32],
        ]
      : [];
  // FXSAVE's vectors have no memory before: what they wrote starts with the control word.
  const first = vector.before.memory[0] ?? vector.after.memory[0];
  if (parts.length === 0 || first === undefined) return;
  for (const [from, to] of parts) {
    const start = first.address - DATA_BASE;
    wanted.set(got.subarray(start + from, start + to), start + from);
  }
}

const TRANSCENDENTAL = /^(F2XM1|FYL2X|FYL2XP1|FPTAN|FPATAN|FSIN|FCOS|FSINCOS)$/;
const APPROXIMATE = /^V?(RCP|RSQRT)/;
const C1 = 0x200;
/** 1.5 × 2^−12 as units of 2^−24 of a significand (SDM vol. 2, RCPPS), for each of the two. */
const APPROXIMATION_ULPS = 2 * 1.5 * 2 ** 12 * 2;

/** Defined arguments: outside them the result is anything. */
function isDefined(vector: CpuVector): boolean {
  if (vector.name !== 'FYL2XP1' || vector.before.fpu === undefined) return true;
  return Number((vector.before.fpu.st[0] >> 64n) & 0x7fffn) < 0x3ffd;
}

function isNear(left: bigint, right: bigint, units: number): boolean {
  const distance = left > right ? left - right : right - left;
  return distance <= BigInt(units);
}

/** An 80-bit number's place among its neighbours: the integer bit does not count. */
const ordinal = (value: bigint): bigint => ((value >> 64n) << 63n) | (value & 0x7fff_ffff_ffff_ffffn);

function nearVectors(left: bigint, right: bigint): boolean {
  for (let lane = 0n; lane < 4n; lane++) {
    const a = (left >> (lane * 32n)) & 0xffff_ffffn;
    const b = (right >> (lane * 32n)) & 0xffff_ffffn;
    if (a !== b && !isNear(a, b, APPROXIMATION_ULPS)) return false;
  }
  return true;
}

function fpuDifferences(vector: CpuVector, got: FpuState): string[] {
  const list: string[] = [];
  if (!isDefined(vector)) return list;
  const transcendental = TRANSCENDENTAL.test(vector.name);
  const approximate = APPROXIMATE.test(vector.name);
  const before = vector.after.fpu!;
  // C1 tells how an approximation was rounded.
  const wanted = transcendental ? { ...before, statusWord: (before.statusWord & ~C1) | (got.statusWord & C1) } : before;
  for (const key of ['controlWord', 'statusWord', 'validMask', 'mxcsr'] as const) {
    if (wanted[key] !== got[key]) list.push(`${key} ${got[key].toString(16)}, processor ${wanted[key].toString(16)}`);
  }
  wanted.st.forEach((value, index) => {
    const near = transcendental && isNear(ordinal(value), ordinal(got.st[index]), 1);
    if (value !== got.st[index] && !near)
      list.push(`st${index} ${got.st[index].toString(16)}, processor ${value.toString(16)}`);
  });
  wanted.ymm?.forEach((value, index) => {
    const upper = got.ymm![index];
    if (value !== upper && !(approximate && nearVectors(value, upper)))
      list.push(`ymm${index} ${upper.toString(16)}, processor ${value.toString(16)}`);
  });
  wanted.xmm.forEach((value, index) => {
    if (value !== got.xmm[index] && !(approximate && nearVectors(value, got.xmm[index])))
      list.push(`xmm${index} ${got.xmm[index].toString(16)}, processor ${value.toString(16)}`);
  });
  return list;
}
