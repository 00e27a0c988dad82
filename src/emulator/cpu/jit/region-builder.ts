import type { I32, I64 } from '../isa/semantics.ts';
import { BUDGET, GPR, RIP_PAGE, TLB_READ, TLB_WRITE } from '../state.ts';
import { i32, i64 } from '../wasm/expr.ts';
import { FunctionBuilder, type Label } from '../wasm/function-builder.ts';
import { DeferredFlags } from './deferred-flags.ts';

/** A function builder that tells when semantics nest (`if`, `loop`): pending flags must then stand in locals. */
class WatchedBuilder extends FunctionBuilder {
  onNested: () => void = () => {};

  override if(condition: I32, whenTrue: () => void, whenFalse?: () => void): void {
    if (condition.kind === 'const') {
      if (condition.immediate !== 0) whenTrue();
      else whenFalse?.();
      return;
    }
    this.onNested();
    super.if(condition, whenTrue, whenFalse);
  }

  override loop(body: (label: Label) => void): void {
    this.onNested();
    super.loop(body);
  }
}

/** The Wasm function of one region: guest registers and flags in locals, one way out that stores what changed. */
export class RegionBuilder {
  readonly b = new WatchedBuilder(1);
  readonly flags: DeferredFlags;
  readonly readTlb: I32;
  readonly writeTlb: I32;
  /** What the function returns (NEXT). */
  readonly next: I32;
  readonly #budget: I64;
  readonly #registers: readonly I64[];
  readonly #used = new Set<number>();
  readonly #dirty = new Set<number>();

  constructor() {
    const { b } = this;
    this.flags = new DeferredFlags(b);
    this.readTlb = b.local('i32');
    this.writeTlb = b.local('i32');
    this.next = b.local('i32');
    this.#budget = b.local('i64');
    // All of them now: a local that is first taken inside a scope would be given away at its end.
    this.#registers = Array.from({ length: 16 }, () => b.local('i64'));
  }

  register(index: number): I64 {
    this.#used.add(index);
    return this.#registers[index];
  }

  registerForWrite(index: number): I64 {
    this.#dirty.add(index);
    return this.register(index);
  }

  spillRegister(index: number): void {
    this.b.storeI64(i32.const(GPR + index * 8), this.register(index));
  }

  reloadRegister(index: number): void {
    this.b.set(this.registerForWrite(index), i64.load(i32.const(GPR + index * 8)));
  }

  ripPage(): I64 {
    return i64.load(i32.const(RIP_PAGE));
  }

  /** RIP of an offset in the region's page. */
  ripOf(offset: number): I64 {
    return i64.add(this.ripPage(), i64.const(offset));
  }

  addBudget(count: number): void {
    this.b.set(this.#budget, i64.add(this.#budget, i64.const(count)));
  }

  /** Takes a block's instructions from the budget; `outOfBudget` when they do not fit (nothing is taken then). */
  charge(count: number, outOfBudget: () => void): void {
    const { b } = this;
    const left = b.let(i64.sub(this.#budget, i64.const(count)));
    b.plainIf(i64.ltS(left, i64.const(0)), outOfBudget);
    b.set(this.#budget, left);
  }

  /**
   * The finished function. `entryCount`: what the interpreter took from the budget at the entry. Prologue and epilogue come last, when it is known
   * which registers are used and which change.
   */
  finish(entryCount: number): FunctionBuilder {
    const { b, flags } = this;
    for (const index of [...this.#dirty].sort((left, right) => left - right)) this.spillRegister(index);
    if (flags.isUsed) flags.spill(b);
    b.storeI64(i32.const(BUDGET), this.#budget);
    b.return(this.next);
    b.prologue(() => {
      for (const index of this.#used) b.set(this.#registers[index], i64.load(i32.const(GPR + index * 8)));
      if (flags.isUsed) flags.load(b);
      b.set(this.readTlb, i32.load(i32.const(TLB_READ)));
      b.set(this.writeTlb, i32.load(i32.const(TLB_WRITE)));
      b.set(this.#budget, i64.add(i64.load(i32.const(BUDGET)), i64.const(entryCount)));
    });
    b.unreachable();
    return b;
  }
}
