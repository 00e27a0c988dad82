import type { ObjectType } from './opcodes.ts';

/** What stands at a path of the namespace, as far as decoding and printing need to know. */
export type DeclaredKind =
  | 'Alias'
  | 'BufferField'
  | 'DataRegion'
  | 'Device'
  | 'Event'
  | 'External'
  | 'FieldUnit'
  | 'Method'
  | 'Mutex'
  | 'Name'
  | 'OpRegion'
  | 'PowerResource'
  | 'Processor'
  | 'ThermalZone';

export interface Declaration {
  readonly kind: DeclaredKind;
  /** Methods and Externals of methods: 0 to 7. */
  readonly argumentCount?: number;
  /** Aliases: the absolute path that they stand for. */
  readonly target?: string;
  /** Names: ObjectType keyword of the initial value. Externals: the declared type. */
  readonly objectType?: ObjectType;
  /** Which table declared it, by its place in the set. */
  readonly table: number;
}

const NO_ENTRIES: readonly Declaration[] = [];

/** `\\AAAA`. */
const ROOT_PATH_LENGTH = 5;

/** The scope of the root, as text. */
export const ROOT = '\\';

/** `\AAAA` below the root, `\AAAA.BBBB` below others; `name` may have several NameSegs. */
export function childPath(scope: string, name: string): string {
  return scope === ROOT ? `\\${name}` : `${scope}.${name}`;
}

/** The path one level up; the root is its own parent. */
export function parentPath(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot < 0 ? ROOT : path.slice(0, dot);
}

/** `path` as an absolute path without search: relative names hang below `scope`, each `^` goes one level up. */
export function absolutePath(scope: string, path: string): string {
  if (path.startsWith(ROOT)) return path;
  let base = scope;
  let carets = 0;
  for (; path[carets] === '^'; carets++) base = parentPath(base);
  return carets === path.length ? base : childPath(base, carets === 0 ? path : path.slice(carets));
}

/**
 * Names that several definition blocks declare, by absolute path. The operating system's predefined names (ACPI 6.5 §5.3.1,
 * §5.7) are there from the start.
 */
export class DeclaredNames {
  readonly #entries = new Map<string, Declaration[]>();
  /** Declared paths by their last NameSeg and the scope that they stand in. */
  readonly #bySegment = new Map<string, Map<string, string>>();
  /** Scopes with those above them, the innermost first. */
  readonly #chains = new Map<string, readonly string[]>();
  /** Answers of `resolve` by asking table, scope and path: the same few are asked again and again. */
  readonly #resolved: Map<string, Map<string, string | undefined>>[] = [];

  constructor() {
    for (const [path, declaration] of PREDEFINED) this.declare(path, declaration);
  }

  declare(path: string, declaration: Declaration): void {
    this.#resolved.length = 0;
    const entries = this.#entries.get(path);
    if (entries) {
      entries.push(declaration);
      return;
    }
    this.#entries.set(path, [declaration]);
    const segment = path.slice(-4);
    const scope = path.length <= ROOT_PATH_LENGTH ? ROOT : path.slice(0, -5);
    const paths = this.#bySegment.get(segment);
    if (paths) paths.set(scope, path);
    else this.#bySegment.set(segment, new Map([[scope, path]]));
  }

  /** Adds what another set declares; the predefined names are there already. */
  merge(other: DeclaredNames): void {
    for (const [path, entries] of other.#entries) {
      for (const entry of entries) if (entry.table >= 0) this.declare(path, entry);
    }
  }

  /**
   * The declaration at exactly `path`; where several tables declare it (alternatives of which the firmware loads one), the asking
   * table's own comes first, then definitions, then Externals.
   */
  at(path: string, table?: number): Declaration | undefined {
    const entries = this.#entries.get(path);
    if (!entries) return undefined;
    if (entries.length === 1) return entries[0];
    const real = entries.filter((entry) => entry.kind !== 'External');
    return real.find((entry) => entry.table === table) ?? real[0] ?? entries[0];
  }

  /** Every declaration at `path`. */
  allAt(path: string): readonly Declaration[] {
    return this.#entries.get(path) ?? NO_ENTRIES;
  }

  /** Argument counts of all methods, wherever they stand, whose last NameSeg is `segment`. */
  argumentCountsOf(segment: string): ReadonlySet<number> {
    const counts = new Set<number>();
    for (const path of this.#bySegment.get(segment)?.values() ?? []) {
      for (const { argumentCount } of this.allAt(path)) if (argumentCount !== undefined) counts.add(argumentCount);
    }
    return counts;
  }

  /** True when nothing but the predefined names is declared. */
  get isEmpty(): boolean {
    return this.#entries.size === PREDEFINED.length;
  }

  /** Every path that is declared. */
  paths(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /**
   * The absolute path that `path` means in `scope`: a single NameSeg without prefix is looked for in the scope and then in each
   * one above it (ACPI 6.5 §5.3). Nothing when no table declares it.
   */
  resolve(scope: string, path: string, table?: number): string | undefined {
    const asking = (table ?? -1) + 1;
    this.#resolved[asking] ??= new Map();
    let answers = this.#resolved[asking].get(scope);
    if (!answers) {
      answers = new Map();
      this.#resolved[asking].set(scope, answers);
    }
    const known = answers.get(path);
    if (known !== undefined || answers.has(path)) return known;
    const answer = this.#search(scope, path, table);
    answers.set(path, answer);
    return answer;
  }

  #search(scope: string, path: string, table: number | undefined): string | undefined {
    if (path.length !== 4 || path.startsWith('^')) {
      const absolute = absolutePath(scope, path);
      return absolute === ROOT || this.#entries.has(absolute) ? absolute : undefined;
    }
    // What a table calls External without a type is no declaration: one further up wins over it.
    let vague: string | undefined;
    let foreign: string | undefined;
    const declared = this.#bySegment.get(path);
    for (const base of declared ? this.#chain(scope) : []) {
      const candidate = declared?.get(base);
      if (candidate === undefined) continue;
      const entries = this.allAt(candidate);
      const real = entries.filter(({ kind, argumentCount }) => kind !== 'External' || argumentCount !== undefined);
      if (real.some((entry) => entry.table === table)) return candidate;
      if (real.length > 0) foreign ??= candidate;
      else if (entries.length > 0) vague ??= candidate;
      if (foreign !== undefined && table === undefined) return foreign;
    }
    return foreign ?? vague;
  }

  /** The nearest path in `scope` or above it whose last NameSeg is `segment`, whatever is declared there. */
  nearest(scope: string, segment: string): string | undefined {
    const declared = this.#bySegment.get(segment);
    const base = declared && this.#chain(scope).find((above) => declared.has(above));
    return base === undefined ? undefined : declared?.get(base);
  }

  #chain(scope: string): readonly string[] {
    const known = this.#chains.get(scope);
    if (known) return known;
    const chain = [scope];
    for (let base = scope; base !== ROOT; ) {
      base = parentPath(base);
      chain.push(base);
    }
    this.#chains.set(scope, chain);
    return chain;
  }

  /** As `resolve` and `at`, with aliases followed. */
  find(scope: string, path: string, table?: number): { path: string; declaration: Declaration } | undefined {
    let absolute = this.resolve(scope, path, table);
    // Damaged tables alias in circles.
    for (let hops = 0; absolute !== undefined && hops < 8; hops++) {
      const declaration = this.at(absolute, table);
      if (!declaration) return undefined;
      if (declaration.kind !== 'Alias' || declaration.target === undefined) return { path: absolute, declaration };
      absolute = declaration.target;
    }
    return undefined;
  }
}

const PREDEFINED: readonly (readonly [string, Declaration])[] = [
  ['\\_GPE', { kind: 'Device', table: -1 }],
  ['\\_PR_', { kind: 'Device', table: -1 }],
  ['\\_SB_', { kind: 'Device', table: -1 }],
  ['\\_SI_', { kind: 'Device', table: -1 }],
  ['\\_TZ_', { kind: 'Device', table: -1 }],
  ['\\_REV', { kind: 'Name', objectType: 'IntObj', table: -1 }],
  ['\\_OS_', { kind: 'Name', objectType: 'StrObj', table: -1 }],
  ['\\_GL_', { kind: 'Mutex', table: -1 }],
  ['\\_OSI', { kind: 'Method', argumentCount: 1, table: -1 }],
];
