import type { Decoded } from '../decode/decoded.ts';
import { immediateShape } from '../decode/decoder.ts';
import { Prefixes } from '../decode/prefixes.ts';
import type { HandlerTable } from '../interpreter/handlers.ts';
import { UOP } from '../interpreter/micro-op.ts';
import { type OperandCode, parseOperand, SYSTEM } from '../isa/row.ts';
import { MAPS_WITH_MODRM, operandBytes } from '../isa/table.ts';
import { CODE_SIZE } from '../modes.ts';
import { branchForm, immediateMask, isNear } from './uop-writer.ts';

const MAXIMUM_LENGTH = 15;
const WORDS = UOP.BYTE_LENGTH / 4;
/** A power of two. */
const SLOTS = 0x8000;

/**
 * What instructions of one shape have in common; a shape is everything but displacement, immediate and place. Words of a line, which is as long as a
 * cache's: a lookup misses there once.
 */
const LINE = {
  KEY_LOW: 0,
  /** Plus 1: 0 marks an empty line. */
  KEY_HIGH: 1,
  SHAPE: 2,
  /** Bits of the immediate that the micro-op holds. */
  IMMEDIATE_MASK: 3,
  /** Relative branches: handler for a target in the page, and for others shifted left by 16. */
  BRANCH_HANDLERS: 4,
  IMAGE: 5,
  WORDS: 16,
} as const;
const SHAPE = {
  DISPLACEMENT_BYTES: 7,
  IMMEDIATE_SHIFT: 3,
  IMMEDIATE_BYTES: 7,
  SIZE_SHIFT: 6,
  SIZE: 15,
  IMMEDIATE_SIGNED: 1 << 10,
  RIP_RELATIVE: 1 << 11,
  RELATIVE: 1 << 12,
  ENDS: 1 << 13,
} as const;

/**
 * Micro-ops of shapes that have been seen before: decoding and writing one anew takes microseconds, copying it a fraction of one, and a kernel's
 * boot has tens of instructions of each shape. Direct-mapped; what is rare or runs in TypeScript is never kept.
 */
export class UopTemplates {
  /** Of the instruction that `write` wrote last: bytes, and whether it ends its block. */
  length = 0;
  ends = false;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #handlers: HandlerTable;
  readonly #prefixes = new Prefixes();
  readonly #lines = new Int32Array(SLOTS * LINE.WORDS);
  /** Of the instruction looked at last. */
  #keyLow = 0;
  #keyHigh = 0;
  #position = 0;

  constructor(bytes: Uint8Array, handlers: HandlerTable) {
    this.#bytes = bytes;
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
    this.#handlers = handlers;
  }

  /**
   * Writes the micro-op of the instruction at `start` to `uop`, all but REMAINING, when its shape is known. `end` is where its page ends, `pageOffset` its
   * place there.
   */
  write(uop: number, start: number, end: number, codeSize: number, pageOffset: number): boolean {
    if (end - start < MAXIMUM_LENGTH) return false;
    this.#readShape(start, codeSize);
    const lines = this.#lines;
    const line = this.#line();
    if (lines[line + LINE.KEY_LOW] !== this.#keyLow || lines[line + LINE.KEY_HIGH] !== this.#keyHigh) return false;
    const words = this.#words;
    const to = uop >> 2;
    for (let index = 0; index < WORDS; index++) words[to + index] = lines[line + LINE.IMAGE + index];
    const shape = lines[line + LINE.SHAPE];
    let position = this.#position;
    let displacement = 0;
    const displacementBytes = shape & SHAPE.DISPLACEMENT_BYTES;
    if (displacementBytes !== 0) {
      displacement = this.#signed(position, displacementBytes);
      position += displacementBytes;
    }
    const immediateBytes = (shape >> SHAPE.IMMEDIATE_SHIFT) & SHAPE.IMMEDIATE_BYTES;
    if (immediateBytes !== 0) {
      const isSigned = (shape & SHAPE.IMMEDIATE_SIGNED) !== 0;
      const value = isSigned ? this.#signed(position, immediateBytes) : this.#unsigned(position, immediateBytes);
      words[to + UOP.IMMEDIATE / 4] = value & lines[line + LINE.IMMEDIATE_MASK];
      position += immediateBytes;
    }
    const length = position - start;
    const nextOffset = pageOffset + length;
    let handler = words[to] & 0xffff;
    if ((shape & SHAPE.RELATIVE) !== 0) {
      displacement = nextOffset;
      const size = (shape >> SHAPE.SIZE_SHIFT) & SHAPE.SIZE;
      const near = isNear(codeSize, size, nextOffset, words[to + UOP.IMMEDIATE / 4]);
      handler = (lines[line + LINE.BRANCH_HANDLERS] >>> (near ? 0 : 16)) & 0xffff;
    } else if ((shape & SHAPE.RIP_RELATIVE) !== 0) displacement += nextOffset;
    words[to] = handler | (length << 24);
    words[to + UOP.PAGE_OFFSET / 4] |= pageOffset;
    words[to + UOP.DISPLACEMENT / 4] = displacement;
    this.length = length;
    this.ends = (shape & SHAPE.ENDS) !== 0;
    return true;
  }

  /** Keeps the shape of the instruction that the last `write` did not know, from its micro-op. */
  learn(decoded: Decoded, uop: number, codeSize: number): void {
    if (!isKept(decoded, codeSize)) return;
    const { entry, size } = decoded;
    const lines = this.#lines;
    const line = this.#line();
    lines.set(this.#words.subarray(uop >> 2, (uop >> 2) + WORDS), line + LINE.IMAGE);
    lines[line + LINE.IMAGE + UOP.PAGE_OFFSET / 4] &= 0xffff_0000;
    lines[line + LINE.KEY_LOW] = this.#keyLow;
    lines[line + LINE.KEY_HIGH] = this.#keyHigh;
    const [immediate] = entry.row.operands.filter(isImmediate);
    lines[line + LINE.IMMEDIATE_MASK] =
      immediate === undefined ? 0 : immediateMask(decoded, operandBytes(immediate, size));
    lines[line + LINE.SHAPE] = this.#shapeOf(decoded, immediate, codeSize);
    if (!entry.relative) return;
    const handlerOf = (near: boolean): number =>
      this.#handlers.numberOf(entry, size, branchForm(decoded, codeSize, near));
    lines[line + LINE.BRANCH_HANDLERS] = handlerOf(true) | (handlerOf(false) << 16);
  }

  #shapeOf(decoded: Decoded, immediate: OperandCode | undefined, codeSize: number): number {
    const { entry, size, isMemory, modRm } = decoded;
    const { bytes, signed } = immediate === undefined ? { bytes: 0, signed: false } : immediateShape(immediate, size);
    return (
      (isMemory ? displacementBytesOf(modRm, (this.#keyLow >> 16) & 0xff) : 0) |
      (bytes << SHAPE.IMMEDIATE_SHIFT) |
      (size << SHAPE.SIZE_SHIFT) |
      (signed ? SHAPE.IMMEDIATE_SIGNED : 0) |
      (isMemory && codeSize === CODE_SIZE.BITS_64 && (modRm & 0xc7) === 5 ? SHAPE.RIP_RELATIVE : 0) |
      (entry.relative ? SHAPE.RELATIVE : 0) |
      (entry.ends ? SHAPE.ENDS : 0)
    );
  }

  /** Prefixes, opcode, ModRM and SIB make the key. Outside 16-bit addressing, whose instructions are never kept, that is all of a shape. */
  #readShape(start: number, codeSize: number): void {
    const bytes = this.#bytes;
    const prefixes = this.#prefixes;
    let position = prefixes.read(bytes, start, start + MAXIMUM_LENGTH, codeSize === CODE_SIZE.BITS_64);
    let map = 0;
    let opcode = bytes[position++];
    if (opcode === 0x0f) {
      opcode = bytes[position++];
      map = 1;
      if (opcode === 0x38 || opcode === 0x3a) {
        map = opcode === 0x38 ? 2 : 3;
        opcode = bytes[position++];
      }
    }
    let modRm = 0;
    let sib = 0;
    if (MAPS_WITH_MODRM[(map << 8) | opcode] !== 0) {
      modRm = bytes[position++];
      if (modRm < 0xc0 && (modRm & 7) === 4) sib = bytes[position++];
    }
    const { rex, operandOverride, addressOverride, lock, segment, repeat } = prefixes;
    this.#position = position;
    this.#keyLow = opcode | (modRm << 8) | (sib << 16) | (map << 24) | (codeSize << 26) | (rex << 28);
    const prefixBits =
      (rex !== 0 ? 1 : 0) |
      (operandOverride ? 2 : 0) |
      (addressOverride ? 4 : 0) |
      (lock ? 8 : 0) |
      ((segment + 1) << 4) |
      (repeat << 8);
    this.#keyHigh = prefixBits + 1;
  }

  /** Where the line of the key begins. */
  #line(): number {
    // Every bit of the key counts in the low ones: REX stands at the top.
    let mixed = Math.imul(this.#keyLow ^ (this.#keyLow >>> 16), 0x85eb_ca6b) ^ Math.imul(this.#keyHigh, 0x9e37_79b1);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return ((mixed ^ (mixed >>> 16)) & (SLOTS - 1)) * LINE.WORDS;
  }

  #unsigned(position: number, byteLength: number): number {
    const bytes = this.#bytes;
    if (byteLength === 1) return bytes[position];
    const low = bytes[position] | (bytes[position + 1] << 8);
    return byteLength === 2 ? low : low | (bytes[position + 2] << 16) | (bytes[position + 3] << 24);
  }

  #signed(position: number, byteLength: number): number {
    const value = this.#unsigned(position, byteLength);
    if (byteLength === 1) return (value << 24) >> 24;
    return byteLength === 2 ? (value << 16) >> 16 : value;
  }
}

const isImmediate = (code: OperandCode): boolean => ['I', 'J'].includes(parseOperand(code).kind);

/** Rows in TypeScript keep their operands decoded, VEX and 16-bit addressing have other keys; the rest are too rare to be described. */
function isKept(decoded: Decoded, codeSize: number): boolean {
  const { row } = decoded.entry;
  if (codeSize === CODE_SIZE.BITS_16 || decoded.addressSize === 2 || row.map.startsWith('vex')) return false;
  if (row.semantic === SYSTEM || row.options.decoded === true) return false;
  const isOther = row.operands.some((code) => ['A', 'O'].includes(parseOperand(code).kind));
  const immediates = row.operands.filter(isImmediate);
  const isWide = immediates.some((code) => parseOperand(code).width === 'v' && decoded.size === 8);
  return immediates.length <= 1 && !isOther && !isWide;
}

/** Bytes of the displacement with 32- and 64-bit addressing (SDM vol. 2 tables 2-2 and 2-3). */
function displacementBytesOf(modRm: number, sib: number): number {
  const mod = modRm >> 6;
  if (mod === 1) return 1;
  if (mod === 2) return 4;
  const rm = modRm & 7;
  return rm === 5 || (rm === 4 && (sib & 7) === 5) ? 4 : 0;
}
