import { Args } from '@oclif/core';
import { formatFinding } from '../../aml/lint/finding.ts';
import { checkFirmware, RULES } from '../../bios/verify/check.ts';
import { holdsTables } from '../../bios/verify/facts.ts';
import type { Finding } from '../../bios/verify/rule.ts';
import { type CheckSubject, decodePlanJson, PLAN_JSON_NAME } from '../../bios/verify/subject.ts';
import { readDirectoryFiles } from '../../cli/directories.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { UserError } from '../../shared/errors.ts';

interface CheckReport {
  readonly source: string;
  readonly rules: number;
  readonly findings: readonly Finding[];
}

export default class AcpiCheckCommand extends Q35Command {
  static override summary = 'Check firmware files against one another, before anything runs';
  static override description =
    'Takes a directory that `q35 acpi build` wrote, or one with tables (*.aml, *.dat, or as in /sys/firmware/acpi/tables). Each finding says what is broken and where, what Linux and Windows make of it, and the mend. Exit code 1 when there is an error among them.';
  static override enableJsonFlag = true;
  static override args = {
    directory: Args.string({ description: 'directory with the files', required: true }),
  };
  static override examples = ['<%= config.bin %> acpi check firmware', '<%= config.bin %> acpi check firmware --json'];

  async run(): Promise<CheckReport> {
    const { args } = await this.parse(AcpiCheckCommand);
    const findings = checkFirmware(readSubject(args.directory));
    if (findings.some(({ severity }) => severity === 'error')) process.exitCode = 1;
    for (const finding of findings) this.log(`${formatFinding(finding)}\n`);
    this.log(`${RULES.length} rules, ${findings.length} findings`);
    return { source: args.directory, rules: RULES.length, findings };
  }
}

/** @throws UserError DIRECTORY_READ, PLAN_JSON, CHECK_EMPTY */
function readSubject(directory: string): CheckSubject {
  const files = readDirectoryFiles(directory);
  const planFile = files.get(PLAN_JSON_NAME);
  const plan = planFile && decodePlanJson(planFile, `${directory}/${PLAN_JSON_NAME}`);
  const subject: CheckSubject = { source: directory, files, plan };
  if (!holdsTables(subject)) {
    throw new UserError('CHECK_EMPTY', 'the directory holds neither etc/table-loader nor tables', {
      place: { file: directory },
      mend: 'name a directory that `q35 acpi build` wrote, or one with tables as *.aml',
    });
  }
  return subject;
}
