import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildInitramfs } from '../../src/bios/boot/initramfs.ts';
import { kernelItems } from '../../src/bios/boot/kernel-items.ts';
import { VERIFY_APPEND } from '../../src/bios/boot/linux-init.ts';
import { buildFirmware } from '../../src/bios/firmware.ts';
import { planPci } from '../../src/bios/pci/planner.ts';
import { compareAcpi } from '../../src/bios/verify/readback/acpi.ts';
import { extractLinuxReport } from '../../src/bios/verify/readback/linux-report.ts';
import { runGuest } from '../../src/cli/guest-run.ts';
import { ProgressLine } from '../../src/cli/progress.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { defaultBoard } from '../support/boards.ts';
import { debianFile } from '../support/debian.ts';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
/** The option ROM by which QEMU has SeaBIOS boot a kernel from fw_cfg. */
const BOOT_ROM = '/usr/share/qemu/linuxboot_dma.bin';
const kernelFile = debianFile('cloudKernel');
const busybox = debianFile('busybox');
const missing = [SEABIOS, BOOT_ROM, kernelFile, busybox].some((path) => path === undefined || !existsSync(path));

const bytesOf = (path: string | undefined): Uint8Array => new Uint8Array(readFileSync(path ?? ''));

describe.skipIf(missing)(
  'SeaBIOS on the emulated machine (Debian’s seabios, qemu-system-data, kernel and busybox)',
  () => {
    it('boots Linux with our tables, which Linux reads byte for byte', { timeout: 400_000 }, async () => {
      const board = defaultBoard();
      const firmware = buildFirmware(board.machine, planPci(board.machine));
      const items = kernelItems({
        kernel: bytesOf(kernelFile),
        kernelFile: kernelFile ?? '',
        initrd: buildInitramfs(bytesOf(busybox), busybox ?? ''),
        append: VERIFY_APPEND,
        lowRamBytes: board.machine.lowRamBytes,
      });
      const files = new Map([...firmware, ['genroms/linuxboot_dma.bin', bytesOf(BOOT_ROM)] as const]);
      const start = { board, rom: bytesOf(SEABIOS), files, items, logger: silentLogger };
      const run = await runGuest('seabios', start, 10e9, new ProgressLine(process.stderr, false));
      expect(run.end).toEqual({ kind: 'power-off' });
      const extraction = await extractLinuxReport(run.serial);
      if ('failure' in extraction) throw new Error(extraction.failure);
      const compared = compareAcpi(firmware, extraction.report);
      expect(compared.filter((item) => !item.ok)).toEqual([]);
      expect(compared.length).toBeGreaterThan(10);
    });
  },
);
