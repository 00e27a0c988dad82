import { type ErrorPlace, formatPlace } from '../../shared/errors.ts';

/**
 * What breaks: `error` keeps an OS from using something or stops it, `warning` costs a feature or makes it complain, `remark` is
 * worth a look and harms nobody yet.
 */
export type Severity = 'error' | 'warning' | 'remark';

/** One place where a rule is broken. */
export interface Violation {
  readonly message: string;
  readonly place: ErrorPlace;
  /** What stands there, as the disassembly has it: a line of ASL. */
  readonly asl?: string;
}

/** What people read about a rule, whatever it looks at. */
export interface RuleWords {
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
}

/** A violation with its rule's words. */
export interface Finding extends Violation, Omit<RuleWords, 'id'> {
  readonly rule: string;
}

export function violation(message: string, place: ErrorPlace = {}): Violation {
  return { message, place };
}

/** A finding for people: what is broken and where, what follows, what to change. */
export function formatFinding(finding: Finding): string {
  const where = formatPlace(finding.place);
  return [
    `${finding.severity} ${finding.rule}: ${finding.message}${where === '' ? '' : ` (${where})`}`,
    ...(finding.asl === undefined ? [] : [`  asl: ${finding.asl}`]),
    `  rule: ${finding.title}`,
    `  Linux: ${finding.linux}`,
    `  Windows: ${finding.windows}`,
    `  mend: ${finding.mend}`,
  ].join('\n');
}
