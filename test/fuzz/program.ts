import { viewOf } from '../../src/shared/bytes.ts';
import { littleEndian, type Mode } from '../oracle/cpu-vectors/encode.ts';
import { Random } from '../oracle/cpu-vectors/random.ts';
import { anyAddress, POINTERS } from './addresses.ts';
import {
  CODE,
  DATA,
  DOUBLES,
  type Gates,
  JUMP_TABLE,
  PAGE,
  type Paging,
  SLOT,
  SLOTS,
  STACK_TOP,
} from './memory-map.ts';
import { SlotWriter, slotAddress } from './slot-writer.ts';
import { writeSlot } from './units.ts';

/** What a machine runs: everything is a function of the seed. */
export interface Program {
  readonly seed: number;
  readonly mode: Mode;
  readonly paging: Paging;
  readonly gates: Gates;
  /** CPL at the start. */
  readonly privilege: 0 | 3;
  readonly mxcsr: number;
  /** Flags that SYSCALL clears. */
  readonly syscallMask: number;
  readonly code: Uint8Array;
  readonly data: Uint8Array;
  readonly registers: readonly bigint[];
  readonly flags: number;
  /** RIP of the first instruction. */
  readonly entry: number;
  /** Virtual times at which the interrupt comes, ascending. */
  readonly timer: readonly number[];
  /** Virtual time that it runs. */
  readonly length: number;
  /** Most instructions in a slice of the interpreter's run, and of that with regions. */
  readonly slices: readonly [number, number];
}

/** A program before its bytes are put together: what a minimiser takes apart. */
export interface Draft extends Omit<Program, 'code'> {
  /** Number of a slot → its instructions. */
  readonly slots: ReadonlyMap<number, readonly (readonly number[])[]>;
  readonly first: number;
}

/** Code addresses that the program's units may go to. */
export interface Layout {
  readonly random: Random;
  readonly mode: Mode;
  readonly paging: Paging;
  readonly privilege: 0 | 3;
  /** Slots of the main loop and of functions. */
  readonly main: readonly number[];
  readonly functions: readonly number[];
}

const NOP = 0x90;
const JUMP_NEAR = 0xe9;
const EDGES = [0, 1, 0x7f, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x3ff0_0000, 0x7ff0_0000, 0xfff8_0000];
/** Exact ones, some that round, edges, denormals, no numbers. */
const NUMBERS = [
  0,
  1,
  1.5,
  3,
  0.1,
  1e10,
  2 ** 31,
  2 ** 63,
  1e308,
  2 ** -1022,
  5e-324,
  1e-310,
  1e-40,
  Infinity,
  Number.NaN,
];
const JUMP_TABLE_ENTRIES = 4;
/** IF and IOPL 3: ports and CLI are free at any level. */
const FLAGS = 0x3202;
/** The usual one; other roundings; FZ and DAZ; exceptions that are let through. */
const MXCSRS = [0x1f80, 0x1f80, 0x3f80, 0x5f80, 0x7f80, 0x9fc0, 0x1fc0, 0x1f00, 0x1800, 0x1fa0, 0x1fbf];
const SYSCALL_MASKS = [0x4_7700, 0x200, 0];
/** A slice that only interrupts and checkpoints end. */
const WHOLE = 100_000;
const SLICES = [1, 2, 3, 5, 17, 101, 499, 1009, WHOLE];
/** Instructions of a program whose slices have one. */
const SHORTEST = 150;

export function draftProgram(seed: number): Draft {
  const random = new Random(seed);
  const mode = random.pick<Mode>([64, 64, 64, 64, 64, 64, 64, 32, 32, 16]);
  const paging = mode === 32 ? random.pick<Paging>(['long', 'pae', 'two-level']) : 'long';
  const privilege = mode === 64 || paging !== 'long' ? random.pick<0 | 3>([0, 3]) : 3;
  const count = 4 + random.below(20);
  const functionCount = 1 + random.below(4);
  // Often across a page boundary.
  const boundary = (PAGE / SLOT) * (1 + random.below(CODE.pages - 1));
  const start = random.below(3) === 0 ? random.below(SLOTS - 64) : boundary - random.below(count + functionCount);
  const main = Array.from({ length: count }, (_, index) => start + index);
  const functions = Array.from({ length: functionCount }, (_, index) => start + count + index);
  const layout: Layout = { random, mode, paging, privilege, main, functions };
  const slots = new Map<number, readonly (readonly number[])[]>();
  for (const slot of [...main, ...functions]) {
    const writer = new SlotWriter(mode, slot);
    writeSlot(layout, writer, slot);
    slots.set(slot, writer.instructions);
  }
  const slice = random.pick(SLICES);
  const reference = random.below(4) === 0 ? random.pick(SLICES) : WHOLE;
  const length = Math.min(slice, reference) < 5 ? SHORTEST : 200 + random.below(1000);
  return {
    seed,
    mode,
    paging,
    gates: random.pick<Gates>(['own-stack', 'same-stack']),
    privilege,
    mxcsr: random.pick(MXCSRS),
    syscallMask: random.pick(SYSCALL_MASKS),
    data: dataOf(layout),
    registers: registersOf(random, mode),
    flags: FLAGS | (random.u32() & 0x811),
    entry: slotAddress(start) - segmentBase(mode),
    timer: timerOf(random, length),
    length,
    slices: [reference, slice],
    slots,
    first: start,
  };
}

/** Slots that a draft has no instructions for jump to the first one. */
export function assembleProgram(draft: Draft): Program {
  const code = new Uint8Array(CODE.pages * PAGE).fill(NOP);
  const view = viewOf(code);
  for (let slot = 0; slot < SLOTS; slot++) {
    const instructions = draft.slots.get(slot);
    let at = slot * SLOT;
    if (instructions === undefined) {
      const head = draft.mode === 16 ? 3 : 5;
      code[at] = JUMP_NEAR;
      const distance = (draft.first - slot) * SLOT - head;
      if (draft.mode === 16) view.setInt16(at + 1, distance, true);
      else view.setInt32(at + 1, distance, true);
    } else {
      for (const bytes of instructions) {
        code.set(bytes, at);
        at += bytes.length;
      }
    }
  }
  return { ...draft, code };
}

/** Where offsets of code and data count from. */
export const segmentBase = (mode: Mode): number => (mode === 16 ? CODE.linear : 0);

function dataOf({ random, mode, main, functions }: Layout): Uint8Array {
  const data = new Uint8Array(DATA.pages * PAGE);
  const view = viewOf(data);
  // A quarter of random dwords, so that there is something to find in zeros.
  for (let offset = 0; offset < data.length; offset += 16) {
    const value = random.u32();
    view.setUint32(offset, (value & 7) === 0 ? EDGES[(value >>> 3) % EDGES.length] : value, true);
  }
  for (let index = 0; index < DOUBLES.count; index++) {
    const value = random.pick(NUMBERS);
    const at = DOUBLES.linear - DATA.linear + index * 8;
    if (random.below(4) !== 0) view.setFloat64(at, random.below(2) === 0 ? value : -value, true);
  }
  const width = mode / 8;
  for (const [table, targets] of [main, functions].entries()) {
    for (let entry = 0; entry < JUMP_TABLE_ENTRIES; entry++) {
      const offset = JUMP_TABLE - DATA.linear + (table * JUMP_TABLE_ENTRIES + entry) * width;
      data.set(littleEndian(BigInt(slotAddress(random.pick(targets)) - segmentBase(mode)), width), offset);
    }
  }
  return data;
}

function registersOf(random: Random, mode: Mode): bigint[] {
  const registers = Array.from({ length: 16 }, () => random.integer(mode === 64 ? 64 : 32));
  for (const register of [...POINTERS, ...(mode === 64 ? [12, 13] : [])]) {
    registers[register] = BigInt(anyAddress(random) - segmentBase(mode));
  }
  registers[4] = BigInt(STACK_TOP - segmentBase(mode));
  return registers;
}

/** None, rare or frequent ticks; some programs have one at every few instructions for a while. */
function timerOf(random: Random, length: number): number[] {
  const period = random.pick([0, 0, 1, 7, 23, 130, 700]);
  if (period === 0) return [];
  const ticks: number[] = [];
  const end = period < 10 ? Math.min(length, 600) : length;
  for (let time = random.below(50); time < end; time += 1 + random.below(2 * period)) ticks.push(time);
  return ticks;
}
