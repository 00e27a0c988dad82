import { Args, Flags } from '@oclif/core';
import { type Finding, formatFinding, type Severity } from '../../aml/lint/finding.ts';
import { sarifLog } from '../../aml/lint/sarif.ts';
import { parseSuppressions, suppress } from '../../aml/lint/suppressions.ts';
import { lintMachine, MACHINE_RULES } from '../../bios/verify/lint-machine.ts';
import { readFileText, writeFileWhole } from '../../cli/files.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { DUMP_WORDS, readDump } from '../../cli/table-dump.ts';

interface LintReport {
  readonly tables: number;
  readonly findings: readonly Finding[];
  readonly counts: Readonly<Record<Severity, number>>;
  /** Below the wanted severity, and suppressed. */
  readonly hidden: number;
  readonly suppressed: number;
}

const SEVERITIES = ['error', 'warning', 'remark'] as const;

export default class AcpiLintCommand extends Q35Command {
  static override summary = 'Find mistakes in ACPI tables: what iasl warns of, and what it does not';
  static override description =
    'Takes the tables of one machine. The rules look at names, predefined objects, devices, resources, regions, methods and events, run what an OS evaluates with absent hardware, and hold the tables against one another. Each finding says what Linux and Windows make of it and the mend; `q35 acpi rules` explains a rule. Exit code 1 when there is an error among them.';
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = { tables: Args.string({ description: DUMP_WORDS, required: true }) };
  static override flags = {
    severity: Flags.option({
      options: SEVERITIES,
      default: 'warning',
      description: 'least severity that is shown',
    })(),
    rule: Flags.string({ description: 'show this rule alone', multiple: true, multipleNonGreedy: true }),
    suppress: Flags.string({
      description: 'file with a suppression a line: RULE [path with *] [# why]',
      multiple: true,
      multipleNonGreedy: true,
    }),
    sarif: Flags.string({ description: 'file to write the findings to as SARIF 2.1.0' }),
    brief: Flags.boolean({ description: 'one line a finding' }),
  };
  static override examples = [
    '<%= config.bin %> acpi lint dsdt.aml ssdt1.aml',
    '<%= config.bin %> acpi lint acpidump.txt --severity remark --brief',
    '<%= config.bin %> acpi lint /sys/firmware/acpi/tables --suppress known.txt --sarif lint.sarif',
  ];

  async run(): Promise<LintReport> {
    const { argv, flags } = await this.parse(AcpiLintCommand);
    const suppressions = (flags.suppress ?? []).flatMap((file) => parseSuppressions(readFileText(file), file));
    const tables = await readDump(argv as string[]);
    const { findings: all, suppressed, unused } = suppress(lintMachine(tables), suppressions);
    const wanted = SEVERITIES.slice(0, SEVERITIES.indexOf(flags.severity) + 1);
    const findings = all.filter(({ rule, severity }) =>
      flags.rule ? flags.rule.includes(rule) : wanted.includes(severity),
    );
    for (const { rule, file, line } of unused) this.logger().warn(`${file}:${line}: nothing is left of ${rule}`);
    if (flags.sarif !== undefined) {
      writeFileWhole(
        flags.sarif,
        `${JSON.stringify(sarifLog(findings, MACHINE_RULES, this.config.version), undefined, 1)}\n`,
      );
    }
    if (findings.some(({ severity }) => severity === 'error')) process.exitCode = 1;
    const counts = countsOf(findings);
    for (const finding of findings)
      this.log(flags.brief ? formatFinding(finding).split('\n')[0] : `${formatFinding(finding)}\n`);
    const hidden = all.length - findings.length;
    const tail = [hidden > 0 ? `${hidden} not shown` : '', suppressed > 0 ? `${suppressed} suppressed` : ''].filter(
      Boolean,
    );
    this.log(
      [
        `${tables.length} tables, ${MACHINE_RULES.length} rules: ${counts.error} errors, ${counts.warning} warnings, ${counts.remark} remarks`,
        ...tail,
      ].join(', '),
    );
    return { tables: tables.length, findings, counts, hidden, suppressed };
  }
}

function countsOf(findings: readonly Finding[]): Record<Severity, number> {
  const counts: Record<Severity, number> = { error: 0, warning: 0, remark: 0 };
  for (const { severity } of findings) counts[severity]++;
  return counts;
}
