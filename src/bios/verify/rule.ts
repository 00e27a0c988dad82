import type { RuleWords, Violation } from '../../aml/lint/finding.ts';
import type { CheckFacts } from './facts.ts';

export { type Finding, type Violation, violation } from '../../aml/lint/finding.ts';

/** A consistency rule over the firmware's files. Rules over definition blocks alone stand in aml/lint. */
export interface Rule extends RuleWords {
  /** Every place where it does not hold; none where the files do not say enough. */
  readonly check: (facts: CheckFacts) => readonly Violation[];
}
