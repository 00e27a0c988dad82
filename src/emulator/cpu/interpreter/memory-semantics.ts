import { memoryBytes, parseOperand } from '../isa/row.ts';
import type { I32, I64, Size } from '../isa/semantics.ts';
import {
  EFFECTIVE_BASES,
  LINEAR_MASK,
  MEMORY_VALUE,
  READ_LIMITS,
  REGISTER,
  SEGMENT_INDEX,
  STACK_MASK,
  TLB_READ,
  TLB_WRITE,
  WRITE_LIMITS,
} from '../state.ts';
import { call, i32, i64, select } from '../wasm/expr.ts';
import { FORM, isFlatForm, UOP } from './micro-op.ts';
import { MicroOpSemantics } from './micro-op-semantics.ts';
import { probeTlb } from './tlb-probe.ts';

const LOW_32 = 0xffff_ffffn;

/** Memory as handlers reach it: addresses and their limits, the TLB and what stands behind it, the stack. */
export class MemorySemantics extends MicroOpSemantics {
  effectiveAddress(): I64 {
    const base = this.loadRegister(this.field16(UOP.BASE), 8);
    const displacement = this.fieldS32(UOP.DISPLACEMENT);
    if (this.form === FORM.BASE) return i64.add(base, displacement);
    const index = i64.shl(this.loadRegister(this.field16(UOP.INDEX), 8), this.field8(UOP.SCALE));
    const sum = i64.add(i64.add(base, index), displacement);
    if (this.form === FORM.FLAT) return i64.and(sum, i64.const(LOW_32));
    return this.form === FORM.LEGACY ? i64.and(sum, this.addressMask()) : sum;
  }

  /** The offset of the operand: memory offsets (A0–A3) stand in the micro-op whole. */
  #offset(): I64 {
    const moffs = this.entry.row.operands.some((code) => parseOperand(code).kind === 'O');
    return moffs ? this.field64(UOP.TARGET) : this.effectiveAddress();
  }

  linear(write = false): I64 {
    if (this.form === FORM.FLAT) return this.#offset();
    const moffs = this.entry.row.operands.findIndex((code) => parseOperand(code).kind === 'O');
    const base = this.loadRegister(this.field16(UOP.RM), 8);
    if (moffs >= 0) {
      // Segment number cannot stand beside a 64-bit offset: the base slot tells it.
      const slot = this.field16(UOP.RM);
      const segment = i32.shrU(i32.sub(slot, i32.const(EFFECTIVE_BASES)), i32.const(3));
      return this.checked(this.#offset(), segment, base, this.sizeOf(moffs), write);
    }
    if (this.form === FORM.BASE) return this.effectiveAddress();
    if (this.form === FORM.FULL) return i64.add(this.effectiveAddress(), base);
    const memory = this.entry.row.operands.findIndex((_code, index) => this.isMemory(index));
    const size = memory >= 0 ? memoryBytes(this.entry.row.operands[memory], this.size) : this.size;
    return this.checked(this.effectiveAddress(), i32.wrap(this.field8(UOP.SEGMENT)), base, size, write);
  }

  linearPlus(byteOffset: I64): I64 {
    if (this.form === FORM.FLAT) return i64.and(i64.add(this.linear(), byteOffset), i64.const(LOW_32));
    if (this.form !== FORM.LEGACY) return i64.add(this.linear(), byteOffset);
    const offset = i64.and(i64.add(this.effectiveAddress(), byteOffset), this.addressMask());
    const base = this.loadRegister(this.field16(UOP.RM), 8);
    return this.checked(offset, i32.wrap(this.field8(UOP.SEGMENT)), base, this.size, true);
  }

  /** offset + base after the limit check; a failed check asks TypeScript, which faults or lets it pass (expand-down). */
  protected checked(offset: I64, segment: I32, base: I64, size: number, write: boolean): I64 {
    const bound = this.let(offset);
    const slot = i32.shl(segment, i32.const(3));
    const limit = i64.load(slot, write ? WRITE_LIMITS : READ_LIMITS);
    this.b.if(i64.gtU(i64.add(bound, i64.const(size)), limit), () => {
      const arguments_ = [this.uop, segment, ...this.halves(bound), i32.const(size | (write ? 0x100 : 0))];
      this.b.if(call('i32', this.imports.checkLimit, arguments_), () => this.exits.leave());
    });
    return i64.and(i64.add(bound, base), this.stateI64(LINEAR_MASK));
  }

  addressMask(): I64 {
    return i64.shrU(i64.const(-1), this.field8(UOP.ADDRESS_SHIFT));
  }

  stringLinear(which: 'source' | 'destination', offset: I64, size: Size, write: boolean): I64 {
    if (which === 'source') {
      const base = this.loadRegister(this.field16(UOP.RM), 8);
      return this.checked(offset, i32.wrap(this.field8(UOP.SEGMENT)), base, size, write);
    }
    const base = this.stateI64(EFFECTIVE_BASES + SEGMENT_INDEX.ES * 8);
    return this.checked(offset, i32.const(SEGMENT_INDEX.ES), base, size, write);
  }

  stringRoom(which: 'source' | 'destination', offset: I64, write: boolean): { linear: I64; room: I64 } {
    const isSource = which === 'source';
    const segment = isSource ? i32.wrap(this.field8(UOP.SEGMENT)) : i32.const(SEGMENT_INDEX.ES);
    const base = isSource
      ? this.loadRegister(this.field16(UOP.RM), 8)
      : this.stateI64(EFFECTIVE_BASES + SEGMENT_INDEX.ES * 8);
    const linear = this.let(i64.and(i64.add(offset, base), this.stateI64(LINEAR_MASK)));
    const limit = this.let(i64.load(i32.shl(segment, i32.const(3)), write ? WRITE_LIMITS : READ_LIMITS));
    const inPage = i64.sub(i64.const(0x1000), i64.and(linear, i64.const(0xfff)));
    const inSegment = select(i64.gtU(offset, limit), i64.const(0), i64.sub(limit, offset));
    const room = this.#least(inPage, this.#least(inSegment, i64.sub(this.addressMask(), offset)));
    return { linear, room: this.let(room) };
  }

  #least(left: I64, right: I64): I64 {
    const a = this.let(left);
    const b = this.let(right);
    return select(i64.ltU(a, b), a, b);
  }

  protected halves(linear: I64): I32[] {
    return [i32.wrap(linear), i32.wrap(i64.shrU(linear, i64.const(32)))];
  }

  /** Address of the TLB in use: TLB_READ or TLB_WRITE. */
  protected tlbBase(tlb: number): I32 {
    return this.stateI32(tlb);
  }

  /** Address of the TLB entry for `linear`, and whether it holds the whole access. */
  protected probe(linear: I64, byteLength: number, tlb: number): { entry: I32; hit: I32 } {
    return probeTlb(this.b, this.tlbBase(tlb), linear, i64.const(byteLength));
  }

  protected host(linear: I64, byteLength: number, tlb: number, slow: string): I32 {
    const host = this.b.local('i32');
    const { entry, hit } = this.probe(linear, byteLength, tlb);
    this.b.plainIf(
      hit,
      () => this.b.set(host, i32.add(i32.wrap(linear), i32.load(entry, 8))),
      () => {
        const arguments_ = [this.uop, ...this.halves(linear), i32.const(byteLength)];
        this.b.set(host, call('i32', this.imports[slow], arguments_));
        this.b.plainIf(i32.eqz(host), () => this.exits.leave());
      },
    );
    return host;
  }

  cachedHost(linear: I64, write: boolean): I32 {
    const { entry, hit } = this.probe(linear, 1, write ? TLB_WRITE : TLB_READ);
    return select(hit, i32.add(i32.wrap(linear), i32.load(entry, 8)), i32.const(0));
  }

  hostForRead(linear: I64, byteLength: number): I32 {
    return this.host(linear, byteLength, TLB_READ, 'slowRead');
  }

  protected hostForWrite(linear: I64, byteLength: number, slow: string): I32 {
    return this.host(linear, byteLength, TLB_WRITE, slow);
  }

  /** After a store: what went to the bounce buffer is written for real. */
  protected commit(host: I32, linear: I64, byteLength: number): void {
    this.b.plainIf(i32.eq(host, i32.const(MEMORY_VALUE)), () => {
      this.b.callVoid(this.imports.slowCommit, [this.uop, ...this.halves(linear), i32.const(byteLength)], false);
    });
  }

  load(linear: I64, size: Size): I64 {
    return this.loadSized(size, this.hostForRead(linear, size));
  }

  store(linear: I64, size: Size, value: I64): void {
    this.storeWith(linear, size, (address) => this.b.storeSized(size, address, value));
  }

  modify(linear: I64, size: Size, change: (old: I64) => I64): I64 {
    const host = this.hostForWrite(linear, size, 'slowModify');
    const old = this.let(this.loadSized(size, host));
    this.b.storeSized(size, host, change(old));
    this.commit(host, linear, size);
    return old;
  }

  storeWith(linear: I64, byteLength: number, emit: (address: I32) => void): void {
    const host = this.hostForWrite(linear, byteLength, 'slowWrite');
    emit(host);
    this.commit(host, linear, byteLength);
  }

  protected legacyStack(): boolean {
    return this.form === FORM.LEGACY || this.form === FORM.LEGACY_STACK || this.form === FORM.LEGACY_STACK_FAR;
  }

  stackOffset(delta: number): I64 {
    return this.cutToStack(i64.add(this.gpr(REGISTER.RSP, 8), i64.const(delta)));
  }

  cutToStack(offset: I64): I64 {
    if (isFlatForm(this.form)) return i64.and(offset, i64.const(LOW_32));
    return this.legacyStack() ? i64.and(offset, this.stateI64(STACK_MASK)) : offset;
  }

  #stackLinear(offset: I64, size: Size, write: boolean): I64 {
    if (!this.legacyStack()) return offset;
    const base = this.stateI64(EFFECTIVE_BASES + SEGMENT_INDEX.SS * 8);
    return this.let(this.checked(offset, i32.const(SEGMENT_INDEX.SS), base, size, write));
  }

  stackLoad(offset: I64, size: Size): I64 {
    return this.load(this.#stackLinear(offset, size, false), size);
  }

  stackStore(offset: I64, size: Size, value: I64): void {
    this.store(this.#stackLinear(offset, size, true), size, value);
  }

  setStackOffset(offset: I64): void {
    if (!this.legacyStack()) {
      this.setGpr(REGISTER.RSP, 8, offset);
      return;
    }
    const kept = i64.and(this.gpr(REGISTER.RSP, 8), i64.not(this.stateI64(STACK_MASK)));
    this.setGpr(REGISTER.RSP, 8, i64.or(kept, offset));
  }
}
