import type { I32, V128 } from '../isa/semantics.ts';
import { LANE_TYPE, type LaneType } from '../simd/operations.ts';
import { MXCSR, MXCSR_FAST, XMM } from '../state.ts';
import { i32, v128 } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';

const SLOT_BYTES = 32;
const COUNT = 16;
/** Plain lanes of a packed type: the low one is plain too. */
const SCALAR_OF: Partial<Readonly<Record<LaneType, LaneType>>> = {
  [LANE_TYPE.PD]: LANE_TYPE.SD,
  [LANE_TYPE.PS]: LANE_TYPE.SS,
};

/** Number of the XMM register whose slot begins at `address` in the state; −1: none (an MMX register). */
export function xmmAt(address: number): number {
  const offset = address - XMM;
  return offset >= 0 && offset < COUNT * SLOT_BYTES && offset % SLOT_BYTES === 0 ? offset / SLOT_BYTES : -1;
}

/** The low 16 bytes of a region's XMM registers, in locals; bytes 31:16 stay in the state block. */
export class RegionVectors {
  readonly #b: FunctionBuilder;
  readonly #locals = new Map<number, V128>();
  readonly #dirty = new Set<number>();
  /** Registers whose lanes of a type are zero or normal, in the current block. */
  readonly #plain = new Map<number, LaneType>();
  /** Traps that the current block has asked for. */
  readonly #guards = new Set<number>();
  #floatsAreFast: I32 | undefined;
  /** A register is about to change; register `to` now holds what `from` does. */
  onChange: (index: number) => void = () => {};
  onMove: (to: number, from: number) => void = () => {};

  constructor(b: FunctionBuilder) {
    this.#b = b;
  }

  get(index: number): V128 {
    let local = this.#locals.get(index);
    if (local === undefined) {
      local = this.#b.permanentLocal('v128');
      this.#locals.set(index, local);
    }
    return local;
  }

  set(index: number, value: V128): void {
    this.onChange(index);
    this.#dirty.add(index);
    this.#plain.delete(index);
    this.#b.set(this.get(index), value);
  }

  /** Copies a register with what is known of it. */
  move(to: number, from: number): void {
    const type = this.#plain.get(from);
    if (to === from) return;
    this.set(to, this.get(from));
    if (type !== undefined) this.#plain.set(to, type);
    this.onMove(to, from);
  }

  isPlain(index: number, type: LaneType): boolean {
    const known = this.#plain.get(index);
    return known !== undefined && (known === type || SCALAR_OF[known] === type);
  }

  notePlain(index: number, type: LaneType): void {
    this.#plain.set(index, type);
  }

  /** A new block that may be entered from elsewhere: nothing is known. */
  reset(): void {
    this.#plain.clear();
    this.#guards.clear();
  }

  /** What is known here; the function makes it known again. */
  remember(): () => void {
    const [plain, guards] = [[...this.#plain], [...this.#guards]];
    return () => {
      this.reset();
      for (const [index, type] of plain) this.#plain.set(index, type);
      for (const trap of guards) this.#guards.add(trap);
    };
  }

  /** True when the block has asked before whether `trap` (SSE_TRAP…) stands in the way; what could change that ends a block. */
  isGuarded(trap: number): boolean {
    if (this.#guards.has(trap)) return true;
    this.#guards.add(trap);
    return false;
  }

  /** Registers may have changed in memory. */
  forgetPlain(): void {
    this.#plain.clear();
  }

  /** MXCSR as it was on the way in: helpers can only make floats fast that were not. */
  floatsAreFast(): I32 {
    this.#floatsAreFast ??= this.#b.permanentLocal('i32');
    return this.#floatsAreFast;
  }

  spill(index: number): void {
    this.#b.storeV128(i32.const(XMM + index * SLOT_BYTES), this.get(index));
  }

  /** Takes the register from the state block: what is there may be new. */
  reload(index: number): void {
    this.set(index, v128.load(i32.const(XMM + index * SLOT_BYTES)));
  }

  /** All that the region writes. To be emitted late, when that is known. */
  spillDirty(): void {
    for (const index of this.#dirty) this.spill(index);
  }

  /** All that the region holds. To be emitted late. */
  loadAll(): void {
    if (this.#floatsAreFast !== undefined) {
      const bits = i32.and(i32.load(i32.const(MXCSR)), i32.const(MXCSR_FAST.BITS));
      this.#b.set(this.#floatsAreFast, i32.eq(bits, i32.const(MXCSR_FAST.VALUE)));
    }
    for (const [index, local] of this.#locals) this.#b.set(local, v128.load(i32.const(XMM + index * SLOT_BYTES)));
  }
}
