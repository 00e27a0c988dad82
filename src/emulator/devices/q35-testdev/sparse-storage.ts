import type { AccessSize, BusTarget } from '../../machine/ports.ts';

const PAGE = 0x1000;

/** Bytes by the gigabyte of which few are ever touched: pages come into being when written, the rest reads 0. */
export class SparseStorage implements BusTarget {
  readonly #pages = new Map<number, Uint8Array>();

  clear(): void {
    this.#pages.clear();
  }

  read(offset: number, size: AccessSize): number {
    let value = 0;
    for (let index = size - 1; index >= 0; index--) {
      const at = offset + index;
      value = value * 0x100 + (this.#pages.get(Math.floor(at / PAGE))?.[at % PAGE] ?? 0);
    }
    return value;
  }

  write(offset: number, size: AccessSize, value: number): void {
    for (let index = 0; index < size; index++) {
      const at = offset + index;
      const number = Math.floor(at / PAGE);
      let page = this.#pages.get(number);
      if (page === undefined) {
        page = new Uint8Array(PAGE);
        this.#pages.set(number, page);
      }
      page[at % PAGE] = value >>> (8 * index);
    }
  }

  /** Pages as [number, bytes], by number. */
  snapshot(): readonly (readonly [number, readonly number[]])[] {
    return [...this.#pages.entries()]
      .sort(([left], [right]) => left - right)
      .map(([number, page]) => [number, [...page]]);
  }

  restore(pages: readonly (readonly [number, readonly number[]])[]): void {
    this.clear();
    for (const [number, bytes] of pages) this.#pages.set(number, Uint8Array.from(bytes));
  }
}
