import { Args } from '@oclif/core';
import type { RuleWords } from '../../aml/lint/finding.ts';
import { LINT_RULES } from '../../aml/lint/lint.ts';
import { nearestNames } from '../../bios/topology/nearest-names.ts';
import { RULES } from '../../bios/verify/check.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { UserError } from '../../shared/errors.ts';

type RuleReport = RuleWords;

const ALL_RULES: readonly RuleWords[] = [...RULES, ...LINT_RULES].map(
  ({ id, severity, title, linux, windows, mend }) => ({
    id,
    severity,
    title,
    linux,
    windows,
    mend,
  }),
);

export default class AcpiRulesCommand extends Q35Command {
  static override summary = 'List the rules of acpi check and acpi lint, or explain one';
  static override enableJsonFlag = true;
  static override args = { rule: Args.string({ description: 'id of a rule, such as MCFG-E820' }) };
  static override examples = ['<%= config.bin %> acpi rules', '<%= config.bin %> acpi rules MCFG-MOTHERBOARD'];

  async run(): Promise<readonly RuleReport[]> {
    const { args } = await this.parse(AcpiRulesCommand);
    const { rule: wanted } = args;
    const rules = ALL_RULES.filter(({ id }) => wanted === undefined || id === wanted);
    if (rules.length === 0) throw unknownRule(wanted!);
    for (const rule of rules) this.log(wanted === undefined ? `${rule.id.padEnd(24)}${rule.title}` : explain(rule));
    return rules;
  }
}

function explain({ id, severity, title, linux, windows, mend }: RuleReport): string {
  return `${id} (${severity})\n${title}.\n  when broken, Linux: ${linux}\n  when broken, Windows: ${windows}\n  mend: ${mend}`;
}

function unknownRule(id: string): UserError {
  const near = nearestNames(
    id,
    ALL_RULES.map((rule) => rule.id),
  );
  return new UserError('RULE_UNKNOWN', `there is no rule '${id}'`, {
    mend: near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'list the rules with `q35 acpi rules`',
  });
}
