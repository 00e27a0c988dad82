import { formatPath, splitPath } from '../name-string.ts';
import { type AmlObject, UNINITIALIZED } from './objects.ts';

/** A named object. `object` may be made on first use: what it is made of may be declared later in the table. */
export class NamespaceNode {
  readonly segment: string;
  readonly parent: NamespaceNode | undefined;
  readonly children = new Map<string, NamespaceNode>();
  #object: AmlObject;
  #deferred: (() => AmlObject) | undefined;
  /** The node that an Alias stands for. */
  readonly aliasOf: NamespaceNode | undefined;

  constructor(
    segment: string,
    parent: NamespaceNode | undefined,
    object: AmlObject = UNINITIALIZED,
    aliasOf?: NamespaceNode,
  ) {
    this.segment = segment;
    this.parent = parent;
    this.#object = object;
    this.aliasOf = aliasOf;
  }

  get object(): AmlObject {
    if (this.aliasOf) return this.aliasOf.object;
    const make = this.#deferred;
    if (make) {
      // Not again from inside; but again later when it fails now.
      this.#deferred = undefined;
      try {
        this.#object = make();
      } catch (error) {
        this.#deferred = make;
        throw error;
      }
    }
    return this.#object;
  }

  set object(value: AmlObject) {
    if (this.aliasOf) {
      this.aliasOf.object = value;
      return;
    }
    this.#deferred = undefined;
    this.#object = value;
  }

  /** The object is made by `make` when it is first looked at. */
  defer(make: () => AmlObject): void {
    this.#deferred = make;
  }

  /** Absolute path in the tree's form: `\_SB_.PCI0`. */
  get path(): string {
    const segments: string[] = [];
    for (let node: NamespaceNode = this; node.parent; node = node.parent) segments.unshift(node.segment);
    return `\\${segments.join('.')}`;
  }

  /** Absolute path as ASL writes it: `\_SB.PCI0`. */
  get displayPath(): string {
    return formatPath(this.path);
  }

  /** The nearest node, this one included, whose object is of `type`. */
  enclosing(type: AmlObject['type']): NamespaceNode | undefined {
    for (let node: NamespaceNode | undefined = this; node; node = node.parent)
      if (node.object.type === type) return node;
    return undefined;
  }

  /** This node and everything below it, parents first. */
  *walk(): Generator<NamespaceNode> {
    yield this;
    for (const child of this.children.values()) yield* child.walk();
  }
}

const rootOf = (node: NamespaceNode): NamespaceNode => {
  let root = node;
  while (root.parent) root = root.parent;
  return root;
};

/** Where `path` starts from `scope`, and what is left of it. */
function startOf(
  scope: NamespaceNode,
  path: string,
): { base: NamespaceNode | undefined; segments: string[]; searches: boolean } {
  const { prefix, segments } = splitPath(path);
  if (prefix === '\\') return { base: rootOf(scope), segments, searches: false };
  let base: NamespaceNode | undefined = scope;
  for (let level = 0; level < prefix.length; level++) base = base?.parent;
  return { base, segments, searches: prefix === '' && segments.length === 1 };
}

/** The node that `path` names in `scope`, by the search rules of ACPI 6.5 §5.3; nothing when there is none. */
export function findNode(scope: NamespaceNode, path: string): NamespaceNode | undefined {
  const { base, segments, searches } = startOf(scope, path);
  if (searches) {
    for (let node: NamespaceNode | undefined = base; node; node = node.parent) {
      const found = childOf(node, segments[0]);
      if (found) return found;
    }
    return undefined;
  }
  let node = base;
  for (const segment of segments) node = node && childOf(node, segment);
  return node;
}

/** A child, through an alias of its parent as well. */
function childOf(node: NamespaceNode, segment: string): NamespaceNode | undefined {
  return (node.aliasOf ?? node).children.get(segment);
}

/** Where a declaration of `path` puts its node: the parent, when it is there, and the last segment. */
export function declarationPlace(
  scope: NamespaceNode,
  path: string,
): { parent: NamespaceNode | undefined; segment: string } {
  const { base, segments } = startOf(scope, path);
  let parent = base;
  for (const segment of segments.slice(0, -1)) parent = parent && childOf(parent, segment);
  return { parent: parent?.aliasOf ?? parent, segment: segments.at(-1) ?? '' };
}
