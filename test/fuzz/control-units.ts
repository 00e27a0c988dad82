import { littleEndian } from '../oracle/cpu-vectors/encode.ts';
import { CODE, JUMP_TABLE } from './memory-map.ts';
import type { Layout } from './program.ts';
import { type SlotWriter, slotAddress } from './slot-writer.ts';
import {
  back,
  COUNTER_REGISTERS,
  COUNTERS,
  countDown,
  forward,
  setCounter,
  someInstructions,
} from './straight-code.ts';
import { weighted } from './weighted.ts';

const NOT_ZERO = 0x75;

export function straight(layout: Layout, writer: SlotWriter): void {
  someInstructions(layout, writer, 12);
}

export function countedLoop(layout: Layout, writer: SlotWriter): void {
  setCounter(writer, 0, 1 + layout.random.below(40));
  const start = writer.position;
  someInstructions(layout, writer, 8);
  countDown(writer, 0);
  writer.shortBranch(NOT_ZERO, start);
}

/** A loop over the slots before: those that set its counter come first, or it ends at once or runs long. */
export function outerLoop(layout: Layout, writer: SlotWriter, slot: number): void {
  const { random, main } = layout;
  if (random.below(2) === 0) {
    setCounter(writer, 1, 2 + random.below(20));
    someInstructions(layout, writer, 3);
    return;
  }
  someInstructions(layout, writer, 4);
  countDown(writer, 1);
  writer.branch([0x0f, 0x80 | (random.below(4) === 0 ? random.below(16) : 5)], slotAddress(back(random, main, slot)));
}

export function skipForward(layout: Layout, writer: SlotWriter, slot: number): void {
  const { random, main } = layout;
  someInstructions(layout, writer, 4);
  writer.branch([0x0f, 0x80 | random.below(16)], slotAddress(forward(random, main, slot)));
}

export function callFunction(layout: Layout, writer: SlotWriter): void {
  const { random, functions } = layout;
  someInstructions(layout, writer, 3);
  writer.branch([0xe8], slotAddress(random.pick(functions)));
}

/** Through a table, by the loop counter: a jump within the main loop, or a call. */
export function indirect({ random, mode }: Layout, writer: SlotWriter): void {
  const call = random.below(2);
  const table = JUMP_TABLE + call * 4 * (mode / 8);
  const reg = (call === 1 ? 2 : 4) << 3;
  if (mode === 16) {
    writer.add(0x8b, 0x1e, ...littleEndian(BigInt(COUNTERS[0] - CODE.linear), 2));
    writer.add(0x83, 0xe3, 3);
    writer.add(0xd1, 0xe3);
    writer.add(0xff, 0x87 | reg, ...littleEndian(BigInt(table - CODE.linear), 2));
    return;
  }
  // From the counter or the clock.
  if (random.below(2) === 0) writer.add(0x0f, 0x31);
  else if (mode === 64) writer.add(0x44, 0x89, 0xf0 | (COUNTER_REGISTERS[0] === 7 ? 8 : 0));
  else writer.add(0xa1, ...littleEndian(BigInt(COUNTERS[0]), 4));
  writer.add(0x83, 0xe0, 3);
  writer.add(0xff, 0x04 | reg, mode === 64 ? 0xc5 : 0x85, ...littleEndian(BigInt(table), 4));
}

/** A return that no call led to. */
export function returnTo({ random, mode, main }: Layout, writer: SlotWriter, slot: number): void {
  const target = slotAddress(forward(random, main, slot)) - (mode === 16 ? CODE.linear : 0);
  writer.add(0x68, ...littleEndian(BigInt(target), mode === 16 ? 2 : 4));
  writer.add(0xc3);
}

/** How a function ends, by weight: most return to where they were called from. */
const ENDS: readonly (readonly [(layout: Layout, writer: SlotWriter, slot: number) => void, number])[] = [
  [returnPlainly, 12],
  [recurse, 3],
  [tailCall, 1],
  [returnTwice, 1],
  [returnByJump, 1],
  [returnIntoFunction, 1],
];

/** A slot that calls may lead to. */
export function writeFunction(layout: Layout, writer: SlotWriter, slot: number): void {
  const { random, functions } = layout;
  someInstructions(layout, writer, 5);
  if (slot !== functions.at(-1) && random.below(3) === 0) writer.branch([0xe8], slotAddress(slot + 1));
  weighted(random, ENDS)(layout, writer, slot);
}

function returnPlainly({ random }: Layout, writer: SlotWriter): void {
  writer.add(...(random.below(8) === 0 ? [0xc2, 8 * random.below(2), 0] : [0xc3]));
}

/** Calls itself while the inner counter lasts, which a caller's loop may share. */
function recurse(_layout: Layout, writer: SlotWriter): void {
  countDown(writer, 0);
  writer.add(0x7e, writer.mode === 16 ? 3 : 5);
  writer.branch([0xe8], writer.linear);
  writer.add(0xc3);
}

function tailCall({ random, functions }: Layout, writer: SlotWriter): void {
  writer.branch([0xe9], slotAddress(random.pick(functions)));
}

/** Leaves its caller out: ADD SP, one return address. */
function returnTwice({ mode }: Layout, writer: SlotWriter): void {
  writer.add(...(mode === 64 ? [0x48] : []), 0x83, 0xc4, mode / 8);
  writer.add(0xc3);
}

/** POP AX; JMP AX. */
function returnByJump(_layout: Layout, writer: SlotWriter): void {
  writer.add(0x58);
  writer.add(0xff, 0xe0);
}

/** PUSH of a function, RET: that one returns to the caller. */
function returnIntoFunction({ random, mode, functions }: Layout, writer: SlotWriter): void {
  const target = slotAddress(random.pick(functions)) - (mode === 16 ? CODE.linear : 0);
  writer.add(0x68, ...littleEndian(BigInt(target), mode === 16 ? 2 : 4));
  writer.add(0xc3);
}
