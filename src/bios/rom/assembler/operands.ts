import type {
  ControlRegister,
  DebugRegister,
  Gpr,
  InstructionPointer,
  RegisterSize,
  SegmentRegister,
} from './registers.ts';

/** A label's address plus `addend`. An offset within a real-mode segment has −(segment base) as its addend. */
export interface SymbolReference {
  readonly kind: 'symbol';
  readonly label: string;
  readonly addend: number;
}

/** A memory operand; without `size`, another operand settles it. */
export interface Memory {
  readonly kind: 'memory';
  readonly size?: RegisterSize;
  readonly segment?: SegmentRegister;
  readonly base?: Gpr | InstructionPointer;
  readonly index?: Gpr;
  readonly scale: 1 | 2 | 4 | 8;
  readonly displacement: number | SymbolReference;
}

/** An index register with its scale, part of an address. */
export interface ScaledIndex {
  readonly kind: 'index';
  readonly register: Gpr;
  readonly scale: 1 | 2 | 4 | 8;
}

export type Immediate = number | bigint | SymbolReference;
export type Operand = Gpr | SegmentRegister | ControlRegister | DebugRegister | Memory | Immediate;
/** What an address is made of: a base, a scaled index, a segment override, a label, displacements (summed). */
export type AddressPart = Gpr | InstructionPointer | ScaledIndex | SegmentRegister | SymbolReference | string | number;

/** The address of `label` plus `addend`. */
export function symbol(label: string, addend = 0): SymbolReference {
  return { kind: 'symbol', label, addend };
}

/** The offset of `label` in the real-mode segment whose paragraph address is `segmentBase >> 4`. */
export function offsetIn(segmentBase: number, label: string): SymbolReference {
  return symbol(label, -segmentBase);
}

export function scaled(register: Gpr, scale: 1 | 2 | 4 | 8): ScaledIndex {
  return { kind: 'index', register, scale };
}

function memory(size: RegisterSize | undefined, parts: readonly AddressPart[]): Memory {
  let base: Gpr | InstructionPointer | undefined;
  let index: ScaledIndex | undefined;
  let segment: SegmentRegister | undefined;
  let reference: SymbolReference | undefined;
  let sum = 0;
  for (const part of parts) {
    if (typeof part === 'number') sum += part;
    else if (typeof part === 'string') reference = symbol(part);
    else if (part.kind === 'symbol') reference = part;
    else if (part.kind === 'segment') segment = part;
    else if (part.kind === 'index') index = part;
    else if (base === undefined) base = part;
    else if (part.kind === 'gpr') index = scaled(part, 1);
  }
  const displacement = reference === undefined ? sum : symbol(reference.label, reference.addend + sum);
  return { kind: 'memory', size, segment, base, index: index?.register, scale: index?.scale ?? 1, displacement };
}

/** An address whose access size another operand gives. */
export const at = (...parts: AddressPart[]): Memory => memory(undefined, parts);
export const byte = (...parts: AddressPart[]): Memory => memory(8, parts);
export const word = (...parts: AddressPart[]): Memory => memory(16, parts);
export const dword = (...parts: AddressPart[]): Memory => memory(32, parts);
export const qword = (...parts: AddressPart[]): Memory => memory(64, parts);

export function isImmediate(operand: Operand): operand is Immediate {
  return typeof operand === 'number' || typeof operand === 'bigint' || operand.kind === 'symbol';
}
