import { VECTOR } from '../exceptions/vectors.ts';
import { segmentLinear } from '../segmentation/access.ts';
import { REGISTER, RFLAGS } from '../state.ts';
import type { CpuContext, DecodedOperands } from '../system-context.ts';
import { edxEax, setEdxEax } from './registers.ts';

/** CMPXCHG8B: the destination is written in either case. */
export function compareExchange8(cpu: CpuContext, operands: DecodedOperands): void {
  if (!operands.isMemory) cpu.fault(VECTOR.UD);
  const { state, memory } = cpu;
  const linear = segmentLinear(cpu, operands.segment, operands.effectiveAddress, 8, true);
  const old = memory.read64(linear);
  const equal = old === edxEax(state);
  const replacement = (BigInt(state.gpr32(REGISTER.RCX)) << 32n) | BigInt(state.gpr32(REGISTER.RBX));
  memory.write64(linear, equal ? replacement : old);
  if (!equal) setEdxEax(state, old);
  setZero(cpu, equal);
}

/** CMPXCHG16B: the operand must be aligned to 16 bytes. */
export function compareExchange16(cpu: CpuContext, operands: DecodedOperands): void {
  if (!operands.isMemory) cpu.fault(VECTOR.UD);
  const { state, memory } = cpu;
  const linear = segmentLinear(cpu, operands.segment, operands.effectiveAddress, 16, true);
  if ((linear & 0xfn) !== 0n) cpu.fault(VECTOR.GP, 0);
  const low = memory.read64(linear);
  const high = memory.read64(linear + 8n);
  const equal = low === state.gpr(REGISTER.RAX) && high === state.gpr(REGISTER.RDX);
  memory.write64(linear, equal ? state.gpr(REGISTER.RBX) : low);
  memory.write64(linear + 8n, equal ? state.gpr(REGISTER.RCX) : high);
  if (!equal) {
    state.setGpr(REGISTER.RAX, low);
    state.setGpr(REGISTER.RDX, high);
  }
  setZero(cpu, equal);
}

function setZero(cpu: CpuContext, zero: boolean): void {
  const flags = cpu.state.rflags();
  cpu.state.setRflags(zero ? flags | RFLAGS.ZF : flags & ~RFLAGS.ZF);
}
