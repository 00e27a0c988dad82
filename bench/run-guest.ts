import { readFileSync } from 'node:fs';
import { kernelItems } from '../src/bios/boot/kernel-items.ts';
import { buildFirmware } from '../src/bios/firmware.ts';
import { planPci } from '../src/bios/pci/planner.ts';
import { buildRom } from '../src/bios/rom/rom.ts';
import { EMPTY_DESCRIPTION } from '../src/bios/topology/description.ts';
import { resolveBoard } from '../src/bios/topology/resolve.ts';
import { guestMemoryBytes } from '../src/emulator/bus/guest-memory.ts';
import { createEngineMemory, ENGINE_MACHINE_OFFSET } from '../src/emulator/cpu/execution/engine-memory.ts';
import { createEngine } from '../src/emulator/cpu/processor.ts';
import { createMachine } from '../src/emulator/machine/machine.ts';
import { silentLogger } from '../src/shared/logger.ts';

/** Boots `argv[2]` with the command line `argv[3]` on an empty board; prints the serial output, then retired instructions and the event as JSON. */
const [, , kernelFile, append] = process.argv;
const config = resolveBoard(EMPTY_DESCRIPTION).machine;
const rom = buildRom().bytes;
const placement = {
  memory: createEngineMemory(guestMemoryBytes(config, rom.length)),
  ramOffset: ENGINE_MACHINE_OFFSET,
};
const machine = createMachine({
  config,
  rom,
  placement,
  createEngine,
  backends: {
    drive: () => undefined,
    network: () => undefined,
    character: () => undefined,
    entropy: () => ({ fill: (target) => void target.fill(0) }),
  },
  serial: { sink: { write: (byte) => void process.stdout.write(String.fromCharCode(byte)) } },
  debugcon: { write() {} },
  logger: silentLogger,
  fwCfg: {
    items: kernelItems({ kernel: readFileSync(kernelFile), kernelFile, append, lowRamBytes: config.lowRamBytes }),
    files: buildFirmware(config, planPci(config)),
  },
  stopAtReset: true,
});
const event = machine.run();
process.stdout.write(`${JSON.stringify({ retired: machine.engine.retired(), event: event.kind })}\n`);
