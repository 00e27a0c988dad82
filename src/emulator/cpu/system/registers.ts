import type { CpuState } from '../cpu-state.ts';
import { REGISTER } from '../state.ts';
import type { OperandSize } from '../system-context.ts';

/** Writes the low `size` bytes of a general register as an instruction does: 4 bytes clear the upper half, 1 and 2 keep the rest. */
export function setGprPart(state: CpuState, index: number, size: OperandSize, value: bigint): void {
  if (size === 8 || size === 4) {
    state.setGpr(index, BigInt.asUintN(size * 8, value));
    return;
  }
  const mask = size === 2 ? 0xffffn : 0xffn;
  state.setGpr(index, (state.gpr(index) & ~mask) | (value & mask));
}

/** EDX:EAX = `value`; the upper halves of RAX and RDX are cleared. */
export function setEdxEax(state: CpuState, value: bigint): void {
  state.setGpr32(REGISTER.RAX, Number(value & 0xffff_ffffn));
  state.setGpr32(REGISTER.RDX, Number((value >> 32n) & 0xffff_ffffn));
}

/** EDX:EAX as one value. */
export function edxEax(state: CpuState): bigint {
  return (BigInt(state.gpr32(REGISTER.RDX)) << 32n) | BigInt(state.gpr32(REGISTER.RAX));
}
