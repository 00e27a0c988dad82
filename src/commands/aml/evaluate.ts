import { Args, Flags } from '@oclif/core';
import type { AmlInterpreter, InterpreterOptions } from '../../aml/interpreter/interpreter.ts';
import { type AmlObjectJson, objectJson, objectText } from '../../aml/interpreter/object-text.ts';
import { spaceName, traceObserver, traceText } from '../../aml/interpreter/trace.ts';
import { formatPath } from '../../aml/name-string.ts';
import { type AmlTables, argumentOf, interpreterFlags, readAmlTables, startInterpreter } from '../../cli/aml-flags.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { openSnapshotAml } from '../../cli/snapshot-aml.ts';
import { DUMP_WORDS } from '../../cli/table-dump.ts';
import { UserError } from '../../shared/errors.ts';

interface EvaluateReport {
  readonly path: string;
  readonly value: AmlObjectJson;
  readonly notifications: readonly { readonly path: string; readonly value: string }[];
  /** What went wrong while the tables were loaded. */
  readonly problems: readonly { readonly path: string; readonly message: string }[];
  /** Regions that were used and have no hardware behind them. */
  readonly absent: readonly { readonly region: string; readonly space: string; readonly accesses: number }[];
}

export default class AmlEvaluateCommand extends Q35Command {
  static override summary = 'Evaluate an object or run a method of compiled tables';
  static override description =
    'Loads the DSDT, then the SSDTs, as an operating system does, and evaluates the path. Hardware is absent: it reads as --fill until it is written. With --snapshot the tables are those in the memory of a saved guest, and its machine stands behind their operation regions; the file does not change.';
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    path: Args.string({ description: 'what to evaluate, such as \\_SB.PCI0._CRS', required: true }),
    tables: Args.string({ description: DUMP_WORDS }),
  };
  static override flags = {
    arg: Flags.string({
      char: 'a',
      description: 'argument of the method: a number, else text',
      multiple: true,
      multipleNonGreedy: true,
    }),
    ...interpreterFlags,
    trace: Flags.boolean({
      description: 'show each call, name and region access on stderr, a line each (JSON with --json)',
    }),
    snapshot: Flags.string({ description: 'ask the guest in this file, which `snapshot save` wrote' }),
  };
  static override examples = [
    "<%= config.bin %> aml evaluate '\\_SB.PCI0._CRS' dsdt.aml",
    "<%= config.bin %> aml evaluate '\\_PIC' dsdt.aml ssdt.aml --arg 1 --json",
    "<%= config.bin %> aml evaluate '\\_SB.PCI0._STA' dsdt.aml --initialize --trace --semantics nt",
    "<%= config.bin %> aml evaluate '\\_SB.PCI0._CRS' --snapshot shell.q35",
  ];

  async run(): Promise<EvaluateReport> {
    const { argv, flags } = await this.parse(AmlEvaluateCommand);
    const [path, ...files] = argv as string[];
    const snapshot = flags.snapshot === undefined ? undefined : openSnapshotAml(flags.snapshot);
    try {
      const tables = snapshot?.tables ?? (await this.#tables(files));
      let interpreter: AmlInterpreter | undefined;
      const options: InterpreterOptions = snapshot ? { regions: snapshot.regions(() => interpreter!) } : {};
      interpreter = startInterpreter(tables, flags, this.logger(), options);
      if (flags.trace) interpreter.observer = this.#traceObserver();
      const value = interpreter.evaluate(path, (flags.arg ?? []).map(argumentOf));
      this.log(objectText(value));
      return reportOf(path, objectJson(value), interpreter);
    } finally {
      snapshot?.close();
    }
  }

  #tables(files: readonly string[]): Promise<AmlTables> {
    if (files.length > 0) return readAmlTables(files);
    throw new UserError('AML_NO_TABLES', 'there are no tables to evaluate in', {
      place: { file: 'aml evaluate' },
      mend: 'name the DSDT and the SSDTs behind the path, or a guest with --snapshot',
    });
  }

  #traceObserver() {
    const asJson = this.jsonEnabled();
    // oclif's own logToStderr is silent with --json.
    return traceObserver((event, depth) =>
      process.stderr.write(`${asJson ? JSON.stringify({ ...event, depth }) : traceText(event, depth)}\n`),
    );
  }
}

function reportOf(path: string, value: AmlObjectJson, interpreter: AmlInterpreter): EvaluateReport {
  return {
    path,
    value,
    notifications: interpreter.notifications.map((item) => ({
      path: item.path,
      value: `0x${item.value.toString(16)}`,
    })),
    problems: interpreter.problems,
    absent: [...interpreter.absentRegions].map(([region, { space, accesses }]) => ({
      region: formatPath(region),
      space: spaceName(space),
      accesses,
    })),
  };
}
