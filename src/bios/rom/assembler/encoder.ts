import { INSTRUCTIONS, type InstructionRow, type Mnemonic, type OperandCode } from './instructions.ts';
import { type Immediate, isImmediate, type Memory, type Operand, type SymbolReference } from './operands.ts';
import type { Gpr } from './registers.ts';

export type Mode = 16 | 32 | 64;

/** A field that waits for a label's address. */
export interface Fixup {
  /** Byte offset from the start of the instruction or datum. */
  readonly offset: number;
  readonly size: 1 | 2 | 4 | 8;
  readonly target: SymbolReference;
  /** `relative` counts from the end of the instruction; `signed` fields are sign-extended by the CPU. */
  readonly kind: 'absolute' | 'signed' | 'relative';
}

export interface Encoded {
  readonly bytes: readonly number[];
  readonly fixups: readonly Fixup[];
}

/** The operand that a row puts in ModRM.rm, in ModRM.reg or the opcode, and as the immediate. */
interface Slots {
  rm?: Gpr | Memory;
  register?: { readonly code: number; readonly needsRex?: boolean; readonly high?: boolean };
  opcodeRegister?: Gpr;
  immediate?: { readonly value: Immediate; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean };
  size: number;
}

/**
 * Encodes one instruction for `mode` (the code segment's default size). Throws an Error when no form of it takes these operands:
 * that is a mistake in the program, not a user's.
 */
export function encode(mode: Mode, mnemonic: Mnemonic, operands: readonly Operand[]): Encoded {
  for (const row of INSTRUCTIONS[mnemonic] as readonly InstructionRow[]) {
    const slots = match(row, operands, mode);
    if (slots !== undefined) return emit(row, slots, mode);
  }
  throw new Error(`${mnemonic}: no ${mode}-bit form takes ${operands.map(describe).join(', ')}`);
}

function describe(operand: Operand): string {
  if (typeof operand === 'number' || typeof operand === 'bigint') return `0x${operand.toString(16)}`;
  if (operand.kind === 'memory') return `memory${operand.size ?? ' of unknown size'}`;
  return operand.kind === 'symbol' ? operand.label : operand.name;
}

function match(row: InstructionRow, operands: readonly Operand[], mode: Mode): Slots | undefined {
  if (row.operands.length !== operands.length) return undefined;
  if (row.notes.includes('not64') && mode === 64) return undefined;
  if (row.notes.includes('only64') && mode !== 64) return undefined;
  const size = operandSize(row, operands, mode);
  if (size === undefined) return undefined;
  const slots: Slots = { size };
  const fits = row.operands.every(
    (code, index) => !isAmbiguous(row, code, operands[index]) && place(slots, code, operands[index], mode),
  );
  return fits ? slots : undefined;
}

/** Memory without a size, where no register operand of the row settles it. */
function isAmbiguous(row: InstructionRow, code: OperandCode, operand: Operand): boolean {
  if (isImmediate(operand) || operand.kind !== 'memory' || operand.size !== undefined) return false;
  if (code === 'Eb') return !row.operands.includes('Gb');
  return code === 'Ew' && row.operands.includes('Gv');
}

/** The size that the row's `v` codes stand for; 0 when it has none; undefined when the operands disagree or none settles it. */
function operandSize(row: InstructionRow, operands: readonly Operand[], mode: Mode): number | undefined {
  let size = 0;
  let open = false;
  for (const [index, code] of row.operands.entries()) {
    if (code === 'Iz' || code === 'Is' || code === 'Iv') open = true;
    if (code !== 'Ev' && code !== 'Gv' && code !== 'Zv' && code !== 'acc') continue;
    open = true;
    const operand = operands[index];
    if (isImmediate(operand) || (operand.kind !== 'gpr' && operand.kind !== 'memory')) return undefined;
    if (operand.size === undefined) continue;
    if (operand.size === 8 || (size !== 0 && size !== operand.size)) return undefined;
    size = operand.size;
  }
  const widens = row.operands[0] === 'Gv' && (row.operands[1] === 'Eb' || row.operands[1] === 'Ew');
  if (open && size === 0 && row.notes.includes('d64')) size = mode;
  if (open && size === 0) return undefined;
  if (size === 64 && mode !== 64) return undefined;
  if (row.notes.includes('d64') && mode === 64 && size === 32) return undefined;
  if (row.notes.includes('w64') && (mode !== 64 || (open && size !== 64))) return undefined;
  if (widens && size === 16 && row.operands[1] === 'Ew') return undefined;
  return size;
}

function place(slots: Slots, code: OperandCode, operand: Operand, mode: Mode): boolean {
  if (isImmediate(operand)) return placeImmediate(slots, code, operand);
  switch (code) {
    case 'Eb':
    case 'Ew':
    case 'Ed':
    case 'Eq':
    case 'Ev':
      return placeRm(slots, operand, fixedSize(code) ?? slots.size);
    case 'Rd':
    case 'Rq':
      return operand.kind === 'gpr' && placeRm(slots, operand, fixedSize(code) ?? 0);
    case 'M':
    case 'Mq':
      if (operand.kind !== 'memory') return false;
      slots.rm = operand;
      return true;
    case 'Gb':
    case 'Gw':
    case 'Gd':
    case 'Gq':
    case 'Gv':
      if (operand.kind !== 'gpr' || operand.size !== (fixedSize(code) ?? slots.size)) return false;
      slots.register = operand;
      return usable(operand, mode);
    case 'Zb':
    case 'Zv':
      if (operand.kind !== 'gpr' || operand.size !== (fixedSize(code) ?? slots.size)) return false;
      slots.opcodeRegister = operand;
      return usable(operand, mode);
    case 'Sw':
      return operand.kind === 'segment' && placeRegister(slots, operand);
    case 'Cy':
      return operand.kind === 'control' && placeRegister(slots, operand);
    case 'Dy':
      return operand.kind === 'debug' && placeRegister(slots, operand);
    case 'acc':
      return operand.kind === 'gpr' && operand.code === 0 && operand.size === slots.size;
    default:
      return operand.kind !== 'memory' && operand.name === code;
  }
}

function placeRegister(slots: Slots, operand: { readonly code: number }): boolean {
  slots.register = operand;
  return true;
}

function placeRm(slots: Slots, operand: Exclude<Operand, Immediate>, size: number): boolean {
  if (operand.kind === 'gpr' && operand.size !== size) return false;
  if (operand.kind === 'memory' && operand.size !== undefined && operand.size !== size) return false;
  if (operand.kind !== 'gpr' && operand.kind !== 'memory') return false;
  slots.rm = operand;
  return true;
}

function usable(register: Gpr, mode: Mode): boolean {
  return mode === 64 || (register.size !== 64 && register.code < 8 && !register.needsRex);
}

function fixedSize(code: OperandCode): number | undefined {
  switch (code[1]) {
    case 'b':
      return 8;
    case 'w':
      return 16;
    case 'd':
      return 32;
    case 'q':
      return 64;
    default:
      return undefined;
  }
}

function placeImmediate(slots: Slots, code: OperandCode, value: Immediate): boolean {
  switch (code) {
    case '1':
      return value === 1;
    case 'Ib':
      if (typeof value !== 'object' && !inRange(value, 8)) return false;
      slots.immediate = { value, bits: 8, signed: false };
      return true;
    case 'Is':
      if (typeof value === 'object' || !fitsSigned(value, 8, slots.size)) return false;
      slots.immediate = { value, bits: 8, signed: true };
      return true;
    case 'Iw':
      slots.immediate = { value, bits: 16, signed: false };
      return typeof value === 'object' || inRange(value, 16);
    case 'Iz':
      if (typeof value !== 'object' && !fitsSigned(value, 32, slots.size)) return false;
      slots.immediate = { value, bits: slots.size === 16 ? 16 : 32, signed: slots.size === 64 };
      return true;
    case 'Iv':
      if (typeof value !== 'object' && !inRange(value, slots.size)) return false;
      slots.immediate = { value, bits: slots.size as 16 | 32 | 64, signed: false };
      return true;
    default:
      return false;
  }
}

/** Whether `value`, signed or unsigned, is one of `bits` bits. */
function inRange(value: number | bigint, bits: number): boolean {
  const wide = BigInt(value);
  return wide >= -(1n << BigInt(bits - 1)) && wide < 1n << BigInt(bits);
}

/** Whether sign extension of `bits` bits to `size` gives `value` back. */
function fitsSigned(value: number | bigint, bits: number, size: number): boolean {
  if (!inRange(value, size)) return false;
  if (bits >= size) return true;
  return BigInt.asIntN(bits, BigInt(value)) === BigInt.asIntN(size, BigInt(value));
}

function emit(row: InstructionRow, slots: Slots, mode: Mode): Encoded {
  const bytes: number[] = [];
  const fixups: Fixup[] = [];
  const { rm, register, opcodeRegister, immediate } = slots;
  const memory = rm?.kind === 'memory' ? rm : undefined;
  if (memory?.segment !== undefined) bytes.push(memory.segment.prefix);
  if (memory !== undefined && addressSize(memory, mode) !== mode) bytes.push(0x67);
  if (needsOperandPrefix(row, slots.size, mode)) bytes.push(0x66);
  const opcode = [...row.opcode];
  if (opcode.length > 1 && (opcode[0] === 0xf3 || opcode[0] === 0xf2)) bytes.push(opcode.shift()!);
  const rex = rexPrefix(row, slots, memory);
  if (rex !== 0) {
    if (mode !== 64) throw new Error('a 64-bit register outside 64-bit code');
    bytes.push(rex);
  }
  bytes.push(...opcode);
  if (opcodeRegister !== undefined) bytes[bytes.length - 1] += opcodeRegister.code & 7;
  if (rm !== undefined || row.extension !== undefined || register !== undefined) {
    const reg = row.extension ?? (register?.code ?? 0) & 7;
    if (memory !== undefined) pushAddress({ bytes, fixups }, memory, reg, mode);
    else bytes.push(0xc0 | (reg << 3) | (((rm as Gpr | undefined)?.code ?? 0) & 7));
  }
  if (immediate !== undefined) pushImmediate({ bytes, fixups }, immediate.value, immediate.bits, immediate.signed);
  return { bytes, fixups };
}

function needsOperandPrefix(row: InstructionRow, size: number, mode: Mode): boolean {
  if (row.notes.includes('o16') || size === 16) return mode !== 16;
  if (row.notes.includes('o32') || size === 32) return mode === 16;
  return false;
}

function rexPrefix(row: InstructionRow, slots: Slots, memory: Memory | undefined): number {
  const registers = [slots.register, slots.opcodeRegister, slots.rm?.kind === 'gpr' ? slots.rm : undefined];
  const base = memory?.base?.kind === 'gpr' ? memory.base.code : 0;
  const rmCode = slots.rm?.kind === 'gpr' ? slots.rm.code : base;
  const wide = slots.size === 64 ? !row.notes.includes('d64') : row.notes.includes('w64');
  const rex =
    (wide ? 8 : 0) |
    ((slots.register?.code ?? 0) >= 8 ? 4 : 0) |
    ((memory?.index?.code ?? 0) >= 8 ? 2 : 0) |
    (rmCode >= 8 || (slots.opcodeRegister?.code ?? 0) >= 8 ? 1 : 0);
  const forced = registers.some((register) => register?.needsRex);
  if ((rex !== 0 || forced) && registers.some((register) => register?.high)) {
    throw new Error('AH–BH cannot stand beside a register that needs REX');
  }
  return rex !== 0 || forced ? 0x40 | rex : 0;
}

function addressSize(memory: Memory, mode: Mode): Mode {
  if (memory.base?.kind === 'ip') return 64;
  const register = memory.base ?? memory.index;
  if (register?.kind === 'gpr') return register.size as Mode;
  if (mode === 16 && typeof memory.displacement === 'number' && memory.displacement > 0xffff) return 32;
  return mode;
}

interface Sink {
  readonly bytes: number[];
  readonly fixups: Fixup[];
}

function pushAddress(sink: Sink, memory: Memory, reg: number, mode: Mode): void {
  const size = addressSize(memory, mode);
  if (size === 16) pushAddress16(sink, memory, reg);
  else if (memory.base?.kind === 'ip') pushInstructionRelative(sink, memory, reg);
  else pushAddress32(sink, memory, reg, size);
}

function pushInstructionRelative(sink: Sink, memory: Memory, reg: number): void {
  if (typeof memory.displacement === 'number') throw new Error('RIP-relative addressing needs a label');
  sink.bytes.push((reg << 3) | 5);
  sink.fixups.push({ offset: sink.bytes.length, size: 4, target: memory.displacement, kind: 'relative' });
  sink.bytes.push(0, 0, 0, 0);
}

/** ModRM and SIB with 32-bit addressing forms (SDM vol. 2 §2.1.5 tables 2-2, 2-3). */
function pushAddress32(sink: Sink, memory: Memory, reg: number, size: Mode): void {
  const { index, displacement } = memory;
  const base = memory.base as Gpr | undefined;
  const scale = [1, 2, 4, 8].indexOf(memory.scale) << 6;
  if (index?.code === 4) throw new Error('(E/R)SP cannot be an index');
  const indexBits = index === undefined ? 4 << 3 : (index.code & 7) << 3;
  if (base === undefined) {
    // Disp32 alone: in 64-bit code only the SIB form is absolute.
    if (index === undefined && size === 32) sink.bytes.push((reg << 3) | 5);
    else sink.bytes.push((reg << 3) | 4, scale | indexBits | 5);
    pushImmediate(sink, displacement, 32, size === 64);
    return;
  }
  const small = typeof displacement === 'number' && displacement >= -128 && displacement <= 127;
  const none = displacement === 0 && (base.code & 7) !== 5;
  const mod = none ? 0 : small ? 0x40 : 0x80;
  if (index !== undefined || (base.code & 7) === 4) {
    sink.bytes.push(mod | (reg << 3) | 4, scale | indexBits | (base.code & 7));
  } else {
    sink.bytes.push(mod | (reg << 3) | (base.code & 7));
  }
  if (mod === 0x40) pushImmediate(sink, displacement, 8, true);
  if (mod === 0x80) pushImmediate(sink, displacement, 32, size === 64);
}

/** The eight base and index pairs of 16-bit addressing, by ModRM.rm (SDM vol. 2 table 2-1). */
const PAIRS_16 = ['bx+si', 'bx+di', 'bp+si', 'bp+di', 'si', 'di', 'bp', 'bx'];

function pushAddress16(sink: Sink, memory: Memory, reg: number): void {
  const { base, index, displacement } = memory;
  if (base === undefined && index === undefined) {
    sink.bytes.push((reg << 3) | 6);
    pushImmediate(sink, displacement, 16, false);
    return;
  }
  const pair = PAIRS_16.indexOf([base, index].flatMap((part) => part?.name ?? []).join('+'));
  if (pair < 0) throw new Error('no such pair of registers in 16-bit addressing');
  const small = typeof displacement === 'number' && displacement >= -128 && displacement <= 127;
  const mod = displacement === 0 && pair !== 6 ? 0 : small ? 0x40 : 0x80;
  sink.bytes.push(mod | (reg << 3) | pair);
  if (mod === 0x40) pushImmediate(sink, displacement, 8, true);
  if (mod === 0x80) pushImmediate(sink, displacement, 16, false);
}

function pushImmediate(sink: Sink, value: Immediate, bits: 8 | 16 | 32 | 64, signed: boolean): void {
  const size = (bits / 8) as 1 | 2 | 4 | 8;
  if (typeof value === 'object') {
    sink.fixups.push({ offset: sink.bytes.length, size, target: value, kind: signed ? 'signed' : 'absolute' });
  }
  let rest = typeof value === 'object' ? 0n : BigInt.asUintN(bits, BigInt(value));
  for (let index = 0; index < size; index++) {
    sink.bytes.push(Number(rest & 0xffn));
    rest >>= 8n;
  }
}
