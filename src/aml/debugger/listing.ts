import { bodyOf, headText } from '../asl/head-text.ts';
import type { AmlInterpreter } from '../interpreter/interpreter.ts';
import type { NamespaceNode } from '../interpreter/namespace-tree.ts';
import type { AmlTerm } from '../tree.ts';

/** A statement of a method as it is shown: a block is its head, what stands inside follows with one more level. */
export interface ListedStatement {
  readonly term: AmlTerm;
  /** Into the table's bytes; nothing for a table without offsets. */
  readonly offset: number | undefined;
  readonly level: number;
  /** ASL; several lines for a long value. */
  readonly text: string;
}

/** The statements of the method at `node`, in order; none for what is no method in AML. */
export function listMethod(interpreter: AmlInterpreter, node: NamespaceNode): ListedStatement[] {
  const { object } = node;
  if (object.type !== 'Method' || typeof object.body === 'function') return [];
  const rows: ListedStatement[] = [];
  addStatements(rows, object.body, 0, node.path, interpreter);
  return rows;
}

function addStatements(
  rows: ListedStatement[],
  terms: readonly AmlTerm[],
  level: number,
  scope: string,
  interpreter: AmlInterpreter,
): void {
  for (const term of terms) {
    const body = bodyOf(term);
    const text = headText(term, scope, interpreter.set);
    rows.push({ term, offset: interpreter.offsetOf(term), level, text });
    if (body) addStatements(rows, body, level + 1, scope, interpreter);
  }
}

const INDENT = '    ';

/** `rows` from `first` on as text, `current` marked. */
export function listingText(rows: readonly ListedStatement[], current?: AmlTerm): string[] {
  return rows.map(({ term, offset, level, text }) => {
    const at = offset === undefined ? '' : offset.toString(16).padStart(5, '0');
    const mark = term === current ? '=>' : '  ';
    const margin = `${mark} ${at}  `;
    return (
      margin + INDENT.repeat(level) + text.replaceAll('\n', `\n${' '.repeat(margin.length)}${INDENT.repeat(level)}`)
    );
  });
}
