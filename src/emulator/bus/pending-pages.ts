const PAGE = 0x1000;

/** Pages of RAM whose bytes are fetched when somebody looks. */
export interface PageSource {
  /** Runs of 4 KiB pages, by number from the start of RAM. */
  readonly runs: readonly { readonly first: number; readonly count: number }[];
  /** Their bytes, run after run. */
  load(): Uint8Array;
}

const NONE = -1;

/** RAM that is still to come: a restored machine touches little of its memory before it is ready. */
export class PendingPages {
  readonly #ram: Uint8Array;
  readonly #sources: readonly PageSource[];
  /** Index of the source by page; NONE once its bytes are there. */
  readonly #sourceOf: Int32Array;
  readonly #isFetched: Uint8Array;
  #next = 0;

  constructor(ram: Uint8Array, sources: readonly PageSource[]) {
    this.#ram = ram;
    this.#sources = sources;
    this.#isFetched = new Uint8Array(sources.length);
    this.#sourceOf = new Int32Array(Math.ceil(ram.length / PAGE)).fill(NONE);
    for (const [index, { runs }] of sources.entries()) {
      for (const { first, count } of runs) this.#sourceOf.fill(index, first, first + count);
    }
  }

  /** Fetches what [offset, offset + byteLength) of RAM lies in. */
  settle(offset: number, byteLength: number): void {
    const end = Math.ceil((offset + byteLength) / PAGE);
    for (let page = Math.floor(offset / PAGE); page < end; page++) {
      const source = this.#sourceOf[page];
      if (source !== NONE) this.#fetch(source);
    }
  }

  /** Fetches one source that nobody has asked for; false when there is none left. */
  settleNext(): boolean {
    while (this.#next < this.#sources.length && this.#isFetched[this.#next] !== 0) this.#next++;
    if (this.#next === this.#sources.length) return false;
    this.#fetch(this.#next);
    return true;
  }

  #fetch(index: number): void {
    const { runs } = this.#sources[index];
    const bytes = this.#sources[index].load();
    let at = 0;
    for (const { first, count } of runs) {
      this.#ram.set(bytes.subarray(at, at + count * PAGE), first * PAGE);
      this.#sourceOf.fill(NONE, first, first + count);
      at += count * PAGE;
    }
    this.#isFetched[index] = 1;
  }
}
