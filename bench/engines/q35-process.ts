import { readFileSync, writeSync } from 'node:fs';
import { kernelItems } from '../../src/bios/boot/kernel-items.ts';
import { buildFirmware } from '../../src/bios/firmware.ts';
import { planPci } from '../../src/bios/pci/planner.ts';
import { buildRom } from '../../src/bios/rom/rom.ts';
import { EMPTY_DESCRIPTION } from '../../src/bios/topology/description.ts';
import { resolveBoard } from '../../src/bios/topology/resolve.ts';
import { openBackends } from '../../src/cli/backends.ts';
import { startMachine } from '../../src/cli/emulated-machine.ts';
import { parseCpuModel } from '../../src/emulator/cpu/model/cpu-model.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { MarkReader } from '../marks.ts';
import { GUEST_CPU } from './engine.ts';
import type { GuestRequest } from './node-engine.ts';
import { ownUsage } from './own-usage.ts';

// The process that runs a guest on our machine; `node-engine.ts` starts it.

const request = JSON.parse(process.argv[2]) as GuestRequest;
const board = resolveBoard(EMPTY_DESCRIPTION);
const reader = new MarkReader((text) => {
  const mark = { text, ...ownUsage(), instructions: machine.engine.retired() };
  writeSync(1, `${JSON.stringify(mark)}\n`);
});
const machine = startMachine({
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
  backends: openBackends(board),
  serial: { sink: reader },
  debugcon: { write() {} },
  logger: silentLogger,
  stopAtReset: true,
});
const event = machine.run();
if (event.kind !== 'power-off' && event.kind !== 'idle') {
  process.stderr.write(`${event.kind}\n${event.kind === 'triple-fault' ? event.autopsy : ''}\n${reader.tail}\n`);
  process.exitCode = 1;
}
