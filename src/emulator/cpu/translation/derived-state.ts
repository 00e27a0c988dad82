import type { CpuState } from '../cpu-state.ts';
import { readTlbOf, writeTlbOf } from '../interpreter/layout.ts';
import { CODE_SIZE, MODE_BITS, updateModes } from '../modes.ts';
import {
  CODE_LIMIT,
  LINEAR_MASK,
  MMU_INDEX,
  MODE,
  MODE_KEY,
  READ_LIMITS,
  SEGMENT_ATTRIBUTES,
  SEGMENT_INDEX,
  STACK_MASK,
  TLB_READ,
  TLB_WRITE,
  TRANSLATION_AREA,
  USER_GENERATION,
  WRITE_LIMITS,
} from '../state.ts';

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const DATA_WRITABLE = 0x2;
const CODE = 0x8;
const CODE_READABLE = 0x2;
const EXPAND_DOWN = 0x4;

/** Bits of a data segment that decide whether the fast limit applies; 0 sends every access to TypeScript. */
function limitOf(state: CpuState, segment: number, write: boolean, isProtected: boolean): bigint {
  const attributes = state.segmentAttributes(segment);
  const limit = BigInt(state.segmentLimit(segment)) + 1n;
  if (!isProtected) return limit;
  if ((attributes & SEGMENT_ATTRIBUTES.NULL_SEGMENT) !== 0) return 0n;
  const isCode = (attributes & CODE) !== 0;
  if (isCode) return write || (attributes & CODE_READABLE) === 0 ? 0n : limit;
  if ((attributes & EXPAND_DOWN) !== 0) return 0n;
  return write && (attributes & DATA_WRITABLE) === 0 ? 0n : limit;
}

/** Recomputes everything that generated code reads besides the registers themselves. True when code must be looked up anew. */
export function updateDerivedState(state: CpuState): void {
  // High half of the last mask: 64-bit code left every limit open.
  const was64 = state.u32(LINEAR_MASK + 4) !== 0;
  updateModes(state);
  const mode = state.u32(MODE);
  const code64 = (mode & MODE_BITS.CODE_SIZE) === CODE_SIZE.BITS_64;
  updateTranslationIndex(state);
  if (was64 && code64) return;
  const isProtected = (mode & MODE_BITS.PROTECTED) !== 0 && (mode & MODE_BITS.VIRTUAL_8086) === 0;
  state.setU64(LINEAR_MASK, code64 ? ALL_ONES : 0xffff_ffffn);
  state.setU64(STACK_MASK, code64 ? ALL_ONES : (mode & MODE_BITS.STACK_32) !== 0 ? 0xffff_ffffn : 0xffffn);
  for (let segment = 0; segment <= SEGMENT_INDEX.GS; segment++) {
    state.setU64(READ_LIMITS + segment * 8, code64 ? ALL_ONES : limitOf(state, segment, false, isProtected));
    state.setU64(WRITE_LIMITS + segment * 8, code64 ? ALL_ONES : limitOf(state, segment, true, isProtected));
  }
  state.setU64(CODE_LIMIT, code64 ? ALL_ONES : BigInt(state.segmentLimit(SEGMENT_INDEX.CS)));
}

function updateTranslationIndex(state: CpuState): void {
  const mmu = state.u32(MMU_INDEX);
  const area = state.u32(TRANSLATION_AREA);
  state.setU32(TLB_READ, area + readTlbOf(mmu));
  state.setU32(TLB_WRITE, area + writeTlbOf(mmu));
  updateModeKey(state);
}

/** Bits 55:52 of the key hold code size and CPL 3, bits 63:56 the user's generation: no two kinds of code share a key and an address. */
export function updateModeKey(state: CpuState): void {
  const mode = state.u32(MODE);
  const user = (mode & MODE_BITS.USER) !== 0;
  const key = (mode & MODE_BITS.CODE_SIZE) | (user ? 4 : 0);
  state.setU32(MODE_KEY, 0);
  state.setU32(MODE_KEY + 4, (key << 20) | (user ? state.u32(USER_GENERATION) << 24 : 0));
}

/** An access that the fast limits do not allow: true when the segment's own rules do (expand-down). */
export function passesSegmentRules(
  state: CpuState,
  segment: number,
  offset: bigint,
  byteLength: number,
  write: boolean,
): boolean {
  const attributes = state.segmentAttributes(segment);
  if ((attributes & SEGMENT_ATTRIBUTES.NULL_SEGMENT) !== 0 || (attributes & CODE) !== 0) return false;
  if ((attributes & EXPAND_DOWN) === 0) return false;
  if (write && (attributes & DATA_WRITABLE) === 0) return false;
  const top = (attributes & SEGMENT_ATTRIBUTES.DB) !== 0 ? 0x1_0000_0000n : 0x1_0000n;
  return offset > BigInt(state.segmentLimit(segment)) && offset + BigInt(byteLength) <= top;
}
