import type { DecodedSet } from '../decode.ts';
import { ROW_BY_KIND } from '../opcodes.ts';
import type { AmlTerm, AnyDef } from '../tree.ts';
import { printTerm } from './print-term.ts';

/** The statements inside If, Else, While and the declarations that hold others; nothing for any other term. */
export function bodyOf(term: AmlTerm): readonly AmlTerm[] | undefined {
  const kinds = ROW_BY_KIND.get(term.kind)?.operands;
  return kinds?.at(-1) === 'TermList' ? ((term as AnyDef).operands.at(-1) as readonly AmlTerm[]) : undefined;
}

/** The ASL of a term without the statements inside it. */
export function headText(term: AmlTerm, scope: string, set: DecodedSet): string {
  if (!bodyOf(term)) return printTerm(term, scope, set);
  const { kind, operands } = term as AnyDef;
  const bare = { kind, operands: [...operands.slice(0, -1), []] } as unknown as AmlTerm;
  return printTerm(bare, scope, set).replace(/\s*\{\s*\}$/, '');
}
