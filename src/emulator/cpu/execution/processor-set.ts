import { LogicalProcessor, type SharedParts } from './logical-processor.ts';

/** Pages of code that a processor may have missed while it did not run before it drops all its writing TLBs instead. */
const REMEMBERED_CODE_PAGES = 64;

/** The engine's logical processors, of which one runs. */
export class ProcessorSet {
  readonly all: readonly LogicalProcessor[];
  readonly #shared: SharedParts;
  #current: LogicalProcessor;
  #a20Enabled = true;
  /** Host pages that became code, the newest at (#codePages − 1) modulo the ring's length; and how far each processor has followed. */
  readonly #codePageRing = new Float64Array(REMEMBERED_CODE_PAGES);
  #codePages = 0;
  readonly #followed: Float64Array;
  /** The physical map changed while the processor did not run. */
  readonly #mustFlush: Uint8Array;

  constructor(count: number, shared: SharedParts) {
    this.#shared = shared;
    this.all = Array.from({ length: count }, (_, index) => new LogicalProcessor(index, shared));
    this.#followed = new Float64Array(count);
    this.#mustFlush = new Uint8Array(count);
    this.#current = this.all[0];
    this.#current.resume();
  }

  /** The one whose registers stand in the state block. */
  get current(): LogicalProcessor {
    return this.#current;
  }

  /** Between two instructions: makes another processor the current one. */
  select(index: number): void {
    const next = this.all[index];
    if (next === this.#current) return;
    this.#followed[this.#current.index] = this.#codePages;
    this.#current.park();
    this.#current = next;
    this.#shared.bus.selectProcessor?.(index);
    next.resume();
    next.caches.walker.a20Enabled = this.#a20Enabled;
    this.#catchUp(next);
  }

  #catchUp({ index, caches }: LogicalProcessor): void {
    if (this.#mustFlush[index] !== 0) {
      this.#mustFlush[index] = 0;
      caches.translations.flush();
      return;
    }
    const missed = this.#codePages - this.#followed[index];
    if (missed > REMEMBERED_CODE_PAGES) caches.memoryPath.flushWrites();
    else
      for (let page = this.#followed[index]; page < this.#codePages; page++)
        caches.memoryPath.protectPage(this.#codePageRing[page % REMEMBERED_CODE_PAGES]);
  }

  get a20Enabled(): boolean {
    return this.#a20Enabled;
  }

  setA20(enabled: boolean): void {
    this.#a20Enabled = enabled;
    this.#current.caches.walker.a20Enabled = enabled;
    this.#shared.physicalMap.isFixed = enabled;
    this.flushTranslations();
  }

  /** All processors forget what they cached of page tables and of the physical map: this one now, the others when they run next. */
  flushTranslations(): void {
    this.#mustFlush.fill(1);
    this.#mustFlush[this.#current.index] = 0;
    this.#shared.physicalMap.clear();
    this.#current.caches.translations.flush();
  }

  /** Micro-ops were dropped: nobody may jump to them. */
  flushJumps(): void {
    for (const { usedCaches } of this.all) usedCaches?.jumps.flush();
  }

  /** Code now stands in this host page, whose number the guest knows: writes to it must take the slow path. */
  protectPage(hostPage: number, page: number): void {
    this.#shared.physicalMap.protect(page);
    this.#codePageRing[this.#codePages++ % REMEMBERED_CODE_PAGES] = hostPage;
    this.#current.caches.memoryPath.protectPage(hostPage);
  }
}
