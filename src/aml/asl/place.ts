import { splitPath } from '../name-string.ts';
import type { DeclaredNames } from '../namespace.ts';

/** Where a piece of ASL stands: what a name means there and what its values are likely to be. */
export interface Place {
  /** Absolute path of the scope. */
  readonly scope: string;
  /** The last declared NameSeg around: `_HID`, `_DSM` … */
  readonly within: string;
  /** What the table itself declares, Externals included. */
  readonly own: DeclaredNames;
  /** Numbers for the tags of resource descriptors, which must differ within a scope. */
  readonly tags: { next: number };
}

/** True when `path` may be written with parentheses: a method, or a name that only the use tells about. */
export function isInvocable(place: Place, path: string): boolean {
  const found = place.own.find(place.scope, path);
  return found === undefined || found.declaration.argumentCount !== undefined;
}

/** The last NameSeg of `path`, empty for the root. */
export function lastSegment(path: string): string {
  return splitPath(path).segments.at(-1) ?? '';
}
