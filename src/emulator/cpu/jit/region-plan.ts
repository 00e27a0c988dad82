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

  /** `regionsAfter`: entries that make a block hot. */
  constructor(view: DataView, handlers: HandlerTable, codeCache: CodeCache, regionsAfter: number) {
    this.#view = view;
    this.#handlers = handlers;
    this.#codeCache = codeCache;
    this.#coldBelow = regionsAfter >> COLD_SHIFT;
  }

  /** The plan of a region, entry first. */
  plan(entry: HotEntry): RegionPlan {
    const numbers = new Map<TranslatedBlock, number>([[entry.block, 0]]);
    const list: { block: TranslatedBlock; delta: number }[] = [{ block: entry.block, delta: 0 }];
    const edges: { taken: number; fallThrough: number; targets: readonly number[] }[] = [];
    let instructions = entry.block.count;
    const numberOf = (uop: number, delta: number): number => {
      const block = this.#codeCache.blockAt(uop);
      if (block === undefined) return -1;
      const known = numbers.get(block);
      // One physical page at two linear ones: the second is another region's.
      if (known !== undefined) return list[known].delta === delta ? known : -1;
      if (this.#isCold(block) || this.#isRegionOf(entry.block, block)) return -1;
      if (list.length >= MAXIMUM_BLOCKS || instructions + block.count > MAXIMUM_INSTRUCTIONS) return -1;
      instructions += block.count;
      numbers.set(block, list.length);
      list.push({ block, delta });
      return list.length - 1;
    };
    for (let index = 0; index < list.length; index++) {
      const { block, delta } = list[index];
      const { near, far } = this.#targets(block);
      const follow = (offset: number | undefined): number => {
        if (offset === undefined) return -1;
        const inPage = offset >= 0 && offset < 0x1000;
        const found = inPage ? this.#codeCache.find(block.page.number, offset, block.key >> 12) : 0;
        if (found !== 0) return numberOf(found, delta);
        const distance = delta + Math.floor(offset / 0x1000) * 0x1000;
        const uop = this.#cachedJump(entry, BigInt(distance) + BigInt(offset & 0xfff));
        return uop === 0 ? -1 : numberOf(uop, distance);
      };
      const targets = this.#noted(block).map((low) => follow((low - Number(entry.ripPage & LOW_32) - delta) | 0));
      const known = [...new Set(targets)].filter((target) => target >= 0);
      edges.push({ taken: follow(near), fallThrough: follow(far), targets: known });
    }
    return list.map((item, index) => ({ ...item, ...edges[index] }));
  }

  /** Hardly ever entered, as far as the interpreter saw. */
  #isCold(block: TranslatedBlock): boolean {
    return block.regions === undefined && this.#view.getUint16(entryCountOf(block.uop), true) < this.#coldBelow;
  }

  /** A region begins at `block` that holds `entry` too: what is compiled for `entry` leads there instead of holding all of it once more. */
  #isRegionOf(entry: TranslatedBlock, block: TranslatedBlock): boolean {
    return entry.regions?.has(block) === true && this.#codeCache.isCompiled(block);
  }

  /** Low halves of the addresses that the indirect jump at a block's end was seen to go to. */
  #noted(block: TranslatedBlock): number[] {
    const last = block.uop + (block.count - 1) * UOP.BYTE_LENGTH;
    const key = this.#handlers.keyOf(this.#codeCache.handlerOf(last));
    const isSwitch = key?.entry.row.mnemonic === 'JMP' && !key.entry.relative && isCompilable(key);
    return isSwitch ? notedTargets(this.#view, last).slice(0, MAXIMUM_TARGETS) : [];
  }

  /** Offsets of a block's successors from its page: `near` of its jump (or return from its call), `far` of the instruction behind a condition. */
  #targets(block: TranslatedBlock): { near: number | undefined; far: number | undefined } {
    const last = block.uop + (block.count - 1) * UOP.BYTE_LENGTH;
    const next = this.#view.getInt32(last + UOP.DISPLACEMENT, true);
    const handler = this.#codeCache.handlerOf(last);
    if (handler === SPECIAL_HANDLERS.FALL_THROUGH || handler === SPECIAL_HANDLERS.FALL_THROUGH_FAR)
      return { near: next, far: undefined };
    const key = this.#handlers.keyOf(handler);
    if (key === undefined) return { near: undefined, far: undefined };
    const { mnemonic } = key.entry.row;
    if (mnemonic === 'CALL') return { near: behind(this.#view, last), far: undefined };
    if (!key.entry.relative || key.size === 2) return { near: undefined, far: undefined };
    const target = next + this.#view.getInt32(last + UOP.IMMEDIATE, true);
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
