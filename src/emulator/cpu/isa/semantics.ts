import type { LaneType } from '../simd/operations.ts';
import type { Expr } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';
import type { FloatWatch } from './float-watch.ts';

export type I32 = Expr<'i32'>;
export type I64 = Expr<'i64'>;
export type V128 = Expr<'v128'>;
export type F32 = Expr<'f32'>;
export type F64 = Expr<'f64'>;
export type Size = 1 | 2 | 4 | 8;

/** Where flags came from: lets a back end put off AUX, or test a condition without it. Operands are bound, zero-extended from `size`. */
export interface FlagSource {
  readonly kind: 'add' | 'adc' | 'sub' | 'sbb' | 'logic' | 'shl' | 'shr' | 'sar' | 'inc' | 'dec';
  readonly size: Size;
  /** The first operand, zero-extended; 'inc', 'dec': CF as it stays, 0 or 1. */
  readonly a: I64;
  /** The second one; shifts: the count, not 0. */
  readonly b: I64;
}

/**
 * What an instruction's one description is written against. A back end implements it: the interpreter takes operands from a micro-op
 * in memory, regions take them as constants and locals. Integer values are i64, zero-extended from their size; addresses are linear
 * i64 unless said otherwise. Rules: memory writes come before register and flag writes (a faulting write must leave both alone);
 * an Expr used twice is bound with `let` first.
 */
export interface Semantics {
  /** Statements, locals, blocks. Locals from here are released after the instruction. */
  readonly b: FunctionBuilder;
  /** Operand size in bytes after prefixes (rows without one: 1). */
  readonly size: Size;
  let<T extends 'i32' | 'i64' | 'f32' | 'f64' | 'v128'>(value: Expr<T>): Expr<T>;

  /** Value of operand `index`, zero-extended from its own size. */
  get(index: number): I64;
  /** The same, with the intent to `set` it: a memory operand is checked for writing first. */
  getForWrite(index: number): I64;
  /** Writes operand `index`: low bits of `value`; a 4-byte register write clears the upper half. */
  set(index: number, value: I64): void;
  /** Byte size of operand `index`. */
  sizeOf(index: number): Size;
  /** True when operand `index` is memory in the form being built. */
  isMemory(index: number): boolean;

  /** A general register by number. */
  gpr(register: number, size: Size): I64;
  setGpr(register: number, size: Size, value: I64): void;
  /** Linear address of the memory operand; outside 64-bit code its limit is checked for reading or writing. */
  linear(write?: boolean): I64;
  /** Offset of the memory operand in its segment (LEA), cut to the address size. */
  effectiveAddress(): I64;
  /** Bit-string operands: linear address `byteOffset` bytes beyond the memory operand. */
  linearPlus(byteOffset: I64): I64;
  /** Mask of the address size (string instructions), and the address size in bytes where known at build time. */
  addressMask(): I64;
  /** Linear address of DS:offset (with override) or ES:offset for string instructions; checks limits for `size` bytes. */
  stringLinear(which: 'source' | 'destination', offset: I64, size: Size, write: boolean): I64;
  /**
   * The same without a fault, for many elements at once: `room` is how many bytes from `offset` on stay inside the page, the segment's limit and the
   * address size (at the end of the latter two, perhaps some too few); 0 where `stringLinear` would fault or ask TypeScript.
   */
  stringRoom(which: 'source' | 'destination', offset: I64, write: boolean): { linear: I64; room: I64 };
  /** Wasm address of `linear` when the TLB holds its page for reading or writing; 0 when not. */
  cachedHost(linear: I64, write: boolean): I32;

  load(linear: I64, size: Size): I64;
  store(linear: I64, size: Size, value: I64): void;
  /** Replaces the value at `linear` by `change(old)`, checked for writing before it is read; returns the old one. */
  modify(linear: I64, size: Size, change: (old: I64) => I64): I64;
  /** Wasm address from which `byteLength` (≤ 16) bytes at `linear` can be loaded at once (a bounce buffer on the slow path). */
  hostForRead(linear: I64, byteLength: number): I32;
  /** Stores by `emit(address)`, which must write exactly `byteLength` bytes; emitted for the fast and for the slow path. */
  storeWith(linear: I64, byteLength: number, emit: (address: I32) => void): void;

  /** rSP as an offset into SS, cut to the stack's width, plus `delta` bytes (cut again). */
  stackOffset(delta: number): I64;
  /** Any offset cut to the stack's width. */
  cutToStack(offset: I64): I64;
  stackLoad(offset: I64, size: Size): I64;
  stackStore(offset: I64, size: Size, value: I64): void;
  /** Writes SP, ESP or RSP by the stack's width. */
  setStackOffset(offset: I64): void;

  /** Lazy flags; see state.ts. `result` is taken zero- or sign-extended: only its low `size` bytes count. */
  setFlags(result: I64, aux: I64): void;
  /** Flags of the bound result `r`; the back end works AUX out when it is asked for. */
  setFlagsFrom(source: FlagSource, r: I64): void;
  /** A condition straight from the operands that the last flags came from, where the back end still has them. */
  fusedCondition(code: number): I32 | undefined;
  /** CF as 0 or 1. */
  flagsCarry(): I64;
  /** The raw AUX and sign-extended RESULT words. */
  flagsAux(): I64;
  flagsResult(): I64;
  /** Writes both words as they are. */
  setRawFlags(result: I64, aux: I64): void;

  /** Immediate operand of the micro-op as sign-extended i64. */
  immediate(): I64;
  /** RIP after this instruction. */
  nextRip(): I64;
  /** Faults unless `rip` may be jumped to: canonical, or within CS's limit. To be asked before anything is committed. */
  checkTarget(rip: I64): void;
  /** Ends the instruction with a jump to the row's relative target. */
  jumpRelative(): void;
  /** Ends with the relative target when `condition`, otherwise with the next instruction. */
  jumpRelativeIf(condition: I32): void;
  /** Ends with a jump to `rip` (cut to the operand size by the caller). */
  jumpIndirect(rip: I64): void;
  /** Raises a fault (vector, error code −1 for none) for this instruction; does not return. */
  fault(vector: number, errorCode: number): void;
  /** Leaves to the TypeScript handler of the row; when it returns normally, the instruction is done. Ends the emission. */
  system(): void;
  /** The instruction is done: go on with the next (for early exits inside `if`). */
  done(): void;
  /** DIRECTION in the state: +1 or −1. */
  setDirection(step: 1 | -1): void;
  /** Runs the instruction again from its start as a new one (a REP in portions). */
  again(): void;
  /** BUDGET: instructions left in the slice, after this one's block was taken from it; and how many of the block are to come, this one included. */
  budgetLeft(): I64;
  blockLeft(): I64;
  /** Memory words of the CPU state by offset. */
  stateI32(offset: number): I32;
  stateI64(offset: number): I64;
  setStateI32(offset: number, value: I32): void;
  setStateI64(offset: number, value: I64): void;

  /*
   * Vector registers, by operand number; never memory operands, which are read through `hostForRead`. A back end may hold XMM registers in
   * locals: a value read here stands until the register is next written, so what is used after that is bound with `let`.
   */

  /** The low 16 bytes (an MMX register: 8 bytes and what follows them). */
  vector(index: number): V128;
  /** The low 4 or 8 bytes, zeros above. */
  lowVector(index: number, byteLength: 4 | 8): V128;
  /** Bytes 31:16, AVX's. */
  highVector(index: number): V128;
  /** The low lane as a number. */
  single(index: number): F32;
  double(index: number): F64;
  /** Dword `lane` (0–3) of the low 16 bytes. */
  dword(index: number, lane: number): I32;
  /** Writes the low 16 bytes; bytes 31:16 stay. */
  setVector(index: number, value: V128): void;
  setHighVector(index: number, value: V128): void;
  /** `setVector` of another register, which the back end may know something of. */
  moveVector(to: number, from: number): void;
  /** Writes the low lane alone. */
  setSingle(index: number, value: F32): void;
  setDouble(index: number, value: F64): void;
  /**
   * Wasm address of the register, for helpers and for lanes whose number is known at run time only. A back end that keeps it in a local writes
   * it there first and takes it back at the end of the instruction, or of the `attempt`'s `slow` part in which it was asked for.
   */
  vectorAddress(index: number): I32;
  /** From here to the end of the instruction every vector register stands in memory, to be read and written there. */
  spillVectors(): void;
  /**
   * `fast`, which may give up (by a condition, as often as it likes) as long as it has changed nothing of the guest; then `slow` runs in its
   * place.
   */
  attempt(fast: (giveUp: (condition: I32) => void) => void, slow: () => void): void;
  /**
   * Rounding to nearest, every exception masked, PE set already: operations whose operands and results are normal or zero need MXCSR no
   * more. Only system instructions take this away. Asked before anything else of the instruction: a back end may
   * leave to the interpreter where it does not hold.
   */
  floatsAreFast(): I32;
  /** Numbers of this instruction are looked at with those of others, afterwards; undefined: by the instruction itself. */
  floatWatch(): FloatWatch | undefined;
  /**
   * What the back end knows of the low 16 bytes of register `index`: every lane of this type (the low one, of a scalar type) is zero or normal. `notePlain` tells it
   * so of the register just written, in the fast part of an `attempt` that the instruction ends with; any other write forgets it.
   */
  isKnownPlain(index: number, type: LaneType): boolean;
  notePlain(index: number, type: LaneType): void;

  /** Calls the imported helper `name` with i32 arguments; result i32. For softfloat and the like. The helper must not fault. */
  helper(name: string, args: readonly I32[]): I32;
  /** `helper` that may raise a guest fault: non-zero result = fault recorded, leave. */
  helperMayFault(name: string, args: readonly I32[]): void;
}

/** One instruction's meaning. */
export type Semantic = (c: Semantics) => void;
