import { hex } from '../../shared/bytes.ts';
import type { Window } from '../pci/plan.ts';

/** `0xb000_0000–0xbfff_ffff`. */
export function rangeText({ base, size }: Window): string {
  return `${hex(base)}–${hex(base + size - 1)}`;
}

export function overlap(left: Window, right: Window): boolean {
  return left.size > 0 && right.size > 0 && left.base < right.base + right.size && right.base < left.base + left.size;
}

export function contains(outer: Window, inner: Window): boolean {
  return inner.base >= outer.base && inner.base + inner.size <= outer.base + outer.size;
}

/** True when `ranges` together leave no byte of `wanted` out. */
export function covers(ranges: readonly Window[], wanted: Window): boolean {
  let reached = wanted.base;
  for (const { base, size } of ranges.toSorted((left, right) => left.base - right.base)) {
    if (base <= reached) reached = Math.max(reached, base + size);
  }
  return reached >= wanted.base + wanted.size;
}

/** Every pair that overlaps, the earlier first. */
export function overlappingPairs<Range extends Window>(ranges: readonly Range[]): [Range, Range][] {
  const sorted = ranges.filter(({ size }) => size > 0).sort((left, right) => left.base - right.base);
  return sorted.flatMap((left, index) =>
    sorted.slice(index + 1).flatMap((right): [Range, Range][] => (overlap(left, right) ? [[left, right]] : [])),
  );
}
