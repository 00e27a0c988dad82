import {
  dataAddress,
  encode,
  littleEndian,
  type MemoryOperand,
  type Mode,
  memoryAt,
  type OperandBits,
  reg,
} from './encode.ts';
import type { VectorInput } from './native.ts';
import { Random } from './random.ts';
import { CODE_BASE, DEFAULT_GPR, DEFAULT_RIP, type FpuState, type MemoryWindow } from './vector.ts';

export const CF = 1;
export const PF = 4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const DF = 0x400;
export const OF = 0x800;
export const STATUS = CF | PF | AF | ZF | SF | OF;

/** State before one case, changed from the defaults. */
export class CaseState {
  readonly gpr: bigint[] = [...DEFAULT_GPR];
  readonly memory: MemoryWindow[] = [];
  rflags = 0x202;
  fpu: FpuState | undefined;
  rip: number | undefined;

  /** Sets a register operand of `bits`; 8-bit 4–7 without REX are AH–BH. Other bits keep their defaults. */
  setRegister(index: number, bits: number, value: bigint, rex = false): void {
    const high = bits === 8 && !rex && index >= 4 && index < 8;
    const target = high ? index - 4 : index;
    const shift = high ? 8n : 0n;
    const mask = ((1n << BigInt(bits)) - 1n) << shift;
    this.gpr[target] = (this.gpr[target]! & ~mask) | ((value << shift) & mask);
  }

  store(address: number, value: bigint, byteLength: number): void {
    this.memory.push({ address, bytes: Uint8Array.from(littleEndian(value, byteLength)) });
  }

  point(operand: MemoryOperand): void {
    for (const [register, value] of operand.registers) this.gpr[register] = value;
  }
}

/** What a case's operands were, for masks of undefined flags. */
export interface OperandValues {
  readonly reg: bigint;
  readonly rm: bigint;
  readonly immediate: bigint;
  readonly state: CaseState;
}

/** An instruction with a ModRM byte. */
export interface RmForm {
  readonly name: string;
  readonly mode: Mode;
  /** Operand size, for 66h and REX.W. */
  readonly bits: OperandBits;
  readonly opcode: readonly number[];
  readonly prefixes?: readonly number[];
  /** ModRM.reg: a general register of this width, or an opcode extension. */
  readonly reg: { readonly bits: OperandBits } | { readonly extension: number };
  /** Width of r/m when it differs from `bits`. */
  readonly rmBits?: OperandBits;
  readonly immediateBits?: 8 | 16 | 32;
  readonly rm: 'register' | 'memory' | 'both';
  readonly count: number;
  readonly undefinedFlags?: number | ((values: OperandValues) => number);
  readonly immediates?: readonly number[];
  readonly setup?: (state: CaseState, random: Random, form: RmForm) => void;
  /** Operand value instead of a random one. */
  readonly rmValue?: (random: Random) => bigint;
  readonly regValue?: (random: Random) => bigint;
  readonly default64?: boolean;
  readonly aligned?: boolean;
  /** Skips this combination. */
  readonly reject?: (values: OperandValues) => boolean;
}

const REGISTERS_32 = [0, 1, 2];
const REGISTERS_64 = [0, 1, 2, 8, 9, 10, 11];

export class VectorRecorder {
  readonly inputs: VectorInput[] = [];
  readonly random: Random;

  constructor(seed: string) {
    this.random = new Random(seed);
  }

  add(name: string, mode: Mode, bytes: Uint8Array | readonly number[], state: CaseState, undefinedFlags = 0): void {
    const rip = state.rip ?? DEFAULT_RIP;
    this.inputs.push({
      name,
      mode,
      bytes: Uint8Array.from(bytes),
      before: {
        gpr:
          mode === 64
            ? state.gpr
            : state.gpr.map((value, index) => (index < 8 ? value & 0xffff_ffffn : DEFAULT_GPR[index]!)),
        rflags: state.rflags,
        rip: BigInt(mode === 16 ? rip - CODE_BASE : rip),
        memory: state.memory,
        ...(state.fpu ? { fpu: state.fpu } : {}),
      },
      undefinedFlags,
    });
  }

  /** A fresh state with random status flags; in 16-bit mode the stack pointer is an offset. */
  state(mode: Mode): CaseState {
    const state = new CaseState();
    if (mode === 16) state.gpr[4] = state.gpr[4]! - BigInt(CODE_BASE);
    state.rflags = 0x202 | (this.random.u32() & STATUS);
    return state;
  }

  register(mode: Mode, bits: number): { index: number; rex: boolean } {
    const { random } = this;
    if (bits === 8 && random.below(3) === 0) {
      if (mode !== 64 || random.below(2) === 0) return { index: 4 + random.below(3), rex: false };
      return { index: 4 + random.below(4), rex: true };
    }
    return { index: random.pick(mode === 64 ? REGISTERS_64 : REGISTERS_32), rex: false };
  }

  rm(form: RmForm): void {
    const kinds = form.rm === 'both' ? (['register', 'memory'] as const) : [form.rm];
    for (const kind of kinds) {
      for (let index = 0; index < form.count; index++) this.#rmCase(form, kind);
    }
  }

  #rmCase(form: RmForm, kind: 'register' | 'memory'): void {
    const { random } = this;
    const { mode } = form;
    const state = this.state(mode);
    const rmBits = form.rmBits ?? form.bits;
    const regBits = 'bits' in form.reg ? form.reg.bits : 0;
    form.setup?.(state, random, form);
    const rmValue = form.rmValue?.(random) ?? random.integer(rmBits);
    const regValue = form.regValue?.(random) ?? random.integer(regBits || 8);
    let own =
      regBits === 0
        ? { index: (form.reg as { extension: number }).extension, rex: false }
        : this.register(mode, regBits);
    let other = this.register(mode, rmBits);
    // AH–BH cannot be named together with a REX prefix.
    const high = (r: { index: number; rex: boolean }, bits: number) =>
      bits === 8 && !r.rex && r.index >= 4 && r.index < 8;
    const needsRex = (r: { index: number; rex: boolean }) => r.rex || r.index >= 8;
    const wide = form.bits === 64 && !form.default64;
    if (high(own, regBits) && (wide || kind === 'memory' || needsRex(other))) own = { index: 1, rex: false };
    if (kind === 'register' && high(other, rmBits) && (wide || (regBits !== 0 && needsRex(own))))
      other = { index: 2, rex: false };
    const rex = (regBits !== 0 && own.rex) || (kind === 'register' && other.rex);
    if (rex && high(own, regBits) && !own.rex) own = { index: 0, rex: false };
    const memory =
      kind === 'memory' ? memoryAt(random, mode, dataAddress(random, rmBits / 8, form.aligned)) : undefined;
    if (regBits !== 0) state.setRegister(own.index, regBits, regValue, own.rex);
    if (memory) {
      state.store(memory.linear, rmValue, rmBits / 8);
      state.point(memory);
    } else state.setRegister(other.index, rmBits, rmValue, other.rex);
    let immediate = 0n;
    if (form.immediateBits) {
      immediate = form.immediates ? BigInt(random.pick(form.immediates)) : random.integer(form.immediateBits);
    }
    const bytes = encode({
      mode,
      bits: form.bits,
      opcode: form.opcode,
      prefixes: form.prefixes ?? [],
      reg: own.index,
      rm: memory ?? reg(other.index),
      immediate: form.immediateBits ? littleEndian(immediate, form.immediateBits / 8) : [],
      rex,
      default64: form.default64 ?? false,
    });
    const values = { reg: regValue, rm: rmValue, immediate, state };
    if (form.reject?.(values)) return;
    const { undefinedFlags } = form;
    this.add(
      form.name,
      mode,
      bytes,
      state,
      typeof undefinedFlags === 'function' ? undefinedFlags(values) : (undefinedFlags ?? 0),
    );
  }
}

/** Operand sizes of general instructions in a mode. */
export const wideSizes = (mode: Mode): readonly OperandBits[] => (mode === 64 ? [16, 32, 64] : [16, 32]);
/** Immediate of an operand size: at most 32 bits. */
export const immediateOf = (bits: OperandBits): 8 | 16 | 32 => (bits === 64 ? 32 : bits);
