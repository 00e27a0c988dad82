import type { FloatWatch } from '../isa/float-watch.ts';
import { parseOperand } from '../isa/row.ts';
import type { F32, F64, I32, V128 } from '../isa/semantics.ts';
import type { LaneType } from '../simd/operations.ts';
import { MXCSR, MXCSR_FAST } from '../state.ts';
import { f32, f64, i32, v128 } from '../wasm/expr.ts';
import { MemorySemantics } from './memory-semantics.ts';

/** Vector registers, which always stand in memory, and when floating-point operations may take the short way. */
export class VectorSemantics extends MemorySemantics {
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
}
