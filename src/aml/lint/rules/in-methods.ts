import type { AmlTerm, NameTerm } from '../../tree.ts';
import { at, type LintMethod, type LintModel } from '../model.ts';
import type { LintRule } from '../rule.ts';
import { blockOf } from '../walk.ts';

/** What the rules over methods have in common. */

export const BLOCKS = new Set(['DefIf', 'DefElse', 'DefWhile']);

/** Every list of statements in a method: the body and the blocks inside. */
export function* listsOf(terms: readonly AmlTerm[]): Generator<readonly AmlTerm[]> {
  yield terms;
  for (const term of terms) if (BLOCKS.has(term.kind)) yield* listsOf(blockOf(term));
}

/** What is wrong in a method, and the term where it is. */
type InMethod = string | readonly [message: string, term: AmlTerm];

export function inMethods(check: (method: LintMethod, model: LintModel) => Iterable<InMethod>): LintRule['check'] {
  return (model) =>
    model.methods.flatMap((method) =>
      [...check(method, model)].map((found) =>
        typeof found === 'string' ? at(found, method) : at(found[0], method, found[1]),
      ),
    );
}

export const termsOf = ({ visits }: LintMethod): AmlTerm[] => visits.map(({ term }) => term);
export const isName = (term: AmlTerm): term is NameTerm => term.kind === 'NameString';
