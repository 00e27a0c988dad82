import { Flags } from '@oclif/core';
import { boardArgs } from '../cli/board-flags.ts';
import type { BootStart } from '../cli/boot-start.ts';
import { guestFlags } from '../cli/guest-flags.ts';
import { runSession } from '../cli/guest-session.ts';
import { profileFlags, profilerOf } from '../cli/profiler.ts';
import { Q35Command } from '../cli/q35-command.ts';
import { endText, exitCodeOf } from '../cli/run-machine.ts';
import { loadGuest, restoreGuest } from '../cli/snapshots.ts';
import { type StartFlags, startFlags } from '../cli/start-flags.ts';
import type { Logger } from '../shared/logger.ts';

export default class BootCommand extends Q35Command {
  static override summary = 'Boot a guest on the emulated machine';
  static override description =
    "Plans the board, builds its tables and hands them to the firmware by fw_cfg. The guest's serial port is this terminal (Ctrl-A x leaves). Ends with the guest: exit code 0 after power-off (S5) or a reset with --no-reboot, isa-debug-exit's own code, 3 after a triple fault, 4 at the limit, 5 when the guest sleeps for good.";
  static override args = boardArgs;
  static override flags = {
    ...startFlags,
    snapshot: Flags.string({
      description:
        'go on with a guest that `snapshot save` saved; flags that state a board or a kernel must be those of the saved run',
    }),
    ...guestFlags,
    ...profileFlags,
  };
  static override examples = [
    '<%= config.bin %> boot --kernel vmlinuz --initrd initrd.img --append console=ttyS0',
    '<%= config.bin %> boot board.yaml --bios OVMF.fd --debugcon file:debug.log',
    '<%= config.bin %> boot --snapshot shell.q35',
  ];

  async run(): Promise<void> {
    const { args, flags, raw } = await this.parse(BootCommand);
    const logger = this.logger(flags.verbose);
    const saved = flags.snapshot === undefined ? undefined : loadGuest(flags.snapshot);
    // What the person stated, defaults apart: without any of it the snapshot says what the board is.
    const stated = raw.some((token) => token.type === 'arg' || token.flag in startFlags);
    const start = saved !== undefined && !stated ? saved.start : await this.#prepare(args.board, flags, logger);
    const profiler = profilerOf(flags);
    const end = await runSession(start, flags, logger, {
      profiler,
      onMachine: (machine) => {
        if (saved !== undefined) restoreGuest(saved, machine, start.board);
      },
    });
    if (profiler !== undefined) this.logToStderr(profiler.finish());
    if (end.kind !== 'power-off') this.logToStderr(endText(end));
    process.exitCode = exitCodeOf(end);
  }

  /** The planner and the table builders are loaded when there is something to plan: a snapshot starts without them. */
  async #prepare(board: string | undefined, flags: StartFlags, logger: Logger): Promise<BootStart> {
    const { prepareBoot } = await import('../cli/boot-start.ts');
    return prepareBoot(board, flags, this.config.root, logger);
  }
}
