import type { CpuState } from '../cpu-state.ts';
import type { PageWalker } from '../mmu/page-walk.ts';
import { SEGMENT, SEGMENT_INDEX, SEGMENTS } from '../state.ts';
import type { CachedJumps } from '../translation/cached-jumps.ts';
import type { CodeLookup } from '../translation/code-lookup.ts';
import { updateDerivedState, updateModeKey } from '../translation/derived-state.ts';
import type { MemoryPath } from '../translation/memory-path.ts';
import type { CurrentCall } from './current-call.ts';

const CS = SEGMENTS + SEGMENT_INDEX.CS * SEGMENT.BYTE_LENGTH;

/** The caches that hold translated addresses. */
export interface TranslationCaches {
  readonly walker: PageWalker;
  readonly memoryPath: MemoryPath;
  readonly lookup: CodeLookup;
  readonly jumps: CachedJumps;
}

/** Keeps what derives from modes, segments and page tables in step with them: derived state, TLBs, jump cache. */
export class Translations {
  readonly #state: CpuState;
  readonly #caches: TranslationCaches;
  readonly #call: CurrentCall;
  #modesDirty = false;

  constructor(state: CpuState, caches: TranslationCaches, call: CurrentCall) {
    this.#state = state;
    this.#caches = caches;
    this.#call = call;
  }

  /** The modes changed within the current instruction: code behind it may decode otherwise. */
  get modesDirty(): boolean {
    return this.#modesDirty;
  }

  modesChanged(): void {
    this.#modesDirty = true;
    // Between instructions (reset, exceptions) there is nothing to wait for; inside one, memory accesses see the new mode at once.
    this.applyModes();
    this.#modesDirty = this.#call.uop !== 0;
  }

  /** Derives anew when a mode has changed. */
  applyModes(): void {
    if (!this.#modesDirty) return;
    this.#modesDirty = false;
    const state = this.#state;
    const { lookup, jumps } = this.#caches;
    updateDerivedState(state);
    if (lookup.codeSegmentChanged(state.u64(CS + SEGMENT.BASE), state.u32(CS + SEGMENT.LIMIT))) jumps.flush();
  }

  /** Forgets the translation of one linear address, or all; without `global`, those that a CR3 write drops. */
  flush(linear?: bigint, global = true): void {
    const { walker, memoryPath, lookup } = this.#caches;
    walker.flush();
    if (!global) {
      memoryPath.flushLocal();
      lookup.flushLocal();
      updateModeKey(this.#state);
      return;
    }
    if (linear === undefined) {
      memoryPath.flush();
      lookup.flush();
      return;
    }
    const low = Number(linear & 0xffff_ffffn);
    memoryPath.flushPage(low);
    lookup.flushPage(low);
  }
}
