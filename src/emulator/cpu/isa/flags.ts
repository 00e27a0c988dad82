import { i32, i64, select } from '../wasm/expr.ts';
import type { FlagSource, I32, I64, Semantics, Size } from './semantics.ts';

/** The lazy flags as their words. */
export type FlagWords = Pick<Semantics, 'let' | 'flagsAux' | 'flagsResult' | 'setRawFlags'>;

/** AUX bits: see state.ts FLAGS_AUX. */
export const AUX_CF = 1n << 63n;
export const AUX_CF_XOR_OF = 1n << 62n;
export const AUX_AF = 8n;
const AUX_TOP_AND_AF = AUX_CF | AUX_CF_XOR_OF | AUX_AF;

export function bitsOf(size: Size): number {
  return size * 8;
}

/** `value` cut to `size` bytes, zero-extended. */
export function zeroExtend(size: Size, value: I64): I64 {
  if (size === 8) return value;
  return i64.and(value, i64.const((1n << BigInt(bitsOf(size))) - 1n));
}

/** `value` sign-extended from `size` bytes. */
export function signExtend(size: Size, value: I64): I64 {
  if (size === 8) return value;
  if (size === 4) return i64.extend32S(value);
  return size === 2 ? i64.extend16S(value) : i64.extend8S(value);
}

/** Evaluates an expression once. */
type Binder = Pick<Semantics, 'let'>;

/** AUX from a vector of carries: bit n is the carry out of bit n. */
export function auxOfCarries(c: Binder, size: Size, carries: I64): I64 {
  if (size === 8) return i64.and(carries, i64.const(AUX_TOP_AND_AF));
  const vector = c.let(carries);
  const top = i64.and(i64.shl(vector, i64.const(64 - bitsOf(size))), i64.const(AUX_CF | AUX_CF_XOR_OF));
  return i64.or(top, i64.and(vector, i64.const(AUX_AF)));
}

/** AUX of a result `r` by where it came from. */
export function auxOfSource(c: Binder, { kind, size, a, b }: FlagSource, r: I64): I64 {
  switch (kind) {
    case 'add':
    case 'adc':
      return auxOfCarries(c, size, i64.or(i64.and(a, b), i64.and(i64.or(a, b), i64.not(r))));
    case 'sub':
    case 'sbb': {
      const notA = c.let(i64.not(a));
      return auxOfCarries(c, size, i64.or(i64.and(notA, b), i64.and(i64.or(notA, b), r)));
    }
    case 'logic':
      return i64.const(0);
    case 'shl': {
      // The carry stands just above the operand; CF xor OF is the new top bit.
      const moved =
        size === 8 ? i64.shl(a, i64.sub(b, i64.const(1))) : i64.shl(i64.shl(a, b), i64.const(63 - bitsOf(size)));
      return i64.and(moved, i64.const(AUX_CF | AUX_CF_XOR_OF));
    }
    case 'shr': {
      const carry = c.let(i64.and(lastOut(a, b), i64.const(AUX_CF)));
      const sign = i64.shl(a, i64.const(64 - bitsOf(size)));
      return i64.or(carry, i64.and(i64.shrU(i64.xor(carry, sign), i64.const(1)), i64.const(AUX_CF_XOR_OF)));
    }
    case 'sar':
      return i64.shrS(i64.and(lastOut(signExtend(size, a), b), i64.const(AUX_CF)), i64.const(1));
    case 'inc':
    case 'dec': {
      const upper = kind === 'inc' ? r : c.let(i64.add(r, i64.const(1)));
      const limit = -(1n << BigInt(bitsOf(size) - 1));
      return auxOfCount(c, i64.shl(a, i64.const(63)), upper, i64.eq(signExtend(size, upper), i64.const(limit)));
    }
  }
}

/** Bit 63: the bit that leaves last when `value` is shifted right by `count`. */
function lastOut(value: I64, count: I64): I64 {
  return i64.shl(value, i64.sub(i64.const(64), count));
}

/** AUX of a step by 1: `upper` is the upper one of the two values, `isLimit`: it is the most negative one; `carry`: bit 63 of AUX. */
export function auxOfCount(c: Binder, carry: I64, upper: I64, isLimit: I32): I64 {
  const kept = c.let(carry);
  const overflow = i64.shl(i64.extendI32U(isLimit), i64.const(62));
  const adjust = i64.shl(i64.extendI32U(i64.eqz(i64.and(upper, i64.const(0xf)))), i64.const(3));
  return i64.or(i64.or(kept, i64.xor(i64.shrU(kept, i64.const(1)), overflow)), adjust);
}

/** CF of a result `r` by where it came from, 0 or 1. */
export function carryOfSource(c: Binder, source: FlagSource, r: I64): I64 {
  const { kind, size, a, b } = source;
  switch (kind) {
    case 'add':
      return i64.extendI32U(i64.ltU(zeroExtend(size, r), a));
    case 'sub':
      return i64.extendI32U(i64.ltU(a, b));
    case 'logic':
      return i64.const(0);
    case 'inc':
    case 'dec':
      return a;
    default:
      return i64.shrU(auxOfSource(c, source, r), i64.const(63));
  }
}

/** Flags of a + b = r; 'adc': with a carry in it. All bound to locals or constants. */
export function flagsOfAdd(c: Semantics, a: I64, b: I64, r: I64, kind: 'add' | 'adc' = 'add'): void {
  c.setFlagsFrom({ kind, size: c.size, a, b }, r);
}

/** Flags of a − b = r; 'sbb': with a borrow in it. */
export function flagsOfSub(c: Semantics, a: I64, b: I64, r: I64, kind: 'sub' | 'sbb' = 'sub'): void {
  c.setFlagsFrom({ kind, size: c.size, a, b }, r);
}

/** Flags of `value` shifted by `count`, which is not 0. All bound. */
export function flagsOfShift(c: Semantics, kind: 'shl' | 'shr' | 'sar', value: I64, count: I64, r: I64): void {
  c.setFlagsFrom({ kind, size: c.size, a: value, b: count }, r);
}

/** Flags of a value counted up or down by 1 to `r`: all but CF. */
export function flagsOfCount(c: Semantics, kind: 'inc' | 'dec', r: I64): void {
  c.setFlagsFrom({ kind, size: c.size, a: c.let(c.flagsCarry()), b: i64.const(0) }, r);
}

/** Flags of a logical result: CF, OF and (as hardware does) AF are 0. */
export function flagsOfLogic(c: Semantics, r: I64): void {
  c.setFlagsFrom({ kind: 'logic', size: c.size, a: r, b: r }, r);
}

/** AUX with the given CF and OF (0 or 1, i64) and AF clear. */
export function auxOf(carry: I64, overflow: I64): I64 {
  return i64.or(i64.shl(carry, i64.const(63)), i64.shl(i64.xor(carry, overflow), i64.const(62)));
}

function sign(value: I64): I32 {
  return i64.ltS(value, i64.const(0));
}

/** Bit 63 = OF. */
function overflowSign(c: FlagWords): I64 {
  const aux = c.let(c.flagsAux());
  return i64.xor(aux, i64.shl(aux, i64.const(1)));
}

/** Bit 63 = SF. */
function signSign(c: FlagWords): I64 {
  return i64.xor(c.flagsResult(), i64.shl(c.flagsAux(), i64.const(63)));
}

function parity(c: FlagWords): I32 {
  const low = i64.and(i64.xor(c.flagsResult(), i64.shrU(c.flagsAux(), i64.const(8))), i64.const(0xff));
  return i32.eqz(i32.and(i32.wrap(i64.popcnt(low)), i32.const(1)));
}

/** Condition codes in encoding order: O NO B AE Z NZ BE A S NS P NP L GE LE G (SDM vol. 1 appendix B). */
export function condition(c: Semantics, code: number): I32 {
  const fused = c.fusedCondition(code);
  if (fused !== undefined) return fused;
  const positive = ((): I32 => {
    switch (code >> 1) {
      case 0:
        return sign(overflowSign(c));
      case 1:
        return sign(c.flagsAux());
      case 2:
        return i64.eqz(c.flagsResult());
      case 3:
        return i32.or(sign(c.flagsAux()), i64.eqz(c.flagsResult()));
      case 4:
        return sign(signSign(c));
      case 5:
        return parity(c);
      case 6:
        return sign(i64.xor(signSign(c), overflowSign(c)));
      default:
        return i32.or(i64.eqz(c.flagsResult()), sign(i64.xor(signSign(c), overflowSign(c))));
    }
  })();
  return (code & 1) === 1 ? i32.eqz(positive) : positive;
}

/** The status flags as RFLAGS bits (an i64 with CF PF AF ZF SF OF). */
export function statusFlags(c: FlagWords): I64 {
  const bit = (test: I32, position: number): I64 => i64.shl(i64.extendI32U(test), i64.const(position));
  const parts = [
    i64.shrU(c.flagsAux(), i64.const(63)),
    bit(parity(c), 2),
    i64.shl(i64.and(c.flagsAux(), i64.const(AUX_AF)), i64.const(1)),
    bit(i64.eqz(c.flagsResult()), 6),
    i64.shl(i64.shrU(signSign(c), i64.const(63)), i64.const(7)),
    i64.shl(i64.shrU(overflowSign(c), i64.const(63)), i64.const(11)),
  ];
  return parts.reduce((all, part) => i64.or(all, part));
}

/** Sets the lazy words from RFLAGS bits in `flags` (bound to a local). */
export function setStatusFlags(c: FlagWords, flags: I64): void {
  const bit = (position: number): I64 => i64.and(i64.shrU(flags, i64.const(position)), i64.const(1));
  const zero = c.let(bit(6));
  const result = i64.xor(zero, i64.const(1));
  // RESULT is 0 (even parity) for ZF, else 1 (odd): the deltas carry SF and PF.
  const parityDelta = i64.xor(bit(2), zero);
  const carry = c.let(bit(0));
  const aux = [auxOf(carry, bit(11)), i64.shl(bit(4), i64.const(3)), bit(7), i64.shl(parityDelta, i64.const(8))].reduce(
    (all, part) => i64.or(all, part),
  );
  c.setRawFlags(result, aux);
}

/** `value` when the condition holds, else `otherwise`. */
export function choose(test: I32, value: I64, otherwise: I64): I64 {
  return select(test, value, otherwise);
}
