import { CR4_BITS, DR6_BITS, DR6_RESET, DR7_BITS, DR7_RESET } from '../control-bits.ts';
import { VECTOR } from '../exceptions/vectors.ts';
import { isCode64 } from '../modes.ts';
import { CR4, DR, DR6, DR7 } from '../state.ts';
import type { CpuContext, DecodedOperands } from '../system-context.ts';
import { requireSupervisor } from './privilege.ts';

const DR6_WRITABLE = 0xf | DR6_BITS.BD | DR6_BITS.BS | DR6_BITS.BT;
/** Bits 10 (always 1), 11, 12, 14 and 15 are fixed. */
const DR7_WRITABLE = 0xffff_23ff;

/** MOV r, DRn (0F 21). */
export function moveFromDebugRegister(cpu: CpuContext, operands: DecodedOperands): void {
  const { state } = cpu;
  const value = state.u64(DR + checkedRegister(cpu, operands.reg) * 8);
  if (isCode64(state)) state.setGpr(operands.rm, value);
  else state.setGpr32(operands.rm, Number(value & 0xffff_ffffn));
}

/** MOV DRn, r (0F 23). */
export function moveToDebugRegister(cpu: CpuContext, operands: DecodedOperands): void {
  const { state } = cpu;
  const register = checkedRegister(cpu, operands.reg);
  const value = isCode64(state) ? state.gpr(operands.rm) : BigInt(state.gpr32(operands.rm));
  if (register < 4) {
    state.setU64(DR + register * 8, value);
    cpu.breakpointsChanged();
    return;
  }
  if (value >> 32n !== 0n) cpu.fault(VECTOR.GP, 0);
  const low = Number(value);
  if (register === 6) {
    state.setU64(DR6, BigInt(((low & DR6_WRITABLE) | DR6_RESET) >>> 0));
    return;
  }
  state.setU64(DR7, BigInt(((low & DR7_WRITABLE) | DR7_RESET) >>> 0));
  cpu.breakpointsChanged();
}

/** Index 0–3, 6 or 7 after aliasing; #UD, #GP(0) or, under general detect, #DB. */
function checkedRegister(cpu: CpuContext, reg: number): number {
  const { state } = cpu;
  let register = reg;
  if (register === 4 || register === 5) {
    if ((state.u32(CR4) & CR4_BITS.DE) !== 0) cpu.fault(VECTOR.UD);
    register += 2;
  }
  if (register > 7) cpu.fault(VECTOR.UD);
  requireSupervisor(cpu);
  if ((state.u32(DR7) & DR7_BITS.GD) !== 0) {
    state.setU32(DR6, (state.u32(DR6) | DR6_BITS.BD) >>> 0);
    state.setU32(DR7, (state.u32(DR7) & ~DR7_BITS.GD) >>> 0);
    cpu.fault(VECTOR.DB);
  }
  return register;
}
