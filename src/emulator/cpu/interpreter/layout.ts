import { STATE_END } from '../state.ts';

/** Where the engine keeps what in the Wasm memory: state first, then caches, micro-ops, and what the machine puts there. */

const PAGE = 0x1000;

export const TLB_ENTRIES = 1024;
/** Tag (linear page, −1 invalid) u64 at 0, addend (host = low linear + addend) u32 at 8. */
export const TLB_ENTRY_BYTES = 16;
export const TLB_BYTES = TLB_ENTRIES * TLB_ENTRY_BYTES;
/** User, supervisor, supervisor over SMAP: a reading and a writing TLB each. */
export const MMU_COUNT = 3;

export const TLB_BASE = Math.ceil(STATE_END / PAGE) * PAGE;
export const TLB_END = TLB_BASE + MMU_COUNT * 2 * TLB_BYTES;

/** RIP with MODE_KEY u64 at 0, RIP_PAGE u64 at 8, micro-op u32 at 16. */
export const JUMP_CACHE_ENTRIES = 8192;
export const JUMP_CACHE_ENTRY_BYTES = 32;
export const JUMP_CACHE = TLB_END;
export const JUMP_CACHE_END = JUMP_CACHE + JUMP_CACHE_ENTRIES * JUMP_CACHE_ENTRY_BYTES;

/** A page for code that is fetched from devices. */
export const FETCH_PAGE = Math.ceil(JUMP_CACHE_END / 0x1000) * 0x1000;

/** Micro-ops; when it is full, all translations are dropped. */
export const UOP_ARENA = FETCH_PAGE + 0x1000;
export const UOP_ARENA_BYTES = 0x400_0000;
export const UOP_ARENA_END = UOP_ARENA + UOP_ARENA_BYTES;
/** Room at the arena's end for blocks that run once. */
export const SCRATCH_UOPS = 256 * 32;

/** How often each block was entered: u16 by micro-op. */
export const ENTRY_COUNTS = UOP_ARENA_END;
export const ENTRY_COUNT_SHIFT = 4;
export const ENTRY_COUNTS_END = ENTRY_COUNTS + (UOP_ARENA_BYTES >> ENTRY_COUNT_SHIFT);

/** Guest RAM and ROM from here. */
export const MACHINE_OFFSET = ENTRY_COUNTS_END;

export function readTlbOf(mmuIndex: number): number {
  return TLB_BASE + mmuIndex * 2 * TLB_BYTES;
}

export function writeTlbOf(mmuIndex: number): number {
  return readTlbOf(mmuIndex) + TLB_BYTES;
}
