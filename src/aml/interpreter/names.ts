/** What a name in a frame stands for, and where a declaration goes: ACPI 6.5 §5.3. */
import { formatPath } from '../name-string.ts';
import type { NameTerm } from '../tree.ts';
import { evaluationError } from './evaluation-error.ts';
import { declarationPlace, findNode, NamespaceNode } from './namespace-tree.ts';
import { type AmlObject, UNINITIALIZED } from './objects.ts';
import type { Frame } from './run.ts';

export function findName(name: NameTerm, frame: Frame): NamespaceNode {
  const node = findNode(frame.scope, name.path);
  if (!node)
    throw evaluationError('AE_NOT_FOUND', `${formatPath(name.path)} is declared nowhere`, frame.scope.displayPath);
  return node;
}

/** A function as `object` makes it on first use. */
export function declareName(name: NameTerm, frame: Frame, object: AmlObject | (() => AmlObject)): NamespaceNode {
  const { parent, segment } = placeOf(name, frame);
  const node = new NamespaceNode(segment, parent, typeof object === 'function' ? UNINITIALIZED : object);
  if (typeof object === 'function') node.defer(object);
  return add(node, frame);
}

export function declareAlias(name: NameTerm, target: NamespaceNode, frame: Frame): void {
  const { parent, segment } = placeOf(name, frame);
  add(new NamespaceNode(segment, parent, UNINITIALIZED, target.aliasOf ?? target), frame);
}

function placeOf(name: NameTerm, frame: Frame): { parent: NamespaceNode; segment: string } {
  const { parent, segment } = declarationPlace(frame.scope, name.path);
  const path = formatPath(name.path);
  const at = frame.scope.displayPath;
  if (!parent) throw evaluationError('AE_NOT_FOUND', `the scope of ${path} is declared nowhere`, at);
  if (segment === '') throw evaluationError('AE_BAD_PARAMETER', `${path} is no name to declare`, at);
  if (parent.children.has(segment)) throw evaluationError('AE_ALREADY_EXISTS', `${path} is declared twice`, at);
  return { parent, segment };
}

function add(node: NamespaceNode, frame: Frame): NamespaceNode {
  node.parent?.children.set(node.segment, node);
  frame.created.push(node);
  return node;
}

/** A path as a string has it, with segments of four characters. */
export const paddedPath = (path: string): string => path.replace(/[^\\^.]+/g, (segment) => segment.padEnd(4, '_'));
