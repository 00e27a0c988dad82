import { CR4_BITS } from '../control-bits.ts';
import type { CpuState } from '../cpu-state.ts';
import { VECTOR } from '../exceptions/vectors.ts';
import { CR4, PKRU, REGISTER } from '../state.ts';
import type { CpuContext, SystemHandler } from '../system-context.ts';

function requireKeys(cpu: CpuContext): void {
  const { state } = cpu;
  if ((state.u32(CR4) & CR4_BITS.PKE) === 0) cpu.fault(VECTOR.UD);
  if (state.gpr32(REGISTER.RCX) !== 0) cpu.fault(VECTOR.GP, 0);
}

/** Gives every protection key its rights; translations that heed the old ones go. */
export function writeProtectionKeys(cpu: CpuContext, value: number): void {
  const { state } = cpu;
  if (state.u32(PKRU) === value >>> 0) return;
  state.setU32(PKRU, value);
  if (usesKeys(state)) cpu.flushTranslations({ global: true });
}

const usesKeys = (state: CpuState): boolean => (state.u32(CR4) & CR4_BITS.PKE) !== 0;

/** RDPKRU, WRPKRU (SDM vol. 2): at any privilege. */
export const readProtectionKeys: SystemHandler = (cpu) => {
  requireKeys(cpu);
  cpu.state.setGpr32(REGISTER.RAX, cpu.state.u32(PKRU));
  cpu.state.setGpr32(REGISTER.RDX, 0);
};

export const setProtectionKeys: SystemHandler = (cpu) => {
  requireKeys(cpu);
  if (cpu.state.gpr32(REGISTER.RDX) !== 0) cpu.fault(VECTOR.GP, 0);
  writeProtectionKeys(cpu, cpu.state.gpr32(REGISTER.RAX));
};
