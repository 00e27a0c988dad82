import { Args, Flags } from '@oclif/core';
import { explain, parseSubject } from '../../bios/explain/explain.ts';
import { type Explanation, readMachine } from '../../bios/explain/machine.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { DUMP_WORDS, readDump } from '../../cli/table-dump.ts';

/** Where Linux shows the tables of the machine it runs on. */
const OWN_TABLES = '/sys/firmware/acpi/tables';

export default class AcpiExplainCommand extends Q35Command {
  static override summary = 'Say in words what ACPI tables or one of their objects mean, and what an OS does with them';
  static override description =
    `Ask about tables (one alone is explained field by field), mmconfig (will Linux use the MCFG?), prt (where do PCI interrupts lead?), irq GSI (who uses it?), or a path of the namespace. Methods are evaluated with hardware that reads as zero. Without tables those of this machine are taken (${OWN_TABLES}).`;
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    subject: Args.string({ description: 'mmconfig, prt, irq GSI, a path such as \\_SB.PCI0, or tables' }),
    tables: Args.string({ description: DUMP_WORDS }),
  };
  static override flags = {
    fields: Flags.boolean({ description: 'every field of every data table, with its meaning' }),
  };
  static override examples = [
    '<%= config.bin %> acpi explain facp.aml',
    '<%= config.bin %> acpi explain acpidump.txt',
    '<%= config.bin %> acpi explain mmconfig tables',
    '<%= config.bin %> acpi explain prt dsdt.aml',
    '<%= config.bin %> acpi explain irq 16 acpidump.txt',
    "<%= config.bin %> acpi explain '\\_SB.PCI0' dsdt.aml --json",
  ];

  async run(): Promise<readonly Explanation[]> {
    const { argv, flags } = await this.parse(AcpiExplainCommand);
    const { subject, sources } = parseSubject(argv as string[]);
    const machine = readMachine(await readDump(sources.length === 0 ? [OWN_TABLES] : sources));
    const explanations = explain(machine, subject, flags);
    this.log(
      explanations.map(({ title, lines }) => [title, ...lines.map((line) => `  ${line}`)].join('\n')).join('\n\n'),
    );
    return explanations;
  }
}
