import { Args, Flags } from '@oclif/core';
import { type Difference, diffTables } from '../../bios/acpi/surgery/diff.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { DUMP_WORDS, readDump } from '../../cli/table-dump.ts';

interface DiffReport {
  readonly differences: readonly Difference[];
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

export default class AcpiDiffCommand extends Q35Command {
  static override summary = "Show what differs between two machines' tables, object by object";
  static override description =
    'Compares tables, fields of data tables, and the namespace that the definition blocks of each side make: how it is spread over SSDTs makes no difference. Exit code 1 when something differs.';
  static override enableJsonFlag = true;
  static override args = {
    before: Args.string({ description: DUMP_WORDS, required: true }),
    after: Args.string({ description: DUMP_WORDS, required: true }),
  };
  static override flags = {
    brief: Flags.boolean({ description: 'one line a difference, without the text of objects' }),
  };
  static override examples = [
    '<%= config.bin %> acpi diff before.txt after.txt',
    '<%= config.bin %> acpi diff tables patched --brief',
  ];

  async run(): Promise<DiffReport> {
    const { args, flags } = await this.parse(AcpiDiffCommand);
    const differences = diffTables(await readDump([args.before]), await readDump([args.after]));
    if (differences.length > 0) process.exitCode = 1;
    for (const difference of differences) this.log(formatDifference(difference, flags.brief));
    this.log(`${differences.length} differences`);
    return { differences };
  }
}

function formatDifference({ what, change, path, before, after }: Difference, brief: boolean): string {
  const heading = `${SIGNS[change]} ${what} ${path}`;
  if (brief) return heading;
  if (what === 'field') return `${heading}: ${before ?? 'not there'} → ${after ?? 'not there'}`;
  const lines = (sign: string, text: string | undefined) =>
    text === undefined ? [] : text.split('\n').map((line) => `    ${sign} ${line}`);
  return [heading, ...lines('-', before), ...lines('+', after)].join('\n');
}
