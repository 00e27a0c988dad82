import { AUX_AF, AUX_CF, AUX_CF_XOR_OF, auxOfCount, auxOfSource, bitsOf, signExtend } from '../isa/flags.ts';
import type { FlagSource, I32, I64 } from '../isa/semantics.ts';
import { FLAGS_AUX, FLAGS_RESULT } from '../state.ts';
import { i32, i64, select } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';

/** What MODE says beside the shift (Wasm counts shifts modulo 64). */
const MODE = {
  /** The subtrahend is a finished AUX. */
  RAW: 0x40,
  /** The minuend is the result. */
  RESULT: 0x80,
  /** The result is a value that was counted up or down by 1; bit 63 of the subtrahend is CF. */
  UP: 0x100,
  DOWN: 0x200,
} as const;
const COUNTED = MODE.UP | MODE.DOWN;

/** A result whose flags nobody has asked for yet. */
export interface PendingFlags {
  readonly source: FlagSource;
  readonly r: I64;
}

/**
 * The flags of a region. Inside a block the last arithmetic result waits as `pending` and mostly dies unseen. At a block's end it goes into
 * locals as a subtraction, from which both words are worked out only on the way out of the region or when a later block asks: the carries
 * of a + b = r are the borrows of r − a = b, and a logical result r is r − 0.
 */
export class DeferredFlags {
  /** Depth of the builder between instructions: flags set deeper are conditional. */
  depth = 0;
  pending: PendingFlags | undefined;
  #isStored = false;
  readonly #minuend: I64;
  readonly #subtrahend: I64;
  /** How far the top borrow is from bit 63, and bits of MODE. */
  readonly #mode: I64;

  constructor(b: FunctionBuilder) {
    this.#minuend = b.local('i64');
    this.#subtrahend = b.local('i64');
    this.#mode = b.local('i64');
  }

  /** A new block that may be entered from elsewhere: nothing is known. */
  reset(): void {
    this.pending = undefined;
  }

  /** What is known here, where it has been stored; the function makes it known again. */
  remember(): () => void {
    const { pending } = this;
    return () => {
      this.pending = pending;
      this.#isStored = true;
    };
  }

  defer(source: FlagSource, r: I64): void {
    this.pending = { source, r };
    this.#isStored = false;
  }

  /** Both words as they are. */
  setRaw(b: FunctionBuilder, result: I64, aux: I64): void {
    this.pending = undefined;
    this.#set(b, result, aux, MODE.RAW | MODE.RESULT);
  }

  /** What is pending goes to the locals that outlive the block; `pending` stays. */
  store(b: FunctionBuilder): void {
    if (this.pending === undefined || this.#isStored) return;
    this.#isStored = b.depth === this.depth;
    const { source, r } = this.pending;
    const { kind, size, a, b: right } = source;
    const shift = 64 - bitsOf(size);
    switch (kind) {
      case 'logic':
        this.#set(b, r, i64.const(0), shift);
        return;
      case 'sub':
        this.#set(b, a, right, shift);
        return;
      case 'add':
        this.#set(b, r, a, shift | MODE.RESULT);
        return;
      case 'inc':
      case 'dec': {
        const step = kind === 'inc' ? MODE.UP : MODE.DOWN;
        this.#set(b, r, i64.shl(a, i64.const(63)), shift | step | MODE.RESULT);
        return;
      }
      case 'shl':
      case 'shr':
      case 'sar':
        this.#set(b, signExtend(size, r), auxOfSource(b, source, r), MODE.RAW | MODE.RESULT);
        return;
      default:
        // With a carry in it the difference is another.
        this.#set(b, signExtend(size, r), auxOfSource(b, source, r), MODE.RAW | MODE.RESULT);
    }
  }

  #set(b: FunctionBuilder, minuend: I64, subtrahend: I64, mode: number): void {
    b.set(this.#minuend, minuend);
    b.set(this.#subtrahend, subtrahend);
    b.set(this.#mode, i64.const(mode));
  }

  /** RESULT of what the locals hold. */
  result(): I64 {
    const difference = i64.sub(this.#minuend, this.#subtrahend);
    const result = select(this.#has(MODE.RESULT), this.#minuend, difference);
    return i64.shrS(i64.shl(result, this.#mode), this.#mode);
  }

  /** CF of what the locals hold, 0 or 1. */
  carry(): I64 {
    const borrow = i64.ltU(i64.shl(this.#minuend, this.#mode), i64.shl(this.#subtrahend, this.#mode));
    const kept = i64.shrU(this.#subtrahend, i64.const(63));
    return select(this.#has(MODE.RAW | COUNTED), kept, i64.extendI32U(borrow));
  }

  /** AUX of what the locals hold. */
  aux(b: FunctionBuilder): I64 {
    const aux = b.local('i64');
    b.plainIf(
      this.#has(COUNTED),
      () => {
        const isDown = i32.ne(this.#has(MODE.DOWN), i32.const(0));
        const upper = b.let(i64.add(this.#minuend, i64.extendI32U(isDown)));
        const isLimit = i64.eq(i64.shl(upper, this.#mode), i64.const(AUX_CF));
        b.set(aux, auxOfCount(b, this.#subtrahend, upper, isLimit));
      },
      () => b.set(aux, this.#auxOfDifference(b)),
      'unlikely',
    );
    return aux;
  }

  #auxOfDifference(b: FunctionBuilder): I64 {
    const [minuend, subtrahend] = [i64.not(this.#minuend), this.#subtrahend];
    const difference = i64.sub(this.#minuend, subtrahend);
    const borrows = b.let(i64.or(i64.and(minuend, subtrahend), i64.and(i64.or(minuend, subtrahend), difference)));
    const top = i64.and(i64.shl(borrows, this.#mode), i64.const(AUX_CF | AUX_CF_XOR_OF));
    return select(this.#has(MODE.RAW), subtrahend, i64.or(top, i64.and(borrows, i64.const(AUX_AF))));
  }

  #has(bits: number): I32 {
    return i32.wrap(i64.and(this.#mode, i64.const(bits)));
  }

  /** At the region's entry. */
  load(b: FunctionBuilder): void {
    this.#set(b, i64.load(i32.const(FLAGS_RESULT)), i64.load(i32.const(FLAGS_AUX)), MODE.RAW | MODE.RESULT);
  }

  /** At its end. */
  spill(b: FunctionBuilder): void {
    const { pending } = this;
    b.scope(() => {
      const [result, aux] =
        pending === undefined
          ? [this.result(), this.aux(b)]
          : [signExtend(pending.source.size, pending.r), auxOfSource(b, pending.source, pending.r)];
      b.storeI64(i32.const(FLAGS_RESULT), result);
      b.storeI64(i32.const(FLAGS_AUX), aux);
    });
  }
}
