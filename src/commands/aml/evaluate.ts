import { Args, Flags } from '@oclif/core';
import { AmlInterpreter } from '../../aml/interpreter/interpreter.ts';
import { type AmlObjectJson, objectJson, objectText } from '../../aml/interpreter/object-text.ts';
import type { AmlObject } from '../../aml/interpreter/objects.ts';
import { AbsentHardware } from '../../aml/interpreter/regions.ts';
import { readFileBytes } from '../../cli/files.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { UserError } from '../../shared/errors.ts';

interface EvaluateReport {
  readonly path: string;
  readonly value: AmlObjectJson;
  readonly notifications: readonly { readonly path: string; readonly value: string }[];
  /** What went wrong while the tables were loaded. */
  readonly problems: readonly { readonly path: string; readonly message: string }[];
}

export default class AmlEvaluateCommand extends Q35Command {
  static override summary = 'Evaluate an object or run a method of compiled tables';
  static override description =
    'Loads the DSDT, then the SSDTs, as an operating system does, and evaluates the path. Hardware is absent: it reads as --fill until it is written.';
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    path: Args.string({ description: 'what to evaluate, such as \\_SB.PCI0._CRS', required: true }),
    file: Args.string({ description: 'the DSDT, then any SSDTs', required: true }),
  };
  static override flags = {
    arg: Flags.string({ char: 'a', description: 'argument of the method: a number, else text', multiple: true }),
    fill: Flags.integer({ description: 'byte that absent hardware reads as', default: 0, min: 0, max: 255 }),
    osi: Flags.string({ description: 'what _OSI answers with true, instead of all of Windows', multiple: true }),
  };
  static override examples = [
    "<%= config.bin %> aml evaluate '\\_SB.PCI0._CRS' dsdt.aml",
    "<%= config.bin %> aml evaluate '\\_PIC' dsdt.aml ssdt.aml --arg 1 --json",
  ];

  async run(): Promise<EvaluateReport> {
    const { argv, flags } = await this.parse(AmlEvaluateCommand);
    const [path, ...files] = argv as string[];
    const tables = files.map((file) => ({ file, bytes: readFileBytes(file) }));
    const interpreter = new AmlInterpreter(tables, {
      regions: { default: new AbsentHardware(flags.fill) },
      ...(flags.osi && { osi: flags.osi }),
    });
    for (const problem of interpreter.problems) this.logger().warn(`${problem.path}: ${problem.message}`);
    const value = interpreter.evaluate(path, (flags.arg ?? []).map(argumentOf));
    this.log(objectText(value));
    const notifications = interpreter.notifications.map((item) => ({
      path: item.path,
      value: `0x${item.value.toString(16)}`,
    }));
    return { path, value: objectJson(value), notifications, problems: interpreter.problems };
  }
}

function argumentOf(text: string): AmlObject {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) return { type: 'String', value: text };
  const value = BigInt(text);
  if (value > 0xffff_ffff_ffff_ffffn) {
    throw new UserError('AML_ARGUMENT', `${text} has more than 64 bits`, {
      place: { file: '--arg' },
      mend: 'give a smaller number',
    });
  }
  return { type: 'Integer', value };
}
