import type { HandlerExits, ImportIndexes } from '../interpreter/handler-exits.ts';
import type { HandlerKey } from '../interpreter/handlers.ts';
import { InterpreterSemantics } from '../interpreter/interpreter-semantics.ts';
import { TLB_BYTES } from '../interpreter/layout.ts';
import { UOP } from '../interpreter/micro-op.ts';
import { auxOfSource, carryOfSource, signExtend, zeroExtend } from '../isa/flags.ts';
import { COMFORTABLE, type FloatWatch } from '../isa/float-watch.ts';
import type { F32, F64, FlagSource, I32, I64, Size, V128 } from '../isa/semantics.ts';
import type { LaneType } from '../simd/operations.ts';
import {
  AVX_TRAP,
  EFFECTIVE_BASES,
  GPR,
  MMX_TRAP,
  RIP_PAGE,
  SSE_TRAP,
  TLB_READ,
  TLB_WRITE,
  ZERO_REGISTER,
} from '../state.ts';
import { type Expr, i32, i64, v128 } from '../wasm/expr.ts';
import type { Label } from '../wasm/function-builder.ts';
import type { ValueType } from '../wasm/types.ts';
import { fusedCondition } from './fused-conditions.ts';
import type { RegionBuilder } from './region-builder.ts';
import { xmmAt } from './region-vectors.ts';

const GPR_END = GPR + 16 * 8;
/** Opcodes of the instructions on lanes. */
const LANE = {
  GET_I32: 0x1b,
  SET_I32: 0x1c,
  SET_F32: 0x20,
  SET_F64: 0x22,
} as const;
/** Slots of bases that are 0 in 64-bit code: all but those of FS and GS. */
const ZERO_BASES = new Set([0, 1, 2, 3, 6].map((segment) => EFFECTIVE_BASES + segment * 8));
const LOW_32 = 0xffff_ffffn;

/** How an instruction ends its block, for the region's control flow to act on. */
export type BlockEnd =
  | { readonly kind: 'jump' }
  | { readonly kind: 'conditional'; readonly taken: I32 }
  | { readonly kind: 'switch' | 'return'; readonly target: I64 }
  /** The return address is pushed; `returnOffset` is its distance from the page of the region's entry. */
  | { readonly kind: 'call'; readonly target: I64; readonly returnOffset: number };

/** Which instruction is emitted, and for where. */
export interface RegionInstruction {
  /** Its micro-op, in `view`. */
  readonly uop: number;
  readonly view: DataView;
  /** Distance of its page from that of the region's entry. */
  readonly delta: number;
  /** Its memory operand mostly stands in the same page as the last time. */
  readonly isWalking: boolean;
}

/**
 * The regions' back end: the interpreter's, with the micro-op's fields as constants, the general registers in locals, and flags
 * put off until something asks for them.
 */
export class RegionSemantics extends InterpreterSemantics {
  end: BlockEnd | undefined;
  readonly #region: RegionBuilder;
  readonly #view: DataView;
  readonly #address: number;
  readonly #delta: number;
  readonly #isWalking: boolean;
  #done: Label | undefined;
  /** Registers that a helper may have changed in memory behind the locals. */
  #reload: number[] = [];
  #reloadVectors: number[] = [];
  /** What the instruction has noted of registers; it holds once it is done. */
  readonly #plain: [xmm: number, type: LaneType][] = [];
  /** The instruction works on vector registers in memory from here on. */
  #vectorsInMemory = false;

  constructor(
    region: RegionBuilder,
    key: HandlerKey,
    instruction: RegionInstruction,
    exits: HandlerExits,
    imports: ImportIndexes,
  ) {
    super(region.b, key.entry, key.size, key.form, i32.const(instruction.uop), exits, imports);
    this.#region = region;
    this.#view = instruction.view;
    this.#address = instruction.uop;
    this.#delta = instruction.delta;
    this.#isWalking = instruction.isWalking;
  }

  /** Emits the instruction. */
  emit(): void {
    const { row } = this.entry;
    if (row.options.decoded === true) {
      // Ways out of the middle find the flags in their locals, whichever they are.
      this.#region.flags.store(this.b);
      this.b.block((label) => {
        this.#done = label;
        row.semantic(this);
      });
    } else row.semantic(this);
    for (const vector of this.#reloadVectors) this.#region.vectors.reload(vector);
    if (this.#vectorsInMemory) this.b.late(() => this.#region.vectors.loadAll());
    for (const register of this.#reload) {
      this.#region.reloadRegister(register);
      this.#region.forms.forget(register);
      this.#region.narrow.write(register, false, false);
    }
    for (const [xmm, type] of this.#plain) this.#region.vectors.notePlain(xmm, type);
  }

  protected override field8(offset: number): I64 {
    return i64.const(this.#view.getUint8(this.#address + offset));
  }

  protected override field16(offset: number): I32 {
    return i32.const(this.#view.getUint16(this.#address + offset, true));
  }

  protected override fieldS32(offset: number): I64 {
    return i64.const(this.#view.getInt32(this.#address + offset, true));
  }

  protected override fieldU32(offset: number): I64 {
    return i64.const(this.#view.getUint32(this.#address + offset, true));
  }

  protected override field64(offset: number): I64 {
    return i64.const(this.#view.getBigUint64(this.#address + offset, true));
  }

  protected override tlbBase(tlb: number): I32 {
    return tlb === TLB_READ ? this.#region.tlb : i32.add(this.#region.tlb, i32.const(TLB_BYTES));
  }

  // Registers.

  protected override loadRegister(address: I32, size: Size): I64 {
    const at = address.immediate;
    if (at === ZERO_REGISTER) return i64.const(0);
    if (at === RIP_PAGE) return i64.add(this.#region.entryPage, i64.const(this.#delta));
    if (this.#region.isWide && ZERO_BASES.has(at)) return i64.const(0);
    if (at < GPR || at >= GPR_END) return super.loadRegister(address, size);
    const local = this.#region.register((at - GPR) >> 3);
    if ((at & 7) === 1) return i64.and(i64.shrU(local, i64.const(8)), i64.const(0xff));
    return size === 4 && this.#region.narrow.has(local) ? local : zeroExtend(size, local);
  }

  protected override storeRegister(address: I32, size: Size, value: I64): void {
    const at = address.immediate;
    if (at < GPR || at >= GPR_END) {
      super.storeRegister(address, size, value);
      return;
    }
    const index = (at - GPR) >> 3;
    const local = this.#region.registerForWrite(index);
    // What is known of the value rests on what the register was.
    const low = size === 4 ? this.#cut(value) : value;
    this.#learn(index, size, value);
    if (size >= 4) this.b.set(local, low);
    else {
      const shift = (at & 7) * 8;
      const mask = ((1n << BigInt(size * 8)) - 1n) << BigInt(shift);
      const part = i64.and(i64.shl(value, i64.const(shift)), i64.const(mask));
      this.b.set(local, i64.or(i64.and(local, i64.const(~mask)), part));
    }
  }

  /** The low 32 bits. */
  #cut(value: I64): I64 {
    return this.#region.narrow.has(value) ? value : i64.and(value, i64.const(LOW_32));
  }

  /** What the register's new value has to do with other addresses, and how large it may be. */
  #learn(index: number, size: Size, value: I64): void {
    const { flags, forms, isFlat, narrow } = this.#region;
    const isConditional = this.b.depth !== flags.depth;
    if ((size === 8 || (size === 4 && isFlat)) && !isConditional) forms.assign(index, value);
    else forms.forget(index);
    if (size >= 4) narrow.write(index, size === 4 || narrow.has(value), isConditional);
  }

  override vectorAddress(index: number): I32 {
    const address = super.vectorAddress(index);
    const at = address.immediate;
    const vector = this.#xmm(index);
    if (vector >= 0) {
      this.#region.vectors.spill(vector);
      this.#reloadVectors.push(vector);
    } else if (at >= GPR && at < GPR_END) {
      // A helper works on the register in memory.
      const register = (at - GPR) >> 3;
      this.#region.spillRegister(register);
      this.#reload.push(register);
    }
    return address;
  }

  // Vector registers: XMM in locals, MMX and the upper halves in memory.

  /** The XMM register of an operand; −1: it stands in memory. */
  #xmm(index: number): number {
    return this.#vectorsInMemory ? -1 : xmmAt(super.vectorAddress(index).immediate);
  }

  override vector(index: number): V128 {
    const xmm = this.#xmm(index);
    return xmm < 0 ? super.vector(index) : this.#region.vectors.get(xmm);
  }

  override lowVector(index: number, byteLength: 4 | 8): V128 {
    const xmm = this.#xmm(index);
    if (xmm < 0) return super.lowVector(index, byteLength);
    const { vectors } = this.#region;
    const zero = v128.const(new Array(16).fill(0));
    return byteLength === 4
      ? v128.replace(LANE.SET_I32, zero, 0, v128.extract('i32', LANE.GET_I32, vectors.get(xmm), 0))
      : v128.replace(LANE.SET_F64, zero, 0, vectors.low(xmm, 'f64'));
  }

  override highVector(index: number): V128 {
    return v128.load(super.vectorAddress(index), 16);
  }

  override single(index: number): F32 {
    const xmm = this.#xmm(index);
    return xmm < 0 ? super.single(index) : (this.#region.vectors.low(xmm, 'f32') as F32);
  }

  override double(index: number): F64 {
    const xmm = this.#xmm(index);
    return xmm < 0 ? super.double(index) : (this.#region.vectors.low(xmm, 'f64') as F64);
  }

  override dword(index: number, lane: number): I32 {
    const xmm = this.#xmm(index);
    return xmm < 0 ? super.dword(index, lane) : v128.extract('i32', LANE.GET_I32, this.#region.vectors.get(xmm), lane);
  }

  override setVector(index: number, value: V128): void {
    const xmm = this.#xmm(index);
    if (xmm < 0) super.setVector(index, value);
    else this.#setXmm(xmm, value);
  }

  /** What was in memory for a helper is out of date. */
  #setXmm(xmm: number, value: V128): void {
    this.#reloadVectors = this.#reloadVectors.filter((each) => each !== xmm);
    this.#region.vectors.set(xmm, value);
  }

  override setHighVector(index: number, value: V128): void {
    this.b.storeV128(super.vectorAddress(index), value, 16);
  }

  override setSingle(index: number, value: F32): void {
    const xmm = this.#xmm(index);
    if (xmm < 0) super.setSingle(index, value);
    else if (this.#region.floats.from !== undefined) this.#region.vectors.setLow(xmm, 'f32', value);
    else this.#setXmm(xmm, v128.replace(LANE.SET_F32, this.#region.vectors.get(xmm), 0, value));
  }

  override setDouble(index: number, value: F64): void {
    const xmm = this.#xmm(index);
    if (xmm < 0) super.setDouble(index, value);
    else if (this.#region.floats.from !== undefined) this.#region.vectors.setLow(xmm, 'f64', value);
    else this.#setXmm(xmm, v128.replace(LANE.SET_F64, this.#region.vectors.get(xmm), 0, value));
  }

  override spillVectors(): void {
    // Once: what a helper writes to memory afterwards is newer than the locals.
    if (this.#vectorsInMemory) return;
    const { vectors } = this.#region;
    this.b.late(() => vectors.spillDirty());
    this.#vectorsInMemory = true;
    vectors.forgetPlain();
  }

  override attempt(fast: (giveUp: (condition: I32) => void) => void, slow: () => void): void {
    // Both parts must find the old flags in their place.
    this.#region.flags.store(this.b);
    const outer = this.#reloadVectors;
    super.attempt(fast, () => {
      this.#reloadVectors = [];
      slow();
      for (const vector of this.#reloadVectors) this.#region.vectors.reload(vector);
      this.#reloadVectors = outer;
      // Behind the instruction the region relies on what the fast part has noted.
      if (this.#plain.length > 0) this.exits.follow(i32.const(this.#address + UOP.BYTE_LENGTH));
    });
  }

  override stateI32(offset: number): I32 {
    const isTrap = offset === SSE_TRAP || offset === AVX_TRAP || offset === MMX_TRAP;
    if (!isTrap) return super.stateI32(offset);
    this.#region.vectors.guard(offset);
    return i32.const(0);
  }

  override floatsAreFast(): I32 {
    return this.#region.vectors.floatsAreFast();
  }

  override floatWatch(): FloatWatch | undefined {
    const { floats } = this.#region;
    if (floats.from === undefined) return undefined;
    return {
      needs: (index, value, type, comfort) =>
        floats.needs(this.isMemory(index) ? -1 : this.#xmm(index), value, type, comfort),
      // Memory has just been looked at.
      isComfortable: (index, type) => this.isMemory(index) || floats.comfortOf(this.#xmm(index), type) === COMFORTABLE,
      makes: (type, comfort) => floats.makes(this.#xmm(0), type, comfort),
      needsLargeResult: (value, type) => floats.needsLargeResult(this.#xmm(0), value, type),
    };
  }

  override isKnownPlain(index: number, type: LaneType): boolean {
    const xmm = this.#xmm(index);
    return xmm >= 0 && this.#region.vectors.isPlain(xmm, type);
  }

  override notePlain(index: number, type: LaneType): void {
    const xmm = this.#xmm(index);
    if (xmm >= 0) this.#plain.push([xmm, type]);
  }

  override moveVector(to: number, from: number): void {
    const [target, source] = [this.#xmm(to), this.#xmm(from)];
    if (target < 0 || source < 0 || this.#vectorsInMemory) super.moveVector(to, from);
    else this.#region.vectors.move(target, source);
  }

  override let<T extends ValueType>(value: Expr<T>): Expr<T> {
    const bound = super.let(value);
    if (value.type === 'i64') {
      this.#region.forms.bind(bound, value as Expr as I64);
      this.#region.narrow.bind(bound, value as Expr as I64);
    }
    return bound;
  }

  // Memory.

  protected override host(linear: I64, byteLength: number, tlb: number, slow: string): I32 {
    const { flags, floats, forms, memory } = this.#region;
    const isConditional = this.b.depth !== flags.depth;
    // Here and not on the way out: several accesses share it.
    if (!isConditional) flags.store(this.b);
    const speculative = floats.from !== undefined;
    if (speculative && (tlb === TLB_WRITE || isConditional)) throw new Error(`${this.entry.row.mnemonic} in a span`);
    const kind = speculative ? 'speculativeRead' : slow;
    return memory.host(this.b, {
      // What cannot be done in a span is left at its beginning.
      uop: speculative ? i32.const(floats.from!) : this.uop,
      site: this.#address,
      linear,
      form: forms.of(linear),
      byteLength,
      isWrite: tlb === TLB_WRITE,
      isConditional,
      isScattered: this.isMemoryForm() && !this.#isWalking,
      functions: { fill: this.imports[`${kind}Fill`], miss: this.imports[`${kind}Miss`] },
      leaveIf: (condition) => this.b.plainIf(condition, () => this.#leaveSpan()),
    });
  }

  /** Leaves to LEAVE_TO. */
  #leaveSpan(): void {
    this.#region.vectors.mergeAll();
    this.#region.floats.retreat();
    this.b.br(this.#region.leave);
  }

  override fault(vector: number, errorCode: number): void {
    const { from } = this.#region.floats;
    if (from === undefined) super.fault(vector, errorCode);
    else {
      // The interpreter comes to it again.
      this.b.callVoid(this.imports.retreat, [i32.const(from)], true);
      this.#leaveSpan();
    }
  }

  /** Regions leave what needs it to the interpreter. */
  protected override commit(): void {}

  // Addresses.

  protected override checked(offset: I64, segment: I32, base: I64, size: number, write: boolean): I64 {
    // In 64-bit code limits never bite.
    if (this.#region.isWide) return i64.add(offset, base);
    return super.checked(offset, segment, base, size, write);
  }

  // Flags.

  override setFlagsFrom(source: FlagSource, r: I64): void {
    if (this.b.depth !== this.#region.flags.depth) {
      super.setFlagsFrom(source, r);
      return;
    }
    this.#region.flags.defer(source, r);
  }

  override setRawFlags(result: I64, aux: I64): void {
    // A conditional write must leave the old flags where it does not happen: they are in the locals by then (RegionBuilder.onNested).
    const bound = this.let(aux);
    this.#region.flags.setRaw(this.b, result, bound);
  }

  override flagsCarry(): I64 {
    const { flags } = this.#region;
    const { pending } = flags;
    return pending === undefined ? flags.carry() : carryOfSource(this, pending.source, pending.r);
  }

  override flagsAux(): I64 {
    const { pending } = this.#region.flags;
    if (pending !== undefined) return auxOfSource(this, pending.source, pending.r);
    return this.#region.flags.aux(this.b);
  }

  override flagsResult(): I64 {
    const { flags } = this.#region;
    const { pending } = flags;
    if (pending !== undefined) return signExtend(pending.source.size, pending.r);
    return flags.result();
  }

  override fusedCondition(code: number): I32 | undefined {
    const { pending } = this.#region.flags;
    return pending === undefined ? undefined : fusedCondition(this, pending, code);
  }

  // Control.

  override checkTarget(rip: I64): void {
    // A 32-bit RIP is never beyond a limit of 4 GiB.
    if (!this.#region.isFlat) super.checkTarget(rip);
  }

  override jumpRelative(): void {
    if (this.size === 2) super.jumpRelative();
    else if (this.entry.row.mnemonic === 'CALL')
      this.#endWithCall(this.#region.ripOf(this.#nextOffset() + Number(this.immediate().immediate)));
    else this.end = { kind: 'jump' };
  }

  override jumpRelativeIf(condition: I32): void {
    if (this.size === 2) super.jumpRelativeIf(condition);
    else this.end = { kind: 'conditional', taken: this.let(condition) };
  }

  override jumpIndirect(rip: I64): void {
    if (this.entry.row.mnemonic === 'CALL') this.#endWithCall(rip);
    else this.end = { kind: this.entry.row.mnemonic === 'RET' ? 'return' : 'switch', target: this.let(rip) };
  }

  #endWithCall(target: I64): void {
    this.end = { kind: 'call', target, returnOffset: this.#nextOffset() };
  }

  /** Distance of the next instruction from the page of the region's entry. */
  #nextOffset(): number {
    const length = this.#view.getUint8(this.#address + UOP.LENGTH);
    return this.#delta + this.#view.getUint16(this.#address + UOP.PAGE_OFFSET, true) + length;
  }

  override done(): void {
    if (this.#done === undefined) throw new Error(`${this.entry.row.mnemonic} ends early and is not marked so`);
    this.#region.flags.store(this.b);
    this.b.br(this.#done);
  }

  override budgetLeft(): I64 {
    return this.#region.budget;
  }

  override system(): void {
    this.exits.follow(this.uop);
  }

  override again(): void {
    const remaining = this.#view.getUint8(this.#address + UOP.REMAINING);
    this.#region.addBudget(remaining - 1);
    this.exits.enter(this.uop);
  }

  override nextRip(): I64 {
    return this.#region.ripOf(this.#nextOffset());
  }

  protected override nextInPage(): I64 {
    return this.nextRip();
  }
}
