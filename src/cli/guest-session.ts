import type { Machine } from '../emulator/machine/machine.ts';
import type { Logger } from '../shared/logger.ts';
import { openBackends } from './backends.ts';
import { parseInstructions } from './boot-flags.ts';
import type { BootStart } from './boot-start.ts';
import { openSink } from './byte-streams.ts';
import { openConsole } from './console.ts';
import { checkProcessors, startMachine } from './emulated-machine.ts';
import type { GuestFlags } from './guest-flags.ts';
import { type RunEnd, runToEnd } from './run-machine.ts';

/** What a session does beside running the guest. */
export interface SessionHooks {
  /** The machine stands and has not run yet. */
  readonly onMachine?: (machine: Machine) => void;
  /** Between two slices. */
  readonly onSlice?: (machine: Machine) => void;
}

/**
 * Runs a guest with its serial port at the terminal, or wherever the flags say, until it ends.
 * @throws UserError LIMIT_SYNTAX, CPU_COUNT, DRIVE_OPEN, STREAM_SYNTAX, FILE_WRITE
 */
export async function runSession(
  start: BootStart,
  flags: GuestFlags,
  logger: Logger,
  hooks: SessionHooks = {},
): Promise<RunEnd> {
  const limit = parseInstructions(flags.limit);
  checkProcessors(start.board);
  const backends = openBackends(start.board);
  const serial = openSink(flags.serial, '--serial');
  const debugcon = openSink(flags.debugcon, '--debugcon');
  const console = flags.serial === 'stdio' ? openConsole(process.stdin) : undefined;
  try {
    const machine = startMachine({
      ...start,
      backends,
      logger: { ...logger, warn: (message) => (flags.verbose ? logger.warn(message) : undefined) },
      stopAtReset: flags['no-reboot'],
      serial: { sink: serial, source: console?.source },
      debugcon,
    });
    hooks.onMachine?.(machine);
    return await runToEnd(machine, {
      limit,
      stopped: console?.quit,
      realTime: console !== undefined && process.stdin.isTTY === true,
      onSlice: () => {
        serial.flush();
        debugcon.flush();
        hooks.onSlice?.(machine);
      },
    });
  } finally {
    console?.close();
    serial.close();
    debugcon.close();
    backends.close();
  }
}
