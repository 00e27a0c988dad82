import { type DecodedSet, type DecodedTable, decodeTables, type SourceTable } from '../decode.ts';
import { formatPath } from '../name-string.ts';
import { absolutePath, childPath, type DeclaredKind, parentPath, ROOT } from '../namespace.ts';
import type { AmlTerm, AnyDef, FieldElement, NameTerm } from '../tree.ts';
import type { LintViolation } from './rule.ts';
import { OPERAND_KINDS, subterms } from './walk.ts';

/** A declaration in a definition block. */
export interface LintObject {
  readonly kind: DeclaredKind;
  readonly path: string;
  /** Where names in the declaration are looked up. */
  readonly scope: string;
  /** Nothing for a field unit, which is one of many in its Field. */
  readonly term: AnyDef | undefined;
  readonly table: DecodedTable;
  /** Inside an If at table level: there only when the predicate holds while the table is loaded. */
  readonly conditional: boolean;
  /** Made anew by each invocation of this method. */
  readonly method: string | undefined;
}

export interface Visit {
  readonly term: AmlTerm;
  /** Where names in the term are looked up. */
  readonly scope: string;
}

export interface LintMethod {
  readonly path: string;
  /** Where the method is declared. */
  readonly scope: string;
  readonly term: AnyDef;
  readonly argumentCount: number;
  readonly serialized: boolean;
  readonly body: readonly AmlTerm[];
  /** Every term of the body, nested ones too. */
  readonly visits: readonly Visit[];
  readonly table: DecodedTable;
}

/** A term of a table that is looked at by itself: a Scope or a Field. */
export interface LintBlock extends Visit {
  readonly table: DecodedTable;
}

/** What the rules look at. */
export interface LintModel {
  readonly set: DecodedSet;
  /** The tables' bytes, the DSDT first. */
  readonly sources: readonly SourceTable[];
  readonly objects: readonly LintObject[];
  readonly byPath: ReadonlyMap<string, readonly LintObject[]>;
  readonly methods: readonly LintMethod[];
  /** Every Scope and Field, those in methods too. */
  readonly blocks: readonly LintBlock[];
  /** Paths of the objects right below a path. */
  readonly childrenOf: ReadonlyMap<string, ReadonlySet<string>>;
  /** The DSDT is among the tables: what is not declared is not there. */
  readonly complete: boolean;
}

/** Reads `sources`, the DSDT first, for the rules. Throws as `decodeTables`. */
export function readLintModel(sources: readonly SourceTable[]): LintModel {
  const set = decodeTables(sources, { offsets: true });
  const collector = new Collector(set);
  for (const table of set.tables) collector.terms(table.terms, ROOT, { table, conditional: false, method: undefined });
  const byPath = new Map<string, LintObject[]>();
  const childrenOf = new Map<string, Set<string>>();
  for (const object of collector.objects) {
    const same = byPath.get(object.path);
    if (same) same.push(object);
    else byPath.set(object.path, [object]);
    const parent = parentPath(object.path);
    const siblings = childrenOf.get(parent);
    if (siblings) siblings.add(object.path);
    else childrenOf.set(parent, new Set([object.path]));
  }
  const complete = set.tables.some(({ header }) => header.signature === 'DSDT');
  return {
    set,
    sources,
    objects: collector.objects,
    byPath,
    methods: collector.methods,
    blocks: collector.blocks,
    childrenOf,
    complete,
  };
}

interface Place {
  readonly table: DecodedTable;
  readonly conditional: boolean;
  readonly method: string | undefined;
}

const KIND_OF: Readonly<Record<string, DeclaredKind>> = {
  DefAlias: 'Alias',
  DefName: 'Name',
  DefMethod: 'Method',
  DefExternal: 'External',
  DefMutex: 'Mutex',
  DefEvent: 'Event',
  DefOpRegion: 'OpRegion',
  DefDevice: 'Device',
  DefProcessor: 'Processor',
  DefPowerRes: 'PowerResource',
  DefThermalZone: 'ThermalZone',
  DefDataRegion: 'DataRegion',
  DefCreateField: 'BufferField',
  DefCreateBitField: 'BufferField',
  DefCreateByteField: 'BufferField',
  DefCreateWordField: 'BufferField',
  DefCreateDWordField: 'BufferField',
  DefCreateQWordField: 'BufferField',
};
const OPENS_SCOPE = new Set(['DefDevice', 'DefProcessor', 'DefPowerRes', 'DefThermalZone']);

class Collector {
  readonly objects: LintObject[] = [];
  readonly methods: LintMethod[] = [];
  readonly blocks: LintBlock[] = [];
  readonly #set: DecodedSet;

  constructor(set: DecodedSet) {
    this.#set = set;
  }

  terms(terms: readonly AmlTerm[], scope: string, place: Place): void {
    for (const term of terms) this.#term(term, scope, place);
  }

  #term(term: AmlTerm, scope: string, place: Place): void {
    if (!('operands' in term)) return;
    const def = term as AnyDef;
    const { kind, operands } = def;
    if (kind === 'DefScope' || kind === 'DefField') this.blocks.push({ term, scope, table: place.table });
    if (kind === 'DefScope') {
      const { path } = operands[0] as NameTerm;
      this.terms(operands[1] as AmlTerm[], this.#set.names.resolve(scope, path) ?? absolutePath(scope, path), place);
      return;
    }
    if (kind === 'DefIf' || kind === 'DefElse' || kind === 'DefWhile') {
      const list = operands.at(-1) as readonly AmlTerm[];
      this.terms(list, scope, { ...place, conditional: true });
      return;
    }
    const declared = KIND_OF[kind];
    if (declared !== undefined) {
      const index = declared === 'Alias' || declared === 'BufferField' ? operands.length - 1 : 0;
      const path = absolutePath(scope, (operands[index] as NameTerm).path);
      this.objects.push({ kind: declared, path, scope, term: def, ...place });
      if (OPENS_SCOPE.has(kind)) this.terms(operands.at(-1) as readonly AmlTerm[], path, place);
      if (kind === 'DefMethod') this.#method(def, path, scope, place);
      return;
    }
    const fields = OPERAND_KINDS.get(kind)?.indexOf('FieldList') ?? -1;
    if (fields < 0) return;
    for (const element of operands[fields] as readonly FieldElement[]) {
      if (element.kind !== 'NamedField') continue;
      this.objects.push({ kind: 'FieldUnit', path: childPath(scope, element.name), scope, term: def, ...place });
    }
  }

  #method(term: AnyDef, path: string, scope: string, place: Place): void {
    const { operands } = term;
    const flags = operands[1] as number;
    const body = operands[2] as readonly AmlTerm[];
    const visits = [...walk(body, path)];
    this.methods.push({
      path,
      scope,
      term,
      argumentCount: flags & 7,
      serialized: (flags & 8) !== 0,
      body,
      visits,
      table: place.table,
    });
    this.terms(body, path, { ...place, method: path });
  }
}

/** What a violation is at: an object, a method, or a block. */
interface LintPlace {
  readonly path: string;
  readonly table: DecodedTable;
  /** Where names in `term` are looked up; without it, below `path`. */
  readonly scope?: string;
  readonly term?: AmlTerm | AnyDef | undefined;
}

/** A violation at an object, or at a term inside a method. */
export function at(message: string, { path, table, scope, term: own }: LintPlace, inner?: AmlTerm): LintViolation {
  const term = (inner ?? own) as AmlTerm | undefined;
  const offset = term && table.offsets?.get(term);
  return {
    message,
    place: {
      ...(table.file !== undefined && { file: table.file }),
      ...(offset !== undefined && { offset }),
      path: formatPath(path),
    },
    ...(term && { at: { term, scope: inner ? path : (scope ?? path) } }),
  };
}

/** Devices, processors and thermal zones that are declared once, with the last segments of what stands right below them. */
export function lintDevices(model: LintModel): { readonly object: LintObject; readonly names: ReadonlySet<string> }[] {
  return model.objects
    .filter(({ kind, path }) => kind === 'Device' && model.byPath.get(path)?.[0]?.kind === 'Device')
    .filter((object) => model.byPath.get(object.path)![0] === object)
    .map((object) => ({
      object,
      names: new Set([...(model.childrenOf.get(object.path) ?? [])].map((path) => path.slice(-4))),
    }));
}

/** Every term inside `terms`, nested ones too, each with the scope in which its names are looked up. */
export function* walk(terms: Iterable<AmlTerm>, scope: string): Generator<Visit> {
  for (const term of terms) {
    yield { term, scope };
    // Methods and devices inside a method declare below themselves.
    const inner = scopeInside(term, scope);
    yield* walk(subterms(term), inner);
  }
}

function scopeInside(term: AmlTerm, scope: string): string {
  if (!OPENS_SCOPE.has(term.kind) && term.kind !== 'DefMethod' && term.kind !== 'DefScope') return scope;
  return absolutePath(scope, ((term as AnyDef).operands[0] as NameTerm).path);
}
