const PAGE = 0x1000;
const PAGE_WORDS = PAGE / 4;
/** Longest run, pages: 256 KiB, so that pieces are neither many nor large. */
const LONGEST_RUN = 64;

/** Pages that follow one another in RAM, none of them all zeros. */
export interface PageRun {
  /** First page and count, in pages of 4 KiB. */
  readonly first: number;
  readonly count: number;
}

/** The runs of pages that hold anything. `ram` is a whole number of pages at a multiple of 4 bytes. */
export function usedPages(ram: Uint8Array): readonly PageRun[] {
  const words = new Uint32Array(ram.buffer, ram.byteOffset, ram.length / 4);
  const runs: PageRun[] = [];
  const pages = ram.length / PAGE;
  let first = -1;
  for (let page = 0; page <= pages; page++) {
    const used = page < pages && isUsed(words, page);
    if (first >= 0 && (!used || page - first === LONGEST_RUN)) {
      runs.push({ first, count: page - first });
      first = -1;
    }
    if (used && first < 0) first = page;
  }
  return runs;
}

function isUsed(words: Uint32Array, page: number): boolean {
  const end = (page + 1) * PAGE_WORDS;
  for (let index = page * PAGE_WORDS; index < end; index++) if (words[index] !== 0) return true;
  return false;
}

/** Bytes of `runs`, one run after the other. */
export function gatherPages(ram: Uint8Array, runs: readonly PageRun[]): Uint8Array {
  const bytes = new Uint8Array(runs.reduce((total, { count }) => total + count * PAGE, 0));
  let at = 0;
  for (const { first, count } of runs) {
    bytes.set(ram.subarray(first * PAGE, (first + count) * PAGE), at);
    at += count * PAGE;
  }
  return bytes;
}

/** Splits runs into groups of about `pages` pages each, which are compressed as one. */
export function groupRuns(runs: readonly PageRun[], pages: number): readonly (readonly PageRun[])[] {
  const groups: PageRun[][] = [];
  let room = 0;
  for (const run of runs) {
    if (room < run.count) {
      groups.push([]);
      room = pages;
    }
    groups[groups.length - 1].push(run);
    room -= run.count;
  }
  return groups;
}
