import type { CpuContext } from '../system-context.ts';

/** Reads a dword of guest-physical memory past all translation, as the processor does for page tables and PDPTEs. */
export function readPhysical32(cpu: CpuContext, gpa: number): number {
  const offset = gpa & 0xfff;
  const host = cpu.bus.hostPage(gpa - offset, false);
  return host >= 0 ? cpu.state.u32(host + offset) : cpu.bus.read(gpa, 4);
}
