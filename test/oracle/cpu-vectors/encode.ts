import type { Random } from './random.ts';
import { CODE_BASE, DATA_BASE, GS_BASE } from './vector.ts';

export type Mode = 16 | 32 | 64;
export type OperandBits = 8 | 16 | 32 | 64;

/** A memory operand: ModRM/SIB/displacement, and the registers that make it point at `linear`. */
export interface MemoryOperand {
  readonly kind: 'memory';
  /** mod and rm of ModRM; reg is filled in. */
  readonly modRm: number;
  readonly tail: readonly number[];
  readonly rexX: boolean;
  readonly rexB: boolean;
  /** Segment override and 67h. */
  readonly prefixes: readonly number[];
  readonly linear: number;
  readonly registers: ReadonlyMap<number, bigint>;
  /** Rip-relative: the displacement is `linear` − end of the instruction. */
  readonly ripRelative: boolean;
}

export interface RegisterOperand {
  readonly kind: 'register';
  readonly index: number;
}

export type RmOperand = MemoryOperand | RegisterOperand;

export const reg = (index: number): RegisterOperand => ({ kind: 'register', index });

/** One instruction to encode: prefixes, REX and ModRM follow from the operands. */
export interface Encoding {
  readonly mode: Mode;
  /** Operand size; 8 takes no size prefix. `undefined`: no size prefix either (SSE, x87). */
  readonly bits?: OperandBits;
  /** Without mandatory prefix. */
  readonly opcode: readonly number[];
  /** Mandatory or REP/LOCK prefixes: before REX. */
  readonly prefixes?: readonly number[];
  /** ModRM.reg: register (or opcode extension). */
  readonly reg?: number;
  /** True when `reg` or a register `rm` names a byte register, so that 4–7 without REX mean AH–BH. */
  readonly rm?: RmOperand;
  readonly immediate?: readonly number[];
  /** Operand is 64 bits by default (PUSH, POP, near branches): no REX.W. */
  readonly default64?: boolean;
  /** Forces an empty REX prefix (SPL, BPL, SIL, DIL). */
  readonly rex?: boolean;
  /** Register in the low three bits of the last opcode byte. */
  readonly opcodeRegister?: number;
  readonly at?: number;
}

export function encode(e: Encoding): Uint8Array {
  const bytes: number[] = [];
  const memory = e.rm?.kind === 'memory' ? e.rm : undefined;
  if (memory) bytes.push(...memory.prefixes);
  if (e.bits !== undefined && e.bits !== 8) {
    const wide = e.mode === 16 ? 32 : 16;
    if (e.bits === wide) bytes.push(0x66);
  }
  if (e.prefixes) bytes.push(...e.prefixes);
  let rex = e.rex ? 0x40 : 0;
  if (e.bits === 64 && !e.default64) rex |= 0x48;
  if ((e.reg ?? 0) >= 8) rex |= 0x44;
  if (e.rm?.kind === 'register' && e.rm.index >= 8) rex |= 0x41;
  if ((e.opcodeRegister ?? 0) >= 8) rex |= 0x41;
  if (memory?.rexB) rex |= 0x41;
  if (memory?.rexX) rex |= 0x42;
  if (rex !== 0) {
    if (e.mode !== 64) throw new Error('REX outside 64-bit mode');
    bytes.push(rex);
  }
  bytes.push(...e.opcode);
  if (e.opcodeRegister !== undefined) bytes[bytes.length - 1]! |= e.opcodeRegister & 7;
  if (e.rm) {
    const regBits = ((e.reg ?? 0) & 7) << 3;
    if (e.rm.kind === 'register') bytes.push(0xc0 | regBits | (e.rm.index & 7));
    else bytes.push(e.rm.modRm | regBits, ...e.rm.tail);
  }
  const displacementEnd = bytes.length;
  if (e.immediate) bytes.push(...e.immediate);
  if (memory?.ripRelative) {
    const displacement = memory.linear - ((e.at ?? CODE_BASE + 0x100) + bytes.length);
    bytes.splice(displacementEnd - 4, 4, ...littleEndian(BigInt(displacement), 4));
  }
  return Uint8Array.from(bytes);
}

/** An instruction under VEX; `reg`, `vvvv` and a register `rm` by number. */
export interface VexEncoding {
  readonly mode: Mode;
  /** 1 0F, 2 0F 38, 3 0F 3A. */
  readonly map: 1 | 2 | 3;
  readonly prefix: 0 | 0x66 | 0xf3 | 0xf2;
  readonly wide: boolean;
  readonly w: boolean;
  readonly opcode: number;
  readonly reg: number;
  readonly vvvv: number;
  readonly rm: RmOperand | undefined;
  readonly immediate?: readonly number[];
}

const VEX_PREFIX = { 0: 0, 102: 1, 243: 2, 242: 3 } as const;

/** The two-byte form where it can say everything, else the three-byte form. */
export function encodeVex(e: VexEncoding): Uint8Array {
  const memory = e.rm?.kind === 'memory' ? e.rm : undefined;
  const rexB = memory?.rexB === true || (e.rm?.kind === 'register' && e.rm.index >= 8);
  const rexX = memory?.rexX === true;
  const last = ((~e.vvvv & 15) << 3) | (e.wide ? 4 : 0) | VEX_PREFIX[e.prefix];
  const inverted = (set: boolean, bit: number) => (set ? 0 : bit);
  const bytes: number[] = [...(memory?.prefixes ?? [])];
  if (e.map === 1 && !e.w && !rexB && !rexX) bytes.push(0xc5, inverted(e.reg >= 8, 0x80) | last);
  else {
    const first = inverted(e.reg >= 8, 0x80) | inverted(rexX, 0x40) | inverted(rexB, 0x20) | e.map;
    bytes.push(0xc4, first, (e.w ? 0x80 : 0) | last);
  }
  bytes.push(e.opcode);
  if (e.rm !== undefined) {
    const regBits = (e.reg & 7) << 3;
    if (e.rm.kind === 'register') bytes.push(0xc0 | regBits | (e.rm.index & 7));
    else bytes.push(e.rm.modRm | regBits, ...e.rm.tail);
  }
  const displacementEnd = bytes.length;
  bytes.push(...(e.immediate ?? []));
  if (memory?.ripRelative) {
    const displacement = memory.linear - (CODE_BASE + 0x100 + bytes.length);
    bytes.splice(displacementEnd - 4, 4, ...littleEndian(BigInt(displacement), 4));
  }
  return Uint8Array.from(bytes);
}

export function littleEndian(value: bigint, byteLength: number): number[] {
  const bytes: number[] = [];
  let rest = Number(BigInt.asUintN(32, value));
  for (let index = 0; index < byteLength; index++) {
    if (index === 4) rest = Number(BigInt.asUintN(32, value >> 32n));
    bytes.push(rest & 0xff);
    rest >>>= 8;
  }
  return bytes;
}

/** The address of the target within the segment that the operand uses. */
function offsetOf(mode: Mode, linear: number, gs: boolean): bigint {
  const base = gs ? GS_BASE : mode === 16 ? CODE_BASE : 0;
  return BigInt.asUintN(64, BigInt(linear - base));
}

/** Registers that addressing may use, so that operands in RAX, RCX, RDX, R8–R11 stay free. */
const BASES_32 = [3, 5, 6, 7];
const BASES_64 = [3, 5, 6, 7, 12, 13, 14, 15];

/** A random addressing form that reaches `linear` in the data area. */
export function memoryAt(random: Random, mode: Mode, linear: number): MemoryOperand {
  if (mode === 16 && random.below(4) !== 0) return memory16(random, mode, linear, []);
  if (mode === 32 && random.below(12) === 0) {
    // 67h in a flat 32-bit segment reaches only the first 64 KiB: usable through GS alone, whose base is in the data area.
    const offset = linear - GS_BASE;
    if (offset >= 0) return memory16(random, mode, linear, [0x65]);
  }
  const choice = random.below(10);
  const gs = random.below(10) === 0;
  const prefixes = gs ? [0x65] : [];
  const addressBits = mode === 64 && random.below(8) !== 0 ? 64 : 32;
  if (mode === 64 && addressBits === 32) prefixes.push(0x67);
  if (mode === 16) prefixes.push(0x67);
  const offset = offsetOf(mode, linear, gs);
  if (addressBits === 32 && BigInt.asUintN(32, offset) !== offset) return memoryAt(random, mode, linear);
  if (mode === 64 && choice === 0 && !gs && addressBits === 64) {
    return base({ modRm: 0x05, tail: [0, 0, 0, 0], prefixes, linear, ripRelative: true });
  }
  if (choice === 1) {
    const absolute = littleEndian(offset, 4);
    return mode === 64
      ? base({ modRm: 0x04, tail: [0x25, ...absolute], prefixes, linear })
      : base({ modRm: 0x05, tail: absolute, prefixes, linear });
  }
  return memoryByRegisters(random, mode, linear, offset, addressBits, prefixes);
}

function base(
  parts: Partial<MemoryOperand> & Pick<MemoryOperand, 'modRm' | 'tail' | 'prefixes' | 'linear'>,
): MemoryOperand {
  return { kind: 'memory', rexX: false, rexB: false, registers: new Map(), ripRelative: false, ...parts };
}

function memoryByRegisters(
  random: Random,
  mode: Mode,
  linear: number,
  offset: bigint,
  addressBits: 32 | 64,
  prefixes: number[],
): MemoryOperand {
  const pool = mode === 64 ? BASES_64 : BASES_32;
  const registers = new Map<number, bigint>();
  const garbage = mode === 64 && addressBits === 32 ? random.bits(32) << 32n : 0n;
  const baseRegister = random.pick(pool);
  const mod = (baseRegister & 7) === 5 ? 1 + random.below(2) : random.below(3);
  const displacement = mod === 0 ? 0n : mod === 1 ? BigInt(random.below(256) - 128) : BigInt(random.u32() | 0) >> 8n;
  const tail = mod === 0 ? [] : littleEndian(displacement, mod === 1 ? 1 : 4);
  const wrap = (value: bigint) =>
    addressBits === 32 ? BigInt.asUintN(32, value) | garbage : BigInt.asUintN(64, value);
  const useSib = (baseRegister & 7) === 4 || random.below(2) === 0;
  if (!useSib) {
    registers.set(baseRegister, wrap(offset - displacement));
    return base({ modRm: (mod << 6) | (baseRegister & 7), tail, prefixes, linear, rexB: baseRegister >= 8, registers });
  }
  const indexRegister = random.below(6) === 0 ? 4 : random.pick(pool.filter((index) => index !== baseRegister));
  const scale = random.below(4);
  let indexValue = 0n;
  if (indexRegister !== 4) {
    indexValue = BigInt(random.u32() | 0) >> BigInt(random.below(31));
    registers.set(indexRegister, wrap(indexValue));
  }
  registers.set(baseRegister, wrap(offset - displacement - (indexValue << BigInt(scale))));
  return base({
    modRm: (mod << 6) | 4,
    tail: [(scale << 6) | ((indexRegister & 7) << 3) | (baseRegister & 7), ...tail],
    prefixes,
    linear,
    rexB: baseRegister >= 8,
    rexX: indexRegister >= 8,
    registers,
  });
}

/** Base and index of the eight 16-bit forms (SDM vol. 2 table 2-1). */
const FORMS_16: readonly (readonly number[])[] = [[3, 6], [3, 7], [5, 6], [5, 7], [6], [7], [5], [3]];

function memory16(random: Random, mode: Mode, linear: number, segment: number[]): MemoryOperand {
  const offset = Number(offsetOf(mode, linear, segment.length > 0)) & 0xffff;
  const prefixes = [...segment, ...(mode === 16 ? [] : [0x67])];
  const form = random.below(9);
  if (form === 8) return base({ modRm: 0x06, tail: littleEndian(BigInt(offset), 2), prefixes, linear });
  const mod = form === 6 ? 1 + random.below(2) : random.below(3);
  const displacement = mod === 0 ? 0 : mod === 1 ? random.below(256) - 128 : random.below(0x10000);
  const registers = new Map<number, bigint>();
  const parts = FORMS_16[form]!;
  let rest = offset - displacement;
  parts.forEach((register, position) => {
    const value = position === parts.length - 1 ? rest : random.below(0x10000);
    rest -= value;
    registers.set(register, (random.bits(16) << 16n) | BigInt(value & 0xffff));
  });
  const tail = mod === 0 ? [] : littleEndian(BigInt(displacement), mod === 1 ? 1 : 2);
  return base({ modRm: (mod << 6) | form, tail, prefixes, linear, registers });
}

/** A place in the data area for an operand of `byteLength`, sometimes across the page boundary. */
export function dataAddress(random: Random, byteLength: number, aligned = false): number {
  const crossing = byteLength > 1 && !aligned && random.below(16) === 0;
  if (crossing) return DATA_BASE + 0x1000 - 1 - random.below(byteLength - 1);
  const address = DATA_BASE + random.below(0x1000 - byteLength);
  return aligned ? address & -byteLength : address;
}
