import { Args, Flags } from '@oclif/core';
import { AmlDebugger } from '../../aml/debugger/debugger.ts';
import { interpreterFlags, readAmlTables, startInterpreter } from '../../cli/aml-flags.ts';
import { debugAtTerminal } from '../../cli/debug-terminal.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { scriptLines } from '../../cli/script-lines.ts';
import { DUMP_WORDS } from '../../cli/table-dump.ts';

export default class AmlDebugCommand extends Q35Command {
  static override summary = 'Run methods of compiled tables step by step';
  static override description =
    'Reads commands from the terminal, from standard input or from --command: break, step, print, set, tree … (`help` lists them). Hardware is absent: it reads as --fill until it is written.';
  static override strict = false;
  static override args = { tables: Args.string({ description: DUMP_WORDS, required: true }) };
  static override flags = {
    ...interpreterFlags,
    command: Flags.string({
      char: 'c',
      description: 'command to run, in order, instead of standard input',
      multiple: true,
      multipleNonGreedy: true,
    }),
  };
  static override examples = [
    '<%= config.bin %> aml debug dsdt.aml ssdt.aml',
    "<%= config.bin %> aml debug dsdt.aml -c 'break \\_SB.PCI0._STA' -c 'run \\_SB.PCI0._STA' -c list -c continue",
  ];

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(AmlDebugCommand);
    const tables = await readAmlTables(argv as string[]);
    if (flags.command === undefined && process.stdin.isTTY) {
      await debugAtTerminal({ tables, flags }, process.stdin, process.stdout);
      return;
    }
    const commands = flags.command === undefined ? scriptLines() : () => flags.command?.shift();
    const interpreter = startInterpreter(tables, flags, this.logger(), { offsets: true });
    new AmlDebugger(interpreter, { print: (text) => this.log(text), read: commands }).run();
  }
}
