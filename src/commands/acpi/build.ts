import { Flags } from '@oclif/core';
import { assembleFirmware, type Firmware } from '../../bios/firmware.ts';
import { planPci } from '../../bios/pci/planner.ts';
import type { EntryPointForm } from '../../bios/smbios/table.ts';
import { encodePlanJson, PLAN_JSON_NAME } from '../../bios/verify/subject.ts';
import { acpiTableFlag } from '../../cli/acpitable-flag.ts';
import { loadAcpiTables } from '../../cli/acpitable-loading.ts';
import { boardArgs, boardFlags } from '../../cli/board-flags.ts';
import { loadBoard } from '../../cli/board-loading.ts';
import { writeDirectoryWhole } from '../../cli/directories.ts';
import { Q35Command } from '../../cli/q35-command.ts';

interface BuildReport {
  readonly out: string;
  readonly tables: readonly { readonly id: string; readonly byteLength: number }[];
  readonly files: readonly { readonly name: string; readonly byteLength: number }[];
}

export default class AcpiBuildCommand extends Q35Command {
  static override summary = 'Build the ACPI tables, e820, SMBIOS and the PCI plan of a board';
  static override description =
    'Writes the files that the firmware receives by fw_cfg under their own names, each table by itself in tables/, and the plan as JSON. The directory appears whole or not at all.';
  static override enableJsonFlag = true;
  static override args = boardArgs;
  static override flags = {
    ...boardFlags,
    acpitable: acpiTableFlag,
    out: Flags.string({ char: 'o', description: 'directory to write', required: true }),
    'smbios-entry-point-type': Flags.option({
      options: ['64', '32'] as const,
      default: '64',
      description: 'SMBIOS 3.0 (64) or 2.8 (32)',
    })(),
    'bios-date': Flags.string({ description: 'date in SMBIOS, mm/dd/yyyy; from 2016 on Linux trusts MCFG early' }),
  };
  static override examples = [
    '<%= config.bin %> acpi build --out firmware',
    '<%= config.bin %> acpi build board.yaml --acpitable file=SSDT.aml --acpitable delete=WAET --out firmware',
    '<%= config.bin %> acpi build --acpitable replace=DSDT,file=https://example.org/dsdt.aml --out firmware',
  ];

  async run(): Promise<BuildReport> {
    const { args, flags } = await this.parse(AcpiBuildCommand);
    const { machine } = loadBoard(args.board, flags, this.config.root);
    const plan = planPci(machine);
    const firmware = assembleFirmware(machine, plan, {
      acpiTables: await loadAcpiTables(flags.acpitable),
      smbios: { entryPoint: flags['smbios-entry-point-type'] as EntryPointForm, biosDate: flags['bios-date'] },
    });
    for (const warning of firmware.warnings) this.logger().warn(warning);
    const outFiles = new Map<string, Uint8Array | string>([
      ...firmware.files,
      ...firmware.tables.map(({ id, bytes }): [string, Uint8Array] => [`tables/${id}.aml`, bytes]),
      [PLAN_JSON_NAME, encodePlanJson(plan)],
    ]);
    writeDirectoryWhole(flags.out, outFiles);
    const report = reportOf(flags.out, firmware);
    this.log(formatReport(report));
    return report;
  }
}

function reportOf(out: string, { files, tables }: Firmware): BuildReport {
  return {
    out,
    tables: tables.map(({ id, bytes }) => ({ id, byteLength: bytes.length })),
    files: [...files].map(([name, bytes]) => ({ name, byteLength: bytes.length })),
  };
}

function formatReport({ out, tables, files }: BuildReport): string {
  const line = (name: string, byteLength: number) => `  ${name.padEnd(28)}${String(byteLength).padStart(8)} bytes`;
  return [
    `tables in ${out}/tables`,
    ...tables.map(({ id, byteLength }) => line(id, byteLength)),
    `fw_cfg files in ${out}`,
    ...files.map(({ name, byteLength }) => line(name, byteLength)),
  ].join('\n');
}
