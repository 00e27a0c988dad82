import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildInitramfs } from '../../src/bios/boot/initramfs.ts';
import { kernelItems } from '../../src/bios/boot/kernel-items.ts';
import { VERIFY_APPEND } from '../../src/bios/boot/linux-init.ts';
import { buildFirmware } from '../../src/bios/firmware.ts';
import { planPci } from '../../src/bios/pci/planner.ts';
import { buildRom } from '../../src/bios/rom/rom.ts';
import type { ReportItem } from '../../src/bios/verify/readback/item.ts';
import { verifyLinuxSerial } from '../../src/bios/verify/readback/linux.ts';
import { type GuestRun, runGuest } from '../../src/cli/guest-run.ts';
import { ProgressLine } from '../../src/cli/progress.ts';
import { MIB } from '../../src/shared/bytes.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { defaultBoard } from '../support/boards.ts';
import { debianFile } from '../support/debian.ts';
import { bootOnQemu, hasQemu } from '../support/qemu.ts';

const KERNELS = { cloud: debianFile('cloudKernel'), generic: debianFile('kernel') };
const busybox = debianFile('busybox');
/** A Linux boot takes 15 to 30 s of CPU time; machines that test are shared. */
const TIMEOUT = 400_000;
const INSTRUCTION_LIMIT = 10e9;

/** Boots the default board with `ramMib` of memory and compares what Linux saw. */
async function bootAndCompare(
  kernelFile: string,
  ramMib: number,
): Promise<GuestRun & { readonly items: readonly ReportItem[] }> {
  const base = defaultBoard();
  const ramBytes = ramMib * MIB;
  const machine = { ...base.machine, ramBytes, lowRamBytes: ramBytes / 2 };
  const plan = planPci(machine);
  const firmware = buildFirmware(machine, plan);
  const items = kernelItems({
    kernel: new Uint8Array(readFileSync(kernelFile)),
    kernelFile,
    initrd: buildInitramfs(new Uint8Array(readFileSync(busybox ?? '')), busybox ?? ''),
    append: VERIFY_APPEND,
    lowRamBytes: machine.lowRamBytes,
  });
  const start = { board: { ...base, machine }, rom: buildRom().bytes, files: firmware, items, logger: silentLogger };
  const run = await runGuest('linux', start, INSTRUCTION_LIMIT, new ProgressLine(process.stderr, false));
  expect(run.end).toEqual({ kind: 'power-off' });
  const compared = await verifyLinuxSerial({ machine, plan, firmware }, run.serial);
  expect(compared.filter((item) => !item.ok)).toEqual([]);
  expect(compared.length).toBeGreaterThan(100);
  return { ...run, items: compared };
}

/** Kept from the first boot, so that the comparison with QEMU needs no other. */
let cloudItems: readonly ReportItem[] | undefined;

describe.skipIf(busybox === undefined)('what Linux sees on the emulated machine (Debian’s kernels and busybox)', () => {
  it.skipIf(KERNELS.cloud === undefined)(
    'is what was built, and the same to the last bit each time: cloud kernel, 512 MiB',
    async () => {
      const first = await bootAndCompare(KERNELS.cloud ?? '', 512);
      const second = await bootAndCompare(KERNELS.cloud ?? '', 512);
      expect(second.serial).toBe(first.serial);
      expect([second.instructions, second.stateHash]).toEqual([first.instructions, first.stateHash]);
      cloudItems = first.items;
    },
    TIMEOUT,
  );

  it.skipIf(KERNELS.cloud === undefined || !hasQemu)(
    'is the same on QEMU’s q35 with the same ROM and files (qemu-system-x86_64)',
    async () => {
      const board = defaultBoard();
      const plan = planPci(board.machine);
      const firmware = buildFirmware(board.machine, plan);
      const run = await bootOnQemu({
        board,
        rom: buildRom().bytes,
        firmware,
        kernel: KERNELS.cloud ?? '',
        initrd: buildInitramfs(new Uint8Array(readFileSync(busybox ?? '')), busybox ?? ''),
        append: VERIFY_APPEND,
        timeoutSeconds: 100,
      });
      const items = await verifyLinuxSerial({ machine: board.machine, plan, firmware }, run.serial);
      expect(items).toEqual(cloudItems ?? (await bootAndCompare(KERNELS.cloud ?? '', 512)).items);
    },
    TIMEOUT,
  );

  const cases = [
    ['cloud', 2048],
    ['cloud', 3072],
    ['generic', 512],
    ['generic', 2048],
    ['generic', 3072],
  ] as const;
  for (const [kernel, ramMib] of cases) {
    const path = KERNELS[kernel];
    it.skipIf(path === undefined)(
      `is what was built: ${kernel} kernel, ${ramMib} MiB`,
      async () => {
        await bootAndCompare(path ?? '', ramMib);
      },
      TIMEOUT,
    );
  }
});
