import { SIMD_SCRATCH } from '../state.ts';
import { f32, f64, i32, v128 } from '../wasm/expr.ts';
import type { F32, F64, I32, Semantics, V128 } from './semantics.ts';

/* What the SSE semantic of a VEX form takes for its vector operands 0 and 1. */

/** Place of the accumulator while a helper works on it: 32 bytes. */
const ACCUMULATOR = SIMD_SCRATCH + 64;
const LOW_BYTES = { 4: lowBytes(4), 8: lowBytes(8) } as const;

function lowBytes(count: number): V128 {
  return v128.const(Array.from({ length: 16 }, (_, index) => (index < count ? 0xff : 0)));
}

/** The vector accessors of Semantics on one operand. */
export interface VectorOperand {
  vector(): V128;
  lowVector(byteLength: 4 | 8): V128;
  highVector(): V128;
  single(): F32;
  double(): F64;
  dword(lane: number): I32;
  address(): I32;
}

/** Both halves of the vector that stands for the destination: in locals, in memory only while a helper needs them. */
export class Accumulator {
  readonly low: V128;
  readonly high: V128;
  readonly #c: Semantics;
  #isInMemory = false;

  constructor(c: Semantics) {
    this.#c = c;
    this.low = c.b.local('v128');
    this.high = c.b.local('v128');
  }

  set(half: number, value: V128): void {
    this.#c.b.set(half === 0 ? this.low : this.high, value);
  }

  /** Address of a half, for a helper. */
  spill(half: number): I32 {
    if (!this.#isInMemory) {
      this.#c.b.storeV128(i32.const(ACCUMULATOR), this.low);
      this.#c.b.storeV128(i32.const(ACCUMULATOR), this.high, 16);
    }
    this.#isInMemory = true;
    return i32.const(ACCUMULATOR + half * 16);
  }

  /** Takes back what a helper has made of it. */
  reload(): void {
    if (!this.#isInMemory) return;
    this.#isInMemory = false;
    this.set(0, v128.load(i32.const(ACCUMULATOR)));
    this.set(1, v128.load(i32.const(ACCUMULATOR), 16));
  }
}

/** Operand 0 in the semantic's run on one half. */
export class AccumulatorOperand implements VectorOperand {
  readonly #accumulator: Accumulator;
  readonly #half: number;

  constructor(accumulator: Accumulator, half: number) {
    this.#accumulator = accumulator;
    this.#half = half;
  }

  vector(): V128 {
    return this.#half === 0 ? this.#accumulator.low : this.#accumulator.high;
  }

  lowVector(byteLength: 4 | 8): V128 {
    return v128.and(this.vector(), LOW_BYTES[byteLength]);
  }

  highVector(): V128 {
    return this.#accumulator.high;
  }

  single(): F32 {
    return v128.extract('f32', 0x1f, this.vector(), 0);
  }

  double(): F64 {
    return v128.extract('f64', 0x21, this.vector(), 0);
  }

  dword(lane: number): I32 {
    return v128.extract('i32', 0x1b, this.vector(), lane);
  }

  address(): I32 {
    return this.#accumulator.spill(this.#half);
  }
}

/** Operand 1 by address: memory that was read beforehand, or a register from the middle. */
export class AddressedOperand implements VectorOperand {
  readonly #address: () => I32;
  readonly #offset: number;

  constructor(address: () => I32, offset: number) {
    this.#address = address;
    this.#offset = offset;
  }

  vector(): V128 {
    return v128.load(this.#address(), this.#offset);
  }

  lowVector(byteLength: 4 | 8): V128 {
    return v128.loadZero(byteLength, this.#address(), this.#offset);
  }

  highVector(): V128 {
    return v128.load(this.#address(), this.#offset + 16);
  }

  single(): F32 {
    return f32.load(this.#address(), this.#offset);
  }

  double(): F64 {
    return f64.load(this.#address(), this.#offset);
  }

  dword(lane: number): I32 {
    return i32.load(this.#address(), this.#offset + lane * 4);
  }

  address(): I32 {
    return i32.add(this.#address(), i32.const(this.#offset));
  }
}

/** A register operand of the VEX form as it is; `upper` half for the second run. */
export class RegisterOperand implements VectorOperand {
  readonly #c: Semantics;
  readonly #index: number;
  readonly #upper: boolean;

  constructor(c: Semantics, index: number, upper = false) {
    this.#c = c;
    this.#index = index;
    this.#upper = upper;
  }

  vector(): V128 {
    return this.#upper ? this.#c.highVector(this.#index) : this.#c.vector(this.#index);
  }

  lowVector(byteLength: 4 | 8): V128 {
    return this.#upper ? v128.and(this.vector(), LOW_BYTES[byteLength]) : this.#c.lowVector(this.#index, byteLength);
  }

  highVector(): V128 {
    return this.#c.highVector(this.#index);
  }

  single(): F32 {
    return this.#upper ? v128.extract('f32', 0x1f, this.vector(), 0) : this.#c.single(this.#index);
  }

  double(): F64 {
    return this.#upper ? v128.extract('f64', 0x21, this.vector(), 0) : this.#c.double(this.#index);
  }

  dword(lane: number): I32 {
    return this.#upper ? v128.extract('i32', 0x1b, this.vector(), lane) : this.#c.dword(this.#index, lane);
  }

  address(): I32 {
    return i32.add(this.#c.vectorAddress(this.#index), i32.const(this.#upper ? 16 : 0));
  }
}
