import { describe, expect, it } from 'vitest';
import { kernelItems } from '../../../src/bios/boot/kernel-items.ts';
import { buildFirmware } from '../../../src/bios/firmware.ts';
import { planPci } from '../../../src/bios/pci/planner.ts';
import { buildProbe } from '../../../src/bios/rom/probe/probe.ts';
import { buildRom } from '../../../src/bios/rom/rom.ts';
import { openBackends } from '../../../src/cli/backends.ts';
import { TextSink } from '../../../src/cli/byte-streams.ts';
import { startMachine } from '../../../src/cli/emulated-machine.ts';
import { NEVER_HOT } from '../../../src/emulator/cpu/interpreter/generate.ts';
import type { Machine } from '../../../src/emulator/machine/machine.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { defaultBoard } from '../../support/boards.ts';

/** Slices of odd length: each ends somewhere else in the guest's loops, and blocks are cut at every offset. */
const SLICE = 99_991;

function probeMachine(regionsAfter: number): { machine: Machine; serial: TextSink } {
  const board = defaultBoard();
  const serial = new TextSink();
  const { lowRamBytes } = board.machine;
  const machine = startMachine({
    board,
    rom: buildRom().bytes,
    files: buildFirmware(board.machine, planPci(board.machine)),
    items: kernelItems({ kernel: buildProbe().bytes, kernelFile: 'probe', append: '', lowRamBytes }),
    serial: { sink: serial },
    debugcon: new TextSink(),
    logger: silentLogger,
    stopAtReset: true,
    regionsAfter,
    backends: openBackends(board),
  });
  return { machine, serial };
}

describe('compiled regions', () => {
  it('leave every slice of the ROM and the probe guest in the interpreter’s state', () => {
    const interpreted = probeMachine(NEVER_HOT);
    const compiled = probeMachine(8);
    for (let slice = 0; slice < 200; slice++) {
      const wanted = interpreted.machine.run({ instructions: SLICE });
      const got = compiled.machine.run({ instructions: SLICE });
      expect(got.kind, `slice ${slice}`).toBe(wanted.kind);
      expect(
        Buffer.from(compiled.machine.engine.stateBytes()).equals(Buffer.from(interpreted.machine.engine.stateBytes())),
        `slice ${slice}`,
      ).toBe(true);
      if (wanted.kind !== 'limit') break;
    }
    expect(compiled.serial.text).toBe(interpreted.serial.text);
    expect(compiled.serial.text).toContain('probe end');
    expect(compiled.machine.stateHash()).toBe(interpreted.machine.stateHash());
    expect(compiled.machine.engine.regionStatistics().compiled).toBeGreaterThan(50);
  });
});
