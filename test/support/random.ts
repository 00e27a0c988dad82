/** A number from 0 on, below the given one. */
export type Random = (below: number) => number;

/** xorshift32: the same numbers in every run. `seed`: not 0. */
export function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
