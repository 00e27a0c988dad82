import { PHYSICAL_MAP, PHYSICAL_MAP_BYTES, PHYSICAL_PAGE } from '../interpreter/layout.ts';

const PAGE = 0x1000;
const PAGES = PHYSICAL_MAP_BYTES / 4;
/** Below, reading and writing may lead to different places (PAM), and gates may move them. */
const FIRST_PAGE = 0x100;

/**
 * Which guest-physical pages are plain memory, and where: what generated code may read page tables from and fill TLBs with. A page enters
 * when TypeScript has looked at it; what may be written is no code. Words by page number: host page and PHYSICAL_PAGE bits, 0 unknown.
 */
export class PhysicalMap {
  readonly #words: Int32Array;
  /** Pages that were noted since the last clearing lie in [#first, #end). */
  #first = PAGES;
  #end = 0;
  #isFixed = true;

  constructor(buffer: ArrayBufferLike) {
    this.#words = new Int32Array(buffer, PHYSICAL_MAP, PAGES);
  }

  /** `gpa` and `host` are of pages. `write`: it may be written as well, and holds no code. */
  note(gpa: number, host: number, write: boolean): void {
    const page = gpa / PAGE;
    if (page < FIRST_PAGE || page >= PAGES || !this.#isFixed) return;
    const old = this.#words[page];
    const kept = (old & -PAGE) === (host | 0) ? old & PHYSICAL_PAGE.WRITE : 0;
    this.#words[page] = host | PHYSICAL_PAGE.READ | (write ? PHYSICAL_PAGE.WRITE : kept);
    if (page < this.#first) this.#first = page;
    if (page >= this.#end) this.#end = page + 1;
  }

  /** Code stands in the page: writes must be seen. */
  protect(page: number): void {
    if (page < PAGES) this.#words[page] &= ~PHYSICAL_PAGE.WRITE;
  }

  /** Gate A20 is closed: addresses do not lead where they say, and nothing is noted until it opens. */
  set isFixed(isFixed: boolean) {
    this.#isFixed = isFixed;
    this.clear();
  }

  /** The physical map changed. */
  clear(): void {
    if (this.#first < this.#end) this.#words.fill(0, this.#first, this.#end);
    this.#first = PAGES;
    this.#end = 0;
  }
}
