import { Args } from '@oclif/core';
import { identityOf } from '../../bios/acpi/dump/table-set.ts';
import { mergeTables } from '../../bios/acpi/surgery/merge.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { DUMP_WORDS, deliveryFlags, readDump, writeTables } from '../../cli/table-dump.ts';

interface MergeReport {
  readonly out: string;
  readonly tables: readonly string[];
  readonly replaced: readonly { readonly identity: string; readonly by: string }[];
  readonly files: readonly string[];
}

export default class AcpiMergeCommand extends Q35Command {
  static override summary = 'Make one set of ACPI tables out of several';
  static override description =
    'A table of the same signature and OEM table id comes from the last set that has it; of DSDT, FADT and other tables that a machine has once, the last one counts whatever its id.';
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = { dump: Args.string({ description: DUMP_WORDS, required: true }) };
  static override flags = deliveryFlags;
  static override examples = [
    '<%= config.bin %> acpi merge acpidump.txt ssdt-new.aml --out merged',
    '<%= config.bin %> acpi merge tables dsdt.aml --format loader --out firmware',
  ];

  async run(): Promise<MergeReport> {
    const { argv, flags } = await this.parse(AcpiMergeCommand);
    const sets = await Promise.all((argv as string[]).map((path) => readDump([path])));
    const { tables, replaced } = mergeTables(sets);
    const files = writeTables(flags.out, tables, flags.format, sets[0]);
    for (const { identity, by } of replaced) this.log(`${identity} is from ${by}`);
    this.log(`${tables.length} tables, ${files.length} files in ${flags.out}`);
    return { out: flags.out, tables: tables.map(identityOf), replaced, files };
  }
}
