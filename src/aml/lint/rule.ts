import type { RuleWords, Violation } from './finding.ts';
import type { LintModel } from './model.ts';

/** A rule over definition blocks alone: their trees and the namespace that they make together. */
export interface LintRule extends RuleWords {
  /** Every place where it does not hold; none where the tables do not say enough. */
  readonly check: (model: LintModel) => readonly Violation[];
}
