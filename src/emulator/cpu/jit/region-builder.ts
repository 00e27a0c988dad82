import type { ImportIndexes } from '../interpreter/handler-exits.ts';
import type { I32, I64 } from '../isa/semantics.ts';
import { CODE_SIZE } from '../modes.ts';
import { BUDGET, GPR, LEAVE_TO, RIP_PAGE, TLB_READ } from '../state.ts';
import type { TranslatedBlock } from '../translation/code-cache.ts';
import { type Expr, i32, i64 } from '../wasm/expr.ts';
import { FunctionBuilder, type Label } from '../wasm/function-builder.ts';
import type { ValueType } from '../wasm/types.ts';
import { AddressForms } from './address-forms.ts';
import { DeferredFlags } from './deferred-flags.ts';
import { FloatSpan } from './float-span.ts';
import { NarrowValues } from './narrow-values.ts';
import { RegionMemory } from './region-memory.ts';
import { RegionVectors } from './region-vectors.ts';

/** A function builder that tells when semantics nest (`if`, `loop`), as pending flags must then stand in locals, and when it hands out a local. */
class WatchedBuilder extends FunctionBuilder {
  onNested: () => void = () => {};
  onLocal: (index: number) => void = () => {};

  override local<T extends ValueType>(type: T): Expr<T> {
    const local = super.local(type);
    this.onLocal(local.immediate);
    return local;
  }

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

/** A usual region's. */
const CODE_BYTES = 0x4000;

/** A region's own value of `next`: on at JUMP_RIP, if possible without the interpreter's loop. */
export const CHAIN = 6;

/** The Wasm function of one region: guest registers and flags in locals, one way out that stores what changed. */
export class RegionBuilder {
  readonly b = new WatchedBuilder(1, CODE_BYTES);
  readonly flags: DeferredFlags;
  /** Address of the reading TLB; the writing one and the page slots follow. */
  readonly tlb: I32;
  /** What the function returns (NEXT). */
  readonly next: I32;
  /** RIP_PAGE at the region's entry. */
  readonly entryPage: I64;
  /** The block that a way over a crossroads leads to. */
  readonly destination: I32;
  readonly budget: I64;
  readonly vectors: RegionVectors;
  /** Floating point whose numbers are looked at together. */
  readonly floats: FloatSpan;
  readonly forms: AddressForms;
  readonly narrow: NarrowValues;
  readonly memory: RegionMemory;
  /** Where a memory access goes that has set LEAVE_TO. */
  leave!: Label;
  /** Outside 64-bit code RIP has 32 bits. */
  readonly isWide: boolean;
  /** Addresses are sums that wrap at 32 bits, without limits. */
  readonly isFlat: boolean;
  readonly #registers: readonly I64[];
  readonly #used = new Set<number>();
  readonly #dirty = new Set<number>();

  /** `codeSize`: CODE_SIZE of its blocks. `firstSlot`: see RegionMemory. */
  constructor(codeSize: number, firstSlot: number) {
    const { b } = this;
    this.isWide = codeSize === CODE_SIZE.BITS_64;
    this.isFlat = codeSize === CODE_SIZE.FLAT_32;
    this.flags = new DeferredFlags(b);
    this.vectors = new RegionVectors(b);
    this.floats = new FloatSpan(b, this.vectors);
    this.vectors.onChange = (xmm) => this.floats.beforeChange(xmm);
    this.vectors.onMove = (to, from) => this.floats.moved(to, from);
    this.tlb = b.local('i32');
    this.memory = new RegionMemory(this.tlb, firstSlot);
    this.next = b.local('i32');
    this.entryPage = b.local('i64');
    this.destination = b.local('i32');
    this.budget = b.local('i64');
    // All of them now: a local that is first taken inside a scope would be given away at its end.
    this.#registers = Array.from({ length: 16 }, () => b.local('i64'));
    this.narrow = new NarrowValues(this.#registers);
    this.forms = new AddressForms(this.#registers, this.isFlat);
    b.onLocal = (index) => {
      this.forms.release(index);
      this.narrow.release(index);
    };
  }

  /** A block begins. `isEntered`: from elsewhere too, so that nothing that was learnt so far holds. */
  beginBlock(isEntered: boolean): void {
    this.flags.depth = this.b.depth;
    if (isEntered) this.forget();
  }

  /** Nothing that was learnt so far holds any more. */
  forget(): void {
    const { flags, forms, memory, narrow, vectors } = this;
    for (const each of [flags, forms, memory, narrow, vectors]) each.reset();
  }

  /** What is known at a block's end, its flags stored; the function makes it known again. */
  remember(): () => void {
    const { flags, forms, memory, narrow, vectors } = this;
    const parts = [flags, forms, memory, narrow, vectors].map((each) => each.remember());
    return () => {
      for (const recall of parts) recall();
    };
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

  /** RIP of an offset from the entry's page. */
  ripOf(offset: number): I64 {
    const rip = i64.add(this.entryPage, i64.const(offset));
    return this.isWide ? rip : i64.and(rip, i64.const(0xffff_ffff));
  }

  addBudget(count: number): void {
    this.b.set(this.budget, i64.add(this.budget, i64.const(count)));
  }

  /** Takes a block's instructions from the budget; `outOfBudget` when they do not fit (nothing is taken then). */
  charge(count: I64, outOfBudget: () => void): void {
    const { b } = this;
    b.scope(() => {
      const left = b.let(i64.sub(this.budget, count));
      b.plainIf(i64.ltS(left, i64.const(0)), outOfBudget, undefined, 'unlikely');
      b.set(this.budget, left);
    });
  }

  /** Everything that the region keeps in locals goes to the state block. */
  spill(): void {
    const { b } = this;
    b.late(() => {
      for (const index of this.#changed()) this.spillRegister(index);
      this.vectors.spillDirty();
    });
    this.flags.spill(b);
    b.storeI64(i32.const(BUDGET), this.budget);
  }

  /** The other way round, after a call that may have changed any of it. */
  reload(): void {
    const { b } = this;
    b.late(() => this.#loadRegisters());
    this.flags.load(b);
    b.set(this.budget, i64.load(i32.const(BUDGET)));
  }

  /** Prologue and register lists come last, when it is known which are used. */
  finish(entry: TranslatedBlock, imports: ImportIndexes): FunctionBuilder {
    const { b } = this;
    this.flags.reset();
    this.spill();
    b.plainIf(i32.eq(this.next, i32.const(CHAIN)), () => b.returnCall(imports.chain, []));
    b.return(this.next);
    b.unreachable();
    b.prologue(() => {
      this.#refuseTraps(entry, imports);
      this.#loadRegisters();
      this.floats.prepare();
      this.flags.load(b);
      b.set(this.tlb, i32.load(i32.const(TLB_READ)));
      b.set(this.entryPage, i64.load(i32.const(RIP_PAGE)));
      b.set(this.budget, i64.add(i64.load(i32.const(BUDGET)), i64.const(entry.instructions)));
    });
    return b;
  }

  /** The interpreter runs into the trap: it goes on from the entry, whose count is taken. */
  #refuseTraps(entry: TranslatedBlock, imports: ImportIndexes): void {
    const { b } = this;
    for (const trap of this.vectors.guards) {
      b.plainIf(i32.load(i32.const(trap)), () => {
        b.callVoid(imports.retreat, [i32.const(entry.uop)], true);
        b.return(i32.load(i32.const(LEAVE_TO)));
      });
    }
  }

  #changed(): number[] {
    return [...this.#dirty].sort((left, right) => left - right);
  }

  #loadRegisters(): void {
    for (const index of this.#used) this.b.set(this.#registers[index], i64.load(i32.const(GPR + index * 8)));
    this.vectors.loadAll();
    this.floats.load();
  }
}
