import { readFileSync } from 'node:fs';
import { kernelItems } from '../../src/bios/boot/kernel-items.ts';
import { buildFirmware } from '../../src/bios/firmware.ts';
import { planPci } from '../../src/bios/pci/planner.ts';
import { buildRom } from '../../src/bios/rom/rom.ts';
import { EMPTY_DESCRIPTION } from '../../src/bios/topology/description.ts';
import { resolveBoard } from '../../src/bios/topology/resolve.ts';
import { openBackends } from '../../src/cli/backends.ts';
import { startMachine } from '../../src/cli/emulated-machine.ts';
import type { InterpreterStore } from '../../src/emulator/cpu/interpreter/interpreter-store.ts';
import { parseCpuModel } from '../../src/emulator/cpu/model/cpu-model.ts';
import type { Machine } from '../../src/emulator/machine/machine.ts';
import type { ByteSink } from '../../src/emulator/machine/ports.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { GUEST_CPU } from './engine.ts';
import type { GuestRequest } from './node-engine.ts';

/** Our machine with a guest of the bench that has not run yet, on an empty board of 512 MiB. `interpreters`: those beside the code by default. */
export function guestMachine(request: GuestRequest, serial: ByteSink, interpreters?: InterpreterStore): Machine {
  const board = resolveBoard(EMPTY_DESCRIPTION);
  return startMachine({
    board,
    rom: buildRom().bytes,
    files: buildFirmware(board.machine, planPci(board.machine)),
    items: kernelItems({
      kernel: readFileSync(request.kernel),
      kernelFile: request.kernel,
      initrd: request.initrd === undefined ? undefined : readFileSync(request.initrd),
      append: request.append,
      lowRamBytes: board.machine.lowRamBytes,
    }),
    cpu: parseCpuModel(GUEST_CPU),
    regionsAfter: request.regionsAfter,
    interpreters,
    backends: openBackends(board),
    serial: { sink: serial },
    debugcon: { write() {} },
    logger: silentLogger,
    stopAtReset: true,
  });
}
