/** Shorter ways to write a path, as iasl chooses them. */
import { splitPath } from '../name-string.ts';
import { absolutePath, ROOT } from '../namespace.ts';
import type { SourceNamespace } from './names.ts';

/** Bytes of a NameString but for NullName's: how long a path is in the AML. */
export function nameByteLength(path: string): number {
  const { prefix, segments } = splitPath(path);
  return prefix.length + (segments.length > 2 ? 2 : segments.length === 2 ? 1 : 0) + segments.length * 4;
}

const segmentsOf = (absolute: string): string[] => splitPath(absolute).segments;

/** A reference to `target`, which is written `path` in `scope`: one segment where the search finds it, else carets. */
export function shortenReference(names: SourceNamespace, scope: string, path: string, target: string): string {
  if (nameByteLength(path) <= 4) return path;
  const last = segmentsOf(target).at(-1);
  if (last === undefined) return path;
  if (names.find(scope, last)?.path === target) return last;
  return withCarets(names, scope, path, target, { isDeclaration: false, isScope: false }) ?? path;
}

/** The name that a declaration in `scope` gives to `target`. */
export function shortenDeclaration(
  names: SourceNamespace,
  scope: string,
  path: string,
  target: string,
  { isTopLevel, isScope }: { readonly isTopLevel: boolean; readonly isScope: boolean },
): string {
  if (nameByteLength(path) <= 4) return path;
  if ((scope === ROOT || isTopLevel) && path.startsWith('\\')) return path.slice(1) === '' ? path : path.slice(1);
  return withCarets(names, scope, path, target, { isDeclaration: true, isScope }) ?? path;
}

/** Up to the last scope that both share, and down: only when it is shorter and means the same. */
function withCarets(
  names: SourceNamespace,
  scope: string,
  path: string,
  target: string,
  { isDeclaration, isScope }: { readonly isDeclaration: boolean; readonly isScope: boolean },
): string | undefined {
  const [from, to] = [segmentsOf(scope), segmentsOf(target)];
  let common = 0;
  while (common < from.length && common < to.length && from[common] === to[common]) common++;
  if (common === 0 || (common === from.length && common === to.length)) return undefined;
  let carets = '^'.repeat(from.length - common);
  let first = common;
  if (isDeclaration && common === to.length) {
    first--;
    if (isScope) carets += '^';
  }
  const shorter = carets + to.slice(first).join('.');
  if (nameByteLength(shorter) >= nameByteLength(path)) return undefined;
  const found = names.at(absolutePath(scope, shorter));
  return found?.path === target ? shorter : undefined;
}
