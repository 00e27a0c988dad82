import { kernelItems } from '../../../src/bios/boot/kernel-items.ts';
import { buildRom } from '../../../src/bios/rom/rom.ts';
import { openBackends } from '../../../src/cli/backends.ts';
import { TextSink } from '../../../src/cli/byte-streams.ts';
import { startMachine } from '../../../src/cli/emulated-machine.ts';
import { runToEnd } from '../../../src/cli/run-machine.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { defaultBoard } from '../../support/boards.ts';
import type { RomRun } from './rom-run.ts';

/** Far more than any of these guests takes. */
const INSTRUCTION_LIMIT = 200_000_000;

/** Boots our ROM on our own machine with the default board and returns what came over COM1. */
export async function runOnEmulator(run: RomRun): Promise<string> {
  const board = defaultBoard();
  const serial = new TextSink();
  const { lowRamBytes } = board.machine;
  const backends = openBackends(board);
  const machine = startMachine({
    backends,
    board,
    rom: run.rom ?? buildRom().bytes,
    files: run.files ?? new Map(),
    items:
      run.kernel === undefined
        ? new Map()
        : kernelItems({
            kernel: run.kernel,
            kernelFile: 'kernel',
            initrd: run.initrd,
            append: run.append ?? '',
            lowRamBytes,
          }),
    serial: { sink: serial },
    debugcon: new TextSink(),
    logger: silentLogger,
    stopAtReset: true,
  });
  try {
    await runToEnd(machine, { limit: INSTRUCTION_LIMIT, onSlice: () => {} });
  } finally {
    backends.close();
  }
  return serial.text;
}
