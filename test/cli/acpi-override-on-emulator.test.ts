import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buffer, name } from '../../src/aml/build.ts';
import { encodeDefinitionBlock } from '../../src/aml/table-header.ts';
import { buildInitramfs } from '../../src/bios/boot/initramfs.ts';
import { kernelItems } from '../../src/bios/boot/kernel-items.ts';
import { buildFirmware } from '../../src/bios/firmware.ts';
import { planPci } from '../../src/bios/pci/planner.ts';
import { buildRom } from '../../src/bios/rom/rom.ts';
import { runGuest } from '../../src/cli/guest-run.ts';
import { ProgressLine } from '../../src/cli/progress.ts';
import AcpiBuildCommand from '../../src/commands/acpi/build.ts';
import AcpiMergeCommand from '../../src/commands/acpi/merge.ts';
import AcpiPatchCommand from '../../src/commands/acpi/patch.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { defaultBoard } from '../support/boards.ts';
import { debianFile } from '../support/debian.ts';
import { runCommand } from '../support/run-command.ts';

const kernelFile = debianFile('cloudKernel');
const busybox = debianFile('busybox');
const read = (path: string): Uint8Array => new Uint8Array(readFileSync(path));
/** Beyond the 64 KiB of old firmware interfaces. */
const LARGE = 300_000;

/** Runs `body` with the default board's tables in `tables`. */
async function withTables<Result>(body: () => Promise<Result>): Promise<Result> {
  const home = process.cwd();
  const root = mkdtempSync(join(tmpdir(), 'q35-override-'));
  process.chdir(root);
  try {
    await runCommand(AcpiBuildCommand, ['--out', 'board']);
    mkdirSync('tables');
    for (const file of readdirSync('board/tables')) {
      if (!/^(RSDT|XSDT)/.test(file)) writeFileSync(join('tables', file), read(join('board/tables', file)));
    }
    return await body();
  } finally {
    process.chdir(home);
    rmSync(root, { recursive: true });
  }
}

/** Files for fw_cfg with an SSDT of `LARGE` bytes more, and an initrd that replaces the DSDT. */
async function surgery(): Promise<{ readonly files: Map<string, Uint8Array>; readonly cpio: Uint8Array }> {
  const identity = { signature: 'SSDT', revision: 2, oemId: 'Q35', oemTableId: 'LARGE' };
  writeFileSync('large.aml', encodeDefinitionBlock(identity, [name('BIGB', buffer(new Uint8Array(LARGE)))]));
  await runCommand(AcpiMergeCommand, ['tables', 'large.aml', '--format', 'loader', '--out', 'loader']);
  const script = ['etc/acpi/rsdp', 'etc/acpi/tables', 'etc/table-loader'];
  const files = new Map(script.map((file) => [file, read(join('loader', file))]));
  const change = ['--set', '\\_SB.PCI0.SF8.MBIO._UID=9'];
  await runCommand(AcpiPatchCommand, ['tables', ...change, '--format', 'cpio', '--out', 'initrd']);
  return { files, cpio: read('initrd/acpi.cpio') };
}

it.skipIf(kernelFile === undefined || busybox === undefined)(
  'Linux takes tables of any size from our loader script, and the DSDT from our initrd (Debian’s cloud kernel and busybox)',
  async () => {
    const { files, cpio } = await withTables(surgery);
    const board = defaultBoard();
    const firmware = new Map([...buildFirmware(board.machine, planPci(board.machine)), ...files]);
    const initramfs = buildInitramfs(read(busybox ?? ''), busybox ?? '');
    const initrd = new Uint8Array(cpio.length + initramfs.length);
    initrd.set(cpio);
    initrd.set(initramfs, cpio.length);
    const items = kernelItems({
      kernel: read(kernelFile ?? ''),
      kernelFile: kernelFile ?? '',
      initrd,
      append: 'console=ttyS0,115200 panic=-1',
      lowRamBytes: board.machine.lowRamBytes,
    });
    const start = { board, rom: buildRom().bytes, files: firmware, items, logger: silentLogger };
    const run = await runGuest('linux', start, 10e9, new ProgressLine(process.stderr, false));
    expect(run.end).toEqual({ kind: 'power-off' });
    const told = run.serial.match(/^.*ACPI.*$/gm)?.join('\n');
    expect(told).toMatch(/ACPI: SSDT 0x[0-9A-F]+ 049412 \(v02 Q35 +LARGE/);
    expect(told).toContain('DSDT ACPI table found in initrd [kernel/firmware/acpi/dsdt.aml]');
    expect(told).toMatch(/ACPI: Table Upgrade: override \[DSDT-/);
    expect(told).not.toMatch(/ACPI (Error|Warning|BIOS Error)/);
  },
  400_000,
);
