/** Longest table of a switch. */
const MAXIMUM_BITS = 8;

/** A hash without collisions: `(offset >> shift) & (entries.length − 1)` finds the target whose offset must still be compared; −1: none. */
export interface JumpTable {
  readonly shift: number;
  readonly entries: readonly number[];
}

/** The smallest table for targets at `offsets` (all different); undefined: none is small enough. */
export function jumpTableOf(offsets: readonly number[]): JumpTable | undefined {
  for (let bits = 0; bits <= MAXIMUM_BITS; bits++) {
    if (1 << bits < offsets.length) continue;
    for (let shift = 0; shift <= MAXIMUM_BITS; shift++) {
      const entries = new Array<number>(1 << bits).fill(-1);
      const fits = offsets.every((offset, index) => {
        const slot = (offset >> shift) & (entries.length - 1);
        const isFree = entries[slot] < 0;
        entries[slot] = index;
        return isFree;
      });
      if (fits) return { shift, entries };
    }
  }
  return undefined;
}
