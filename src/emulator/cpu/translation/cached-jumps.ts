import { JUMP_ENTRY, jumpSlotOf } from '../interpreter/jump-cache.ts';
import { JUMP_CACHE, JUMP_CACHE_END, JUMP_CACHE_ENTRY_BYTES, TRANSLATION_AREA_BYTES } from '../interpreter/layout.ts';

const PAGE = 0x1000;
const HASHED_PAGES = 4096;
/** In words of the translation area; entries are counted from 0. */
const ENTRY = {
  TAG: JUMP_ENTRY.TAG >> 2,
  RIP_PAGE: JUMP_ENTRY.RIP_PAGE >> 2,
  UOP: JUMP_ENTRY.UOP >> 2,
  OWNER: JUMP_ENTRY.OWNER >> 2,
  LINEAR_PAGE: JUMP_ENTRY.LINEAR_PAGE >> 2,
  COUNT: JUMP_CACHE_ENTRY_BYTES >> 2,
} as const;
const WORDS = (JUMP_CACHE_END - JUMP_CACHE) >> 2;

/** Whose code an entry leads to: what forgets it. Supervisor code in a page that is not global goes with a CR3 write. */
export const JUMP_OWNER = { GLOBAL: 0, LOCAL: 1, USER: 2 } as const;

/** A jump that was looked up: from `rip`, whose page has the RIP `ripPage`, in the state of MODE_KEY. Halves are 32-bit numbers of any sign. */
export interface CachedJump {
  readonly ripLow: number;
  readonly ripHigh: number;
  readonly keyLow: number;
  readonly keyHigh: number;
  readonly ripPageLow: number;
  readonly ripPageHigh: number;
  readonly uop: number;
  readonly owner: number;
  /** Low half of the linear address of the page. */
  readonly linearPage: number;
}

/** RIP → micro-op for jumps that leave their page, in one processor's translation area. An INVLPG or a CR3 write drops no more than it must. */
export class CachedJumps {
  readonly #words: Int32Array;
  /** 1 for pages (hashed) that an entry may lead to. */
  readonly #pages = new Uint8Array(HASHED_PAGES);
  #hasLocal = false;
  #hasAny = true;

  /** `area`: byte offset of the translation area in `buffer`. */
  constructor(buffer: ArrayBufferLike, area: number) {
    this.#words = new Int32Array(buffer, area, TRANSLATION_AREA_BYTES >> 2);
    this.forget();
  }

  /** From now on generated code may keep jumps to this page too, until everything is forgotten or the page is. */
  expect(linearPage: number, owner: number): void {
    this.#pages[(linearPage >>> 12) & (HASHED_PAGES - 1)] = 1;
    this.#hasAny = true;
    if (owner === JUMP_OWNER.LOCAL) this.#hasLocal = true;
  }

  keep(jump: CachedJump): void {
    const { ripLow, linearPage, owner } = jump;
    this.expect(linearPage, owner);
    const at = jumpSlotOf(ripLow) >> 2;
    const words = this.#words;
    words[at + ENTRY.TAG] = ripLow ^ jump.keyLow;
    words[at + ENTRY.TAG + 1] = jump.ripHigh ^ jump.keyHigh;
    words[at + ENTRY.RIP_PAGE] = jump.ripPageLow;
    words[at + ENTRY.RIP_PAGE + 1] = jump.ripPageHigh;
    words[at + ENTRY.UOP] = jump.uop;
    words[at + ENTRY.OWNER] = owner;
    words[at + ENTRY.LINEAR_PAGE] = linearPage;
  }

  /** Forgets all jumps; pages that are expected stay so. */
  flush(): void {
    if (this.#hasAny) this.#words.fill(-1, JUMP_CACHE >> 2, JUMP_CACHE_END >> 2);
  }

  /** Forgets all jumps and pages: no translation for execution is known any more. */
  forget(): void {
    this.flush();
    this.#hasAny = false;
    this.#pages.fill(0);
    this.#hasLocal = false;
  }

  /** Forgets jumps to the page of `linearLow`, and to instructions that reach into it from the page before. */
  flushPage(linearLow: number): void {
    const page = linearLow & -PAGE;
    const before = (page - PAGE) | 0;
    const isKnown = (linear: number): boolean => this.#pages[(linear >>> 12) & (HASHED_PAGES - 1)] !== 0;
    if (!isKnown(page) && !isKnown(before)) return;
    const words = this.#words;
    for (let at = 0; at < WORDS; at += ENTRY.COUNT) {
      const linear = words[at + ENTRY.LINEAR_PAGE];
      if (linear === page || linear === before) this.#drop(at);
    }
  }

  /** Forgets what a CR3 write does, but for the user's jumps: their keys have changed. */
  flushLocal(): void {
    if (!this.#hasLocal) return;
    this.#dropOwner(JUMP_OWNER.LOCAL);
    this.#hasLocal = false;
  }

  /** The generations in the user's keys begin anew. */
  flushUser(): void {
    this.#dropOwner(JUMP_OWNER.USER);
  }

  #dropOwner(owner: number): void {
    for (let at = 0; at < WORDS; at += ENTRY.COUNT) if (this.#words[at + ENTRY.OWNER] === owner) this.#drop(at);
  }

  #drop(at: number): void {
    this.#words.fill(-1, at + ENTRY.TAG, at + ENTRY.TAG + ENTRY.COUNT);
  }
}
