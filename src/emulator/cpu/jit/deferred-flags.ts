import { AUX_AF, AUX_CF, AUX_CF_XOR_OF, bitsOf, signExtend } from '../isa/flags.ts';
import type { FlagSource, I64 } from '../isa/semantics.ts';
import { FLAGS_AUX, FLAGS_RESULT } from '../state.ts';
import { i32, i64 } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';

/** Shift of a finished AUX: none, as Wasm counts modulo 64, and all its bits are kept. */
const RAW = 64;

/**
 * The flags of a region. Inside a block the last arithmetic result waits as `pending` and mostly dies unseen. At a block's end it goes into
 * locals as three words x, y, z whose bitwise majority is the vector of carries, and AUX is worked out only on the way out of the region or
 * when a later block asks: carries of a + b = r are maj(a, b, ¬r), of a − b = r maj(¬a, b, r), and a finished AUX is the majority of itself twice.
 */
export class DeferredFlags {
  readonly resultLocal: I64;
  /** Depth of the builder between instructions: flags set deeper are conditional. */
  depth = 0;
  pending: { readonly source: FlagSource; readonly r: I64 } | undefined;
  #isStored = false;
  readonly #x: I64;
  readonly #y: I64;
  readonly #z: I64;
  /** How far the top carry is from bit 63, or RAW. */
  readonly #shift: I64;

  constructor(b: FunctionBuilder) {
    this.resultLocal = b.local('i64');
    this.#x = b.local('i64');
    this.#y = b.local('i64');
    this.#z = b.local('i64');
    this.#shift = b.local('i64');
  }

  defer(source: FlagSource, r: I64): void {
    this.pending = { source, r };
    this.#isStored = false;
  }

  /** Both words as they are; `aux` is bound. */
  setRaw(b: FunctionBuilder, result: I64, aux: I64): void {
    this.pending = undefined;
    b.set(this.resultLocal, result);
    this.#set(b, aux, aux, i64.const(0), RAW);
  }

  /** What is pending goes to the locals that outlive the block; `pending` stays. */
  store(b: FunctionBuilder): void {
    if (this.pending === undefined || this.#isStored) return;
    this.#isStored = b.depth === this.depth;
    const { source, r } = this.pending;
    const { kind, size, a, b: right } = source;
    const shift = 64 - bitsOf(size);
    b.set(this.resultLocal, signExtend(size, r));
    if (kind === 'logic') this.#set(b, i64.const(0), i64.const(0), i64.const(0), 0);
    else if (kind === 'add' || kind === 'adc') this.#set(b, a, right, i64.not(r), shift);
    else this.#set(b, i64.not(a), right, r, shift);
  }

  #set(b: FunctionBuilder, x: I64, y: I64, z: I64, shift: number): void {
    b.set(this.#x, x);
    b.set(this.#y, y);
    b.set(this.#z, z);
    b.set(this.#shift, i64.const(shift));
  }

  /** AUX of what the locals hold. */
  aux(b: FunctionBuilder): I64 {
    const either = i64.or(this.#x, this.#y);
    const carries = b.let(i64.or(i64.and(this.#x, this.#y), i64.and(either, this.#z)));
    const top = i64.and(i64.shl(carries, this.#shift), i64.const(AUX_CF | AUX_CF_XOR_OF));
    // AF alone, or with RAW everything.
    const below = i64.or(i64.neg(i64.shrU(this.#shift, i64.const(6))), i64.const(AUX_AF));
    return i64.or(top, i64.and(carries, below));
  }

  /** At the region's entry. */
  load(b: FunctionBuilder): void {
    b.set(this.resultLocal, i64.load(i32.const(FLAGS_RESULT)));
    b.set(this.#x, i64.load(i32.const(FLAGS_AUX)));
    b.set(this.#y, this.#x);
    b.set(this.#shift, i64.const(RAW));
  }

  /** At its end. */
  spill(b: FunctionBuilder): void {
    b.storeI64(i32.const(FLAGS_RESULT), this.resultLocal);
    b.scope(() => b.storeI64(i32.const(FLAGS_AUX), this.aux(b)));
  }
}
