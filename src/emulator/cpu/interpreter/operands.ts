import type { CpuState } from '../cpu-state.ts';
import { type Decoded, RIP_BASE } from '../decode/decoded.ts';
import { isCanonical } from '../mmu/canonical.ts';
import { EFFECTIVE_BASES, GPR, LINEAR_MASK, READ_LIMITS } from '../state.ts';
import type { DecodedOperands, LinearMemory, OperandSize } from '../system-context.ts';

const ADDRESS_MASKS = { 2: 0xffffn, 4: 0xffff_ffffn, 8: 0xffff_ffff_ffff_ffffn } as const;
const MASK_64 = ADDRESS_MASKS[8];
const VECTOR_SS = 12;
const VECTOR_GP = 13;
const SEGMENT_SS = 2;

/** What the operands are read from. */
export interface OperandPorts {
  readonly state: CpuState;
  readonly memory: LinearMemory;
  /** True when TypeScript lets an access pass the fast limit check (expand-down segments). */
  readonly passesLimit: (segment: number, offset: bigint, byteLength: number, write: boolean) => boolean;
  readonly fault: (vector: number, errorCode?: number) => never;
}

/** The current instruction's operands for handlers in TypeScript; one object, pointed at each instruction in turn. */
export class CurrentOperands implements DecodedOperands {
  #decoded!: Decoded;
  readonly #ports: OperandPorts;

  constructor(ports: OperandPorts) {
    this.#ports = ports;
  }

  select(decoded: Decoded): this {
    this.#decoded = decoded;
    return this;
  }

  get operandSize(): 2 | 4 | 8 {
    return this.#decoded.size as 2 | 4 | 8;
  }

  get addressSize(): 2 | 4 | 8 {
    return this.#decoded.addressSize;
  }

  get opcode(): number {
    return this.#decoded.opcode;
  }

  get modRm(): number {
    return this.#decoded.modRm;
  }

  get reg(): number {
    return this.#decoded.reg;
  }

  get rm(): number {
    return this.#decoded.rm;
  }

  get vvvv(): number {
    return this.#decoded.vvvv;
  }

  get isWide(): boolean {
    return this.#decoded.isWide;
  }

  get base(): number {
    return this.#decoded.base;
  }

  get index(): number {
    return this.#decoded.index;
  }

  get scale(): number {
    return this.#decoded.scale;
  }

  get displacement(): number {
    return this.#decoded.displacement;
  }

  get isMemory(): boolean {
    return this.#decoded.isMemory;
  }

  get segment(): number {
    return this.#decoded.segment;
  }

  get immediate(): bigint {
    return BigInt.asUintN(64, BigInt(this.#decoded.immediate));
  }

  get immediate2(): number {
    return this.#decoded.immediate2;
  }

  get repeat(): number {
    return this.#decoded.repeat;
  }

  get lock(): boolean {
    return this.#decoded.lock;
  }

  get effectiveAddress(): bigint {
    const { state } = this.#ports;
    const { base, index, scale, displacement, addressSize } = this.#decoded;
    let address = BigInt(displacement);
    if (base === RIP_BASE) address += state.nextRip;
    else if (base >= 0) address += state.gpr(base);
    if (index >= 0) address += state.gpr(index) << BigInt(scale);
    return address & ADDRESS_MASKS[addressSize];
  }

  linear(): bigint {
    return this.#linear(this.operandSize, false);
  }

  #linear(size: number, write: boolean): bigint {
    const { state, passesLimit, fault } = this.#ports;
    const { segment } = this.#decoded;
    const offset = this.effectiveAddress;
    if (offset + BigInt(size) > state.u64(READ_LIMITS + segment * 8) && state.u32(LINEAR_MASK + 4) === 0) {
      if (!passesLimit(segment, offset, size, write)) fault(segment === SEGMENT_SS ? VECTOR_SS : VECTOR_GP, 0);
    }
    const linear = (offset + state.u64(EFFECTIVE_BASES + segment * 8)) & state.u64(LINEAR_MASK);
    if (state.u32(LINEAR_MASK + 4) !== 0 && !isCanonical(state, linear)) {
      fault(segment === SEGMENT_SS ? VECTOR_SS : VECTOR_GP, 0);
    }
    return linear;
  }

  readRm(size: OperandSize): bigint {
    const { state, memory } = this.#ports;
    const { isMemory, rm, rex } = this.#decoded;
    if (isMemory) {
      const linear = this.#linear(size, false);
      return size === 8 ? memory.read64(linear) : BigInt(memory.read(linear, size));
    }
    if (size === 1 && rex === 0 && rm >= 4) return (state.gpr(rm - 4) >> 8n) & 0xffn;
    const value = state.gpr(rm);
    return size === 8 ? value : value & ((1n << BigInt(size * 8)) - 1n);
  }

  writeRm(size: OperandSize, value: bigint): void {
    const { state, memory } = this.#ports;
    const { isMemory, rm, rex } = this.#decoded;
    if (isMemory) {
      const linear = this.#linear(size, true);
      if (size === 8) memory.write64(linear, value & MASK_64);
      else memory.write(linear, size, Number(value & ((1n << BigInt(size * 8)) - 1n)));
      return;
    }
    const low = Number(value & 0xffff_ffffn);
    switch (size) {
      case 8:
        state.setGpr(rm, value & MASK_64);
        return;
      case 4:
        state.setGpr32(rm, low);
        return;
      case 2:
        state.view.setUint16(GPR + rm * 8, low & 0xffff, true);
        return;
      default:
        state.bytes[rex === 0 && rm >= 4 ? GPR + (rm - 4) * 8 + 1 : GPR + rm * 8] = low & 0xff;
    }
  }
}
