import type { DecodedSet, DecodedTable } from '../decode.ts';
import { hasSegments } from '../name-string.ts';
import { absolutePath, childPath, DeclaredNames, ROOT } from '../namespace.ts';
import type { ObjectType } from '../opcodes.ts';
import { instead, pathText } from './annotations.ts';
import { type External, typeOf } from './externals.ts';
import { recursiveMethods, returnlessMethods } from './iasl-methods.ts';
import { type Concessions, lastSegment } from './place.ts';
import type { TableNames } from './uses.ts';

/** What the text of `table` concedes to iasl; `externals` are those that it states. */
export function concessionsOf(
  { declared }: DecodedTable,
  set: DecodedSet,
  names: TableNames,
  externals: ReadonlyMap<string, External>,
): Concessions {
  const unusedSegment = unusedSegments(set.names);
  const recursive = [...recursiveMethods(names, declared)].sort();
  const atRoot = new Set<string>();
  const externalNames = new DeclaredNames();
  for (const path of externals.keys()) externalNames.declare(path, { kind: 'External', table: 0 });
  return {
    returnless: returnlessMethods(names, declared),
    aliases: new Map(recursive.map((path) => [path, unusedSegment(lastSegment(path))])),
    typeOf: (scope, path) => typeInText(nearestInText(scope, path, declared, externalNames), declared, externals),
    unusedSegment,
    isFirstAtRoot: (segment) => {
      const path = childPath(ROOT, segment);
      if (atRoot.has(path) || externals.has(path) || declared.at(path) !== undefined) return false;
      atRoot.add(path);
      return true;
    },
  };
}

/** Where a compiler finds `path` that sees this table alone: the nearest declaration or External. */
function nearestInText(scope: string, path: string, declared: DeclaredNames, externals: DeclaredNames): string {
  if (path.length !== 4 || !hasSegments(path)) return absolutePath(scope, path);
  const [own, external] = [declared.nearest(scope, path) ?? '', externals.nearest(scope, path) ?? ''];
  return external.length > own.length ? external : own;
}

function typeInText(
  absolute: string,
  declared: DeclaredNames,
  externals: ReadonlyMap<string, External>,
): ObjectType | undefined {
  const declaration = declared.at(absolute);
  return declaration ? typeOf(declaration) : externals.get(absolute)?.type;
}

/** Another first letter, or Y and a number. */
function unusedSegments(names: DeclaredNames): (segment: string) => string {
  let used: Set<string> | undefined;
  return (segment) => {
    used ??= new Set([...names.paths()].map(lastSegment));
    let candidate = `Y${segment.slice(1)}`;
    for (let number = 0; used.has(candidate); number++) {
      candidate = `Y${number.toString(36).toUpperCase().padStart(3, '0')}`;
    }
    used.add(candidate);
    return candidate;
  };
}

/**
 * Scopes of other tables that a DSDT opens: iasl refuses that for an External, and takes a device that never comes to be.
 * By absolute path.
 */
export function foreignScopes(
  { declared, header }: DecodedTable,
  set: DecodedSet,
  { uses }: TableNames,
): ReadonlySet<string> {
  const found = new Set<string>();
  if (header.signature !== 'DSDT') return found;
  for (const { scope, path, isScope } of uses) {
    if (!isScope) continue;
    const own = declared.find(scope, path);
    if (own && own.declaration.kind !== 'External') continue;
    if (!hasSegments(path)) continue;
    found.add(own?.path ?? set.names.resolve(scope, path) ?? absolutePath(scope, path));
  }
  return found;
}

export const idleDevices = (paths: ReadonlySet<string>): string[] =>
  [...paths].sort().map((path) => instead('', `If (Zero) { Device (${pathText(path)}) {} }`));
