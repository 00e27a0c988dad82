import { CR4_BITS } from '../control-bits.ts';
import { VECTOR } from '../exceptions/vectors.ts';
import { isRealAddressing } from '../modes.ts';
import { CPL, CR4 } from '../state.ts';
import type { CpuContext } from '../system-context.ts';

/** #GP(0) unless CPL is 0. */
export function requireSupervisor(cpu: CpuContext): void {
  if (cpu.state.u32(CPL) !== 0) cpu.fault(VECTOR.GP, 0);
}

/** #UD in real and virtual-8086 mode. */
export function requireProtectedMode(cpu: CpuContext): void {
  if (isRealAddressing(cpu.state)) cpu.fault(VECTOR.UD);
}

/** SGDT, SIDT, SLDT, SMSW and STR: #GP(0) for the user under CR4.UMIP. */
export function requireUserInstructionAllowed(cpu: CpuContext): void {
  if ((cpu.state.u32(CR4) & CR4_BITS.UMIP) !== 0 && cpu.state.u32(CPL) !== 0) cpu.fault(VECTOR.GP, 0);
}
