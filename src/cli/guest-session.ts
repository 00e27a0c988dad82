import type { Machine } from '../emulator/machine/machine.ts';
import type { Logger } from '../shared/logger.ts';
import { openBackends } from './backends.ts';
import { parseInstructions } from './boot-flags.ts';
import type { BootStart } from './boot-start.ts';
import { openSink } from './byte-streams.ts';
import { openConsole } from './console.ts';
import { startMachine } from './emulated-machine.ts';
import type { GuestFlags } from './guest-flags.ts';
import { type Profiler, SAMPLE_INSTRUCTIONS } from './profiler.ts';
import { ProgressLine } from './progress.ts';
import { parseRegionsAfter } from './regions-flag.ts';
import { type RunEnd, runToEnd } from './run-machine.ts';

/** What a session does beside running the guest. */
export interface SessionHooks {
  /** The machine stands and has not run yet. */
  readonly onMachine?: (machine: Machine) => void;
  /** Measures the run. */
  readonly profiler?: Profiler;
}

/**
 * Runs a guest with its serial port at the terminal, or wherever the flags say, until it ends.
 * @throws UserError LIMIT_SYNTAX, REGIONS_SYNTAX, DRIVE_OPEN, STREAM_SYNTAX, FILE_WRITE
 */
export async function runSession(
  start: BootStart,
  flags: GuestFlags,
  logger: Logger,
  hooks: SessionHooks = {},
): Promise<RunEnd> {
  const { profiler } = hooks;
  const limit = parseInstructions(flags.limit);
  const regionsAfter = parseRegionsAfter(flags['regions-after']);
  const backends = openBackends(start.board);
  const serial = openSink(flags.serial, '--serial');
  const debugcon = openSink(flags.debugcon, '--debugcon');
  const console = flags.serial === 'stdio' ? openConsole(process.stdin) : undefined;
  // A guest at the terminal shows by itself that it runs.
  const progress = new ProgressLine(process.stderr, process.stderr.isTTY === true && flags.serial !== 'stdio');
  try {
    const machine = startMachine({
      ...start,
      backends,
      logger: { ...logger, warn: (message) => (flags.verbose ? logger.warn(message) : undefined) },
      stopAtReset: flags['no-reboot'],
      serial: { sink: serial, source: console?.source },
      debugcon,
      regionsAfter,
    });
    hooks.onMachine?.(machine);
    profiler?.start(machine);
    const watched = watch(machine, progress);
    return await runToEnd(machine, {
      limit,
      sliceInstructions: profiler === undefined ? undefined : SAMPLE_INSTRUCTIONS,
      stopped: console?.quit,
      realTime: console !== undefined && process.stdin.isTTY === true,
      onSlice: () => {
        serial.flush();
        debugcon.flush();
        profiler?.sample(machine);
        watched();
      },
    });
  } finally {
    progress.clear();
    console?.close();
    serial.close();
    debugcon.close();
    backends.close();
  }
}

/** Milliseconds between two changes of the progress line. */
const PROGRESS_INTERVAL = 200;
const MILLION = 1e6;

/** Shows instructions, their rate and virtual time, now and then. */
function watch(machine: Machine, progress: ProgressLine): () => void {
  const started = performance.now();
  const before = machine.engine.retired();
  let shown = started;
  return () => {
    const now = performance.now();
    if (now - shown < PROGRESS_INTERVAL) return;
    shown = now;
    const retired = machine.engine.retired();
    const rate = (retired - before) / MILLION / ((now - started) / 1000);
    const virtual = (machine.clock.now() / 1e9).toFixed(1);
    progress.show(
      `${Math.round(retired / MILLION)} M instructions, ${Math.round(rate)} M/s, ${virtual} s in the guest`,
    );
  };
}
