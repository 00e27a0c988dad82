import { openBackends } from './backends.ts';
import { TextSink } from './byte-streams.ts';
import { type MachineStart, startMachine } from './emulated-machine.ts';
import type { ProgressLine } from './progress.ts';
import { type RunEnd, runToEnd } from './run-machine.ts';

/** What a guest left behind when its run ended. */
export interface GuestRun {
  readonly end: RunEnd;
  /** Everything that it wrote to COM1, a character a byte. */
  readonly serial: string;
  readonly instructions: number;
  /** Host CPU time, seconds. */
  readonly cpuSeconds: number;
  /** Hash of RAM and processor: equal for equal runs. */
  readonly stateHash: string;
}

const MILLION = 1e6;

/**
 * Runs a guest without a person: its serial port is kept, progress is shown.
 * @throws UserError DRIVE_OPEN
 */
export async function runGuest(
  name: string,
  start: Omit<MachineStart, 'serial' | 'debugcon' | 'stopAtReset' | 'backends'>,
  limit: number | undefined,
  progress: ProgressLine,
): Promise<GuestRun> {
  const serial = new TextSink();
  const before = process.cpuUsage();
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / MILLION;
  };
  progress.show(`${name}: starting`);
  const backends = openBackends(start.board);
  try {
    const streams = { serial: { sink: serial }, debugcon: new TextSink() };
    const machine = startMachine({ ...start, ...streams, stopAtReset: true, backends });
    const end = await runToEnd(machine, {
      limit,
      onSlice: () => {
        const instructions = machine.engine.retired();
        const rate = instructions / MILLION / Math.max(0.01, cpuSeconds());
        const done = `${Math.round(instructions / MILLION)} M instructions, ${Math.round(rate)} M/s`;
        progress.show(`${name}: ${done}  ${serial.lastLine}`);
      },
    });
    return {
      end,
      serial: serial.text,
      instructions: machine.engine.retired(),
      cpuSeconds: cpuSeconds(),
      stateHash: machine.stateHash(),
    };
  } finally {
    backends.close();
    progress.clear();
  }
}
