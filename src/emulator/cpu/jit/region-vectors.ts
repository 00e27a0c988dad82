import type { V128 } from '../isa/semantics.ts';
import { XMM } from '../state.ts';
import { i32, v128 } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';

const SLOT_BYTES = 32;
const COUNT = 16;

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
    this.#dirty.add(index);
    this.#b.set(this.get(index), value);
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
    for (const [index, local] of this.#locals) this.#b.set(local, v128.load(i32.const(XMM + index * SLOT_BYTES)));
  }
}
