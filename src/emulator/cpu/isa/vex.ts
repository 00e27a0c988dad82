import { SSE_TRAP } from '../state.ts';
import { i32, i64, v128 } from '../wasm/expr.ts';
import type { I32, Semantic, Semantics } from './semantics.ts';
import { guardAvx, type V128 } from './vector.ts';
import {
  Accumulator,
  AccumulatorOperand,
  AddressedOperand,
  RegisterOperand,
  type VectorOperand,
} from './vex-operands.ts';

/*
 * VEX forms run the semantic of their SSE instruction on a view: its destination, which is its first source too, is an accumulator
 * that holds the VEX form's first source; what comes out is copied to the destination, and the bits above become 0. An instruction on
 * 256 bits runs its semantic once for each half. Nothing of the registers changes before all memory has been read.
 */

const ZERO = v128.const(new Array(16).fill(0));

/** How the operands of a VEX form stand to those of the SSE semantic. */
export interface VexShape {
  /** Operand that receives the accumulator; undefined: the semantic writes no vector register. */
  readonly destination?: number;
  /** Operand that the accumulator holds at first. */
  readonly first?: number;
  /** Vector operand that the semantic sees as its operand 1, read whole beforehand, and its bytes in memory. */
  readonly source?: number;
  readonly sourceBytes?: number;
  /** Bytes from one half's source to the next one's. */
  readonly step?: number;
  /** Runs of the semantic; 2 for halves one after the other. */
  readonly runs?: 1 | 2;
  /** 256 bits are copied to the destination. */
  readonly wide?: boolean;
  /** Operand 1 and up of the semantic are 2 and up here. */
  readonly shifted?: boolean;
  /** Bits of the immediate that each half takes, when they differ. */
  readonly immediateBits?: number;
}

/** `c` with some methods replaced. */
function withMethods(c: Semantics, methods: Partial<Semantics>): Semantics {
  return new Proxy(c, {
    get(target, name) {
      const own = methods[name as keyof Semantics];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Writes a vector register operand of 32 bytes. */
export function writeVex(c: Semantics, index: number, low: V128, high: V128 = ZERO): void {
  c.setVector(index, low);
  c.setHighVector(index, high);
}

/** Wasm address of `bytes` of a vector operand, without alignment. */
export function vexAddress(c: Semantics, index: number, bytes: number): I32 {
  if (!c.isMemory(index)) return c.let(c.vectorAddress(index));
  return c.let(c.hostForRead(c.let(c.linear()), bytes));
}

/** Operand 1 in run `run`, when the VEX form reads it beforehand; `memory`: where, unless it is a register. */
function sourceOperand(c: Semantics, shape: VexShape, run: number, memory: I32 | undefined): VectorOperand | undefined {
  const { source, step = 16 } = shape;
  if (source === undefined) return undefined;
  if (memory !== undefined) return new AddressedOperand(() => memory, run * step);
  if (run === 0 || step === 0) return new RegisterOperand(c, source);
  if (step === 16) return new RegisterOperand(c, source, true);
  return new AddressedOperand(() => c.vectorAddress(source), run * step);
}

function viewOf(
  c: Semantics,
  shape: VexShape,
  run: number,
  accumulator: Accumulator | undefined,
  memory: I32 | undefined,
): Semantics {
  const map = (index: number): number => (shape.shifted && index > 0 ? index + 1 : index);
  const destination = accumulator === undefined ? undefined : new AccumulatorOperand(accumulator, run);
  const source = sourceOperand(c, shape, run, memory);
  const special = (index: number): VectorOperand | undefined =>
    index === 0 ? destination : index === 1 ? source : undefined;
  const operand = (index: number): VectorOperand => special(index) ?? new RegisterOperand(c, map(index));
  const write = (index: number, value: V128, half = run): void => {
    if (index !== 0 || accumulator === undefined) throw new Error('the SSE form writes what its VEX form only reads');
    accumulator.set(half, value);
  };
  return withMethods(c, {
    stateI32: (offset) => (offset === SSE_TRAP ? i32.const(0) : c.stateI32(offset)),
    isMemory: (index) => special(index) === undefined && c.isMemory(map(index)),
    sizeOf: (index) => c.sizeOf(map(index)),
    get: (index) => c.get(map(index)),
    set: (index, value) => c.set(map(index), value),
    vector: (index) => operand(index).vector(),
    lowVector: (index, byteLength) => operand(index).lowVector(byteLength),
    highVector: (index) => operand(index).highVector(),
    single: (index) => operand(index).single(),
    double: (index) => operand(index).double(),
    dword: (index, lane) => operand(index).dword(lane),
    vectorAddress: (index) => operand(index).address(),
    moveVector: (to, from) => write(to, operand(from).vector()),
    setVector: (index, value) => write(index, value),
    setHighVector: (index, value) => write(index, value, 1),
    setSingle: (index, value) => write(index, v128.replace(0x20, operand(index).vector(), 0, value)),
    setDouble: (index, value) => write(index, v128.replace(0x22, operand(index).vector(), 0, value)),
    attempt: (fast, slow) =>
      c.attempt(fast, () => {
        slow();
        accumulator?.reload();
      }),
    isKnownPlain: () => false,
    notePlain: () => {},
    immediate: () => {
      const own = c.immediate();
      return shape.immediateBits === undefined || run === 0 ? own : i64.shrU(own, i64.const(shape.immediateBits));
    },
  });
}

/** The VEX form of an SSE semantic. */
export const vex =
  (semantic: Semantic, shape: VexShape = {}): Semantic =>
  (c) => {
    guardAvx(c);
    const { source, first, destination } = shape;
    const inMemory = source !== undefined && c.isMemory(source);
    const memory = inMemory ? vexAddress(c, source, shape.sourceBytes ?? 16) : undefined;
    const accumulator = destination === undefined ? undefined : new Accumulator(c);
    if (accumulator !== undefined) {
      // As an operand that may be memory it is the source itself.
      const from = first === source && memory !== undefined ? new AddressedOperand(() => memory, 0) : undefined;
      const initial = first === undefined ? undefined : (from ?? new RegisterOperand(c, first));
      accumulator.set(0, initial?.vector() ?? ZERO);
      accumulator.set(1, shape.wide ? (initial?.highVector() ?? ZERO) : ZERO);
    }
    for (let run = 0; run < (shape.runs ?? 1); run++) semantic(viewOf(c, shape, run, accumulator, memory));
    if (accumulator === undefined || destination === undefined) return;
    accumulator.reload();
    writeVex(c, destination, accumulator.low, shape.wide ? accumulator.high : ZERO);
  };
