/** What a table declares, as a tree with types: what iasl writes with -ln. */
import { splitPath } from '../../name-string.ts';
import { ROOT } from '../../namespace.ts';
import type { CompiledTable } from '../compile.ts';
import type { DeclaredNode } from '../names.ts';

/** One line an object: depth, name, type, and where the source declares it; objects of other tables say so. */
export function namespaceListing(table: CompiledTable): string {
  const nodes = [...table.names.all()].filter(({ type }) => type !== 'Tag');
  const children = new Map<string, DeclaredNode[]>();
  for (const node of nodes) {
    const parent = splitPath(node.path).segments.slice(0, -1).join('.');
    children.set(parent, [...(children.get(parent) ?? []), node]);
  }
  const lines: string[] = [];
  const visit = (path: string, depth: number): void => {
    for (const node of children.get(path) ?? []) {
      const { segments } = splitPath(node.path);
      lines.push(`${'  '.repeat(depth)}${segments.at(-1)} ${describe(node)}`.trimEnd());
      visit(segments.join('.'), depth + 1);
    }
  };
  visit('', 1);
  return `${ROOT}\n${lines.join('\n')}\n`;
}

function describe({ type, isExternal, token, argumentCount }: DeclaredNode): string {
  const count = argumentCount === undefined ? '' : ` (${argumentCount})`;
  if (isExternal) return `${type}${count}  external`;
  if (!token) return `${type}${count}`;
  const { file, line } = token.source.positionOf(token.start);
  return `${type}${count}  ${file}:${line}`;
}
