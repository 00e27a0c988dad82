import { alignUp } from '../../shared/bytes.ts';
import type { Window } from './plan.ts';

/** Something that wants addresses: bytes, and a power of two that its base is a multiple of. */
export interface Claim {
  readonly size: number;
  readonly alignment: number;
}

/** Where claims went: bases in the order of the claims; undefined for one that found no room. */
export type Bases = readonly (number | undefined)[];

/**
 * Gives each claim, in `order`, the lowest aligned free place in `ranges`. Gaps that alignment leaves are open to the claims after it.
 */
function placeInOrder(claims: readonly Claim[], order: readonly number[], ranges: readonly Window[]): Bases {
  const free = ranges.map(({ base, size }) => ({ base, end: base + size }));
  const bases: (number | undefined)[] = claims.map(() => undefined);
  for (const index of order) {
    const { size, alignment } = claims[index];
    for (const [at, range] of free.entries()) {
      const base = alignUp(range.base, alignment);
      const end = base + size;
      if (end > range.end) continue;
      bases[index] = base;
      const rest = [
        { base: range.base, end: base },
        { base: end, end: range.end },
      ];
      free.splice(at, 1, ...rest.filter((piece) => piece.end > piece.base));
      break;
    }
  }
  return bases;
}

/** Bytes that are lost behind a claim when one of the same alignment follows. */
const tail = ({ size, alignment }: Claim): number => alignUp(size, alignment) - size;

/**
 * Coarsest alignment first: what follows always starts aligned. Among equals those that end aligned come first, then the larger.
 */
function coarsestFirst(claims: readonly Claim[]): number[] {
  return claims
    .map((_, index) => index)
    .sort((left, right) => {
      const [a, b] = [claims[left], claims[right]];
      return b.alignment - a.alignment || tail(a) - tail(b) || b.size - a.size || left - right;
    });
}

/** Places claims in `ranges`, the coarsest alignment first. */
export function placeInRanges(claims: readonly Claim[], ranges: readonly Window[]): Bases {
  return placeInOrder(claims, coarsestFirst(claims), ranges);
}

/** A packed window: bytes from its base to the end of the last claim, the alignment of its base, offsets in the order of the claims. */
export interface Packing {
  readonly size: number;
  readonly alignment: number;
  readonly offsets: readonly number[];
}

/** Up to this many claims every order is tried: 120 at most. */
const EXHAUSTIVE_CLAIMS = 5;

function* permutations(items: readonly number[]): Generator<number[]> {
  if (items.length <= 1) yield [...items];
  for (const [at, item] of items.entries()) {
    const others = items.filter((_, index) => index !== at);
    if (others.length > 0) for (const rest of permutations(others)) yield [item, ...rest];
  }
}

/** Orders worth trying: which claim stands last decides whether its ragged end costs anything. */
function* candidateOrders(claims: readonly Claim[]): Generator<number[]> {
  const order = coarsestFirst(claims);
  yield order;
  if (claims.every((claim) => tail(claim) === 0)) return;
  if (claims.length <= EXHAUSTIVE_CLAIMS) {
    yield* permutations(order);
    return;
  }
  const seen = new Set<string>();
  for (const last of order) {
    const key = `${claims[last].size}:${claims[last].alignment}`;
    if (tail(claims[last]) === 0 || seen.has(key)) continue;
    seen.add(key);
    yield [...order.filter((index) => index !== last), last];
  }
}

/** Packs claims into the smallest window found; the first of equally small ones, so that the same board gives the same plan. */
export function packWindow(claims: readonly Claim[]): Packing {
  const alignment = claims.reduce((most, claim) => Math.max(most, claim.alignment), 1);
  let best: Packing | undefined;
  for (const order of candidateOrders(claims)) {
    const bases = placeInOrder(claims, order, [{ base: 0, size: Number.POSITIVE_INFINITY }]);
    const offsets = bases.map((base) => base ?? 0);
    const size = claims.reduce((end, claim, index) => Math.max(end, offsets[index] + claim.size), 0);
    if (best === undefined || size < best.size) best = { size, alignment, offsets };
  }
  return best ?? { size: 0, alignment, offsets: [] };
}
