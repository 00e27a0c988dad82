import type { I32, I64 } from '../isa/semantics.ts';
import { MODE_KEY, TRANSLATION_AREA } from '../state.ts';
import { type Expr, i32, i64 } from '../wasm/expr.ts';
import { JUMP_CACHE, JUMP_CACHE_ENTRIES } from './layout.ts';

/** One entry of the jump cache, 32 bytes: from RIP to the block there. Offsets from the processor's translation area plus the RIP's slot. */
export const JUMP_ENTRY = {
  /** RIP xor MODE_KEY, u64. */
  TAG: JUMP_CACHE,
  /** RIP_PAGE for the block, u64. */
  RIP_PAGE: JUMP_CACHE + 8,
  /** Its micro-op, u32. */
  UOP: JUMP_CACHE + 16,
  /** What TypeScript must know to drop it: JUMP_OWNER u32, and the low half of the page's linear address. */
  OWNER: JUMP_CACHE + 20,
  LINEAR_PAGE: JUMP_CACHE + 24,
} as const;

/** The slot of an RIP, in bytes, by its low half. */
export function jumpSlotOf(ripLow: number): number {
  return ((ripLow ^ (ripLow >>> 9)) & (JUMP_CACHE_ENTRIES - 1)) << 5;
}

/** The same in Wasm: area plus slot, bound, and whether the entry there is `rip`'s. */
export function probeJump(bind: (value: Expr<'i32'>) => Expr<'i32'>, rip: I64): { entry: I32; hit: I32 } {
  const low = bind(i32.wrap(rip));
  const slot = i32.and(i32.xor(low, i32.shrU(low, i32.const(9))), i32.const(JUMP_CACHE_ENTRIES - 1));
  const entry = bind(i32.add(i32.shl(slot, i32.const(5)), i32.load(i32.const(TRANSLATION_AREA))));
  const tag = i64.xor(rip, i64.load(i32.const(MODE_KEY)));
  return { entry, hit: i64.eq(i64.load(entry, JUMP_ENTRY.TAG), tag) };
}
