import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import AcpiBuildCommand from '../../src/commands/acpi/build.ts';
import BiosBuildCommand from '../../src/commands/bios/build.ts';
import QemuCommand from '../../src/commands/qemu.ts';
import { hasQemu, QEMU } from '../support/qemu.ts';
import { runCommand } from '../support/run-command.ts';

let folder = '';
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'q35 qemu-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('q35 qemu', () => {
  it('prints the board for a shell, and the files of a build', async () => {
    await runCommand(AcpiBuildCommand, ['--out', at('firmware')]);
    const { stdout, exitCode } = await runCommand(QemuCommand, ['--firmware', at('firmware')]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^-nodefaults -machine q35,sata=off,\S+ -m 512 .* -device pxb-pcie,id=pxb1,/);
    expect(stdout).toMatch(/ -fw_cfg 'name=opt\/q35\/etc\/acpi\/tables,file=[^']*\/firmware\/etc\/acpi\/tables' /);
  });

  it.skipIf(!hasQemu)('QEMU (where installed) runs the probe guest on it with the ROM and the files', async () => {
    const firmware = ['--firmware', at('firmware')];
    await runCommand(AcpiBuildCommand, ['--out', at('firmware')]);
    await runCommand(BiosBuildCommand, ['--out', at('rom'), '--probe', at('probe.elf')]);
    const { stdout } = await runCommand(QemuCommand, [...firmware, '--json']);
    spawnSync(
      QEMU,
      [
        ...(JSON.parse(stdout) as string[]),
        ...['-accel', 'tcg', '-display', 'none', '-monitor', 'none', '-no-reboot', '-serial', `file:${at('serial')}`],
        ...['-bios', at('rom'), '-kernel', at('probe.elf')],
      ],
      { timeout: 60_000 },
    );
    expect(readFileSync(at('serial'), 'latin1')).toMatch(/\nprobe end functions=0x10\s*$/);
  });

  it.each([
    ['a directory without a build', () => ['--firmware', at('none')], /error FIRMWARE_DIRECTORY/],
    ['a device that QEMU has not', () => ['--device', 'q35-testdev,bar0=mem32:64K'], /error QEMU_MODEL/],
  ])('refuses %s', async (_, argv, message) => {
    const { stdout, stderr, exitCode } = await runCommand(QemuCommand, argv());
    expect(stderr).toMatch(message);
    expect([stdout, exitCode]).toEqual(['', 2]);
  });
});
