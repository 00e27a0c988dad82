import { hasSegments, splitPath } from '../name-string.ts';
import { absolutePath, type Declaration, type DeclaredKind, DeclaredNames, parentPath, ROOT } from '../namespace.ts';
import type { ObjectType } from '../opcodes.ts';
import { pathText } from './annotations.ts';
import type { NameUse, TableNames } from './uses.ts';

/** ObjectType keywords of External by what is declared. */
const EXTERNAL_TYPES: Readonly<Record<DeclaredKind, ObjectType>> = {
  Alias: 'UnknownObj',
  BufferField: 'BuffFieldObj',
  DataRegion: 'OpRegionObj',
  Device: 'DeviceObj',
  Event: 'EventObj',
  External: 'UnknownObj',
  FieldUnit: 'FieldUnitObj',
  Method: 'MethodObj',
  Mutex: 'MutexObj',
  Name: 'UnknownObj',
  OpRegion: 'OpRegionObj',
  PowerResource: 'PowerResObj',
  Processor: 'ProcessorObj',
  ThermalZone: 'ThermalZoneObj',
};

export interface ExternalsOptions {
  /** The table's own declarations. */
  readonly own: DeclaredNames;
  /** What every table of the set declares. */
  readonly all: DeclaredNames;
  /** Paths that the text declares in another way. */
  readonly without: ReadonlySet<string>;
}

export interface External {
  readonly type: ObjectType;
  /** Of methods. */
  readonly argumentCount?: number;
}

/**
 * What a table uses and does not hold, by path. Types come from the other tables, or from the use. Scopes above are there as well: iasl
 * gives those that it has to make up itself no type.
 */
export function externalsOf(
  { uses, declaredAfar }: TableNames,
  { own, all, without }: ExternalsOptions,
): ReadonlyMap<string, External> {
  const externals = new Map<string, External>();
  const scopes = new Set<string>();
  // What paths declare External, single segments find below it: they come after.
  const assumed = new DeclaredNames();
  for (const use of [...uses.filter((use) => !isSingle(use)), ...uses.filter(isSingle)]) {
    if (!hasSegments(use.path) || own.resolve(use.scope, use.path) !== undefined) continue;
    const found = all.find(use.scope, use.path);
    const path = all.resolve(use.scope, use.path) ?? assumed.resolve(use.scope, use.path) ?? unknownPath(use);
    const type = scopes.has(path) ? 'DeviceObj' : typeOfUse(use, found?.declaration);
    if (use.isScope && type === 'DeviceObj') scopes.add(path);
    // An invocation or a Scope says more than a bare name.
    if (externals.has(path) && use.args === undefined && !use.isScope) continue;
    const argumentCount = found?.declaration.argumentCount ?? use.args ?? 0;
    externals.set(path, type === 'MethodObj' ? { type, argumentCount } : { type });
    assumed.declare(path, { kind: 'External', table: 0 });
  }
  for (const path of [...externals.keys(), ...declaredAfar, ...emittedExternals(own)]) {
    for (let parent = parentPath(path); parent !== ROOT; parent = parentPath(parent)) {
      if (externals.has(parent) || own.at(parent) !== undefined) continue;
      const declared = all.at(parent);
      externals.set(parent, { type: declared ? scopeTypeOf(declared) : 'DeviceObj' });
    }
  }
  for (const path of without) externals.delete(path);
  return externals;
}

/** External statements, in the order of their paths. */
export function externalsText(externals: ReadonlyMap<string, External>): string[] {
  return [...externals]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([path, { type, argumentCount }]) => {
      const note = argumentCount === undefined ? '' : `    // ${argumentCount} arguments`;
      return `External (${pathText(path).replace(/^\\(?=.)/, '')}, ${type})${note}`;
    });
}

const isSingle = ({ path }: NameUse): boolean => path.length === 4 && !path.startsWith('^');

/** Paths of the Externals that stand in the table's AML. */
function emittedExternals(own: DeclaredNames): string[] {
  return [...own.paths()].filter((path) => own.at(path)?.kind === 'External');
}

function typeOfUse(use: NameUse, declaration: Declaration | undefined): ObjectType {
  const declared = declaration ? typeOf(declaration) : 'UnknownObj';
  // iasl stores into no method, and invokes nothing else.
  if (use.isTarget && declared === 'MethodObj') return 'UnknownObj';
  if (declared !== 'UnknownObj') return declared;
  if (use.isScope) return 'DeviceObj';
  return use.args === undefined ? 'UnknownObj' : 'MethodObj';
}

/** The type that External states for what is declared so. */
export function typeOf({ kind, objectType }: { kind: DeclaredKind; objectType?: ObjectType }): ObjectType {
  if (kind === 'Name' || kind === 'External') return objectType ?? 'UnknownObj';
  return EXTERNAL_TYPES[kind];
}

function scopeTypeOf(declaration: Declaration): ObjectType {
  const type = typeOf(declaration);
  return type === 'UnknownObj' ? 'DeviceObj' : type;
}

/** Where a name that nobody declares is declared External: at the root when any scope above could hold it. */
function unknownPath({ scope, path }: NameUse): string {
  const { prefix, segments } = splitPath(path);
  return prefix === '' && segments.length === 1 ? absolutePath(ROOT, path) : absolutePath(scope, path);
}
