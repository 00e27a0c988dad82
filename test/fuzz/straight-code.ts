import { littleEndian } from '../oracle/cpu-vectors/encode.ts';
import type { Random } from '../oracle/cpu-vectors/random.ts';
import { anyAddress } from './addresses.ts';
import { FREE_ROWS, instructionBytes, PLAIN_ROWS } from './instruction-bytes.ts';
import { CODE, JUMP_TABLE } from './memory-map.ts';
import type { Layout } from './program.ts';
import { absolute, type SlotWriter } from './slot-writer.ts';

/** Writes what a slot of the main loop does. */
export type Unit = (layout: Layout, writer: SlotWriter, slot: number) => void;

/** A loop's counter in memory, for modes that have no register to spare; another for the loop around it. */
export const COUNTERS = [JUMP_TABLE - 0x40, JUMP_TABLE - 0x38];
/** R15 and R14 count in 64-bit code: no random instruction names them. */
export const COUNTER_REGISTERS = [7, 6];
/** Bytes that are kept free for the end of a slot. */
const RESERVED = 20;

/** Up to `most` instructions of the table. */
export function someInstructions({ random, mode }: Layout, writer: SlotWriter, most: number): void {
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

export function setCounter(writer: SlotWriter, counter: number, value: number): void {
  if (writer.mode === 64) writer.add(0x41, 0xb8 | COUNTER_REGISTERS[counter], ...littleEndian(BigInt(value), 4));
  else
    writer.add(0xc7, ...absolute(writer.mode, 0, COUNTERS[counter]), ...littleEndian(BigInt(value), writer.mode / 8));
}

export function countDown(writer: SlotWriter, counter: number): void {
  if (writer.mode === 64) writer.add(0x41, 0xff, 0xc8 | COUNTER_REGISTERS[counter]);
  else writer.add(0xff, ...absolute(writer.mode, 1, COUNTERS[counter]));
}

export function loadRegister(writer: SlotWriter, register: number, value: number): void {
  const rex = register >= 8 ? [0x41] : [];
  writer.add(...rex, 0xb8 | (register & 7), ...littleEndian(BigInt(value), writer.mode === 16 ? 2 : 4));
}

export function loadAddress(random: Random, writer: SlotWriter, register: number): void {
  loadRegister(writer, register, anyAddress(random) - (writer.mode === 16 ? CODE.linear : 0));
}

/** Slots of the main loop a little before or behind. */
export const back = (random: Random, main: readonly number[], slot: number): number =>
  Math.max(main[0], slot - random.below(5));
export const forward = (random: Random, main: readonly number[], slot: number): number =>
  Math.min(main.at(-1)!, slot + 1 + random.below(4));
