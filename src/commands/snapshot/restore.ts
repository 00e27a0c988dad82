import { Args } from '@oclif/core';
import { guestFlags } from '../../cli/guest-flags.ts';
import { runSession } from '../../cli/guest-session.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { endText, exitCodeOf } from '../../cli/run-machine.ts';
import { loadGuest, restoreGuest } from '../../cli/snapshots.ts';

export default class SnapshotRestoreCommand extends Q35Command {
  static override summary = 'Go on with a saved guest';
  static override description =
    'The snapshot carries the board, the firmware and the kernel; drives must be as they were. Ends as `boot` does, with the same exit codes.';
  static override args = {
    file: Args.string({ description: 'file that `snapshot save` wrote', required: true }),
  };
  static override flags = guestFlags;
  static override examples = ['<%= config.bin %> snapshot restore shell.q35'];

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SnapshotRestoreCommand);
    const saved = loadGuest(args.file);
    const end = await runSession(saved.start, flags, this.logger(flags.verbose), {
      onMachine: (machine) => restoreGuest(saved, machine, saved.start.board),
    });
    if (end.kind !== 'power-off') this.logToStderr(endText(end));
    process.exitCode = exitCodeOf(end);
  }
}
