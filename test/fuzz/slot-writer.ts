import { littleEndian, type Mode } from '../oracle/cpu-vectors/encode.ts';
import { CODE, SLOT } from './memory-map.ts';

/** Instructions of one slot of code, as they are written; the rest of the slot is filled so that it goes on at the next one. */
export class SlotWriter {
  readonly mode: Mode;
  /** Linear address of the slot. */
  readonly linear: number;
  readonly #instructions: (readonly number[])[] = [];
  #length = 0;

  constructor(mode: Mode, slot: number) {
    this.mode = mode;
    this.linear = slotAddress(slot);
  }

  /** Linear address of the next instruction. */
  get position(): number {
    return this.linear + this.#length;
  }

  get room(): number {
    return SLOT - this.#length;
  }

  get instructions(): readonly (readonly number[])[] {
    return this.#instructions;
  }

  add(...bytes: number[]): void {
    if (bytes.length > this.room) throw new RangeError(`a slot has no room for ${bytes.length} more bytes`);
    this.#instructions.push(bytes);
    this.#length += bytes.length;
  }

  /** A jump or call to a linear address, with a displacement of the operand size. */
  branch(opcode: readonly number[], target: number): void {
    const width = this.mode === 16 ? 2 : 4;
    const end = this.position + opcode.length + width;
    this.add(...opcode, ...littleEndian(BigInt.asUintN(32, BigInt(target - end)), width));
  }

  /** A jump back to `target`, which is near. */
  shortBranch(opcode: number, target: number): void {
    this.add(opcode, (target - this.position - 2) & 0xff);
  }

  /** A jump to the end of the slot, or nothing but NOPs. */
  finish(jump: boolean): void {
    if (jump && this.room > 2) this.shortBranch(0xeb, this.linear + SLOT);
    while (this.room > 0) this.add(0x90);
  }
}

export const slotAddress = (slot: number): number => CODE.linear + slot * SLOT;

/** ModRM, SIB and displacement of a linear address of the program's. */
export function absolute(mode: Mode, reg: number, linear: number): readonly number[] {
  const field = reg << 3;
  if (mode === 16) return [0x06 | field, ...littleEndian(BigInt(linear - CODE.linear), 2)];
  const address = littleEndian(BigInt(linear), 4);
  return mode === 64 ? [0x04 | field, 0x25, ...address] : [0x05 | field, ...address];
}
