import { Args, Flags } from '@oclif/core';
import { openBackends } from '../../cli/backends.ts';
import { boardArgs } from '../../cli/board-flags.ts';
import { parseInstructions } from '../../cli/boot-flags.ts';
import { prepareBoot } from '../../cli/boot-start.ts';
import { openSink } from '../../cli/byte-streams.ts';
import { startMachine } from '../../cli/emulated-machine.ts';
import { ProgressLine } from '../../cli/progress.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { endText, runToEnd } from '../../cli/run-machine.ts';
import { saveGuest } from '../../cli/snapshots.ts';
import { startFlags } from '../../cli/start-flags.ts';
import { WatchingSink } from '../../cli/watching-sink.ts';
import { UserError } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';

/** Instructions after which a text that never comes is given up. */
const DEFAULT_LIMIT = '20G';

/** How late the text of --until may be seen, instructions: a guest may end soon after it. */
const WATCHED_SLICE = 10_000;

export default class SnapshotSaveCommand extends Q35Command {
  static override summary = 'Boot a guest and save it as it stands at some point';
  static override description =
    'Runs as `boot` does, without a person, up to an instruction or to a text on the serial port, and saves the whole machine. The run that goes on from the file is, bit for bit, the one that was never interrupted.';
  static override args = {
    file: Args.string({ description: 'file to write', required: true }),
    ...boardArgs,
  };
  static override flags = {
    ...startFlags,
    at: Flags.string({ description: 'save after this many instructions, such as 800M', exactlyOne: ['at', 'until'] }),
    until: Flags.string({ description: 'save once this text stands on the serial port' }),
    serial: Flags.string({ description: 'also show the serial port: stdio, file:PATH or none', default: 'none' }),
    limit: Flags.string({ description: 'instructions after which --until gives up', default: DEFAULT_LIMIT }),
  };
  static override examples = [
    "<%= config.bin %> snapshot save shell.q35 --kernel vmlinuz --initrd initrd.img --append console=ttyS0 --until '/ # '",
    '<%= config.bin %> snapshot save early.q35 board.yaml --bios OVMF.fd --at 50M',
  ];

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SnapshotSaveCommand);
    const limit = parseInstructions(flags.at ?? flags.limit);
    const start = await prepareBoot(args.board, flags, this.config.root, this.logger());
    const backends = openBackends(start.board);
    const shown = openSink(flags.serial, '--serial');
    const serial = new WatchingSink(shown, flags.until);
    const progress = new ProgressLine(process.stderr);
    try {
      const streams = { serial: { sink: serial }, debugcon: { write() {} } };
      const machine = startMachine({ ...start, ...streams, backends, logger: silentLogger, stopAtReset: true });
      const end = await runToEnd(machine, {
        limit,
        stopped: () => serial.seen,
        sliceInstructions: flags.until === undefined ? undefined : WATCHED_SLICE,
        onSlice: () => {
          shown.flush();
          progress.show(`${Math.round(machine.engine.retired() / 1e6)} M instructions  ${serial.line}`);
        },
      });
      if (end.kind !== (flags.at === undefined ? 'quit' : 'limit')) {
        throw new UserError('SNAPSHOT_NOT_REACHED', `nothing was saved: ${endText(end)}`, {
          mend: flags.at === undefined ? 'check the text of --until, or raise --limit' : 'name an earlier instruction',
        });
      }
      const byteLength = saveGuest(args.file, machine, start);
      progress.clear();
      const instructions = machine.engine.retired();
      this.log(`${args.file}: ${(byteLength / 1e6).toFixed(1)} MB, saved after ${instructions} instructions`);
    } finally {
      progress.clear();
      shown.close();
      backends.close();
    }
  }
}
