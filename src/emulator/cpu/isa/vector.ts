import { AVX_TRAP, MMX_TRAP, SSE_TRAP, X87_STATUS, X87_TOP, X87_VALID } from '../state.ts';
import { i32, i64, v128 } from '../wasm/expr.ts';
import type { I32, I64, Semantics, V128 } from './semantics.ts';

export type { V128 };

export type VectorBytes = 4 | 8 | 16 | 32;

const VECTOR = {
  GP: 13,
  UD: 6,
  NM: 7,
  MF: 16,
} as const;
/** Summary of unmasked x87 exceptions. */
const STATUS_ES = 0x80;
const NO_ERROR_CODE = -1;

/** #UD or #NM when the operating system has not enabled the registers (SDM vol. 3 table 2-2, vol. 2 §2.4). */
export function guardSse(c: Semantics): void {
  guard(c, SSE_TRAP);
}

/** The same for MMX; a pending x87 exception comes first of all memory accesses. */
export function guardMmx(c: Semantics): void {
  guard(c, MMX_TRAP);
  c.b.if(i32.and(c.stateI32(X87_STATUS), i32.const(STATUS_ES)), () => c.fault(VECTOR.MF, NO_ERROR_CODE));
}

/** The same for AVX. */
export function guardAvx(c: Semantics): void {
  guard(c, AVX_TRAP);
}

function guard(c: Semantics, word: number): void {
  // A view for VEX forms has asked already.
  const trap = c.stateI32(word);
  if (trap.kind === 'const') return;
  c.b.plainIf(trap, () => {
    c.b.plainIf(
      i32.eq(trap, i32.const(VECTOR.NM)),
      () => c.fault(VECTOR.NM, NO_ERROR_CODE),
      () => c.fault(VECTOR.UD, NO_ERROR_CODE),
    );
  });
}

/** Wasm address of a vector operand of `byteLength`; `aligned`: #GP(0) when a 16-byte memory operand is not. */
export function operandAddress(c: Semantics, index: number, byteLength: VectorBytes, aligned = false): I32 {
  if (!c.isMemory(index)) return c.let(c.vectorAddress(index));
  const linear = c.let(c.linear());
  if (aligned) checkAligned(c, linear);
  return c.let(c.hostForRead(linear, byteLength));
}

function checkAligned(c: Semantics, linear: I64): void {
  c.b.if(i32.and(i32.wrap(linear), i32.const(15)), () => c.fault(VECTOR.GP, 0));
}

/** `byteLength` bytes at a Wasm address, zero above them, bound to a local. */
export function loadVector(c: Semantics, address: I32, byteLength: VectorBytes): V128 {
  if (byteLength >= 16) return c.let(v128.load(address));
  return c.let(v128.loadZero(byteLength === 4 ? 4 : 8, address));
}

/** A vector register, zero above `byteLength`, bound to a local. */
export function readRegister(c: Semantics, index: number, byteLength: VectorBytes): V128 {
  return c.let(byteLength >= 16 ? c.vector(index) : c.lowVector(index, byteLength === 4 ? 4 : 8));
}

/** A vector operand: XMM or MMX register or memory, zero above `byteLength`. */
export function readVector(
  c: Semantics,
  index: number,
  byteLength: VectorBytes = 16,
  aligned = byteLength === 16,
): V128 {
  if (!c.isMemory(index)) return readRegister(c, index, byteLength);
  return loadVector(c, operandAddress(c, index, byteLength, aligned), byteLength);
}

/** All of an XMM register. */
export function writeXmm(c: Semantics, index: number, value: V128): void {
  c.setVector(index, value);
}

/** An MMX register from the low half of `value`; call `enterMmx` too. */
export function writeMmx(c: Semantics, index: number, value: V128): void {
  writeMmxInteger(c, index, low64(value));
}

export function writeMmxInteger(c: Semantics, index: number, value: I64): void {
  const address = c.let(c.vectorAddress(index));
  c.b.storeI64(address, value);
  // SDM vol. 1 §9.2.1: a write sets the exponent and sign of the x87 register.
  c.b.store(0x3b, address, i32.const(0xffff), 8);
}

/** TOP becomes 0 and all registers valid with every MMX instruction but EMMS (SDM vol. 1 §9.5.1). */
export function enterMmx(c: Semantics): void {
  c.setStateI32(X87_TOP, i32.const(0));
  c.setStateI32(X87_VALID, i32.const(0xff));
}

/** By way of a double, which V8 moves in one instruction. */
export const low64 = (value: V128): I64 => i64.reinterpretF64(v128.extract('f64', 0x21, value, 0));
export const high64 = (value: V128): I64 => v128.extract('i64', 0x1d, value, 1);
export const low32 = (value: V128): I32 => v128.extract('i32', 0x1b, value, 0);

/** Replaces the low quadword of `into`. */
export const withLow64 = (into: V128, value: I64): V128 => v128.replace(0x1e, into, 0, value);

/** Stores a whole vector to operand `index`: register, or memory. */
export function storeVector(c: Semantics, index: number, value: V128, aligned: boolean): void {
  if (!c.isMemory(index)) {
    writeXmm(c, index, value);
    return;
  }
  const linear = c.let(c.linear());
  if (aligned) checkAligned(c, linear);
  c.storeWith(linear, 16, (address) => c.b.storeV128(address, value));
}

/** Immediate byte as i32. */
export function immediateByte(c: Semantics): I32 {
  return i32.wrap(i64.and(c.immediate(), i64.const(0xff)));
}
