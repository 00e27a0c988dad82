import type { I32, I64 } from '../isa/semantics.ts';
import { CODE_SIZE, MODE_BITS } from '../modes.ts';
import { MMU_INDEX, MODE, MODE_KEY, RIP_PAGE, TRANSLATION_AREA } from '../state.ts';
import { i32, i64, localGet } from '../wasm/expr.ts';
import { FunctionBuilder } from '../wasm/function-builder.ts';
import { JUMP_ENTRY, probeJump } from './jump-cache.ts';
import { BLOCK_ENTRY_BYTES, BLOCKS, BLOCKS_COUNT, CODE_TLB, CODE_TLB_ENTRIES, CODE_TLB_ENTRY_BYTES } from './layout.ts';

const PAGE = 0x1000;

/** An entry of the code TLB; TypeScript fills and drops it (translation/code-lookup.ts). Offsets from CODE_TLB and the entry's place. */
export const CODE_TLB_ENTRY = {
  /** Linear page and MMU index, u64; −1: none. */
  TAG: 0,
  /** Guest-physical page, u32, and where it stands in the engine's memory. */
  PAGE: 8,
  HOST_PAGE: 12,
  /** JUMP_OWNER of the jumps that lead there. */
  OWNER: 16,
  /** 1: a CR3 write leaves it, for the supervisor. */
  IS_GLOBAL: 20,
} as const;

/** An entry of BLOCKS; TypeScript fills and drops it (translation/code-cache.ts). */
export const BLOCK_ENTRY = {
  /** Guest-physical page << 14 with the block's key, offset and code size; u64, −1: none. */
  TAG: 0,
  UOP: 8,
} as const;

/** Address of the entry of a block, by the words of its tag. */
export function blockEntryOf(tagLow: number): number {
  return BLOCKS + ((tagLow ^ (tagLow >>> 13)) & (BLOCKS_COUNT - 1)) * BLOCK_ENTRY_BYTES;
}

/** (RIP) → the micro-op of the block there, 0 when TypeScript must look. */
export const FIND_SIGNATURE = { parameters: ['i64'], results: ['i32'] } as const;
const RIP_PARAMETER: I64 = localGet('i64', 0);

/**
 * A jump that the jump cache does not hold, to code that is known: a change of address space forgets all jumps of the user. The page comes
 * from the code TLB, the block from BLOCKS; the jump is cached again, and RIP_PAGE set. Code with a segment base is TypeScript's.
 */
export function findCodeFunction(): FunctionBuilder {
  const b = new FunctionBuilder(1);
  const leaveUnless = (condition: I32): void => b.plainIf(i32.eqz(condition), () => b.return(i32.const(0)));
  const codeSize = b.let(i32.and(i32.load(i32.const(MODE)), i32.const(MODE_BITS.CODE_SIZE)));
  leaveUnless(i32.and(codeSize, i32.const(CODE_SIZE.BITS_64)));
  const page = b.let(i64.and(RIP_PARAMETER, i64.const(-PAGE)));
  const low = b.let(i32.wrap(RIP_PARAMETER));
  const place = i32.mul(
    i32.and(i32.shrU(low, i32.const(12)), i32.const(CODE_TLB_ENTRIES - 1)),
    i32.const(CODE_TLB_ENTRY_BYTES),
  );
  const translation = b.let(i32.add(i32.load(i32.const(TRANSLATION_AREA)), place));
  const wanted = i64.or(page, i64.extendI32U(i32.load(i32.const(MMU_INDEX))));
  leaveUnless(i64.eq(i64.load(translation, CODE_TLB + CODE_TLB_ENTRY.TAG), wanted));
  const key = i32.or(i32.and(low, i32.const(PAGE - 1)), i32.shl(codeSize, i32.const(12)));
  const physical = i64.shl(i64.load32u(translation, CODE_TLB + CODE_TLB_ENTRY.PAGE), i64.const(14));
  const tag = b.let(i64.or(physical, i64.extendI32U(key)));
  const hash = i32.xor(i32.wrap(tag), i32.shrU(i32.wrap(tag), i32.const(13)));
  const block = b.let(i32.mul(i32.and(hash, i32.const(BLOCKS_COUNT - 1)), i32.const(BLOCK_ENTRY_BYTES)));
  leaveUnless(i64.eq(i64.load(block, BLOCKS + BLOCK_ENTRY.TAG), tag));
  const uop = b.let(i32.load(block, BLOCKS + BLOCK_ENTRY.UOP));
  const { entry } = probeJump((value) => b.let(value), RIP_PARAMETER);
  b.storeI64(entry, i64.xor(RIP_PARAMETER, i64.load(i32.const(MODE_KEY))), JUMP_ENTRY.TAG);
  b.storeI64(entry, page, JUMP_ENTRY.RIP_PAGE);
  b.storeI32(entry, uop, JUMP_ENTRY.UOP);
  b.storeI32(entry, i32.load(translation, CODE_TLB + CODE_TLB_ENTRY.OWNER), JUMP_ENTRY.OWNER);
  b.storeI32(entry, i32.wrap(page), JUMP_ENTRY.LINEAR_PAGE);
  b.storeI64(i32.const(RIP_PAGE), page);
  b.return(uop);
  b.unreachable();
  return b;
}
