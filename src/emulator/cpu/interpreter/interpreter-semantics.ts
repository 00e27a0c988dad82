import { auxOfSource, signExtend } from '../isa/flags.ts';
import type { FloatWatch } from '../isa/float-watch.ts';
import { memoryBytes, parseOperand } from '../isa/row.ts';
import type { F32, F64, FlagSource, I32, I64, Semantics, Size, V128 } from '../isa/semantics.ts';
import type { DecodableRow } from '../isa/table.ts';
import { operandBytes } from '../isa/table.ts';
import type { LaneType } from '../simd/operations.ts';
import {
  BUDGET,
  CANONICAL_SHIFT,
  CODE_LIMIT,
  CURRENT_UOP,
  DIRECTION,
  EFFECTIVE_BASES,
  EXIT_REASON,
  FAULT_ERROR_CODE,
  FAULT_VECTOR,
  FLAGS_AUX,
  FLAGS_RESULT,
  GPR,
  LINEAR_MASK,
  MEMORY_VALUE,
  MXCSR,
  MXCSR_FAST,
  READ_LIMITS,
  REGISTER,
  RIP_PAGE,
  SEGMENT_INDEX,
  STACK_MASK,
  TLB_READ,
  TLB_WRITE,
  WRITE_LIMITS,
} from '../state.ts';
import { call, type Expr, f32, f64, i32, i64, select, v128 } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';
import type { ValueType } from '../wasm/types.ts';
import { noteIndirectJump } from './indirect-jumps.ts';
import { EXIT, FORM, type Form, isFlatForm, isMemoryForm, UOP } from './micro-op.ts';
import { probeTlb } from './tlb-probe.ts';

const LOW_32 = 0xffff_ffffn;

/** Imported functions by name → index. */
export type ImportIndexes = Readonly<Record<string, number>>;

/** How a handler ends; inline handlers branch, function handlers return. */
export interface HandlerExits {
  /** The instruction is done, the next micro-op follows. */
  next(): void;
  /** Go on at the entry of a block. */
  enter(uop: I32): void;
  /** Go on at an RIP. */
  jump(rip: I64): void;
  /** Back to TypeScript; EXIT_REASON is set. */
  leave(): void;
  /** A handler's return value decides (see NEXT). */
  follow(next: I32): void;
}

/** The interpreter's back end: operands come from the micro-op at `uop`. */
export class InterpreterSemantics implements Semantics {
  readonly b: FunctionBuilder;
  readonly size: Size;
  protected readonly entry: DecodableRow;
  protected readonly form: Form;
  protected readonly uop: I32;
  protected readonly exits: HandlerExits;
  protected readonly imports: ImportIndexes;
  /** Host address of the memory operand between getForWrite and set. */
  #writeHost: I32 | undefined;
  #writeLinear: I64 | undefined;

  constructor(
    b: FunctionBuilder,
    entry: DecodableRow,
    size: Size,
    form: Form,
    uop: I32,
    exits: HandlerExits,
    imports: ImportIndexes,
  ) {
    this.b = b;
    this.size = size;
    this.entry = entry;
    this.form = form;
    this.uop = uop;
    this.exits = exits;
    this.imports = imports;
  }

  let<T extends ValueType>(value: Expr<T>): Expr<T> {
    return this.b.let(value);
  }

  // Operands.

  sizeOf(index: number): Size {
    return operandBytes(this.entry.row.operands[index], this.size);
  }

  isMemory(index: number): boolean {
    const { kind } = parseOperand(this.entry.row.operands[index]);
    if (kind === 'O' || kind === 'M') return true;
    return 'EWQ'.includes(kind) && this.isMemoryForm();
  }

  protected isMemoryForm(): boolean {
    return isMemoryForm(this.form);
  }

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

  // Fields of the micro-op: loads here, constants in regions.

  protected field8(offset: number): I64 {
    return i64.load8u(this.uop, offset);
  }

  protected field16(offset: number): I32 {
    return i32.load16u(this.uop, offset);
  }

  protected fieldS32(offset: number): I64 {
    return i64.load32s(this.uop, offset);
  }

  protected fieldU32(offset: number): I64 {
    return i64.load32u(this.uop, offset);
  }

  protected field64(offset: number): I64 {
    return i64.load(this.uop, offset);
  }

  /** Address of the register operand, from the micro-op. */
  protected registerField(kind: string): I32 {
    if (kind === 'H' || kind === 'B') return this.field16(UOP.VVVV);
    return this.field16('GVPSCD'.includes(kind) ? UOP.REG : UOP.RM);
  }

  protected loadRegister(address: I32, size: Size): I64 {
    return this.loadSized(size, address);
  }

  protected storeRegister(address: I32, size: Size, value: I64): void {
    // A 4-byte write clears the upper half.
    if (size === 4) this.b.storeI64(address, i64.and(value, i64.const(0xffff_ffff)));
    else this.b.storeSized(size, address, value);
  }

  protected loadSized(size: Size, address: I32, offset = 0): I64 {
    switch (size) {
      case 1:
        return i64.load8u(address, offset);
      case 2:
        return i64.load16u(address, offset);
      case 4:
        return i64.load32u(address, offset);
      default:
        return i64.load(address, offset);
    }
  }

  gpr(register: number, size: Size): I64 {
    return this.loadRegister(i32.const(GPR + register * 8), size);
  }

  setGpr(register: number, size: Size, value: I64): void {
    this.storeRegister(i32.const(GPR + register * 8), size, value);
  }

  // Vector registers: always in memory.

  vectorAddress(index: number): I32 {
    const { kind } = parseOperand(this.entry.row.operands[index]);
    return this.registerField(kind);
  }

  vector(index: number): V128 {
    return v128.load(this.vectorAddress(index));
  }

  lowVector(index: number, byteLength: 4 | 8): V128 {
    return v128.loadZero(byteLength, this.vectorAddress(index));
  }

  highVector(index: number): V128 {
    return v128.load(this.vectorAddress(index), 16);
  }

  single(index: number): F32 {
    return f32.load(this.vectorAddress(index));
  }

  double(index: number): F64 {
    return f64.load(this.vectorAddress(index));
  }

  dword(index: number, lane: number): I32 {
    return i32.load(this.vectorAddress(index), lane * 4);
  }

  setVector(index: number, value: V128): void {
    this.b.storeV128(this.vectorAddress(index), value);
  }

  setHighVector(index: number, value: V128): void {
    this.b.storeV128(this.vectorAddress(index), value, 16);
  }

  setSingle(index: number, value: F32): void {
    this.b.storeF32(this.vectorAddress(index), value);
  }

  setDouble(index: number, value: F64): void {
    this.b.storeF64(this.vectorAddress(index), value);
  }

  moveVector(to: number, from: number): void {
    this.setVector(to, this.vector(from));
  }

  spillVectors(): void {}

  attempt(fast: (giveUp: (condition: I32) => void) => void, slow: () => void): void {
    this.b.block((done) => {
      this.b.block((otherwise) => {
        fast((condition) => this.b.plainIf(condition, () => this.b.br(otherwise), undefined, 'unlikely'));
        this.b.br(done);
      });
      slow();
    });
  }

  floatsAreFast(): I32 {
    return i32.eq(i32.and(this.stateI32(MXCSR), i32.const(MXCSR_FAST.BITS)), i32.const(MXCSR_FAST.VALUE));
  }

  floatWatch(): FloatWatch | undefined {
    return undefined;
  }

  isKnownPlain(_index: number, _type: LaneType): boolean {
    return false;
  }

  notePlain(_index: number, _type: LaneType): void {}

  // Addresses.

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

  // Memory.

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

  // Stack.

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

  // Flags.

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

  // Control.

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

  fault(vector: number, errorCode: number): void {
    this.setStateI32(FAULT_VECTOR, i32.const(vector));
    this.setStateI32(FAULT_ERROR_CODE, i32.const(errorCode));
    this.setStateI32(EXIT_REASON, i32.const(EXIT.FAULT));
    this.setStateI32(CURRENT_UOP, this.uop);
    this.exits.leave();
  }

  system(): void {
    this.exits.follow(call('i32', this.imports.system, [this.uop]));
  }

  done(): void {
    this.exits.next();
  }

  helper(name: string, args: readonly I32[]): I32 {
    return call('i32', this.imports[name], args);
  }

  helperMayFault(name: string, args: readonly I32[]): void {
    this.setStateI32(CURRENT_UOP, this.uop);
    this.b.if(call('i32', this.imports[name], args), () => {
      this.setStateI32(EXIT_REASON, i32.const(EXIT.FAULT));
      this.exits.leave();
    });
  }

  // State.

  budgetLeft(): I64 {
    return this.stateI64(BUDGET);
  }

  blockLeft(): I64 {
    return this.field8(UOP.REMAINING);
  }

  setDirection(step: 1 | -1): void {
    this.setStateI32(DIRECTION, i32.const(step));
  }

  stateI32(offset: number): I32 {
    return i32.load(i32.const(offset));
  }

  stateI64(offset: number): I64 {
    return i64.load(i32.const(offset));
  }

  setStateI32(offset: number, value: I32): void {
    this.b.storeI32(i32.const(offset), value);
  }

  setStateI64(offset: number, value: I64): void {
    this.b.storeI64(i32.const(offset), value);
  }
}
