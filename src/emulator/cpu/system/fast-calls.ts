import { EFER_BITS } from '../control-bits.ts';
import { VECTOR } from '../exceptions/vectors.ts';
import {
  GS_BASE,
  KERNEL_GS_BASE,
  LSTAR,
  SFMASK,
  STAR,
  SYSENTER_CS,
  SYSENTER_EIP,
  SYSENTER_ESP,
} from '../fast-call-registers.ts';
import { isCanonical } from '../mmu/canonical.ts';
import { isCode64, isLongActive, isProtected } from '../modes.ts';
import { FLAT_LIMIT, FLAT_SEGMENT, flatAttributes } from '../segmentation/flat.ts';
import { CPL, EFER, EFFECTIVE_BASES, REGISTER, RFLAGS, SEGMENT_INDEX } from '../state.ts';
import { markDelivered } from '../stored-registers.ts';
import type { CpuContext, DecodedOperands } from '../system-context.ts';
import { requireSupervisor } from './privilege.ts';

function setFlatCodeAndStack(
  cpu: CpuContext,
  selectors: { cs: number; ss: number },
  cpl: number,
  code64: boolean,
): void {
  const { state } = cpu;
  const code = code64 ? FLAT_SEGMENT.CODE_64 : FLAT_SEGMENT.CODE_32;
  state.setSegment(SEGMENT_INDEX.CS, selectors.cs, flatAttributes(code, cpl), 0n, FLAT_LIMIT);
  state.setSegment(SEGMENT_INDEX.SS, selectors.ss, flatAttributes(FLAT_SEGMENT.DATA, cpl), 0n, FLAT_LIMIT);
  state.setU32(CPL, cpl);
}

/** SYSCALL: 64-bit code only, as on Intel's processors. */
export function systemCall(cpu: CpuContext): void {
  const { state } = cpu;
  if (!isCode64(state) || (state.u32(EFER) & EFER_BITS.SCE) === 0) cpu.fault(VECTOR.UD);
  const flags = state.rflags() & ~RFLAGS.RF;
  state.setGpr(REGISTER.RCX, state.nextRip);
  state.setGpr(11, BigInt(flags >>> 0));
  state.nextRip = state.u64(LSTAR);
  state.setRflags(flags & ~state.u32(SFMASK));
  // TF counts after the call: when the mask clears it, no trap comes in between.
  if ((flags & state.u32(SFMASK) & RFLAGS.TF) !== 0) markDelivered(state);
  const selector = state.u32(STAR + 4) & 0xfffc;
  setFlatCodeAndStack(cpu, { cs: selector, ss: selector + 8 }, 0, true);
  cpu.modesChanged();
}

/** SYSRET to 64-bit code (REX.W) or 32-bit code. */
export function systemReturn(cpu: CpuContext, operands: DecodedOperands): void {
  const { state } = cpu;
  if (!isCode64(state) || (state.u32(EFER) & EFER_BITS.SCE) === 0) cpu.fault(VECTOR.UD);
  requireSupervisor(cpu);
  const to64 = operands.operandSize === 8;
  const target = state.gpr(REGISTER.RCX);
  if (to64 && !isCanonical(state, target)) cpu.fault(VECTOR.GP, 0);
  state.setRflags((state.gpr32(11) & 0x003c_7fd7) | 2);
  state.nextRip = to64 ? target : target & 0xffff_ffffn;
  const base = state.u32(STAR + 4) >>> 16;
  const cs = (base + (to64 ? 16 : 0)) | 3;
  setFlatCodeAndStack(cpu, { cs: cs & 0xffff, ss: ((base + 8) | 3) & 0xffff }, 3, to64);
  cpu.modesChanged();
}

/** SYSENTER. */
export function systemEnter(cpu: CpuContext): void {
  const { state } = cpu;
  const selector = state.u32(SYSENTER_CS) & 0xfffc;
  if (!isProtected(state) || selector === 0) cpu.fault(VECTOR.GP, 0);
  const long = isLongActive(state);
  state.setRflags(state.rflags() & ~(RFLAGS.VM | RFLAGS.IF | RFLAGS.RF));
  setFlatCodeAndStack(cpu, { cs: selector, ss: selector + 8 }, 0, long);
  const width = long ? 64 : 32;
  state.setGpr(REGISTER.RSP, BigInt.asUintN(width, state.u64(SYSENTER_ESP)));
  state.nextRip = BigInt.asUintN(width, state.u64(SYSENTER_EIP));
  cpu.modesChanged();
}

/** SYSEXIT to 32-bit code, or to 64-bit code with REX.W. */
export function systemExit(cpu: CpuContext, operands: DecodedOperands): void {
  const { state } = cpu;
  const selector = state.u32(SYSENTER_CS) & 0xfffc;
  if (!isProtected(state) || selector === 0) cpu.fault(VECTOR.GP, 0);
  requireSupervisor(cpu);
  const to64 = operands.operandSize === 8;
  const target = state.gpr(REGISTER.RDX);
  const pointer = state.gpr(REGISTER.RCX);
  if (to64 && (!isCanonical(state, target) || !isCanonical(state, pointer))) cpu.fault(VECTOR.GP, 0);
  const width = to64 ? 64 : 32;
  const cs = selector + (to64 ? 32 : 16);
  setFlatCodeAndStack(cpu, { cs: cs | 3, ss: (cs + 8) | 3 }, 3, to64);
  state.nextRip = BigInt.asUintN(width, target);
  state.setGpr(REGISTER.RSP, BigInt.asUintN(width, pointer));
  cpu.modesChanged();
}

/** SWAPGS: 64-bit code at CPL 0. */
export function swapGsBase(cpu: CpuContext): void {
  const { state } = cpu;
  if (!isCode64(state)) cpu.fault(VECTOR.UD);
  requireSupervisor(cpu);
  for (let half = 0; half < 8; half += 4) {
    const old = state.u32(GS_BASE + half);
    const value = state.u32(KERNEL_GS_BASE + half);
    state.setU32(GS_BASE + half, value);
    state.setU32(EFFECTIVE_BASES + SEGMENT_INDEX.GS * 8 + half, value);
    state.setU32(KERNEL_GS_BASE + half, old);
  }
}

/** Changes FS's or GS's base alone (SWAPGS, MSRs, WRFSBASE). */
export function setSegmentBase(cpu: CpuContext, segment: number, base: bigint): void {
  const { state } = cpu;
  state.setSegment(
    segment,
    state.selector(segment),
    state.segmentAttributes(segment),
    base,
    state.segmentLimit(segment),
  );
  cpu.modesChanged();
}
