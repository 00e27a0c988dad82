import { hasSegments } from '../name-string.ts';
import type { DeclaredNames } from '../namespace.ts';
import type { ObjectType } from '../opcodes.ts';

/** Where a piece of ASL stands: what a name means there and what its values are likely to be. */
export interface Place {
  /** Absolute path of the scope. */
  readonly scope: string;
  /** The last declared NameSeg around: `_HID`, `_DSM` … */
  readonly within: string;
  /** `kind` of the term that opened the scope. */
  readonly opener?: string;
  /** What the table itself declares, Externals included. */
  readonly own: DeclaredNames;
  /** Numbers for the tags of resource descriptors, which must differ within a scope. */
  readonly tags: { next: number };
  /** ASL 1: no operators, only calls. */
  readonly isLegacy?: boolean;
  /** What is written so that iasl accepts the text; a piece of a table goes without. */
  readonly concessions?: Concessions;
}

/** What a whole table's text concedes to iasl; see annotation `@instead`. */
export interface Concessions {
  /** Methods without Return whose value is used, by path. */
  readonly returnless: ReadonlySet<string>;
  /** Methods that invoke themselves by another name: that name's segment by path. */
  readonly aliases: ReadonlyMap<string, string>;
  /** The type that the text gives a name, its own declaration or an External. */
  typeOf(scope: string, path: string): ObjectType | undefined;
  /** A NameSeg like `segment` that no table uses; each is given once. */
  unusedSegment(segment: string): string;
  /** True once for each NameSeg that is free at the root, where every scope finds it. */
  isFirstAtRoot(segment: string): boolean;
}

/** True when `path` may be written with parentheses: a method, or a name that only the use tells about. The root and carets are scopes. */
export function isInvocable(place: Place, path: string): boolean {
  if (!hasSegments(path)) return false;
  const found = place.own.find(place.scope, path);
  return found === undefined || found.declaration.argumentCount !== undefined;
}

/** The last NameSeg of `path`, empty for the root. */
export function lastSegment(path: string): string {
  return hasSegments(path) ? path.slice(-4) : '';
}

/** `path` with another last NameSeg. */
export const withLastSegment = (path: string, segment: string): string => path.slice(0, -4) + segment;
