import { auxOfSource, signExtend } from '../isa/flags.ts';
import { parseOperand } from '../isa/row.ts';
import type { FlagSource, I32, I64, Semantics } from '../isa/semantics.ts';
import { operandBytes } from '../isa/table.ts';
import { BUDGET, CANONICAL_SHIFT, CODE_LIMIT, FLAGS_AUX, FLAGS_RESULT, REGISTER, RIP_PAGE } from '../state.ts';
import { call, i32, i64, select } from '../wasm/expr.ts';
import { noteIndirectJump } from './indirect-jumps.ts';
import { FORM, isFlatForm, UOP } from './micro-op.ts';
import { VectorSemantics } from './vector-semantics.ts';

/** The interpreter's back end: operands come from the micro-op at `uop`. */
export class InterpreterSemantics extends VectorSemantics implements Semantics {
  /** Host address of the memory operand between getForWrite and set. */
  #writeHost: I32 | undefined;
  #writeLinear: I64 | undefined;

  get(index: number): I64 {
    const code = this.entry.row.operands[index];
    const size = this.sizeOf(index);
    const { kind, width } = parseOperand(code);
    if (kind === 'fixed') return this.#fixed(code);
    if (this.isMemory(index)) return this.load(this.let(this.linear(false)), size);
    if (kind === 'I') {
      if (width === 'v' && this.size === 8) return this.field64(UOP.TARGET);
      return size === 8 ? this.fieldS32(UOP.IMMEDIATE) : this.fieldU32(UOP.IMMEDIATE);
    }
    return this.loadRegister(this.registerField(kind), size);
  }

  getForWrite(index: number): I64 {
    if (!this.isMemory(index)) return this.get(index);
    const linear = this.let(this.linear(true));
    const host = this.hostForWrite(linear, this.sizeOf(index), 'slowModify');
    this.#writeHost = host;
    this.#writeLinear = linear;
    return this.loadSized(this.sizeOf(index), host);
  }

  set(index: number, value: I64): void {
    const code = this.entry.row.operands[index];
    const size = this.sizeOf(index);
    const { kind } = parseOperand(code);
    if (kind === 'fixed') {
      this.setGpr(code === 'CL' ? REGISTER.RCX : REGISTER.RAX, size, value);
      return;
    }
    if (!this.isMemory(index)) {
      this.storeRegister(this.registerField(kind), size, value);
      return;
    }
    if (this.#writeHost !== undefined && this.#writeLinear !== undefined) {
      this.b.storeSized(size, this.#writeHost, value);
      this.commit(this.#writeHost, this.#writeLinear, size);
      return;
    }
    const bound = this.let(value);
    this.store(this.let(this.linear(true)), size, bound);
  }

  #fixed(code: string): I64 {
    switch (code) {
      case '1':
        return i64.const(1);
      case 'CL':
        return this.gpr(REGISTER.RCX, 1);
      case 'DX':
        return this.gpr(REGISTER.RDX, 2);
      default:
        return this.gpr(REGISTER.RAX, operandBytes(code, this.size));
    }
  }

  fusedCondition(_code: number): I32 | undefined {
    return undefined;
  }

  setFlagsFrom(source: FlagSource, r: I64): void {
    this.setFlags(r, auxOfSource(this, source, r));
  }

  setFlags(result: I64, aux: I64): void {
    this.setRawFlags(signExtend(this.size, result), aux);
  }

  setRawFlags(result: I64, aux: I64): void {
    // Both are evaluated before either is stored: one may be made of the other's old value.
    const bound = this.let(aux);
    this.b.storeI64(i32.const(FLAGS_RESULT), result);
    this.b.storeI64(i32.const(FLAGS_AUX), bound);
  }

  flagsCarry(): I64 {
    return i64.shrU(this.flagsAux(), i64.const(63));
  }

  flagsAux(): I64 {
    return i64.load(i32.const(FLAGS_AUX));
  }

  flagsResult(): I64 {
    return i64.load(i32.const(FLAGS_RESULT));
  }

  immediate(): I64 {
    return this.fieldS32(UOP.IMMEDIATE);
  }

  nextRip(): I64 {
    const offset = i32.add(this.field16(UOP.PAGE_OFFSET), i32.load8u(this.uop, UOP.LENGTH));
    return i64.add(this.stateI64(RIP_PAGE), i64.extendI32U(offset));
  }

  protected cut(rip: I64): I64 {
    if (this.size === 8) return rip;
    return i64.and(rip, i64.const(this.size === 4 ? 0xffff_ffff : 0xffff));
  }

  protected nextInPage(): I64 {
    return i64.add(this.stateI64(RIP_PAGE), this.fieldS32(UOP.DISPLACEMENT));
  }

  protected isFar(): boolean {
    return [FORM.BASE, FORM.LEGACY_STACK_FAR, FORM.FLAT_STACK_FAR].some((form) => form === this.form);
  }

  checkTarget(rip: I64): void {
    if (isFlatForm(this.form)) return;
    const bits = this.stateI64(CANONICAL_SHIFT);
    const outside =
      this.size === 8 ? i64.ne(i64.shrS(i64.shl(rip, bits), bits), rip) : i64.gtU(rip, this.stateI64(CODE_LIMIT));
    this.b.if(outside, () => this.fault(13, 0));
  }

  jumpRelative(): void {
    if (this.isFar()) {
      const target = this.let(this.cut(i64.add(this.nextInPage(), this.immediate())));
      this.checkTarget(target);
      this.exits.jump(target);
      return;
    }
    this.#enterLinked(this.let(i32.load(this.uop, UOP.TARGET)), i32.const(0));
  }

  jumpRelativeIf(condition: I32): void {
    const taken = this.let(condition);
    if (this.isFar()) {
      const next = this.let(this.nextInPage());
      const target = this.let(this.cut(select(taken, i64.add(next, this.immediate()), next)));
      this.checkTarget(target);
      this.exits.jump(target);
      return;
    }
    const notTaken = this.let(i32.eqz(taken));
    const link = i32.load(i32.add(this.uop, i32.shl(notTaken, i32.const(2))), UOP.TARGET);
    this.#enterLinked(this.let(link), notTaken);
  }

  #enterLinked(target: I32, which: I32): void {
    const linked = this.b.local('i32');
    this.b.set(linked, target);
    this.b.if(i32.eqz(linked), () => {
      this.b.set(linked, call('i32', this.imports.link, [this.uop, which]));
      this.b.if(i32.eqz(linked), () => this.exits.leave());
    });
    this.exits.enter(linked);
  }

  jumpIndirect(rip: I64): void {
    const target = this.let(rip);
    if (this.entry.row.mnemonic === 'JMP') noteIndirectJump(this.b, this.uop, target);
    this.exits.jump(target);
  }

  again(): void {
    // This portion retires as one instruction; the rest of the block has not run.
    const unused = i64.sub(this.field8(UOP.REMAINING), i64.const(1));
    this.setStateI64(BUDGET, i64.add(this.stateI64(BUDGET), unused));
    this.exits.enter(this.uop);
  }
}
