import { hex } from '../../../shared/bytes.ts';
import { VECTOR } from '../exceptions/vectors.ts';
import { MSR_TABLE } from '../msr/msr-table.ts';
import { REGISTER } from '../state.ts';
import type { CpuContext } from '../system-context.ts';
import { requireSupervisor } from './privilege.ts';
import { edxEax, setEdxEax } from './registers.ts';

export function readModelSpecificRegister(cpu: CpuContext): void {
  requireSupervisor(cpu);
  const number = cpu.state.gpr32(REGISTER.RCX);
  const row = MSR_TABLE.get(number);
  if (row === undefined) refuse(cpu, number, 'RDMSR');
  else setEdxEax(cpu.state, row.read(cpu));
}

export function writeModelSpecificRegister(cpu: CpuContext): void {
  requireSupervisor(cpu);
  const number = cpu.state.gpr32(REGISTER.RCX);
  const row = MSR_TABLE.get(number);
  if (row === undefined) refuse(cpu, number, 'WRMSR');
  else if (!row.write(cpu, edxEax(cpu.state))) cpu.fault(VECTOR.GP, 0);
}

function refuse(cpu: CpuContext, number: number, instruction: string): never {
  cpu.log(`msr-${number.toString(16)}`, `${instruction} of unknown MSR ${hex(number)}: #GP`);
  return cpu.fault(VECTOR.GP, 0);
}
