import { STATE_END } from '../state.ts';

/** Where the engine keeps what in the Wasm memory: state first, then caches, micro-ops, and what the machine puts there. */

const PAGE = 0x1000;

export const TLB_ENTRIES = 1024;
/** Tag (linear page, −1 invalid) u64 at 0, addend (host = low linear + addend) u32 at 8. */
export const TLB_ENTRY_BYTES = 16;
export const TLB_BYTES = TLB_ENTRIES * TLB_ENTRY_BYTES;
/** User, supervisor, supervisor over SMAP: a reading and a writing TLB each. */
export const MMU_COUNT = 3;

/**
 * A translation area: what one processor caches of its page tables. Generated code finds it through TRANSLATION_AREA and TLB_READ, TLB_WRITE
 * in the state, never at a fixed address. Offsets in the area:
 */
export const TLBS = 0;
/** Copies of entries that accesses of regions found last, by place in the code: looked at without computing an index. */
export const PAGE_SLOTS = 256;
/** A reading TLB, the writing one, the slots. */
const MMU_BYTES = 2 * TLB_BYTES + PAGE_SLOTS * TLB_ENTRY_BYTES;
export const TLBS_END = TLBS + MMU_COUNT * MMU_BYTES;

/** RIP with MODE_KEY u64 at 0, RIP_PAGE u64 at 8, micro-op u32 at 16. */
export const JUMP_CACHE_ENTRIES = 16384;
export const JUMP_CACHE_ENTRY_BYTES = 32;
export const JUMP_CACHE = TLBS_END;
export const JUMP_CACHE_END = JUMP_CACHE + JUMP_CACHE_ENTRIES * JUMP_CACHE_ENTRY_BYTES;

/** How many supervisor entries of the TLBs are not global, u32, and where they are: words in the area, u32 each; beyond the list's end all go. */
export const LOCAL_COUNT = JUMP_CACHE_END;
export const LOCAL_ENTRIES = LOCAL_COUNT + 8;
export const LOCAL_ENTRIES_COUNT = 1024;
/** 4 MiB regions (hashed, a byte each) that large pages map: INVLPG of one address there drops every piece. */
export const LARGE_REGIONS = LOCAL_ENTRIES + LOCAL_ENTRIES_COUNT * 4;
export const LARGE_REGIONS_COUNT = 1024;
/** Translations for execution: CODE_TLB_ENTRY of code-search.ts. */
export const CODE_TLB = LARGE_REGIONS + LARGE_REGIONS_COUNT;
export const CODE_TLB_ENTRIES = 1024;
export const CODE_TLB_ENTRY_BYTES = 32;
export const CODE_TLB_END = CODE_TLB + CODE_TLB_ENTRIES * CODE_TLB_ENTRY_BYTES;
export const TRANSLATION_AREA_BYTES = Math.ceil(CODE_TLB_END / PAGE) * PAGE;

/** The first processor's area; those of the others stand behind the machine's memory. */
export const FIRST_TRANSLATION_AREA = Math.ceil(STATE_END / PAGE) * PAGE;

/** A page for code that is fetched from devices. */
export const FETCH_PAGE = FIRST_TRANSLATION_AREA + TRANSLATION_AREA_BYTES;

/** Micro-ops; when it is full, all translations are dropped. */
export const UOP_ARENA = FETCH_PAGE + 0x1000;
export const UOP_ARENA_BYTES = 0x400_0000;
export const UOP_ARENA_END = UOP_ARENA + UOP_ARENA_BYTES;
/** Room at the arena's end for blocks that run once. */
export const SCRATCH_UOPS = 256 * 32;

/** The last two of them: see CodeCache.detour. */
export const DETOUR = UOP_ARENA_END - 2 * 32;

/** How often each block was entered: u16 by micro-op. */
export const ENTRY_COUNTS = UOP_ARENA_END;
export const ENTRY_COUNT_SHIFT = 4;
export const ENTRY_COUNTS_END = ENTRY_COUNTS + (UOP_ARENA_BYTES >> ENTRY_COUNT_SHIFT);

/** Address of a block's entry count. */
export function entryCountOf(uop: number): number {
  return ENTRY_COUNTS + ((uop - UOP_ARENA) >> ENTRY_COUNT_SHIFT);
}

/** Where indirect jumps went lately: micro-op u32, low half of the target u32, hashed. */
export const INDIRECT_JUMPS = ENTRY_COUNTS_END;
export const INDIRECT_JUMPS_COUNT = 4096;
export const INDIRECT_JUMPS_END = INDIRECT_JUMPS + INDIRECT_JUMPS_COUNT * 8;

/** Blocks by guest-physical address, hashed: BLOCK_ENTRY of code-search.ts. */
export const BLOCKS = INDIRECT_JUMPS_END;
export const BLOCKS_COUNT = 0x8000;
export const BLOCK_ENTRY_BYTES = 16;
export const BLOCKS_END = BLOCKS + BLOCKS_COUNT * BLOCK_ENTRY_BYTES;

/** Guest-physical pages below 8 GiB that are known as plain memory: u32 by page, host page and PHYSICAL_PAGE. Untouched pages of it cost nothing. */
export const PHYSICAL_MAP = BLOCKS_END;
export const PHYSICAL_MAP_BITS = 33;
export const PHYSICAL_MAP_BYTES = 2 ** (PHYSICAL_MAP_BITS - 12) * 4;
export const PHYSICAL_PAGE = { READ: 1, WRITE: 2 } as const;

/** Guest RAM and ROM from here. */
export const MACHINE_OFFSET = PHYSICAL_MAP + PHYSICAL_MAP_BYTES;

/** Offset of the reading TLB of an MMU index in its area. */
export function readTlbOf(mmuIndex: number): number {
  return TLBS + mmuIndex * MMU_BYTES;
}

/** Offset of the writing TLB of an MMU index in its area. */
export function writeTlbOf(mmuIndex: number): number {
  return readTlbOf(mmuIndex) + TLB_BYTES;
}

/** Offset of the page slots of an MMU index in its area; they end where the next index begins. */
export function slotsOf(mmuIndex: number): number {
  return readTlbOf(mmuIndex) + 2 * TLB_BYTES;
}
