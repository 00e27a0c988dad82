import { UserError } from '../../shared/errors.ts';
import type { NamespaceNode } from '../interpreter/namespace-tree.ts';
import { objectText } from '../interpreter/object-text.ts';
import { spaceName } from '../interpreter/trace.ts';

/** `node` and what stands below it, `depth` levels deep, a line each. */
export function treeText(node: NamespaceNode, depth: number, level = 0): string[] {
  const lines = [`${'  '.repeat(level)}${node.segment === '' ? '\\' : node.segment}  ${describe(node)}`];
  if (depth === 0) return lines;
  for (const child of node.children.values()) lines.push(...treeText(child, depth - 1, level + 1));
  return lines;
}

/** Type and value in a few words. */
export function describe(node: NamespaceNode): string {
  if (node.aliasOf) return `Alias of ${node.aliasOf.displayPath}`;
  try {
    const { object } = node;
    switch (object.type) {
      case 'Method':
        return `Method, ${object.argumentCount} arguments${object.serialized ? ', serialized' : ''}`;
      case 'OpRegion':
        return `OpRegion ${spaceName(object.space)} 0x${object.offset.toString(16)}, ${object.byteLength} bytes`;
      case 'FieldUnit':
      case 'BufferField':
        return `${object.type}, ${object.bitLength} bits`;
      case 'Integer':
      case 'String':
        return `${object.type} ${objectText(object)}`;
      case 'Buffer':
        return `Buffer, ${object.bytes.length} bytes`;
      case 'Package':
        return `Package, ${object.elements.length} elements`;
      default:
        return object.type;
    }
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
