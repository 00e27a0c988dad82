import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kernelItems } from '../../src/bios/boot/kernel-items.ts';
import { buildFirmware } from '../../src/bios/firmware.ts';
import { planPci } from '../../src/bios/pci/planner.ts';
import { buildProbe } from '../../src/bios/rom/probe/probe.ts';
import { buildRom } from '../../src/bios/rom/rom.ts';
import type { Board } from '../../src/bios/topology/board.ts';
import type { ReportItem } from '../../src/bios/verify/readback/item.ts';
import { verifyProbeSerial } from '../../src/bios/verify/readback/probe.ts';
import { runGuest } from '../../src/cli/guest-run.ts';
import { ProgressLine } from '../../src/cli/progress.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { boardOfFlags, defaultBoard } from '../support/boards.ts';
import { bootOnQemu, hasQemu } from '../support/qemu.ts';

const probe = buildProbe().bytes;
const rom = buildRom().bytes;
const QUIET = new ProgressLine(process.stderr, false);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'q35-probe-'));
  writeFileSync(join(folder, 'probe'), probe);
});
afterAll(() => rmSync(folder, { recursive: true }));

function builtOf({ machine }: Board) {
  const plan = planPci(machine);
  return { machine, plan, firmware: buildFirmware(machine, plan) };
}

async function onEmulator(board: Board): Promise<ReportItem[]> {
  const built = builtOf(board);
  const { lowRamBytes } = board.machine;
  const items = kernelItems({ kernel: probe, kernelFile: 'probe', append: '', lowRamBytes });
  const start = { board, rom, files: built.firmware, items, logger: silentLogger };
  const run = await runGuest('probe', start, 1e9, QUIET);
  expect(run.end).toEqual({ kind: 'power-off' });
  return verifyProbeSerial(built, run.serial);
}

async function onQemu(board: Board): Promise<ReportItem[]> {
  const built = builtOf(board);
  const kernel = join(folder, 'probe');
  const run = await bootOnQemu({ board, rom, firmware: built.firmware, kernel, append: '', timeoutSeconds: 60 });
  return verifyProbeSerial(built, run.serial);
}

/** Boards that differ in what the plan has to solve; the last ones have devices that QEMU does not have. */
const BOARDS: Readonly<Record<string, () => Board>> = {
  'the default board': defaultBoard,
  'the default board with 3 GiB': () => {
    const board = defaultBoard();
    const ramBytes = 3 * 2 ** 30;
    return { ...board, machine: { ...board.machine, ramBytes, lowRamBytes: ramBytes / 2 } };
  },
  'bridges in a row': () =>
    boardOfFlags({
      m: '128',
      device: [
        'pcie-root-port,id=rp0,hotplug=off',
        ...Array.from(
          { length: 5 },
          (_, i) => `pci-bridge,id=br${i},bus=${i === 0 ? 'rp0' : `br${i - 1}`},addr=${i === 0 ? 0 : i}`,
        ),
        'edu,id=edu0,bus=br4,addr=5',
        'edu,id=edu1,bus=br4,addr=6',
        'edu,id=edu2,bus=br2,addr=7',
        'pci-testdev,id=test0,bus=br4,addr=1f,membar=16G',
      ],
    }),
  'hotplug ports and every slot rule': () =>
    boardOfFlags({
      m: '256',
      device: [
        'edu,id=a,addr=18',
        'edu,id=b,addr=19',
        'edu,id=c,addr=1d',
        'i82801b11-bridge,id=dmi,addr=1e',
        'edu,id=d,bus=dmi,addr=3',
        ...Array.from({ length: 4 }, (_, i) => `pcie-root-port,id=rp${i}`),
        ...Array.from({ length: 4 }, (_, i) => `edu,id=e${i},bus=rp${i}`),
      ],
    }),
  'three host bridges': () =>
    boardOfFlags({
      m: '128',
      device: [
        'pxb-pcie,id=p1,bus_nr=0x20,addr=1',
        'pxb-pcie,id=p2,bus_nr=0xf0,addr=9',
        'pcie-root-port,id=r1,bus=p1,addr=1,hotplug=off',
        'pcie-root-port,id=r2,bus=p2,addr=2,hotplug=off',
        'edu,id=e1,bus=r1',
        'edu,id=e2,bus=r2',
        'pci-testdev,id=t2,addr=5,membar=1M',
      ],
    }),
  'BARs of every kind (not on QEMU)': () =>
    boardOfFlags({
      m: '64',
      device: [
        'pci-bridge,id=b0',
        'q35-testdev,id=t0,bar0=io:32,bar1=mem32:4K,bar2=mem64-prefetchable:64G,bar4=mem64:64K',
        'q35-testdev,id=t1,bus=b0,addr=1,bar0=mem32-prefetchable:1M,bar1=io:256,bar2=mem64:16,bar4=mem64-prefetchable:4K',
        'q35-testdev,id=t2,bus=b0,addr=2,bar5=mem32:256M',
      ],
    }),
};

describe('what the probe guest sees', () => {
  for (const [name, boardOf] of Object.entries(BOARDS)) {
    it(`is what was built, on the emulated machine: ${name}`, async () => {
      const items = await onEmulator(boardOf());
      expect(items.filter((item) => !item.ok)).toEqual([]);
      expect(items.length).toBeGreaterThan(40);
    });

    if (name.includes('not on QEMU')) continue;
    it.skipIf(!hasQemu)(`is the same on QEMU’s q35 (qemu-system-x86_64): ${name}`, async () => {
      const board = boardOf();
      expect(await onQemu(board)).toEqual(await onEmulator(board));
    });
  }
});
