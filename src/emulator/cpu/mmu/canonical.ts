import { CR4_BITS } from '../control-bits.ts';
import type { CpuState } from '../cpu-state.ts';
import { CANONICAL_SHIFT, CR4 } from '../state.ts';
import type { CpuContext } from '../system-context.ts';

const NARROW = 48;
const WIDE = 57;

/** Width of a linear address in 64-bit code (SDM vol. 1 §3.3.7.1). */
export function linearAddressBits(state: CpuState): number {
  return (state.u32(CR4) & CR4_BITS.LA57) !== 0 ? WIDE : NARROW;
}

/** Bits 63:47 agree, with CR4.LA57 bits 63:56. */
export function isCanonical(state: CpuState, linear: bigint): boolean {
  return BigInt.asIntN(linearAddressBits(state), linear) === BigInt.asIntN(64, linear);
}

/** The same of an address whose upper half is given. */
export function isCanonicalHigh(state: CpuState, high: number): boolean {
  const top = (high | 0) >> (31 - state.u32(CANONICAL_SHIFT));
  return top === 0 || top === -1;
}

/** What a register for a linear address takes: as wide as the processor can do, whatever CR4.LA57 says. */
export function isCanonicalRegister(cpu: CpuContext, value: bigint): boolean {
  return BigInt.asIntN(cpu.model.features.has('la57') ? WIDE : NARROW, value) === BigInt.asIntN(64, value);
}
