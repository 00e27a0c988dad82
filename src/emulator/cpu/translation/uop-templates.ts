import type { Decoded } from '../decode/decoded.ts';
import { immediateShape } from '../decode/decoder.ts';
import { Prefixes } from '../decode/prefixes.ts';
import type { HandlerTable } from '../interpreter/handlers.ts';
import { UOP } from '../interpreter/micro-op.ts';
import { parseOperand, SYSTEM } from '../isa/row.ts';
import { MAPS_WITH_MODRM, operandBytes } from '../isa/table.ts';
import { branchForm, immediateMask, isNear, usesLegacyStack } from './uop-writer.ts';

const MAXIMUM_LENGTH = 15;
const WORDS = UOP.BYTE_LENGTH / 4;
/** A power of two. */
const SLOTS = 0x8000;

/** What instructions of one shape have in common; a shape is everything but displacement, immediate and place. */
export interface UopTemplate {
  /** Ends its block … */
  readonly ends: boolean;
  readonly displacementBytes: number;
  readonly immediateBytes: number;
  readonly immediateSigned: boolean;
  /** Bits of the immediate that the micro-op holds. */
  readonly immediateMask: number;
  readonly ripRelative: boolean;
  /** Relative branches: handler by whether the target stands in the page; −1 for all else. */
  readonly nearHandler: number;
  readonly farHandler: number;
  readonly size: number;
  /** Where the micro-op's image begins, in words. */
  readonly image: number;
}

/**
 * Micro-ops of shapes that have been seen before: decoding and writing one anew takes microseconds, copying it nanoseconds, and a kernel's
 * boot has tens of instructions of each shape. Direct-mapped; what is rare or runs in TypeScript is never kept.
 */
export class UopTemplates {
  /** Bytes of the instruction that `write` wrote last. */
  length = 0;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #handlers: HandlerTable;
  readonly #prefixes = new Prefixes();
  readonly #templates = new Array<UopTemplate | undefined>(SLOTS).fill(undefined);
  readonly #keysLow = new Int32Array(SLOTS);
  readonly #keysHigh = new Int32Array(SLOTS);
  readonly #images = new Int32Array(SLOTS * WORDS);
  /** Of the instruction looked at last. */
  #keyLow = 0;
  #keyHigh = 0;
  #position = 0;

  constructor(bytes: Uint8Array, handlers: HandlerTable) {
    this.#bytes = bytes;
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    this.#handlers = handlers;
  }

  /**
   * Writes the micro-op of the instruction at `start` to `uop`, all but REMAINING, when its shape is known. `end` is where its page ends, `pageOffset` its
   * place there.
   */
  write(uop: number, start: number, end: number, codeSize: number, pageOffset: number): UopTemplate | undefined {
    if (end - start < MAXIMUM_LENGTH) return undefined;
    this.#readShape(start, codeSize);
    const slot = this.#slot();
    const template = this.#templates[slot];
    if (template === undefined || this.#keysLow[slot] !== this.#keyLow || this.#keysHigh[slot] !== this.#keyHigh)
      return undefined;
    const words = this.#words;
    const images = this.#images;
    const to = uop >> 2;
    const from = template.image;
    for (let index = 0; index < WORDS; index++) words[to + index] = images[from + index];
    let position = this.#position;
    let displacement = 0;
    if (template.displacementBytes !== 0) {
      displacement = this.#signed(position, template.displacementBytes);
      position += template.displacementBytes;
    }
    if (template.immediateBytes !== 0) {
      const { immediateBytes, immediateSigned } = template;
      const value = immediateSigned ? this.#signed(position, immediateBytes) : this.#unsigned(position, immediateBytes);
      words[to + UOP.IMMEDIATE / 4] = value & template.immediateMask;
      position += immediateBytes;
    }
    const length = position - start;
    const nextOffset = pageOffset + length;
    let handler = images[from] & 0xffff;
    if (template.nearHandler >= 0) {
      displacement = nextOffset;
      const near = isNear(codeSize, template.size, nextOffset, words[to + UOP.IMMEDIATE / 4]);
      handler = near ? template.nearHandler : template.farHandler;
    } else if (template.ripRelative) displacement += nextOffset;
    words[to] = handler | (length << 24);
    words[to + UOP.PAGE_OFFSET / 4] |= pageOffset;
    words[to + UOP.DISPLACEMENT / 4] = displacement;
    this.length = length;
    return template;
  }

  /** Keeps the shape of the instruction that the last `write` did not know, from its micro-op. */
  learn(decoded: Decoded, uop: number, codeSize: number): void {
    const template = this.#templateOf(decoded, codeSize);
    if (template === undefined) return;
    const slot = this.#slot();
    const image = slot * WORDS;
    this.#images.set(this.#words.subarray(uop >> 2, (uop >> 2) + WORDS), image);
    this.#images[image + UOP.PAGE_OFFSET / 4] &= 0xffff_0000;
    this.#keysLow[slot] = this.#keyLow;
    this.#keysHigh[slot] = this.#keyHigh;
    this.#templates[slot] = { ...template, image };
  }

  #templateOf(decoded: Decoded, codeSize: number): Omit<UopTemplate, 'image'> | undefined {
    const { entry, size } = decoded;
    const { row } = entry;
    if (codeSize === 0 || decoded.addressSize === 2 || row.map.startsWith('vex')) return undefined;
    if (row.semantic === SYSTEM || row.options.decoded === true) return undefined;
    const immediates = row.operands.filter((code) => ['I', 'J'].includes(parseOperand(code).kind));
    const isOther = row.operands.some((code) => ['A', 'O'].includes(parseOperand(code).kind));
    const isWide = immediates.some((code) => parseOperand(code).width === 'v' && size === 8);
    if (immediates.length > 1 || isOther || isWide) return undefined;
    const shape = immediates.length === 0 ? { bytes: 0, signed: false } : immediateShape(immediates[0], size);
    const stack = usesLegacyStack(decoded, codeSize);
    const handlerOf = (near: boolean): number => this.#handlers.numberOf(entry, size, branchForm(stack, near));
    return {
      ends: entry.ends,
      displacementBytes: decoded.isMemory ? displacementBytes(decoded.modRm, this.#sib) : 0,
      immediateBytes: shape.bytes,
      immediateSigned: shape.signed,
      immediateMask: immediates.length === 0 ? 0 : immediateMask(decoded, operandBytes(immediates[0], size)),
      ripRelative: decoded.isMemory && codeSize === 2 && (decoded.modRm & 0xc7) === 5,
      nearHandler: entry.relative ? handlerOf(true) : -1,
      farHandler: entry.relative ? handlerOf(false) : -1,
      size,
    };
  }

  /** Prefixes, opcode, ModRM and SIB make the key. Outside 16-bit addressing, whose instructions are never kept, that is all of a shape. */
  #readShape(start: number, codeSize: number): void {
    const bytes = this.#bytes;
    const prefixes = this.#prefixes;
    let position = prefixes.read(bytes, start, start + MAXIMUM_LENGTH, codeSize === 2);
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
    this.#keyHigh =
      (rex !== 0 ? 1 : 0) |
      (operandOverride ? 2 : 0) |
      (addressOverride ? 4 : 0) |
      (lock ? 8 : 0) |
      ((segment + 1) << 4) |
      (repeat << 8);
  }

  get #sib(): number {
    return (this.#keyLow >> 16) & 0xff;
  }

  #slot(): number {
    // Every bit of the key counts in the low ones: REX stands at the top.
    let mixed = Math.imul(this.#keyLow ^ (this.#keyLow >>> 16), 0x85eb_ca6b) ^ Math.imul(this.#keyHigh, 0x9e37_79b1);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return (mixed ^ (mixed >>> 16)) & (SLOTS - 1);
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

/** Bytes of the displacement with 32- and 64-bit addressing (SDM vol. 2 tables 2-2 and 2-3). */
function displacementBytes(modRm: number, sib: number): number {
  const mod = modRm >> 6;
  if (mod === 1) return 1;
  if (mod === 2) return 4;
  const rm = modRm & 7;
  return rm === 5 || (rm === 4 && (sib & 7) === 5) ? 4 : 0;
}
