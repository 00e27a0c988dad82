import { CR4_BITS } from '../control-bits.ts';
import { readTlbOf, writeTlbOf } from '../interpreter/layout.ts';
import { MMU } from '../mmu/page-walk.ts';
import { CODE_SIZE, MODE_BITS } from '../modes.ts';
import { FLAT_LIMIT, FLAT_SEGMENT, flatAttributes } from '../segmentation/flat.ts';
import {
  CPL,
  CR4,
  DIRECTION,
  FLAGS_SYSTEM,
  MMU_INDEX,
  MODE,
  MODE_KEY,
  RFLAGS,
  SEGMENT,
  SEGMENT_ATTRIBUTES,
  SEGMENT_INDEX,
  SEGMENTS,
  STATUS_FLAGS,
  TLB_READ,
  TLB_WRITE,
  TRANSLATION_AREA,
  USER_GENERATION,
} from '../state.ts';
import { i32, i64, select } from '../wasm/expr.ts';
import { type FlagWords, setStatusFlags } from './flags.ts';
import type { I32, I64, Semantics } from './semantics.ts';

/*
 * Changes of privilege in generated code, where little derives from them: flat segments before and after, and the same code size. Then CPL, the
 * stack's width, the TLBs and the key of cached jumps are all that moves. translation/derived-state.ts has the same in full.
 */

/** What the functions here need of a back end. */
export type StateAccess = FlagWords & Pick<Semantics, 'stateI32' | 'stateI64' | 'setStateI32' | 'setStateI64'>;

const placeOf = (segment: number): number => SEGMENTS + segment * SEGMENT.BYTE_LENGTH;

/** One of these bits is set: 0 or 1. */
export const isSet = (word: I32, bit: number): I32 => i32.ne(i32.and(word, i32.const(bit)), i32.const(0));

/** 64-bit code, or 32-bit code outside long mode, be it flat or not (which lies with the data segments, as CS and SS are flat here). */
export function isCodeOf(c: StateAccess, size: 4 | 8): I32 {
  const { BITS_32, BITS_64 } = CODE_SIZE;
  const [bits, value] = size === 8 ? [MODE_BITS.CODE_SIZE, BITS_64] : [BITS_32 | MODE_BITS.LONG, BITS_32];
  return i32.eq(i32.and(c.stateI32(MODE), i32.const(bits)), i32.const(value));
}

/** CS is flat: with another flat one in its place, cached jumps lead where they did. */
export function isCodeFlat(c: StateAccess): I32 {
  const cs = placeOf(SEGMENT_INDEX.CS);
  const isWide = i32.eq(c.stateI32(cs + SEGMENT.LIMIT), i32.const(FLAT_LIMIT));
  return i32.and(isWide, i64.eqz(c.stateI64(cs + SEGMENT.BASE)));
}

/** CS and SS are the flat ones of 32-bit code at this level: with those of another level, the limits that derive from them stay. */
export function isFlat32(c: StateAccess, dpl: 0 | 3): I32 {
  const ss = placeOf(SEGMENT_INDEX.SS);
  const has = (segment: number, kind: number): I32 =>
    i32.eq(c.stateI32(placeOf(segment) + SEGMENT.ATTRIBUTES), i32.const(flatAttributes(kind, dpl)));
  return [
    isCodeFlat(c),
    has(SEGMENT_INDEX.CS, FLAT_SEGMENT.CODE_32),
    has(SEGMENT_INDEX.SS, FLAT_SEGMENT.DATA),
    i32.eq(c.stateI32(ss + SEGMENT.LIMIT), i32.const(FLAT_LIMIT)),
    i64.eqz(c.stateI64(ss + SEGMENT.BASE)),
  ].reduce((all, condition) => i32.and(all, condition));
}

/** Loads a flat segment; `attributes` as the state keeps them. */
export function setFlatSegment(c: StateAccess, segment: number, selector: I32, attributes: number): void {
  const place = placeOf(segment);
  c.setStateI32(place + SEGMENT.SELECTOR, selector);
  c.setStateI32(place + SEGMENT.ATTRIBUTES, i32.const(attributes));
  c.setStateI64(place + SEGMENT.BASE, i64.const(0));
  c.setStateI32(place + SEGMENT.LIMIT, i32.const(FLAT_LIMIT));
}

/** SS becomes null, as after an interrupt that enters the supervisor of long mode. */
export function setNullStack(c: StateAccess): void {
  const place = placeOf(SEGMENT_INDEX.SS);
  c.setStateI32(place + SEGMENT.SELECTOR, i32.const(0));
  c.setStateI32(place + SEGMENT.ATTRIBUTES, i32.const(SEGMENT_ATTRIBUTES.NULL_SEGMENT));
  c.setStateI64(place + SEGMENT.BASE, i64.const(0));
  c.setStateI32(place + SEGMENT.LIMIT, i32.const(0));
}

/** Sets all of RFLAGS; `flags` is bound. Before `setPrivilege`, which looks at AC. */
export function setFlags(c: StateAccess, flags: I64): void {
  const system = c.let(i32.and(i32.wrap(flags), i32.const(~STATUS_FLAGS)));
  c.setStateI32(FLAGS_SYSTEM, i32.or(system, i32.const(2)));
  c.setStateI32(DIRECTION, select(isSet(system, RFLAGS.DF), i32.const(-1), i32.const(1)));
  setStatusFlags(c, flags);
}

/** CPL becomes 0 or 3, and the stack segment has 32-bit offsets outside 64-bit code (its D/B bit) or not. */
export function setPrivilege(c: StateAccess, cpl: 0 | 3, isStack32: boolean): void {
  const { USER, STACK_32 } = MODE_BITS;
  const isUser = cpl === 3;
  c.setStateI32(CPL, i32.const(cpl));
  const kept = c.let(i32.and(c.stateI32(MODE), i32.const(~(USER | STACK_32))));
  c.setStateI32(MODE, i32.or(kept, i32.const((isUser ? USER : 0) | (isStack32 ? STACK_32 : 0))));
  const key = i32.shl(i32.or(i32.and(kept, i32.const(MODE_BITS.CODE_SIZE)), i32.const(isUser ? 4 : 0)), i32.const(20));
  const generation = isUser ? i32.shl(c.stateI32(USER_GENERATION), i32.const(24)) : i32.const(0);
  c.setStateI64(MODE_KEY, i64.shl(i64.extendI32U(i32.or(key, generation)), i64.const(32)));
  setMmu(c, isUser ? i32.const(MMU.USER) : supervisorMmu(c));
}

/** The supervisor's MMU index: SMAP keeps watch while AC is clear. */
export function supervisorMmu(c: StateAccess): I32 {
  const isWatched = i32.and(isSet(c.stateI32(CR4), CR4_BITS.SMAP), i32.eqz(isSet(c.stateI32(FLAGS_SYSTEM), RFLAGS.AC)));
  return select(isWatched, i32.const(MMU.SUPERVISOR), i32.const(MMU.SUPERVISOR_OVER_SMAP));
}

/** Accesses use the TLBs of this index from here on. */
export function setMmu(c: StateAccess, index: I32): void {
  const mmu = c.let(index);
  const step = readTlbOf(1) - readTlbOf(0);
  const tlb = c.let(i32.add(c.stateI32(TRANSLATION_AREA), i32.mul(mmu, i32.const(step))));
  c.setStateI32(MMU_INDEX, mmu);
  c.setStateI32(TLB_READ, i32.add(tlb, i32.const(readTlbOf(0))));
  c.setStateI32(TLB_WRITE, i32.add(tlb, i32.const(writeTlbOf(0))));
}
