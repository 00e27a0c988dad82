import { Args, Flags } from '@oclif/core';
import { identityOf } from '../../bios/acpi/dump/table-set.ts';
import { patchTables } from '../../bios/acpi/surgery/patch.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { readSource } from '../../cli/sources.ts';
import { parseByteChange, parseNameChange, parseRename } from '../../cli/table-changes.ts';
import { DUMP_WORDS, deliveryFlags, readDump, writeTables } from '../../cli/table-dump.ts';
import { equalBytes } from '../../shared/bytes.ts';

interface PatchReport {
  readonly out: string;
  readonly changed: readonly string[];
  readonly files: readonly string[];
}

const repeated = { multiple: true, multipleNonGreedy: true } as const;

export default class AcpiPatchCommand extends Q35Command {
  static override summary = 'Change ACPI tables of a dump';
  static override description =
    'Changes are made in the order delete, replace, add, rename, set, bytes; lengths and checksums of what changed are put right. With --format cpio the result holds the changed tables alone, with an OEM revision that makes Linux take them.';
  static override enableJsonFlag = true;
  static override args = { dump: Args.string({ description: DUMP_WORDS, required: true }) };
  static override flags = {
    ...deliveryFlags,
    delete: Flags.string({ description: 'table to take away: ssdt3, APIC, SSDT:OEMTABLEID', ...repeated }),
    replace: Flags.string({ description: 'file with a table that takes the place of its like', ...repeated }),
    add: Flags.string({ description: 'file with a table to add', ...repeated }),
    rename: Flags.string({ description: 'OLD=NEW: a name segment, wherever AML holds it', ...repeated }),
    set: Flags.string({ description: 'PATH=NUMBER or PATH=TEXT: the value of a Name', ...repeated }),
    bytes: Flags.string({ description: 'TABLE+OFFSET=HEX: bytes from the start of the header', ...repeated }),
  };
  static override examples = [
    "<%= config.bin %> acpi patch acpidump.txt --set '\\_SB.PCI0._UID=1' --out patched",
    '<%= config.bin %> acpi patch tables --rename _OSC=XOSC --delete SSDT:CpuPm --out patched',
    '<%= config.bin %> acpi patch tables --replace dsdt.aml --format cpio --out override',
  ];

  async run(): Promise<PatchReport> {
    const { args, flags } = await this.parse(AcpiPatchCommand);
    const fileChange = async (kind: 'replace' | 'add', file: string) =>
      ({ kind, file, bytes: await readSource(file) }) as const;
    const original = await readDump([args.dump]);
    const patched = patchTables(original, [
      ...(flags.delete ?? []).map((selector) => ({ kind: 'delete', selector }) as const),
      ...(await Promise.all((flags.replace ?? []).map((file) => fileChange('replace', file)))),
      ...(await Promise.all((flags.add ?? []).map((file) => fileChange('add', file)))),
      ...(flags.rename ?? []).map(parseRename),
      ...(flags.set ?? []).map(parseNameChange),
      ...(flags.bytes ?? []).map(parseByteChange),
    ]);
    const changed = patched
      .filter(({ bytes }) => !original.some((table) => equalBytes(table.bytes, bytes)))
      .map(identityOf);
    const files = writeTables(flags.out, patched, flags.format, original);
    this.log(`${changed.length} tables changed${changed.length > 0 ? `: ${changed.join(', ')}` : ''}`);
    this.log(`${files.length} files in ${flags.out}`);
    return { out: flags.out, changed, files };
  }
}
