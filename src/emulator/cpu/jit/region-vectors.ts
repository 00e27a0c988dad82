import type { F32, F64, I32, V128 } from '../isa/semantics.ts';
import { LANE_TYPE, type LaneType } from '../simd/operations.ts';
import { MXCSR, MXCSR_FAST, XMM } from '../state.ts';
import { i32, v128 } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';

const SLOT_BYTES = 32;
const COUNT = 16;
/** Instructions on the low lane. */
const LOW_LANE = {
  f32: {
    get: (vector: V128): F32 => v128.extract('f32', 0x1f, vector, 0),
    set: (vector: V128, value: F32 | F64): V128 => v128.replace(0x20, vector, 0, value),
  },
  f64: {
    get: (vector: V128): F64 => v128.extract('f64', 0x21, vector, 0),
    set: (vector: V128, value: F32 | F64): V128 => v128.replace(0x22, vector, 0, value),
  },
} as const;
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

/** Low lane of a register that was written alone. */
export interface Low {
  readonly type: 'f32' | 'f64';
  /** A local. */
  readonly value: F32 | F64;
}

/** A register as it was. */
export interface Snapshot {
  readonly vector: V128;
  readonly low: Low | undefined;
}

/** The low 16 bytes of a region's XMM registers, in locals; bytes 31:16 stay in the state block. */
export class RegionVectors {
  readonly #b: FunctionBuilder;
  readonly #locals = new Map<number, V128>();
  readonly #dirty = new Set<number>();
  /** Low lanes that are newer than the vectors' own: scalar arithmetic goes from one to the next without putting them in their places. */
  readonly #lows = new Map<number, Low>();
  /** Registers whose lanes of a type are zero or normal, in the current block. */
  readonly #plain = new Map<number, LaneType>();
  /** Traps that the region would run into. */
  readonly #guards = new Set<number>();
  #floatsAreFast: I32 | undefined;
  /** A register is about to change; register `to` now holds what `from` does. */
  onChange: (index: number) => void = () => {};
  onMove: (to: number, from: number) => void = () => {};

  constructor(b: FunctionBuilder) {
    this.#b = b;
  }

  get(index: number): V128 {
    const low = this.#lows.get(index);
    if (low !== undefined) {
      this.#lows.delete(index);
      this.#merge(index, low);
    }
    return this.#local(index);
  }

  #local(index: number): V128 {
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
    this.#lows.delete(index);
    this.#b.set(this.#local(index), value);
  }

  /** The low lane. */
  low(index: number, type: 'f32' | 'f64'): F32 | F64 {
    const low = this.#lows.get(index);
    return low?.type === type ? low.value : LOW_LANE[type].get(this.get(index));
  }

  /** Writes the low lane alone: the vector follows when it is asked for, or with `mergeAll`. */
  setLow(index: number, type: 'f32' | 'f64', value: F32 | F64): void {
    const other = this.#lows.get(index);
    if (other !== undefined && other.type !== type) this.get(index);
    this.onChange(index);
    this.#dirty.add(index);
    this.#plain.delete(index);
    this.#lows.set(index, { type, value: this.#b.let(value) });
  }

  #merge(index: number, { type, value }: Low): void {
    const local = this.#local(index);
    this.#b.set(local, LOW_LANE[type].set(local, value));
  }

  /** Puts low lanes into their vectors, for a way out of the block. */
  mergeAll(): void {
    for (const [index, low] of this.#lows) this.#merge(index, low);
  }

  /** The same for good. */
  settleLows(): void {
    this.mergeAll();
    this.#lows.clear();
  }

  /** The vectors have been taken from the state block. */
  reloadLows(): void {
    for (const [index, { type, value }] of this.#lows) this.#b.set(value, LOW_LANE[type].get(this.#local(index)));
  }

  /** Keeps what a register holds. */
  snapshot(index: number): Snapshot {
    return { vector: this.#b.let(this.#local(index)), low: this.#lows.get(index) };
  }

  /** Emits what brings it back, in code that does not come back here. */
  restore(index: number, { vector, low }: Snapshot): void {
    this.#b.set(this.#local(index), low === undefined ? vector : LOW_LANE[low.type].set(vector, low.value));
  }

  /** Copies a register with what is known of it. */
  move(to: number, from: number): void {
    const type = this.#plain.get(from);
    if (to === from) return;
    const low = this.#lows.get(from);
    this.set(to, this.#local(from));
    if (low !== undefined) this.#lows.set(to, low);
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
  }

  /** What is known here; the function makes it known again. */
  remember(): () => void {
    const plain = [...this.#plain];
    return () => {
      this.reset();
      for (const [index, type] of plain) this.#plain.set(index, type);
    };
  }

  /** The region is entered only where `trap` (SSE_TRAP…) does not stand in the way: what could change that leaves all regions. */
  guard(trap: number): void {
    this.#guards.add(trap);
  }

  get guards(): Iterable<number> {
    return this.#guards;
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
    this.#b.storeV128(i32.const(XMM + index * SLOT_BYTES), this.#local(index));
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
    this.loadRegisters();
  }

  /** All registers, MXCSR being what it was. To be emitted late. */
  loadRegisters(): void {
    for (const [index, local] of this.#locals) this.#b.set(local, v128.load(i32.const(XMM + index * SLOT_BYTES)));
  }
}
