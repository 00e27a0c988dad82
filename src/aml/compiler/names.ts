import { splitPath } from '../name-string.ts';
import { absolutePath, childPath, parentPath, ROOT } from '../namespace.ts';
import type { Token } from './source.ts';

/** What the source declares at a path. */
export interface DeclaredNode {
  readonly path: string;
  /** ObjectType keyword, `Scope` for what only stands on the way to an External, or `Tag` for a descriptor's field. */
  readonly type: string;
  readonly isExternal: boolean;
  readonly token: Token | undefined;
  /** Methods; nothing while it is unknown. */
  argumentCount?: number;
  /** Aliases: the name that they stand for, as it is written, and the scope around. */
  readonly alias?: { readonly scope: string; readonly path: string };
  /** Tags: bits from the template's start. */
  readonly bit?: number;
  readonly bitLength?: number;
}

/** The namespace that one definition block declares, with its Externals and the names that every system has (ACPI 6.5 §5.3.1). */
export class SourceNamespace {
  readonly #nodes = new Map<string, DeclaredNode>();

  constructor() {
    for (const [segment, type, argumentCount] of PREDEFINED) {
      const path = childPath(ROOT, segment);
      this.#nodes.set(path, {
        path,
        type,
        isExternal: true,
        token: undefined,
        ...(argumentCount !== undefined && { argumentCount }),
      });
    }
  }

  /** All nodes, in the order of their declarations. */
  all(): Iterable<DeclaredNode> {
    return this.#nodes.values();
  }

  at(path: string): DeclaredNode | undefined {
    return path === ROOT ? ROOT_NODE : this.#nodes.get(path);
  }

  /** Adds a node; gives the one that stands there already when it is no External. */
  declare(node: DeclaredNode): DeclaredNode | undefined {
    const before = this.#nodes.get(node.path);
    if (before && !before.isExternal) return before;
    // An External behind a declaration or another External says nothing new.
    if (before && node.isExternal && before.type !== 'Scope') return undefined;
    this.#nodes.set(node.path, node);
    return undefined;
  }

  /** Nodes for the paths above an External. */
  declareParents(path: string): void {
    for (let above = parentPath(path); above !== ROOT && !this.#nodes.has(above); above = parentPath(above)) {
      this.#nodes.set(above, { path: above, type: 'Scope', isExternal: true, token: undefined });
    }
  }

  /** What `path` means in `scope`: a single segment is looked for in every scope above as well (ACPI 6.5 §5.3). */
  find(scope: string, path: string): DeclaredNode | undefined {
    if (path.length !== 4 || path[0] === '\\' || path[0] === '^') return this.at(absolutePath(scope, path));
    for (let base = scope; ; base = parentPath(base)) {
      const found = this.#nodes.get(childPath(base, path));
      if (found) return found;
      if (base === ROOT) return undefined;
    }
  }

  /** `node`, or what the alias stands for. */
  follow(node: DeclaredNode): DeclaredNode {
    let current = node;
    // Aliases may form a circle.
    for (let hops = 0; hops < 8 && current.alias; hops++) {
      const target = this.find(current.alias.scope, current.alias.path);
      if (!target) return current;
      current = target;
    }
    return current;
  }

  /** True when something of `type` is declared right below `path`. */
  hasBelow(path: string, type: string): boolean {
    for (const node of this.#nodes.values()) if (node.type === type && parentPath(node.path) === path) return true;
    return false;
  }

  /** True when the last segment of `path` is declared anywhere: then only the way to it is wrong. */
  hasSegment(path: string): boolean {
    const last = splitPath(path).segments.at(-1);
    for (const known of this.#nodes.keys()) if (last !== undefined && known.endsWith(last)) return true;
    return false;
  }
}

const ROOT_NODE: DeclaredNode = { path: ROOT, type: 'DeviceObj', isExternal: true, token: undefined };
const PREDEFINED: readonly (readonly [string, string, number?])[] = [
  ['_GPE', 'DeviceObj'],
  ['_PR_', 'DeviceObj'],
  ['_SB_', 'DeviceObj'],
  ['_SI_', 'DeviceObj'],
  ['_TZ_', 'DeviceObj'],
  ['_REV', 'IntObj'],
  ['_OS_', 'StrObj'],
  ['_GL_', 'MutexObj'],
  ['_OSI', 'MethodObj', 1],
];
