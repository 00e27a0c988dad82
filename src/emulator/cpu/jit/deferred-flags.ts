import { auxOfSource, signExtend } from '../isa/flags.ts';
import type { FlagSource, I32, I64, Semantics } from '../isa/semantics.ts';
import { FLAGS_AUX, FLAGS_RESULT } from '../state.ts';
import { type Expr, i32, i64 } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';

/** FlagSource.kind and size as the number in the kind local; 0: RESULT and AUX are in their locals. */
const KINDS = { add: 1, adc: 1, sub: 2, sbb: 2 } as const;
const SIZES = [1, 2, 4, 8] as const;

/**
 * The flags of a region. Inside a block the last arithmetic result waits as `pending` and mostly dies unseen; at a block's end its
 * operands go into locals with their kind, and AUX is worked out only on the way out of the region or when a later block asks.
 */
export class DeferredFlags {
  readonly resultLocal: I64;
  readonly auxLocal: I64;
  /** Depth of the builder between instructions: flags set deeper are conditional. */
  depth = 0;
  pending: { readonly source: FlagSource; readonly r: I64 } | undefined;
  isUsed = false;
  readonly #kind: I32;
  readonly #a: I64;
  readonly #b: I64;

  constructor(b: FunctionBuilder) {
    this.resultLocal = b.local('i64');
    this.auxLocal = b.local('i64');
    this.#kind = b.local('i32');
    this.#a = b.local('i64');
    this.#b = b.local('i64');
  }

  defer(source: FlagSource, r: I64): void {
    this.isUsed = true;
    this.pending = { source, r };
  }

  /** RESULT and AUX have been written to their locals. */
  setRaw(b: FunctionBuilder): void {
    this.isUsed = true;
    this.pending = undefined;
    b.set(this.#kind, i32.const(0));
  }

  /** What is pending goes to the locals that outlive the block; `pending` stays. */
  store(b: FunctionBuilder): void {
    if (this.pending === undefined) return;
    const { source, r } = this.pending;
    b.set(this.resultLocal, signExtend(source.size, r));
    if (source.kind === 'logic') {
      b.set(this.auxLocal, i64.const(0));
      b.set(this.#kind, i32.const(0));
      return;
    }
    b.set(this.#a, source.a);
    b.set(this.#b, source.b);
    b.set(this.#kind, i32.const(KINDS[source.kind] | (SIZES.indexOf(source.size) << 2)));
  }

  /** Works AUX out when it waits in the locals of an earlier block. */
  resolve(b: FunctionBuilder): void {
    this.isUsed = true;
    b.plainIf(this.#kind, () => {
      for (const [index, size] of SIZES.entries()) {
        for (const kind of ['add', 'sub'] as const) {
          b.plainIf(i32.eq(this.#kind, i32.const(KINDS[kind] | (index << 2))), () => {
            const source = { kind, size, a: this.#a, b: this.#b };
            b.set(this.auxLocal, auxOfSource(letters(b), source, this.resultLocal));
          });
        }
      }
      b.set(this.#kind, i32.const(0));
    });
  }

  /** At the region's entry. */
  load(b: FunctionBuilder): void {
    b.set(this.resultLocal, i64.load(i32.const(FLAGS_RESULT)));
    b.set(this.auxLocal, i64.load(i32.const(FLAGS_AUX)));
  }

  /** At its end. */
  spill(b: FunctionBuilder): void {
    this.resolve(b);
    b.storeI64(i32.const(FLAGS_RESULT), this.resultLocal);
    b.storeI64(i32.const(FLAGS_AUX), this.auxLocal);
  }
}

/** The little of Semantics that auxOfSource needs: binding. */
function letters(b: FunctionBuilder): Semantics {
  return { let: (value: Expr) => b.let(value) } as unknown as Semantics;
}
