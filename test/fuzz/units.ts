import { littleEndian, type Mode } from '../oracle/cpu-vectors/encode.ts';
import type { Random } from '../oracle/cpu-vectors/random.ts';
import { anyAddress, POINTERS, POINTERS_64 } from './addresses.ts';
import { FREE_ROWS, instructionBytes, PLAIN_ROWS } from './instruction-bytes.ts';
import { CODE, dataPage, entryOf, JUMP_TABLE, PORTS } from './memory-map.ts';
import type { Layout } from './program.ts';
import { type SlotWriter, slotAddress } from './slot-writer.ts';
import { weighted } from './weighted.ts';

/** A loop's counter in memory, for modes that have no register to spare; another for the loop around it. */
const COUNTERS = [JUMP_TABLE - 0x40, JUMP_TABLE - 0x38];
/** R15 and R14 count in 64-bit code: no random instruction names them. */
const COUNTER_REGISTERS = [7, 6];
/** Bytes that are kept free for the end of a slot. */
const RESERVED = 20;

/** What a slot of the main loop does, by weight. */
const UNITS: readonly (readonly [(layout: Layout, writer: SlotWriter, slot: number) => void, number])[] = [
  [straight, 8],
  [countedLoop, 8],
  [outerLoop, 4],
  [skipForward, 5],
  [callFunction, 4],
  [indirect, 3],
  [returnTo, 1],
  [modifyCode, 2],
  [stringRun, 3],
  [withdrawPage, 2],
  [inputOutput, 2],
  [interruptFlag, 1],
  [reloadPointers, 3],
  [pushPop, 1],
];

/** Fills a slot: a unit of the main loop, the jump that closes it, or a function. */
export function writeSlot(layout: Layout, writer: SlotWriter, slot: number): void {
  const { random, main, functions } = layout;
  if (functions.includes(slot)) {
    someInstructions(layout, writer, 6);
    if (slot !== functions.at(-1) && random.below(3) === 0) writer.branch([0xe8], slotAddress(slot + 1));
    writer.add(...(random.below(8) === 0 ? [0xc2, 8 * random.below(2), 0] : [0xc3]));
    writer.finish(false);
    return;
  }
  if (slot === main.at(-1)) {
    someInstructions(layout, writer, 3);
    writer.branch([0xe9], slotAddress(main[0]));
  } else {
    weighted(random, UNITS)(layout, writer, slot);
  }
  writer.finish(random.below(2) === 0);
}

/** Up to `most` instructions of the table. */
function someInstructions({ random, mode }: Layout, writer: SlotWriter, most: number): void {
  for (let count = 1 + random.below(most); count > 0; count--) {
    const bytes = instructionBytes(
      random,
      random.pick(random.below(10) < 7 ? PLAIN_ROWS : FREE_ROWS),
      mode,
      writer.position,
    );
    if (bytes !== undefined && bytes.length <= writer.room - RESERVED) writer.add(...bytes);
  }
}

function straight(layout: Layout, writer: SlotWriter): void {
  someInstructions(layout, writer, 12);
}

function setCounter(writer: SlotWriter, counter: number, value: number): void {
  if (writer.mode === 64) writer.add(0x41, 0xb8 | COUNTER_REGISTERS[counter], ...littleEndian(BigInt(value), 4));
  else writer.add(0xc7, ...counterAddress(writer.mode, counter, 0), ...littleEndian(BigInt(value), writer.mode / 8));
}

function countDown(writer: SlotWriter, counter: number): void {
  if (writer.mode === 64) writer.add(0x41, 0xff, 0xc8 | COUNTER_REGISTERS[counter]);
  else writer.add(0xff, ...counterAddress(writer.mode, counter, 1));
}

/** ModRM and displacement of a counter in memory. */
function counterAddress(mode: Mode, counter: number, reg: number): number[] {
  const linear = COUNTERS[counter];
  return mode === 16
    ? [0x06 | (reg << 3), ...littleEndian(BigInt(linear - CODE.linear), 2)]
    : [0x05 | (reg << 3), ...littleEndian(BigInt(linear), 4)];
}

const NOT_ZERO = 0x75;

function countedLoop(layout: Layout, writer: SlotWriter): void {
  setCounter(writer, 0, 1 + layout.random.below(40));
  const start = writer.position;
  someInstructions(layout, writer, 8);
  countDown(writer, 0);
  writer.shortBranch(NOT_ZERO, start);
}

/** A loop over the slots before: those that set its counter come first, or it ends at once or runs long. */
function outerLoop(layout: Layout, writer: SlotWriter, slot: number): void {
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

const back = (random: Random, main: readonly number[], slot: number): number =>
  Math.max(main[0], slot - random.below(5));
const forward = (random: Random, main: readonly number[], slot: number): number =>
  Math.min(main.at(-1)!, slot + 1 + random.below(4));

function skipForward(layout: Layout, writer: SlotWriter, slot: number): void {
  const { random, main } = layout;
  someInstructions(layout, writer, 4);
  writer.branch([0x0f, 0x80 | random.below(16)], slotAddress(forward(random, main, slot)));
}

function callFunction(layout: Layout, writer: SlotWriter): void {
  const { random, functions } = layout;
  someInstructions(layout, writer, 3);
  writer.branch([0xe8], slotAddress(random.pick(functions)));
}

/** Through a table, by the loop counter: a jump within the main loop, or a call. */
function indirect({ random, mode }: Layout, writer: SlotWriter): void {
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
function returnTo({ random, mode, main }: Layout, writer: SlotWriter, slot: number): void {
  const target = slotAddress(forward(random, main, slot)) - (mode === 16 ? CODE.linear : 0);
  writer.add(0x68, ...littleEndian(BigInt(target), mode === 16 ? 2 : 4));
  writer.add(0xc3);
}

/** Flips or sets a byte of code: here, ahead, behind, in a function. */
function modifyCode({ random, mode, main, functions }: Layout, writer: SlotWriter, slot: number): void {
  const target = random.pick([slot, forward(random, main, slot), back(random, main, slot), random.pick(functions)]);
  const linear = slotAddress(target) + random.below(40);
  const [opcode, reg] = random.pick([
    [0x80, 6],
    [0xc6, 0],
  ]);
  const address =
    mode === 64
      ? [0x04 | (reg << 3), 0x25, ...littleEndian(BigInt(linear), 4)]
      : mode === 32
        ? [0x05 | (reg << 3), ...littleEndian(BigInt(linear), 4)]
        : [0x06 | (reg << 3), ...littleEndian(BigInt(linear - CODE.linear), 2)];
  writer.add(opcode, ...address, random.pick([0x01, 0x08, 0x28, 0x90, 0x40, random.below(256)]));
}

const STRING_OPCODES = [0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xa6, 0xa7, 0xae, 0xaf];

function stringRun(layout: Layout, writer: SlotWriter): void {
  const { random, mode } = layout;
  loadRegister(writer, 1, random.below(random.pick([4, 40, 600])));
  loadAddress(random, writer, 6);
  loadAddress(random, writer, 7);
  if (random.below(6) === 0) writer.add(0xfd);
  const wide = mode === 64 && random.below(3) === 0 ? [0x48] : [];
  writer.add(random.pick([0xf2, 0xf3]), ...wide, random.pick(STRING_OPCODES));
  writer.add(0xfc);
  someInstructions(layout, writer, 2);
}

function loadRegister(writer: SlotWriter, register: number, value: number): void {
  const rex = register >= 8 ? [0x41] : [];
  writer.add(...rex, 0xb8 | (register & 7), ...littleEndian(BigInt(value), writer.mode === 16 ? 2 : 4));
}

function loadAddress(random: Random, writer: SlotWriter, register: number): void {
  loadRegister(writer, register, anyAddress(random) - (writer.mode === 16 ? CODE.linear : 0));
}

/** The page of retries is taken away, which only the supervisor can do. */
function withdrawPage(layout: Layout, writer: SlotWriter): void {
  const { random, privilege } = layout;
  if (privilege === 0) {
    const page = dataPage('retry');
    writer.add(0x80, 0x24, 0x25, ...littleEndian(BigInt(entryOf(page)), 4), 0xfe);
    if (random.below(8) !== 0) writer.add(0x0f, 0x01, 0x3c, 0x25, ...littleEndian(BigInt(page), 4));
  }
  someInstructions(layout, writer, 4);
}

function inputOutput(layout: Layout, writer: SlotWriter): void {
  const { random } = layout;
  writer.add(
    ...random.pick([
      [0xe6, PORTS.RAISE],
      [0xe5, PORTS.TIME],
      [0x0f, 0x31],
      [0xe4, PORTS.TIME],
    ]),
  );
  someInstructions(layout, writer, 5);
}

function interruptFlag(layout: Layout, writer: SlotWriter): void {
  const { random, mode, privilege } = layout;
  writer.add(random.pick([0xfa, 0xfb]));
  someInstructions(layout, writer, 4);
  writer.add(0xfb);
  if (privilege === 0 && random.below(3) === 0) writer.add(0xf4);
  // TF, for one instruction: the handler takes it away.
  if (random.below(4) === 0) {
    writer.add(0x9c);
    writer.add(0x80, ...(mode === 16 ? [0x4e, 0x01] : [0x4c, 0x24, 0x01]), 1);
    writer.add(0x9d);
  }
}

function reloadPointers(layout: Layout, writer: SlotWriter): void {
  const { random, mode } = layout;
  for (const register of mode === 64 ? POINTERS_64 : POINTERS) loadAddress(random, writer, register);
  someInstructions(layout, writer, 2);
}

function pushPop(layout: Layout, writer: SlotWriter): void {
  const { random } = layout;
  writer.add(0x9c);
  writer.add(0x50 | random.pick([0, 1, 2, 3]));
  someInstructions(layout, writer, 3);
  writer.add(0x58 | random.pick([0, 1, 2, 3]));
  writer.add(0x9d);
}
