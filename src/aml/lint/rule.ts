import type { AmlTerm } from '../tree.ts';
import type { RuleWords, Violation } from './finding.ts';
import type { LintModel } from './model.ts';

/** A violation at a term, whose ASL the report may show. */
export interface LintViolation extends Violation {
  readonly at?: {
    readonly term: AmlTerm;
    /** Where names in the term are looked up. */
    readonly scope: string;
  };
}

/** A rule over definition blocks alone: their trees and the namespace that they make together. */
export interface LintRule extends RuleWords {
  /** Every place where it does not hold; none where the tables do not say enough. */
  readonly check: (model: LintModel) => readonly LintViolation[];
}
