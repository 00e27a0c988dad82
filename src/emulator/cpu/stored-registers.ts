import type { CpuState } from './cpu-state.ts';
import { MSR_STORAGE } from './state.ts';

/**
 * Who lives where in the state's storage block (64 slots of 8 bytes): MSRs that only store, and registers that no instruction names.
 * The order is part of the snapshot format: append, never reorder.
 */
const STORED = [
  // The four page-directory-pointer entries that PAE paging loads with CR3; consecutive.
  'PDPTE0',
  'PDPTE1',
  'PDPTE2',
  'PDPTE3',
  'TSC_OFFSET',
  'TSC_ADJUST',
  'SYSENTER_CS',
  'SYSENTER_ESP',
  'SYSENTER_EIP',
  'STAR',
  'LSTAR',
  'CSTAR',
  'SFMASK',
  'KERNEL_GS_BASE',
  'TSC_AUX',
  'PAT',
  'MISC_ENABLE',
  'FEATURE_CONTROL',
  'DEBUGCTL',
  'MCG_STATUS',
  'MCG_CTL',
  'MTRR_DEF_TYPE',
  'MTRR_FIX64K_00000',
  'MTRR_FIX16K_80000',
  'MTRR_FIX16K_A0000',
  'MTRR_FIX4K_C0000',
  'MTRR_FIX4K_C8000',
  'MTRR_FIX4K_D0000',
  'MTRR_FIX4K_D8000',
  'MTRR_FIX4K_E0000',
  'MTRR_FIX4K_E8000',
  'MTRR_FIX4K_F0000',
  'MTRR_FIX4K_F8000',
  'MTRR_PHYSBASE0',
  'MTRR_PHYSMASK0',
  'MTRR_PHYSBASE1',
  'MTRR_PHYSMASK1',
  'MTRR_PHYSBASE2',
  'MTRR_PHYSMASK2',
  'MTRR_PHYSBASE3',
  'MTRR_PHYSMASK3',
  'MTRR_PHYSBASE4',
  'MTRR_PHYSMASK4',
  'MTRR_PHYSBASE5',
  'MTRR_PHYSMASK5',
  'MTRR_PHYSBASE6',
  'MTRR_PHYSMASK6',
  'MTRR_PHYSBASE7',
  'MTRR_PHYSMASK7',
  // Bit 0: NMIs are blocked until IRET. Bit 1: the instruction went through the IDT.
  'EVENT_STATE',
  'MC0_CTL',
  'MC1_CTL',
  'MC2_CTL',
  'MC3_CTL',
  // Counter of the numbers that RDRAND has given.
  'ENTROPY',
  'MC0_ADDR',
  'MC0_MISC',
  'MC1_ADDR',
  'MC1_MISC',
  'MC2_ADDR',
  'MC2_MISC',
  'MC3_ADDR',
  'MC3_MISC',
] as const;

export type StoredRegister = (typeof STORED)[number];

const OFFSETS = new Map<StoredRegister, number>(STORED.map((name, index) => [name, MSR_STORAGE + index * 8]));

/** All names, in the order of their slots. */
export const STORED_REGISTERS: readonly StoredRegister[] = STORED;

/** Offset of `name` in the state block. */
export function storedRegister(name: StoredRegister): number {
  return OFFSETS.get(name)!;
}

/** The PAE page-directory-pointer registers: four entries of 8 bytes. */
export const PDPTE_REGISTERS = storedRegister('PDPTE0');

const EVENT_STATE = storedRegister('EVENT_STATE');
export const NMI_BLOCKED = 1;
const DELIVERED = 2;

/** An NMI is being handled: further ones wait for IRET (SDM vol. 3 §6.7.1). */
export function isNmiBlocked(state: CpuState): boolean {
  return (state.u32(EVENT_STATE) & NMI_BLOCKED) !== 0;
}

export function blockNmi(state: CpuState): void {
  state.setU32(EVENT_STATE, state.u32(EVENT_STATE) | NMI_BLOCKED);
}

export function unblockNmi(state: CpuState): void {
  state.setU32(EVENT_STATE, state.u32(EVENT_STATE) & ~NMI_BLOCKED);
}

/** INT n and its like go through the IDT and clear TF: no single-step trap follows them, whatever TF was (SDM vol. 3 §17.3.1.4). */
export function markDelivered(state: CpuState): void {
  state.setU32(EVENT_STATE, state.u32(EVENT_STATE) | DELIVERED);
}

/** True when that happened since the last call. */
export function takeDelivered(state: CpuState): boolean {
  const value = state.u32(EVENT_STATE);
  state.setU32(EVENT_STATE, value & ~DELIVERED);
  return (value & DELIVERED) !== 0;
}
