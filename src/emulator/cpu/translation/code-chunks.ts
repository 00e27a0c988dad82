const CHUNK_SHIFT = 6;
const BITS = 32;

/** Which 64-byte chunks of a page hold code, so that writes to data beside it cost no search. Chunks are added, and forgotten all at once. */
export class CodeChunks {
  #low = 0;
  #high = 0;

  /** Code stands in [start, end), offsets in the page. */
  add(start: number, end: number): void {
    this.#low |= maskOf(start, end, 0);
    this.#high |= maskOf(start, end, BITS);
  }

  /** False: no byte of [start, end) is code. */
  touches(start: number, end: number): boolean {
    return ((this.#low & maskOf(start, end, 0)) | (this.#high & maskOf(start, end, BITS))) !== 0;
  }

  clear(): void {
    this.#low = 0;
    this.#high = 0;
  }
}

/** Bits of the chunks of [start, end), chunk `base` being bit 0. */
function maskOf(start: number, end: number, base: number): number {
  const first = Math.max((start >> CHUNK_SHIFT) - base, 0);
  const last = Math.min(((end - 1) >> CHUNK_SHIFT) - base, BITS - 1);
  return last < first ? 0 : (-1 >>> (BITS - 1 - (last - first))) << first;
}
