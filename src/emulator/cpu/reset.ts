import { CR0_BITS, DR6_RESET, DR7_RESET } from './control-bits.ts';
import type { CpuState } from './cpu-state.ts';
import { updateModes } from './modes.ts';
import { FEATURE_CONTROL_RESET, MISC_ENABLE_RESET, PAT_RESET } from './msr/registers.ts';
import {
  BUDGET,
  CPL,
  CR0,
  DR,
  FAULT_VECTOR,
  GDTR_LIMIT,
  IDTR_LIMIT,
  MSR_STORAGE,
  MXCSR,
  NO_SHADOW,
  REGISTER,
  SEGMENT_INDEX,
  STATE_BASE,
  STATE_END,
  STI_SHADOW_RIP,
  TICKS_END,
  TRANSLATION_AREA,
  X87_CONTROL,
  X87_LAST_OPCODE,
  X87_REGISTERS,
  XCR0,
  XMM,
} from './state.ts';
import { STORED_REGISTERS, storedRegister, unblockNmi } from './stored-registers.ts';
import { PROCESSOR_SIGNATURE } from './system/cpuid.ts';

/** Present, accessed read/write data (and, in CS, code) of 64 KiB: what every segment register holds after reset. */
const RESET_DATA = 0x93;
const RESET_CODE = 0x9b;
const RESET_LDT = 0x82;
const RESET_TASK = 0x8b;

/**
 * Power-on state, SDM vol. 3 table 9-1: real mode, CS base ffff0000h, IP fff0h, EDX the processor
 * signature. The counters of retired instructions are kept: virtual time does not go back.
 */
export function resetState(state: CpuState): void {
  const budget = state.u64(BUDGET);
  const ticksEnd = state.u64(TICKS_END);
  const translationArea = state.u32(TRANSLATION_AREA);
  state.bytes.fill(0, STATE_BASE, STATE_END);
  state.setU64(BUDGET, budget);
  state.setU64(TICKS_END, ticksEnd);
  state.setU32(TRANSLATION_AREA, translationArea);
  for (let segment = 0; segment < 6; segment++) state.setSegment(segment, 0, RESET_DATA, 0n, 0xffff);
  state.setSegment(SEGMENT_INDEX.CS, 0xf000, RESET_CODE, 0xffff_0000n, 0xffff);
  state.setSegment(SEGMENT_INDEX.LDTR, 0, RESET_LDT, 0n, 0xffff);
  state.setSegment(SEGMENT_INDEX.TR, 0, RESET_TASK, 0n, 0xffff);
  state.rip = 0xfff0n;
  state.nextRip = 0xfff0n;
  state.setRflags(2);
  state.setGpr32(REGISTER.RDX, PROCESSOR_SIGNATURE);
  state.setU32(GDTR_LIMIT, 0xffff);
  state.setU32(IDTR_LIMIT, 0xffff);
  state.setU32(CR0, (CR0_BITS.CD | CR0_BITS.NW | CR0_BITS.ET) >>> 0);
  state.setU32(CPL, 0);
  state.setU64(XCR0, 1n);
  state.setU64(DR + 6 * 8, BigInt(DR6_RESET));
  state.setU64(DR + 7 * 8, BigInt(DR7_RESET));
  state.setU32(X87_CONTROL, 0x40);
  state.setU32(MXCSR, 0x1f80);
  state.setU32(FAULT_VECTOR, 0xffff_ffff);
  state.setU32(STI_SHADOW_RIP, NO_SHADOW);
  state.setU64(storedRegister('PAT'), PAT_RESET);
  state.setU64(storedRegister('MISC_ENABLE'), MISC_ENABLE_RESET);
  state.setU64(storedRegister('FEATURE_CONTROL'), FEATURE_CONTROL_RESET);
  updateModes(state);
}

/** What INIT leaves alone besides XCR0 and two bits of CR0: MSRs, x87 and vector registers. */
const KEPT_BY_INIT = [
  [MSR_STORAGE, MSR_STORAGE + STORED_REGISTERS.length * 8],
  [X87_REGISTERS, X87_LAST_OPCODE + 4],
  [MXCSR, MXCSR + 4],
  [XMM, XMM + 16 * 32],
] as const;

/** What INIT makes of the state (SDM vol. 3 table 9-1). NMIs are let in again. */
export function initializeState(state: CpuState): void {
  const kept = KEPT_BY_INIT.map(([start, end]) => ({ start, bytes: state.bytes.slice(start, end) }));
  const xcr0 = state.u64(XCR0);
  const caching = state.u32(CR0) & (CR0_BITS.CD | CR0_BITS.NW);
  resetState(state);
  for (const { start, bytes } of kept) state.bytes.set(bytes, start);
  state.setU64(XCR0, xcr0);
  state.setU32(CR0, (caching | CR0_BITS.ET) >>> 0);
  unblockNmi(state);
}

/** Where a start-up message sends a processor that waits for one: real mode at `vector` × 4 KiB (SDM vol. 3 §8.4.3). */
export function startUpState(state: CpuState, vector: number): void {
  state.setSegment(SEGMENT_INDEX.CS, vector << 8, RESET_CODE, BigInt(vector << 12), 0xffff);
  state.rip = 0n;
  state.nextRip = 0n;
}
