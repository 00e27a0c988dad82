import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelItems } from '../../src/bios/boot/kernel-items.ts';
import { buildFirmware } from '../../src/bios/firmware.ts';
import { planPci } from '../../src/bios/pci/planner.ts';
import { buildProbe } from '../../src/bios/rom/probe/probe.ts';
import { buildRom } from '../../src/bios/rom/rom.ts';
import { verifyProbeSerial } from '../../src/bios/verify/readback/probe.ts';
import { runGuest } from '../../src/cli/guest-run.ts';
import { ProgressLine } from '../../src/cli/progress.ts';
import type { MachineConfig, PciFunctionConfig } from '../../src/emulator/machine/config.ts';
import { lowRamBytes } from '../../src/emulator/machine/memory-map.ts';
import { MIB } from '../../src/shared/bytes.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { randomBoard } from '../bios/pci/random-boards.ts';

const probe = buildProbe().bytes;
const rom = buildRom().bytes;

/** Functions as the machine's models have them: bridges without BARs, test devices with a pin of their own model. */
function buildable(functions: readonly PciFunctionConfig[]): PciFunctionConfig[] {
  return functions.map((fn) =>
    fn.secondary === undefined
      ? { ...fn, interruptPin: 1 as const }
      : { ...fn, bars: [], interruptPin: 0 as const, secondary: buildable(fn.secondary) },
  );
}

/** The same board with little memory, so that a run is short. */
function smallMachine(config: MachineConfig): MachineConfig {
  const ramBytes = 64 * MIB;
  const hostBridges = config.hostBridges.map((bridge) => ({ ...bridge, functions: buildable(bridge.functions) }));
  return { ...config, ramBytes, lowRamBytes: lowRamBytes(ramBytes), hostBridges };
}

describe('random boards on the emulated machine', () => {
  it('are seen by the probe guest as they were planned', async () => {
    await fc.assert(
      fc.asyncProperty(randomBoard, async (config) => {
        const machine = smallMachine(config);
        const plan = planPci(machine);
        const firmware = buildFirmware(machine, plan);
        const items = kernelItems({
          kernel: probe,
          kernelFile: 'probe',
          append: '',
          lowRamBytes: machine.lowRamBytes,
        });
        const board = { machine, drives: [], netdevs: [] };
        const start = { board, rom, files: firmware, items, logger: silentLogger };
        const run = await runGuest('probe', start, 1e9, new ProgressLine(process.stderr, false));
        expect(run.end).toEqual({ kind: 'power-off' });
        const compared = verifyProbeSerial({ machine, plan, firmware }, run.serial);
        expect(compared.filter((item) => !item.ok)).toEqual([]);
      }),
      { seed: 35, numRuns: 10, endOnFailure: true },
    );
  });
});
