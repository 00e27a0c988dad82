import { type InstructionRow, type OpcodeMap, type OperandCode, parseOperand } from '../isa/row.ts';
import type { Size } from '../isa/semantics.ts';
import { type DecodableRow, OPCODE_MAPS, type OpcodeIndex, operandBytes } from '../isa/table.ts';
import { MAX_CPU_MODEL } from '../model/cpu-model.ts';
import { CODE_SIZE } from '../modes.ts';
import { SEGMENT_INDEX } from '../state.ts';
import { type Decoded, RIP_BASE } from './decoded.ts';
import { Prefixes } from './prefixes.ts';

/** Why bytes are no instruction: more bytes are needed, longer than 15, or no such opcode. */
export type DecodeFailure = 'incomplete' | 'too-long' | 'undefined';

const MAXIMUM_LENGTH = 15;
const REX_W = 8;
const REX_R = 4;
const REX_X = 2;
const REX_B = 1;
/** 16-bit addressing (SDM vol. 2 table 2-1): base and index registers by rm. */
const BASES_16 = [3, 3, 5, 5, 6, 7, 5, 3] as const;
const INDEXES_16 = [6, 7, 6, 7, -1, -1, -1, -1] as const;
const STACK_REGISTERS = new Set([4, 5]);

/** Reads bytes in order; running out is remembered, not thrown. */
class Reader {
  position: number;
  readonly bytes: Uint8Array;
  readonly end: number;
  readonly start: number;
  overrun = false;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.position = start;
    this.end = end;
  }

  u8(): number {
    if (this.position >= this.end) {
      this.overrun = true;
      return 0;
    }
    return this.bytes[this.position++];
  }

  s8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    return this.u8() | (this.u8() << 8);
  }

  s32(): number {
    return this.u16() | (this.u16() << 16);
  }

  u64(): bigint {
    const low = BigInt(this.s32() >>> 0);
    return (BigInt(this.s32() >>> 0) << 32n) | low;
  }
}

/**
 * Decodes the instruction at `bytes[start]`; `end` bounds what may be read. `codeSize`: CODE_SIZE of modes.ts. The whole of
 * SDM vol. 2 chapter 2: legacy and VEX encodings. Rows whose feature is not among `features` do not exist.
 */
export function decode(
  bytes: Uint8Array,
  start: number,
  end: number,
  codeSize: number,
  features: ReadonlySet<string> = MAX_CPU_MODEL.features,
): Decoded | DecodeFailure {
  const reader = new Reader(bytes, start, Math.min(end, start + MAXIMUM_LENGTH));
  const is64 = codeSize === CODE_SIZE.BITS_64;
  const is32 = codeSize === CODE_SIZE.BITS_32 || codeSize === CODE_SIZE.FLAT_32;
  const prefixes = new Prefixes();
  reader.position = prefixes.read(bytes, start, reader.end, is64);
  const { operandOverride, addressOverride, segment, repeat, lock } = prefixes;
  let { rex } = prefixes;
  let opcode = reader.u8();
  const vex = readVex(reader, opcode, is64);
  if (reader.overrun) return failureOf(reader, end);
  // REX, LOCK and mandatory prefixes stand inside VEX (SDM vol. 2 §2.3.2).
  if (vex !== undefined && (operandOverride || repeat !== 0 || lock || rex !== 0)) return 'undefined';
  let maps: OpcodeIndex = OPCODE_MAPS['1'];
  let fullOpcode = opcode;
  if (vex !== undefined) {
    const map = VEX_MAPS[vex.map];
    if (map === undefined) return 'undefined';
    opcode = reader.u8();
    maps = OPCODE_MAPS[map];
    fullOpcode = (vex.map === 1 ? 0x0f00 : vex.map === 2 ? 0x0f_3800 : 0x0f_3a00) | opcode;
    rex = vex.rex;
  } else if (opcode === 0x0f) {
    opcode = reader.u8();
    maps = OPCODE_MAPS['0f'];
    fullOpcode = 0x0f00 | opcode;
    if (opcode === 0x38 || opcode === 0x3a) {
      maps = opcode === 0x38 ? OPCODE_MAPS['0f38'] : OPCODE_MAPS['0f3a'];
      fullOpcode = (0x0f00 | opcode) << 8;
      opcode = reader.u8();
      fullOpcode |= opcode;
    }
  }
  if (reader.overrun) return failureOf(reader, end);
  const candidates = maps[opcode];
  const needsModRm = candidates.some((candidate) => candidate.modRm);
  const modRm = needsModRm ? peek(reader) : 0;
  if (reader.overrun) return failureOf(reader, end);
  const mode = { is64, is32, operandOverride, repeat, rex, vex, features };
  const entry = choose(candidates, modRm, mode);
  if (entry === undefined) return 'undefined';
  const usesVvvv = entry.row.operands.some((code) => 'HB'.includes(parseOperand(code).kind));
  if (vex !== undefined && !usesVvvv && vex.vvvv !== 0) return 'undefined';
  const size = operandSize(entry, mode);
  const addressSize = is64 ? (addressOverride ? 4 : 8) : is32 !== addressOverride ? 4 : 2;
  const decoded: Decoded = {
    entry,
    length: 0,
    size,
    addressSize,
    opcode: fullOpcode,
    modRm,
    reg: ((modRm >> 3) & 7) | (rex & REX_R ? 8 : 0),
    rm: entry.modRm ? (modRm & 7) | (rex & REX_B ? 8 : 0) : (opcode & 7) | (rex & REX_B ? 8 : 0),
    isMemory: false,
    base: -1,
    index: -1,
    scale: 0,
    displacement: 0,
    segment: segment >= 0 ? segment : SEGMENT_INDEX.DS,
    segmentOverridden: segment >= 0,
    immediate: 0,
    immediate2: 0,
    wide: 0n,
    rex,
    lock,
    repeat,
    vvvv: vex === undefined ? 0 : is64 ? vex.vvvv : vex.vvvv & 7,
    isWide: vex?.wide === true,
  };
  if (entry.modRm) {
    reader.u8();
    // MOV to and from control and debug registers ignore mod (SDM vol. 2, MOV—Move to/from Control Registers).
    const registerOnly = entry.row.operands.some((code) => code === 'R');
    if (modRm < 0xc0 && !registerOnly) {
      decoded.isMemory = true;
      if (addressSize === 2) address16(reader, decoded);
      else address32(reader, decoded, is64);
    }
  }
  immediates(reader, decoded, entry.row);
  if (reader.overrun) return failureOf(reader, end);
  decoded.length = reader.position - start;
  if (lock && !lockAllowed(entry.row, decoded)) return 'undefined';
  return decoded;
}

/** A VEX prefix taken apart: registers and W as REX bits, the mandatory prefix, L, and vvvv (not inverted). */
interface Vex {
  readonly map: number;
  readonly rex: number;
  readonly vvvv: number;
  readonly wide: boolean;
  readonly prefix: number;
}

const VEX_MAPS: readonly (OpcodeMap | undefined)[] = [undefined, 'vex0f', 'vex0f38', 'vex0f3a'];
const VEX_PREFIXES = [0, 0x66, 0xf3, 0xf2] as const;

/** C4 and C5 are VEX in 64-bit code, and elsewhere when what follows would name a register for LES and LDS (SDM vol. 2 §2.3.5). */
function readVex(reader: Reader, opcode: number, is64: boolean): Vex | undefined {
  if (opcode !== 0xc4 && opcode !== 0xc5) return undefined;
  if (!is64 && peek(reader) < 0xc0) return undefined;
  const first = reader.u8();
  const inverted = is64 ? ~first : 0;
  if (opcode === 0xc5) return vexOf(1, inverted & 0x80 ? REX_R : 0, first);
  const rex = (inverted & 0x80 ? REX_R : 0) | (inverted & 0x40 ? REX_X : 0) | (inverted & 0x20 ? REX_B : 0);
  const second = reader.u8();
  return vexOf(first & 0x1f, rex | (second & 0x80 ? REX_W : 0), second);
}

function vexOf(map: number, rex: number, last: number): Vex {
  return { map, rex, vvvv: (~last >> 3) & 15, wide: (last & 4) !== 0, prefix: VEX_PREFIXES[last & 3] };
}

function failureOf(reader: Reader, end: number): DecodeFailure {
  return end - reader.start >= MAXIMUM_LENGTH ? 'too-long' : 'incomplete';
}

function peek(reader: Reader): number {
  const byte = reader.u8();
  if (!reader.overrun) reader.position--;
  return byte;
}

interface ModeBits {
  readonly is64: boolean;
  readonly is32: boolean;
  readonly operandOverride: boolean;
  readonly repeat: number;
  readonly rex: number;
  readonly vex: Vex | undefined;
  readonly features: ReadonlySet<string>;
}

function choose(candidates: readonly DecodableRow[], modRm: number, mode: ModeBits): DecodableRow | undefined {
  const { vex, features } = mode;
  const legacyPrefix = mode.repeat !== 0 ? mode.repeat : mode.operandOverride ? 0x66 : 0;
  const prefix = vex === undefined ? legacyPrefix : vex.prefix;
  let best: DecodableRow | undefined;
  let bestScore = -1;
  for (const candidate of candidates) {
    const { options } = candidate.row;
    if (mode.is64 ? options.no64 : options.only64) continue;
    if (options.feature !== undefined && !features.has(options.feature)) continue;
    if (options.vexL !== undefined && options.vexL !== (vex?.wide === true ? 1 : 0)) continue;
    // Outside 64-bit code VEX.W counts as 0 where it would choose a size.
    if (options.vexW !== undefined && options.vexW !== (mode.rex & REX_W) >> 3) continue;
    if (options.modRm !== undefined && options.modRm !== modRm) continue;
    if (options.group !== undefined && options.group !== ((modRm >> 3) & 7)) continue;
    if (options.withoutRexB && (mode.rex & REX_B) !== 0) continue;
    if (options.only === 'reg' && modRm < 0xc0) continue;
    if (options.only === 'mem' && modRm >= 0xc0) continue;
    if (options.prefix !== undefined && options.prefix !== prefix) continue;
    if (options.repeat !== undefined && mode.repeat !== (options.repeat === 'rep' ? 0xf3 : 0xf2)) continue;
    // An opcode that two rows share by size (CMPXCHG8B and 16B).
    if (candidate.sizes.length < 3 && !candidate.sizes.includes(operandSize(candidate, mode))) continue;
    const score =
      (options.prefix !== undefined ? 2 : 0) +
      (options.repeat !== undefined ? 1 : 0) +
      (options.modRm !== undefined || options.withoutRexB ? 4 : 0);
    if (score > bestScore) {
      best = candidate;
      bestScore = score;
    }
  }
  return best;
}

function operandSize(entry: DecodableRow, mode: ModeBits): Size {
  const { sizes, row } = entry;
  if (sizes.length === 1) {
    // CMPXCHG16B and its like exist only with REX.W; rows of one size otherwise have it whatever the prefixes say.
    if (sizes[0] === 8 && row.options.only === 'mem' && row.options.group !== undefined)
      return mode.rex & REX_W ? 8 : 4;
    return sizes[0];
  }
  let size: Size;
  if (mode.is64) {
    if (row.options.force64) size = 8;
    else if (mode.rex & REX_W) size = 8;
    else if (mode.operandOverride) size = 2;
    else size = row.options.default64 ? 8 : 4;
  } else size = mode.is32 !== mode.operandOverride ? 4 : 2;
  if (sizes.includes(size)) return size;
  // IN and OUT with REX.W stay at 4; [4, 8] rows have no 2.
  if (size === 8) return row.options.group !== undefined && row.options.only === 'mem' ? 8 : 4;
  return 4;
}

function address16(reader: Reader, decoded: Decoded): void {
  const mod = decoded.modRm >> 6;
  const rm = decoded.modRm & 7;
  if (mod === 0 && rm === 6) {
    decoded.displacement = reader.u16();
    return;
  }
  decoded.base = BASES_16[rm];
  decoded.index = INDEXES_16[rm];
  if (mod === 1) decoded.displacement = reader.s8();
  else if (mod === 2) decoded.displacement = reader.u16();
  if (!decoded.segmentOverridden && decoded.base === 5) decoded.segment = SEGMENT_INDEX.SS;
}

function address32(reader: Reader, decoded: Decoded, is64: boolean): void {
  const mod = decoded.modRm >> 6;
  const rm = decoded.modRm & 7;
  let defaultSegmentBase = -1;
  if (rm === 4) {
    const sib = reader.u8();
    const index = ((sib >> 3) & 7) | (decoded.rex & REX_X ? 8 : 0);
    decoded.scale = sib >> 6;
    decoded.index = index === 4 ? -1 : index;
    if ((sib & 7) === 5 && mod === 0) {
      decoded.displacement = reader.s32();
    } else {
      decoded.base = (sib & 7) | (decoded.rex & REX_B ? 8 : 0);
      defaultSegmentBase = decoded.base;
    }
  } else if (rm === 5 && mod === 0) {
    decoded.displacement = reader.s32();
    if (is64) decoded.base = RIP_BASE;
  } else {
    decoded.base = rm | (decoded.rex & REX_B ? 8 : 0);
    defaultSegmentBase = decoded.base;
  }
  if (mod === 1) decoded.displacement = reader.s8();
  else if (mod === 2) decoded.displacement = reader.s32();
  if (!decoded.segmentOverridden && STACK_REGISTERS.has(defaultSegmentBase)) decoded.segment = SEGMENT_INDEX.SS;
}

function immediates(reader: Reader, decoded: Decoded, row: InstructionRow): void {
  let count = 0;
  for (const code of row.operands) {
    const { kind, width } = parseOperand(code);
    if (kind === 'A') {
      decoded.immediate = decoded.size === 2 ? reader.u16() : reader.s32();
      decoded.immediate2 = reader.u16();
      return;
    }
    if (kind === 'O') {
      decoded.isMemory = true;
      decoded.wide =
        decoded.addressSize === 8
          ? reader.u64()
          : BigInt(decoded.addressSize === 2 ? reader.u16() : reader.s32() >>> 0);
      continue;
    }
    if (kind !== 'I' && kind !== 'J') continue;
    let value = 0;
    if (width === 'v' && decoded.size === 8) decoded.wide = reader.u64();
    else value = readImmediate(reader, immediateShape(code, decoded.size));
    if (count === 0) decoded.immediate = value;
    else decoded.immediate2 = value;
    count++;
  }
}

/** Bytes of an immediate or relative offset in the code (64-bit immediates apart), and whether its sign is extended. */
export interface ImmediateShape {
  readonly bytes: 1 | 2 | 4;
  readonly signed: boolean;
}

/** Shape of an I or J operand. */
export function immediateShape(code: OperandCode, size: Size): ImmediateShape {
  const { kind, width } = parseOperand(code);
  if (width === 'bs') return { bytes: 1, signed: true };
  const bytes = Math.min(operandBytes(code, size), 4) as 1 | 2 | 4;
  return { bytes, signed: kind === 'J' };
}

function readImmediate(reader: Reader, { bytes, signed }: ImmediateShape): number {
  if (bytes === 4) return reader.s32();
  if (bytes === 2) return signed ? (reader.u16() << 16) >> 16 : reader.u16();
  return signed ? reader.s8() : reader.u8();
}

function lockAllowed(row: InstructionRow, decoded: Decoded): boolean {
  return row.options.lock === true && decoded.isMemory;
}
