import { type HandlerKey, type HandlerTable, SPECIAL_HANDLERS } from '../interpreter/handlers.ts';
import { notedTargets } from '../interpreter/indirect-jumps.ts';
import { JUMP_ENTRY, jumpSlotOf } from '../interpreter/jump-cache.ts';
import { entryCountOf } from '../interpreter/layout.ts';
import { FORM, UOP } from '../interpreter/micro-op.ts';
import { SYSTEM } from '../isa/row.ts';
import { TRANSLATION_AREA } from '../state.ts';
import type { CodeCache, TranslatedBlock } from '../translation/code-cache.ts';

const MAXIMUM_BLOCKS = 160;
const MAXIMUM_INSTRUCTIONS = 1500;
/** Blocks that were entered less often than this part of what makes a block hot stay outside: a binary logarithm. */
const COLD_SHIFT = 10;
/** Calls that are made at least so often are worth a copy of a small callee: a part of what makes a block hot, as a binary logarithm. */
const HOT_SHIFT = 3;
/** Instructions of a function without calls that a region copies into its callers. */
const MAXIMUM_LEAF = 96;
/** Targets of one indirect jump that a region holds. */
const MAXIMUM_TARGETS = 64;
const LOW_32 = 0xffff_ffffn;
const MASK_64 = 0xffff_ffff_ffff_ffffn;

/** A block that was entered often, and where in linear memory that was. */
export interface HotEntry {
  readonly block: TranslatedBlock;
  /** RIP_PAGE and MODE_KEY at the entry. */
  readonly ripPage: bigint;
  readonly modeKey: bigint;
}

/** A block of a region. Numbers stand for blocks of the same region, −1 for the way out. */
export interface RegionBlock {
  readonly block: TranslatedBlock;
  /** Linear distance of its page from the entry's, in bytes. */
  readonly delta: number;
  /** Where a jump goes; after a call, where it returns to. */
  readonly taken: number;
  readonly fallThrough: number;
  /** Where its indirect jump may go, as far as is known. */
  readonly targets: readonly number[];
  /** The first block of the function that its call leads to, where the region holds a copy of that for this call alone; `taken` is where that returns to. */
  readonly callee: number;
  /** In such a copy: the call's `taken`, where it is expected to return to. */
  readonly returns: number;
}

/** Where a block stands: its micro-op, and the linear distance of its page from the entry's. */
interface Place {
  readonly uop: number;
  readonly delta: number;
}

/** A call whose callee stands in the region: number of the block that it returns to. */
interface InlinedCall {
  readonly returns: number;
}

/** The way into a block must ask the jump cache: it stands in another page than the one before it, or reaches into the next. */
export function isGuarded(from: RegionBlock, to: RegionBlock): boolean {
  return from.delta !== to.delta || to.block.key < 0;
}

/** What one Wasm function is made of; its entry is block 0. */
export type RegionPlan = readonly RegionBlock[];

/**
 * TypeScript's instructions stay with the interpreter; those that only fall back to it can stand in a region. So do repeated string
 * instructions: left in the middle of a portion, they would begin another one.
 */
export function isCompilable({ entry }: HandlerKey): boolean {
  const { semantic, options, mnemonic } = entry.row;
  return semantic !== SYSTEM && options.leavesRegions !== true && !mnemonic.startsWith('REP');
}

/** Finds the blocks around a hot entry: those that are reached by direct jumps and are translated already. The cold rest stays outside. */
export class RegionPlanner {
  readonly #view: DataView;
  readonly #handlers: HandlerTable;
  readonly #codeCache: CodeCache;
  readonly #coldBelow: number;
  readonly #hotFrom: number;

  /** `regionsAfter`: entries that make a block hot. */
  constructor(view: DataView, handlers: HandlerTable, codeCache: CodeCache, regionsAfter: number) {
    this.#view = view;
    this.#handlers = handlers;
    this.#codeCache = codeCache;
    this.#coldBelow = regionsAfter >> COLD_SHIFT;
    this.#hotFrom = regionsAfter >> HOT_SHIFT;
  }

  /** The plan of a region, entry first. */
  plan(entry: HotEntry): RegionPlan {
    const list: { block: TranslatedBlock; delta: number; call: InlinedCall | undefined }[] = [];
    const edges: Pick<RegionBlock, 'taken' | 'fallThrough' | 'targets' | 'callee'>[] = [];
    const numbers = new Map<InlinedCall | undefined, Map<TranslatedBlock, number>>();
    let instructions = 0;
    const numberOf = (place: Place | undefined, call: InlinedCall | undefined): number => {
      const block = place && this.#codeCache.blockAt(place.uop);
      if (place === undefined || block === undefined) return -1;
      const ofCall = numbers.get(call) ?? new Map<TranslatedBlock, number>();
      numbers.set(call, ofCall);
      const known = ofCall.get(block);
      // One physical page at two linear ones: the second is another region's.
      if (known !== undefined) return list[known].delta === place.delta ? known : -1;
      if (list.length > 0 && (this.#isCold(block) || this.#isRegionOf(entry.block, block))) return -1;
      if (list.length >= MAXIMUM_BLOCKS || instructions + block.count > MAXIMUM_INSTRUCTIONS) return -1;
      instructions += block.count;
      ofCall.set(block, list.length);
      list.push({ block, delta: place.delta, call });
      return list.length - 1;
    };
    numberOf({ uop: entry.block.uop, delta: 0 }, undefined);
    for (let index = 0; index < list.length; index++) {
      const { block, delta, call } = list[index];
      const { near, far, called } = this.#targets(block);
      const follow = (offset: number | undefined): number => numberOf(this.#locate(entry, block, delta, offset), call);
      const targets = this.#noted(entry, block, delta).map(follow);
      const known = [...new Set(targets)].filter((target) => target >= 0);
      const taken = follow(near);
      const callee = this.#locate(entry, block, delta, called);
      const isInlined = taken >= 0 && callee !== undefined && this.#isHot(block) && this.#isSmallLeaf(entry, callee);
      edges.push({
        taken,
        fallThrough: follow(far),
        targets: known,
        callee: isInlined ? numberOf(callee, { returns: taken }) : -1,
      });
    }
    return list.map(({ block, delta, call }, index) => {
      const isReturn = this.#lastKey(block)?.entry.row.mnemonic === 'RET';
      return { block, delta, returns: isReturn && call !== undefined ? call.returns : -1, ...edges[index] };
    });
  }

  /** The block at an offset from the page of `block`, if it is translated and, in another page, the jump cache knows it. */
  #locate(entry: HotEntry, block: TranslatedBlock, delta: number, offset: number | undefined): Place | undefined {
    if (offset === undefined) return undefined;
    const inPage = offset >= 0 && offset < 0x1000;
    const found = inPage ? this.#codeCache.find(block.page.number, offset, block.key >> 12) : 0;
    if (found !== 0) return { uop: found, delta };
    const distance = delta + Math.floor(offset / 0x1000) * 0x1000;
    const uop = this.#cachedJump(entry, BigInt(distance) + BigInt(offset & 0xfff));
    return uop === 0 ? undefined : { uop, delta: distance };
  }

  /** The function there is short, calls nothing, and returns. */
  #isSmallLeaf(entry: HotEntry, start: Place): boolean {
    const seen = new Set<TranslatedBlock>();
    const work: (Place | undefined)[] = [start];
    let instructions = 0;
    let returns = false;
    while (work.length > 0) {
      const place = work.pop();
      const block = place && this.#codeCache.blockAt(place.uop);
      if (place === undefined || block === undefined || seen.has(block) || this.#isCold(block)) continue;
      seen.add(block);
      instructions += block.instructions;
      const { near, far, called } = this.#targets(block);
      const mnemonic = this.#lastKey(block)?.entry.row.mnemonic;
      if (block === entry.block || instructions > MAXIMUM_LEAF || called !== undefined || mnemonic === 'CALL')
        return false;
      returns ||= mnemonic === 'RET';
      const { delta } = place;
      for (const offset of [near, far, ...this.#noted(entry, block, delta)]) {
        work.push(this.#locate(entry, block, delta, offset));
      }
    }
    return returns;
  }

  /** Not much colder than what makes a region, or it was as hot before its count began anew. */
  #isHot(block: TranslatedBlock): boolean {
    if (block.regions !== undefined || block.hotRounds > 0) return true;
    return this.#view.getUint16(entryCountOf(block.uop), true) >= this.#hotFrom;
  }

  /** Hardly ever entered, as far as the interpreter saw. */
  #isCold(block: TranslatedBlock): boolean {
    return block.regions === undefined && this.#view.getUint16(entryCountOf(block.uop), true) < this.#coldBelow;
  }

  /** A region begins at `block` that holds `entry` too: what is compiled for `entry` leads there instead of holding all of it once more. */
  #isRegionOf(entry: TranslatedBlock, block: TranslatedBlock): boolean {
    return entry.regions?.has(block) === true && this.#codeCache.isCompiled(block);
  }

  /** Offsets from its page of the addresses that the indirect jump at a block's end was seen to go to. */
  #noted(entry: HotEntry, block: TranslatedBlock, delta: number): number[] {
    const key = this.#lastKey(block);
    const isSwitch = key?.entry.row.mnemonic === 'JMP' && !key.entry.relative && isCompilable(key);
    const targets = isSwitch ? notedTargets(this.#view, lastOf(block)).slice(0, MAXIMUM_TARGETS) : [];
    return targets.map((low) => (low - Number(entry.ripPage & LOW_32) - delta) | 0);
  }

  #lastKey(block: TranslatedBlock): HandlerKey | undefined {
    return this.#handlers.keyOf(this.#codeCache.handlerOf(lastOf(block)));
  }

  /** Offsets of a block's successors from its page: `near` of its jump (or return from its call), `far` of the instruction behind a condition, `called` of a direct call's callee. */
  #targets(block: TranslatedBlock): { near?: number; far?: number; called?: number } {
    const last = lastOf(block);
    const next = this.#view.getInt32(last + UOP.DISPLACEMENT, true);
    const handler = this.#codeCache.handlerOf(last);
    if (handler === SPECIAL_HANDLERS.FALL_THROUGH || handler === SPECIAL_HANDLERS.FALL_THROUGH_FAR)
      return { near: next };
    const key = this.#handlers.keyOf(handler);
    if (key === undefined) return {};
    const { mnemonic } = key.entry.row;
    const isDirect = key.entry.relative && key.size !== 2;
    const target = next + this.#view.getInt32(last + UOP.IMMEDIATE, true);
    if (mnemonic === 'CALL') return { near: behind(this.#view, last), called: isDirect ? target : undefined };
    if (!isDirect) return {};
    return { near: target, far: mnemonic === 'JMP' ? undefined : next };
  }

  /** The micro-op that the jump cache has for a distance from the entry's page, 0: none. */
  #cachedJump(entry: HotEntry, distance: bigint): number {
    const rip = (entry.ripPage + distance) & MASK_64;
    const slot = this.#view.getUint32(TRANSLATION_AREA, true) + jumpSlotOf(Number(rip & 0xffff_ffffn));
    if (this.#view.getBigUint64(slot + JUMP_ENTRY.TAG, true) !== (rip ^ entry.modeKey)) return 0;
    return this.#view.getUint32(slot + JUMP_ENTRY.UOP, true);
  }
}

/** The micro-op that ends a block. */
function lastOf(block: TranslatedBlock): number {
  return block.uop + (block.count - 1) * UOP.BYTE_LENGTH;
}

/** Page offset of the instruction behind the one at `uop`. */
function behind(view: DataView, uop: number): number {
  return view.getUint16(uop + UOP.PAGE_OFFSET, true) + view.getUint8(uop + UOP.LENGTH);
}

/** Relative branches whose micro-ops have no room for a link: their targets lie in other pages. */
export function isFarBranch(key: HandlerKey): boolean {
  return (
    key.entry.relative && [FORM.BASE, FORM.LEGACY_STACK_FAR, FORM.FLAT_STACK_FAR].some((form) => form === key.form)
  );
}
