import { CR4_BITS } from '../control-bits.ts';
import { VECTOR } from '../exceptions/vectors.ts';
import { isCode64 } from '../modes.ts';
import { CPL, CR4, REGISTER } from '../state.ts';
import { storedRegister } from '../stored-registers.ts';
import type { CpuContext, DecodedOperands } from '../system-context.ts';
import { setEdxEax } from './registers.ts';

const TSC_OFFSET = storedRegister('TSC_OFFSET');
const TSC_AUX = storedRegister('TSC_AUX');

/** IA32_TIME_STAMP_COUNTER: virtual ticks since power-on plus what the guest has written. */
export function timeStamp(cpu: CpuContext): bigint {
  return BigInt.asUintN(64, cpu.tsc() + cpu.state.u64(TSC_OFFSET));
}

function requireTimeStamp(cpu: CpuContext): void {
  const { state } = cpu;
  if ((state.u32(CR4) & CR4_BITS.TSD) !== 0 && state.u32(CPL) !== 0) cpu.fault(VECTOR.GP, 0);
}

export function readTimeStamp(cpu: CpuContext): void {
  requireTimeStamp(cpu);
  const { state } = cpu;
  if (state.u32(TSC_OFFSET) !== 0 || state.u32(TSC_OFFSET + 4) !== 0) {
    setEdxEax(state, timeStamp(cpu));
    return;
  }
  // Guests that never wrote the counter read it by the million: no big integers on their way.
  const now = cpu.bus.now();
  state.setGpr32(REGISTER.RAX, now >>> 0);
  state.setGpr32(REGISTER.RDX, Math.floor(now / 0x1_0000_0000));
}

/** RDTSCP: also ECX = IA32_TSC_AUX. */
export function readTimeStampAndAux(cpu: CpuContext): void {
  readTimeStamp(cpu);
  cpu.state.setGpr32(REGISTER.RCX, cpu.state.u32(TSC_AUX));
}

/** RDPID: IA32_TSC_AUX, at any privilege and whatever CR4.TSD says. */
export function readProcessorId(cpu: CpuContext, operands: DecodedOperands): void {
  operands.writeRm(isCode64(cpu.state) ? 8 : 4, BigInt(cpu.state.u32(TSC_AUX)));
}

/** RDPMC: there are no counters, so every index is wrong. */
export function readPerformanceCounter(cpu: CpuContext): void {
  cpu.fault(VECTOR.GP, 0);
}
