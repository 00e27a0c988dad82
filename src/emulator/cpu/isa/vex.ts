import { SIMD_SCRATCH, SSE_TRAP } from '../state.ts';
import { i32, i64, v128 } from '../wasm/expr.ts';
import type { I32, Semantic, Semantics } from './semantics.ts';
import { guardAvx, type V128 } from './vector.ts';

/*
 * VEX forms run the semantic of their SSE instruction on a view: its destination, which is its first source too, is a scratch vector
 * that holds the VEX form's first source; what comes out is copied to the destination, and the bits above become 0. An instruction on
 * 256 bits runs its semantic once for each half. Nothing of the registers changes before all memory has been read.
 */

/** Scratch vectors of a VEX form: 32 bytes. */
const ACCUMULATOR = SIMD_SCRATCH + 64;
const ZERO = v128.const(new Array(16).fill(0));

/** How the operands of a VEX form stand to those of the SSE semantic. */
export interface VexShape {
  /** Operand that receives the scratch vector; undefined: the semantic writes no vector register. */
  readonly destination?: number;
  /** Operand that the scratch vector holds at first. */
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

const accumulator = (run: number): I32 => i32.const(ACCUMULATOR + run * 16);

/** Copies the scratch vector to a vector register operand; what lies above becomes 0. */
export function writeVex(c: Semantics, index: number, low: V128, high: V128 = ZERO): void {
  const address = c.let(c.vectorAddress(index));
  c.b.store(0xfd0b, address, low);
  c.b.store(0xfd0b, address, high, 16);
}

/** Wasm address of `bytes` of a vector operand, without alignment. */
export function vexAddress(c: Semantics, index: number, bytes: number): I32 {
  if (!c.isMemory(index)) return c.let(c.vectorAddress(index));
  return c.let(c.hostForRead(c.let(c.linear()), bytes));
}

function viewOf(c: Semantics, shape: VexShape, run: number, source: I32 | undefined): Semantics {
  const map = (index: number): number => (shape.shifted && index > 0 ? index + 1 : index);
  const isAccumulator = (index: number) => index === 0 && shape.destination !== undefined;
  const isSource = (index: number) => index === 1 && source !== undefined;
  return withMethods(c, {
    stateI32: (offset) => (offset === SSE_TRAP ? i32.const(0) : c.stateI32(offset)),
    isMemory: (index) => !isAccumulator(index) && !isSource(index) && c.isMemory(map(index)),
    sizeOf: (index) => c.sizeOf(map(index)),
    get: (index) => c.get(map(index)),
    set: (index, value) => c.set(map(index), value),
    vectorAddress: (index) => {
      if (isAccumulator(index)) return accumulator(run);
      if (index === 1 && source !== undefined) return i32.add(source, i32.const(run * (shape.step ?? 16)));
      return c.vectorAddress(map(index));
    },
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
    const source = shape.source === undefined ? undefined : vexAddress(c, shape.source, shape.sourceBytes ?? 16);
    const halves = shape.wide ? 2 : 1;
    if (shape.first !== undefined) {
      // As an operand that may be memory it is the source itself.
      const from = shape.first === shape.source && source !== undefined ? source : c.let(c.vectorAddress(shape.first));
      for (let half = 0; half < halves; half++) {
        c.b.store(0xfd0b, accumulator(half), v128.load(from, half * 16));
      }
    }
    for (let run = 0; run < (shape.runs ?? 1); run++) semantic(viewOf(c, shape, run, source));
    if (shape.destination === undefined) return;
    const high = shape.wide ? v128.load(accumulator(1)) : ZERO;
    writeVex(c, shape.destination, v128.load(accumulator(0)), high);
  };
