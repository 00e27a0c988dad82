import { VECTOR } from '../exceptions/vectors.ts';
import { isCanonical } from '../mmu/canonical.ts';
import { isCode64 } from '../modes.ts';
import { REGISTER, SEGMENT_ATTRIBUTES, SEGMENT_INDEX } from '../state.ts';
import type { CpuContext } from '../system-context.ts';
import { insideSegment } from './access.ts';
import { type Descriptor, descriptorAttributes, descriptorBase, descriptorLimit } from './descriptor.ts';

/** Bits of the stack pointer that count. */
export type StackWidth = 16 | 32 | 64;

/** Where a stack is and how it may be used. */
export interface StackBounds {
  readonly base: bigint;
  readonly limit: number;
  readonly attributes: number;
  readonly width: StackWidth;
  /** Error code of the #SS when a push does not fit. */
  readonly errorCode: number;
  /** Rights of the accesses; undefined: those of the code that runs. */
  readonly privilege?: 'supervisor' | 'user';
}

/**
 * A stack on which values are pushed or popped before anything is committed: a fault half-way leaves the processor as it was.
 * `pointer` becomes RSP (its low `width` bits) when the caller commits.
 */
export class Stack {
  pointer: bigint;
  readonly #cpu: CpuContext;
  readonly #bounds: StackBounds;

  constructor(cpu: CpuContext, bounds: StackBounds, pointer: bigint) {
    this.#cpu = cpu;
    this.#bounds = bounds;
    this.pointer = BigInt.asUintN(bounds.width, pointer);
  }

  /** The stack that SS:RSP name now. */
  static current(cpu: CpuContext): Stack {
    const { state } = cpu;
    const attributes = state.segmentAttributes(SEGMENT_INDEX.SS);
    const width = currentStackWidth(cpu);
    const base = width === 64 ? 0n : state.segmentBase(SEGMENT_INDEX.SS);
    const limit = state.segmentLimit(SEGMENT_INDEX.SS);
    return new Stack(cpu, { base, limit, attributes, width, errorCode: 0 }, state.gpr(REGISTER.RSP));
  }

  /** A stack that a descriptor describes, for a change of privilege: `errorCode` goes with the #SS. */
  static of(
    cpu: CpuContext,
    descriptor: Descriptor,
    pointer: bigint,
    options: { errorCode: number; privilege: 'supervisor' | 'user' },
  ): Stack {
    const attributes = descriptorAttributes(descriptor);
    const width = (attributes & SEGMENT_ATTRIBUTES.DB) !== 0 ? 32 : 16;
    const base = descriptorBase(descriptor);
    return new Stack(cpu, { base, limit: descriptorLimit(descriptor), attributes, width, ...options }, pointer);
  }

  /** A flat 64-bit stack. */
  static flat64(
    cpu: CpuContext,
    pointer: bigint,
    options: { errorCode: number; privilege?: 'supervisor' | 'user' },
  ): Stack {
    return new Stack(cpu, { base: 0n, limit: 0, attributes: 0, width: 64, ...options }, pointer);
  }

  push(size: 2 | 4 | 8, value: bigint): void {
    const { width, privilege } = this.#bounds;
    const pointer = BigInt.asUintN(width, this.pointer - BigInt(size));
    const linear = this.#linear(pointer, size);
    const { memory } = this.#cpu;
    if (size === 8) memory.write64(linear, BigInt.asUintN(64, value), privilege);
    else memory.write(linear, size, Number(BigInt.asUintN(size * 8, value)), privilege);
    this.pointer = pointer;
  }

  pop(size: 2 | 4 | 8): bigint {
    const { width, privilege } = this.#bounds;
    const linear = this.#linear(this.pointer, size);
    const { memory } = this.#cpu;
    const value = size === 8 ? memory.read64(linear, privilege) : BigInt(memory.read(linear, size, privilege));
    this.pointer = BigInt.asUintN(width, this.pointer + BigInt(size));
    return value;
  }

  /** Bits of the pointer that count. */
  get width(): StackWidth {
    return this.#bounds.width;
  }

  /** The value at `pointer`, which stays out of it. */
  peek(size: 2 | 4 | 8, pointer: bigint): bigint {
    const saved = this.pointer;
    this.pointer = pointer;
    const value = this.pop(size);
    this.pointer = saved;
    return value;
  }

  /** Faults as a write at `pointer` would. */
  probe(size: 2 | 4 | 8, pointer: bigint): void {
    this.#cpu.memory.checkWrite(this.#linear(pointer, size), size, this.#bounds.privilege);
  }

  /** Skips `byteLength` bytes upwards (RET imm16). */
  release(byteLength: number): void {
    this.pointer = BigInt.asUintN(this.#bounds.width, this.pointer + BigInt(byteLength));
  }

  /** Makes `pointer` the stack pointer; a 16-bit one leaves the rest of ESP, as does a 32-bit one in real life: the upper half is cleared. */
  commit(): void {
    setStackPointer(this.#cpu, this.#bounds.width, this.pointer);
  }

  #linear(offset: bigint, size: number): bigint {
    const { base, limit, attributes, width, errorCode } = this.#bounds;
    if (width === 64) {
      const { state } = this.#cpu;
      if (!isCanonical(state, offset) || !isCanonical(state, offset + BigInt(size - 1)))
        this.#cpu.fault(VECTOR.SS, errorCode);
      return offset;
    }
    if (!insideSegment(attributes, limit, Number(offset), size)) this.#cpu.fault(VECTOR.SS, errorCode);
    return BigInt.asUintN(32, base + offset);
  }
}

/** RSP in 64-bit code, else ESP or SP by SS.B. */
export function currentStackWidth(cpu: CpuContext): StackWidth {
  if (isCode64(cpu.state)) return 64;
  return (cpu.state.segmentAttributes(SEGMENT_INDEX.SS) & SEGMENT_ATTRIBUTES.DB) !== 0 ? 32 : 16;
}

/** Writes the low `width` bits of RSP: SP keeps the bits above, ESP clears them. */
export function setStackPointer(cpu: CpuContext, width: StackWidth, pointer: bigint): void {
  const { state } = cpu;
  if (width === 16) {
    const kept = state.gpr(REGISTER.RSP) & ~0xffffn;
    state.setGpr(REGISTER.RSP, kept | BigInt.asUintN(16, pointer));
    return;
  }
  state.setGpr(REGISTER.RSP, BigInt.asUintN(width, pointer));
}
