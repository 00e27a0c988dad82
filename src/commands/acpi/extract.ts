import { Args } from '@oclif/core';
import { identityOf, selectTables } from '../../bios/acpi/dump/table-set.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { DUMP_WORDS, deliveryFlags, readDump, writeTables } from '../../cli/table-dump.ts';

interface ExtractReport {
  readonly out: string;
  readonly tables: readonly { readonly name: string; readonly identity: string; readonly byteLength: number }[];
  readonly files: readonly string[];
}

export default class AcpiExtractCommand extends Q35Command {
  static override summary = 'Take ACPI tables out of a dump';
  static override description =
    'Reads a dump and writes its tables, or those that are named: dsdt, ssdt3, APIC, SSDT:OEMTABLEID. Also turns one form of dump into another.';
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    dump: Args.string({ description: DUMP_WORDS, required: true }),
    table: Args.string({ description: 'table to take; all without one' }),
  };
  static override flags = deliveryFlags;
  static override examples = [
    '<%= config.bin %> acpi extract acpidump.txt --out extracted',
    '<%= config.bin %> acpi extract acpidump.txt dsdt SSDT --out aml',
    '<%= config.bin %> acpi extract /sys/firmware/acpi/tables --format text --out dump',
  ];

  async run(): Promise<ExtractReport> {
    const { argv, flags } = await this.parse(AcpiExtractCommand);
    const [dump, ...selectors] = argv as string[];
    const all = await readDump([dump]);
    const chosen = new Set(selectors.length === 0 ? all : selectors.flatMap((selector) => selectTables(all, selector)));
    const tables = all.filter((table) => chosen.has(table));
    const files = writeTables(flags.out, tables, flags.format);
    for (const table of tables)
      this.log(`${table.name.padEnd(8)}${identityOf(table).padEnd(16)}${String(table.bytes.length).padStart(8)} bytes`);
    this.log(`${files.length} files in ${flags.out}`);
    return {
      out: flags.out,
      tables: tables.map((table) => ({
        name: table.name,
        identity: identityOf(table),
        byteLength: table.bytes.length,
      })),
      files,
    };
  }
}
