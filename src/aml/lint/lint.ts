import { headText } from '../asl/head-text.ts';
import type { SourceTable } from '../decode.ts';
import type { Finding } from './finding.ts';
import { type LintModel, readLintModel } from './model.ts';
import type { LintRule, LintViolation } from './rule.ts';
import { DECODING_RULES } from './rules/decoding.ts';
import { DEVICE_RULES } from './rules/devices.ts';
import { EVALUATION_RULES } from './rules/evaluation.ts';
import { EVENT_RULES } from './rules/events.ts';
import { METHOD_RULES } from './rules/methods.ts';
import { NAMESPACE_RULES } from './rules/namespace.ts';
import { PREDEFINED_RULES } from './rules/predefined.ts';
import { REGION_RULES } from './rules/regions.ts';
import { RESOURCE_RULES } from './rules/resources.ts';
import { STATEMENT_RULES } from './rules/statements.ts';

/** Every rule over definition blocks, by family, in the order in which they are reported. */
export const LINT_RULES: readonly LintRule[] = [
  ...DECODING_RULES,
  ...NAMESPACE_RULES,
  ...PREDEFINED_RULES,
  ...DEVICE_RULES,
  ...RESOURCE_RULES,
  ...REGION_RULES,
  ...STATEMENT_RULES,
  ...METHOD_RULES,
  ...EVENT_RULES,
  ...EVALUATION_RULES,
];

/**
 * Runs every rule over definition blocks that the firmware loads together, the DSDT first. Nothing but the interpreter's own
 * evaluation with absent hardware runs. Throws as `decodeTables`.
 */
export function lintTables(sources: readonly SourceTable[]): Finding[] {
  return sources.length === 0 ? [] : lintModel(readLintModel(sources));
}

export function lintModel(model: LintModel): Finding[] {
  return LINT_RULES.flatMap(({ id, check, ...words }) =>
    check(model).map(({ at, ...found }) => ({ rule: id, ...words, ...found, ...(at && { asl: aslLine(at, model) }) })),
  );
}

/** The first line of the term's ASL. */
function aslLine({ term, scope }: NonNullable<LintViolation['at']>, { set }: LintModel): string {
  return headText(term, scope, set).split('\n')[0];
}
