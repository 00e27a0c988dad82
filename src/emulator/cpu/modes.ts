import { CR0_BITS, CR4_BITS, EFER_BITS } from './control-bits.ts';
import type { CpuState } from './cpu-state.ts';
import { linearAddressBits } from './mmu/canonical.ts';
import { MMU } from './mmu/page-walk.ts';
import {
  AVX_TRAP,
  CANONICAL_SHIFT,
  CPL,
  CR0,
  CR4,
  EFER,
  EFFECTIVE_BASES,
  FLAGS_SYSTEM,
  MMU_INDEX,
  MMX_TRAP,
  MODE,
  RFLAGS,
  SEGMENT,
  SEGMENT_ATTRIBUTES,
  SEGMENT_INDEX,
  SEGMENTS,
  SSE_TRAP,
  XCR0,
} from './state.ts';

/** Bits of MODE: everything that the decoding of an instruction depends on, and nothing else that changes often. */
export const MODE_BITS = {
  /** CODE_SIZE. */
  CODE_SIZE: 3,
  /** The stack pointer is ESP (else SP); 64-bit code always uses RSP. */
  STACK_32: 1 << 2,
  /** EFER.LMA: long mode, 64-bit or compatibility. */
  LONG: 1 << 3,
  /** CR0.PE, virtual-8086 included. */
  PROTECTED: 1 << 4,
  VIRTUAL_8086: 1 << 5,
  /** CPL 3. */
  USER: 1 << 6,
} as const;

/** The values of MODE_BITS.CODE_SIZE. Flat: 32-bit code in protected mode whose CS, SS, DS and ES are all of 4 GiB. */
export const CODE_SIZE = { BITS_16: 0, BITS_32: 1, BITS_64: 2, FLAT_32: 3 } as const;

/** Attributes of a usable data segment that expands up and may be written (type 2 or 3). */
const FLAT_DATA = { BITS: SEGMENT_ATTRIBUTES.NULL_SEGMENT | 0xe, VALUE: 0x2 } as const;

/** CR0.PE is set. */
export function isProtected(state: CpuState): boolean {
  return (state.u32(CR0) & CR0_BITS.PE) !== 0;
}

/** RFLAGS.VM is set: virtual-8086 mode. */
export function isVirtual8086(state: CpuState): boolean {
  return (state.u32(FLAGS_SYSTEM) & RFLAGS.VM) !== 0;
}

/** Segments load as selector × 16: real mode or virtual-8086. */
export function isRealAddressing(state: CpuState): boolean {
  return !isProtected(state) || isVirtual8086(state);
}

/** EFER.LMA: long mode, 64-bit or compatibility. */
export function isLongActive(state: CpuState): boolean {
  return (state.u32(EFER) & EFER_BITS.LMA) !== 0;
}

/** 64-bit code runs. */
export function isCode64(state: CpuState): boolean {
  return isLongActive(state) && (state.segmentAttributes(SEGMENT_INDEX.CS) & SEGMENT_ATTRIBUTES.L) !== 0;
}

/** I/O privilege level, 0–3. */
export function ioPrivilegeLevel(state: CpuState): number {
  return (state.u32(FLAGS_SYSTEM) >>> 12) & 3;
}

/** Index of the MMU's translations for explicit accesses of the code that runs (MMU of page-walk.ts). */
function mmuIndexOf(state: CpuState): number {
  if (state.u32(CPL) === 3) return MMU.USER;
  const smap = (state.u32(CR4) & CR4_BITS.SMAP) !== 0;
  return smap && (state.u32(FLAGS_SYSTEM) & RFLAGS.AC) === 0 ? MMU.SUPERVISOR : MMU.SUPERVISOR_OVER_SMAP;
}

/** Limits and rights of CS, SS, DS and ES never bite: accesses through them need neither base nor check. */
function isFlat(state: CpuState): boolean {
  const isWhole = (segment: number): boolean =>
    state.u32(SEGMENTS + segment * SEGMENT.BYTE_LENGTH + SEGMENT.BASE) === 0 &&
    state.segmentLimit(segment) === 0xffff_ffff;
  const isData = (segment: number): boolean =>
    isWhole(segment) && (state.segmentAttributes(segment) & FLAT_DATA.BITS) === FLAT_DATA.VALUE;
  const { CS, SS, DS, ES } = SEGMENT_INDEX;
  const isStack32 = (state.segmentAttributes(SS) & SEGMENT_ATTRIBUTES.DB) !== 0;
  return isWhole(CS) && isStack32 && isData(SS) && isData(DS) && isData(ES);
}

/** Recomputes MODE, EFFECTIVE_BASES, CPL in real and virtual-8086 mode, and MMU_INDEX from the registers they derive from. */
export function updateModes(state: CpuState): void {
  const isProtectedMode = isProtected(state);
  const v8086 = isProtectedMode && isVirtual8086(state);
  if (!isProtectedMode) state.setU32(CPL, 0);
  else if (v8086) state.setU32(CPL, 3);
  const csAttributes = state.segmentAttributes(SEGMENT_INDEX.CS);
  const long = isLongActive(state);
  const code64 = long && (csAttributes & SEGMENT_ATTRIBUTES.L) !== 0;
  let mode: number = CODE_SIZE.BITS_16;
  if (code64) mode = CODE_SIZE.BITS_64;
  else if ((csAttributes & SEGMENT_ATTRIBUTES.DB) !== 0)
    mode = isProtectedMode && !v8086 && isFlat(state) ? CODE_SIZE.FLAT_32 : CODE_SIZE.BITS_32;
  if ((state.segmentAttributes(SEGMENT_INDEX.SS) & SEGMENT_ATTRIBUTES.DB) !== 0) mode |= MODE_BITS.STACK_32;
  if (long) mode |= MODE_BITS.LONG;
  if (isProtectedMode) mode |= MODE_BITS.PROTECTED;
  if (v8086) mode |= MODE_BITS.VIRTUAL_8086;
  if (state.u32(CPL) === 3) mode |= MODE_BITS.USER;
  state.setU32(MODE, mode);
  for (let segment = 0; segment < 6; segment++) {
    const flatHere = code64 && segment < SEGMENT_INDEX.FS;
    const target = EFFECTIVE_BASES + segment * 8;
    const source = SEGMENTS + segment * SEGMENT.BYTE_LENGTH + SEGMENT.BASE;
    state.setU32(target, flatHere ? 0 : state.u32(source));
    state.setU32(target + 4, flatHere ? 0 : state.u32(source + 4));
  }
  state.setU64(EFFECTIVE_BASES + 6 * 8, 0n);
  state.setU32(MMU_INDEX, mmuIndexOf(state));
  state.setU64(CANONICAL_SHIFT, BigInt(64 - linearAddressBits(state)));
  updateVectorTraps(state);
}

/** SDM vol. 3 table 2-2 and §13.1: EM and a clear OSFXSR make the registers undefined, TS asks the operating system first. */
function updateVectorTraps(state: CpuState): void {
  const cr0 = state.u32(CR0);
  const emulated = (cr0 & CR0_BITS.EM) !== 0;
  const notAvailable = (cr0 & CR0_BITS.TS) !== 0 ? 7 : 0;
  state.setU32(MMX_TRAP, emulated ? 6 : notAvailable);
  // SDM vol. 2 §2.4, table 2-16: AVX asks XCR0 instead of EM and OSFXSR, and needs protected mode.
  const enabled = (state.u32(CR4) & CR4_BITS.OSXSAVE) !== 0 && (state.u32(XCR0) & 6) === 6;
  const usable = enabled && isProtected(state) && !isVirtual8086(state);
  state.setU32(AVX_TRAP, usable ? notAvailable : 6);
  state.setU32(SSE_TRAP, emulated || (state.u32(CR4) & CR4_BITS.OSFXSR) === 0 ? 6 : notAvailable);
}
