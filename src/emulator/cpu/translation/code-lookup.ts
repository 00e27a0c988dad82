import type { CpuBus } from '../bus.ts';
import type { CpuState } from '../cpu-state.ts';
import type { Breakpoints } from '../execution/breakpoints.ts';
import { CODE_TLB_ENTRY } from '../interpreter/code-search.ts';
import { CODE_TLB, CODE_TLB_END, CODE_TLB_ENTRIES, CODE_TLB_ENTRY_BYTES, FETCH_PAGE } from '../interpreter/layout.ts';
import { EXIT } from '../interpreter/micro-op.ts';
import { isCanonicalHigh } from '../mmu/canonical.ts';
import { ACCESS, MMU, type PageWalker } from '../mmu/page-walk.ts';
import { CR2, EXIT_REASON, LINEAR_MASK, MMU_INDEX, MODE, MODE_KEY, RIP_PAGE, USER_GENERATION } from '../state.ts';
import { type CachedJumps, JUMP_OWNER } from './cached-jumps.ts';
import type { CodeCache } from './code-cache.ts';

const PAGE = 0x1000;
const REGIONS = 4096;
const VECTOR_GP = 13;
const VECTOR_PF = 14;
/** An entry of the code TLB in words. */
const WORD = {
  TAG: CODE_TLB_ENTRY.TAG >> 2,
  PAGE: CODE_TLB_ENTRY.PAGE >> 2,
  HOST_PAGE: CODE_TLB_ENTRY.HOST_PAGE >> 2,
  OWNER: CODE_TLB_ENTRY.OWNER >> 2,
  IS_GLOBAL: CODE_TLB_ENTRY.IS_GLOBAL >> 2,
  COUNT: CODE_TLB_ENTRY_BYTES >> 2,
} as const;

/** What finding code needs of the engine. */
export interface CodeLookupPorts {
  readonly state: CpuState;
  readonly bus: CpuBus;
  readonly walker: PageWalker;
  readonly codeCache: CodeCache;
  readonly jumps: CachedJumps;
  readonly breakpoints: Breakpoints;
  /** Records a fault that belongs to the instruction at RIP. */
  recordFault(vector: number, errorCode: number): void;
}

/** From RIP to a translated block: CS limit, canonical form, translation for execution (cached by page), the code cache. */
export class CodeLookup {
  /** True when the block found last may be linked: its whole first instruction stands in its page. */
  isLinkable = false;
  readonly #ports: CodeLookupPorts;
  /** Execution translations by linear page and MMU index: words of the code TLB, which generated code reads. */
  readonly #tlb: Int32Array;
  /** 4 MiB regions (hashed) that large pages map. */
  readonly #large = new Uint8Array(REGIONS);
  #csBase = 0;
  #csLimit = 0xffff;
  /** Result of #translate. */
  #page = 0;
  #hostPage = 0;
  #isGlobal = false;

  /** `area`: byte offset of the processor's translation area in `buffer`. */
  constructor(ports: CodeLookupPorts, buffer: ArrayBufferLike, area: number) {
    this.#ports = ports;
    this.#tlb = new Int32Array(buffer, area + CODE_TLB, (CODE_TLB_END - CODE_TLB) >> 2).fill(-1);
  }

  #drop(at: number): void {
    this.#tlb[at + WORD.TAG] = -1;
    this.#tlb[at + WORD.TAG + 1] = -1;
  }

  /** Forgets all translations and jumps. */
  flush(): void {
    this.#tlb.fill(-1);
    this.#large.fill(0);
    this.#ports.jumps.forget();
  }

  /** Forgets the page of `linearLow`, jumps there included. */
  flushPage(linearLow: number): void {
    if (this.#large[(linearLow >>> 22) & (REGIONS - 1)] !== 0) {
      this.flush();
      return;
    }
    this.#drop(entryOf(linearLow));
    this.#ports.jumps.flushPage(linearLow);
  }

  /** Forgets what a CR3 write does. The user's cached jumps go by a new generation in their keys. */
  flushLocal(): void {
    const tlb = this.#tlb;
    for (let at = 0; at < tlb.length; at += WORD.COUNT) if (tlb[at + WORD.OWNER] !== JUMP_OWNER.GLOBAL) this.#drop(at);
    const { state, jumps } = this.#ports;
    const generation = (state.u32(USER_GENERATION) + 1) & 0xff;
    state.setU32(USER_GENERATION, generation);
    if (generation === 0) jumps.flushUser();
    jumps.flushLocal();
  }

  /** Keeps CS's base and limit; true when they differ from before, so that cached jumps are void. */
  codeSegmentChanged(base: bigint, limit: number): boolean {
    const low = Number(base & 0xffff_ffffn);
    const changed = low !== this.#csBase || limit !== this.#csLimit;
    this.#csBase = low;
    this.#csLimit = limit;
    return changed;
  }

  /** Instructions in RIP's page are watched: only the run loop goes there. */
  isWatched(ripLow: number, ripHigh: number): boolean {
    return this.#ports.breakpoints.watchesCode(this.#linear(ripLow), this.#linearHigh(ripHigh));
  }

  /** A breakpoint stands at RIP, and was not just passed: DR6 says so. */
  takeBreakpoint(ripLow: number, ripHigh: number): boolean {
    return this.#ports.breakpoints.takeInstruction(this.#linear(ripLow), this.#linearHigh(ripHigh));
  }

  /** The block at RIP, with RIP_PAGE set for it; 0 after recording a fault, or where the run loop must go on (EXIT_REASON). */
  block(ripLow: number, ripHigh: number): number {
    if (this.isWatched(ripLow, ripHigh)) {
      this.#ports.state.setU32(EXIT_REASON, EXIT.CONTINUE);
      return 0;
    }
    const request = this.#request(ripLow, ripHigh);
    if (request === undefined) return 0;
    const { codeCache } = this.#ports;
    if (request.bounced) {
      this.isLinkable = false;
      return codeCache.once(request, 1, () => undefined);
    }
    const uop = codeCache.block(request, this.#nextPage(ripLow, ripHigh));
    if (uop === 0) return 0;
    this.isLinkable = !codeCache.crosses;
    if (this.isLinkable) this.#keepJump(ripLow, ripHigh, uop, request.global);
    // #translate has the second page now.
    else if (this.#hostPage >= 0) this.#keepJump(ripLow, ripHigh, uop, request.global && this.#isGlobal);
    return uop;
  }

  /** A block of at most `limit` instructions that runs once. */
  once(ripLow: number, ripHigh: number, limit: number): number {
    const request = this.#request(ripLow, ripHigh);
    this.isLinkable = false;
    if (request === undefined) return 0;
    return this.#ports.codeCache.once(request, request.bounced ? 1 : limit, this.#nextPage(ripLow, ripHigh));
  }

  #request(
    ripLow: number,
    ripHigh: number,
  ):
    | { page: number; hostPage: number; offset: number; codeSize: number; bounced: boolean; global: boolean }
    | undefined {
    const { state, recordFault } = this.#ports;
    const wide = state.u32(LINEAR_MASK + 4) !== 0;
    let low = ripLow | 0;
    let high = ripHigh | 0;
    if (wide) {
      if (!isCanonicalHigh(state, high)) {
        recordFault(VECTOR_GP, 0);
        return undefined;
      }
    } else {
      if (ripLow >>> 0 > this.#csLimit) {
        recordFault(VECTOR_GP, 0);
        return undefined;
      }
      low = (ripLow + this.#csBase) | 0;
      high = 0;
    }
    if (!this.#translate(low, high)) return undefined;
    this.#setRipPage(low & ~0xfff, high, wide);
    const bounced = this.#hostPage < 0;
    if (bounced) this.#hostPage = this.#bounce(low & 0xfff);
    return {
      page: this.#page,
      hostPage: this.#hostPage,
      offset: low & 0xfff,
      codeSize: state.u32(MODE) & 3,
      bounced,
      global: this.#isGlobal,
    };
  }

  /** RIP_PAGE = linear page − CS base. */
  #setRipPage(pageLow: number, high: number, wide: boolean): void {
    const { state } = this.#ports;
    if (wide) {
      state.setU32(RIP_PAGE, pageLow);
      state.setU32(RIP_PAGE + 4, high);
      return;
    }
    const difference = (pageLow >>> 0) - this.#csBase;
    state.setU32(RIP_PAGE, difference);
    state.setU32(RIP_PAGE + 4, difference < 0 ? 0xffff_ffff : 0);
  }

  #translate(low: number, high: number): boolean {
    const { state, bus, walker, jumps, breakpoints, recordFault } = this.#ports;
    const page = low & ~0xfff;
    const at = entryOf(low);
    const tlb = this.#tlb;
    const mmu = state.u32(MMU_INDEX);
    if (tlb[at + WORD.TAG] === (page | mmu) && tlb[at + WORD.TAG + 1] === high) {
      this.#page = tlb[at + WORD.PAGE] >>> 0;
      this.#hostPage = tlb[at + WORD.HOST_PAGE] >>> 0;
      this.#isGlobal = tlb[at + WORD.IS_GLOBAL] !== 0;
      return true;
    }
    if (!walker.walk(low, high, ACCESS.EXECUTE, mmu)) {
      state.setU32(CR2, low);
      state.setU32(CR2 + 4, high);
      recordFault(VECTOR_PF, walker.errorCode);
      return false;
    }
    this.#page = walker.gpa / PAGE;
    this.#hostPage = bus.hostPage(walker.gpa, false);
    this.#isGlobal = walker.global;
    if (this.#hostPage >= 0 && !breakpoints.watchesCode(page, high)) {
      const owner = ownerOf(mmu, walker.global);
      tlb[at + WORD.TAG] = page | mmu;
      tlb[at + WORD.TAG + 1] = high;
      tlb[at + WORD.PAGE] = this.#page;
      tlb[at + WORD.HOST_PAGE] = this.#hostPage;
      tlb[at + WORD.OWNER] = owner;
      tlb[at + WORD.IS_GLOBAL] = walker.global ? 1 : 0;
      jumps.expect(page, owner);
      if (walker.pageShift > 12) this.#large[(low >>> 22) & (REGIONS - 1)] = 1;
    }
    return true;
  }

  /** The page after RIP's, for an instruction that reaches into it. */
  #nextPage(ripLow: number, ripHigh: number): () => { page: number; hostPage: number } | undefined {
    return () => {
      const { state } = this.#ports;
      const wide = state.u32(LINEAR_MASK + 4) !== 0;
      const linear = wide ? ripLow >>> 0 : (ripLow + this.#csBase) >>> 0;
      const nextLow = (linear - (linear % PAGE) + PAGE) | 0;
      const carry = linear > 0xffff_efff ? 1 : 0;
      const high = wide ? (ripHigh + carry) | 0 : 0;
      if (!this.#translate(nextLow, high)) return undefined;
      const hostPage = this.#hostPage < 0 ? this.#bounce(0) : this.#hostPage;
      return { page: this.#page, hostPage };
    };
  }

  /** Code outside RAM and ROM is fetched through the bus into a page of the engine's own, a few bytes at a time. */
  #bounce(offset: number): number {
    const { state, bus } = this.#ports;
    for (let index = 0; index < 16 && offset + index < PAGE; index++) {
      state.bytes[FETCH_PAGE + offset + index] = bus.read(this.#page * PAGE + offset + index, 1);
    }
    return FETCH_PAGE;
  }

  /** Low half of the linear address of an RIP. */
  #linear(ripLow: number): number {
    return this.#ports.state.u32(LINEAR_MASK + 4) !== 0 ? ripLow : ripLow + this.#csBase;
  }

  /** High half of it. */
  #linearHigh(ripHigh: number): number {
    return this.#ports.state.u32(LINEAR_MASK + 4) !== 0 ? ripHigh : 0;
  }

  #keepJump(ripLow: number, ripHigh: number, uop: number, global: boolean): void {
    const { state, jumps } = this.#ports;
    const owner = ownerOf(state.u32(MMU_INDEX), global);
    jumps.keep({
      ripLow,
      ripHigh,
      keyLow: state.u32(MODE_KEY),
      keyHigh: state.u32(MODE_KEY + 4),
      ripPageLow: state.u32(RIP_PAGE),
      ripPageHigh: state.u32(RIP_PAGE + 4),
      uop,
      owner,
      linearPage: this.#linear(ripLow) & -PAGE,
    });
  }
}

/** Place of the entry for a linear address, in words. */
const entryOf = (linearLow: number): number => ((linearLow >>> 12) & (CODE_TLB_ENTRIES - 1)) * WORD.COUNT;

const ownerOf = (mmu: number, isGlobal: boolean): number =>
  mmu === MMU.USER ? JUMP_OWNER.USER : isGlobal ? JUMP_OWNER.GLOBAL : JUMP_OWNER.LOCAL;
