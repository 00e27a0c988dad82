import type { ErrorPlace } from '../../shared/errors.ts';
import type { CheckFacts } from './facts.ts';

/** What breaks: `error` keeps an OS from using something or stops it, `warning` costs a feature or makes it complain. */
export type Severity = 'error' | 'warning';

/** One place where a rule is broken. */
export interface Violation {
  readonly message: string;
  readonly place: ErrorPlace;
}

/** A consistency rule over the firmware's files. */
export interface Rule {
  /** Stable: scripts and suppressions name it. */
  readonly id: string;
  readonly severity: Severity;
  /** What must hold. */
  readonly title: string;
  /** What follows under each system, in one sentence. */
  readonly linux: string;
  readonly windows: string;
  /** What to change. */
  readonly mend: string;
  /** Every place where it does not hold; none where the files do not say enough. */
  readonly check: (facts: CheckFacts) => readonly Violation[];
}

/** A violation with its rule's words. */
export interface Finding extends Violation, Omit<Rule, 'id' | 'check'> {
  readonly rule: string;
}

export function violation(message: string, place: ErrorPlace = {}): Violation {
  return { message, place };
}
