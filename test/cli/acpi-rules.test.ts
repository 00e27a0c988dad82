import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LINT_RULES } from '../../src/aml/lint/lint.ts';
import { buildFadt } from '../../src/bios/acpi/fadt.ts';
import { DEFAULT_OEM } from '../../src/bios/acpi/header.ts';
import { RULES } from '../../src/bios/verify/check.ts';
import AcpiRulesCommand from '../../src/commands/acpi/rules.ts';
import AcpiShowCommand from '../../src/commands/acpi/show.ts';
import { runCommand } from '../support/run-command.ts';

describe('q35 acpi rules', () => {
  it('lists every rule', async () => {
    const { stdout } = await runCommand(AcpiRulesCommand, []);
    expect(stdout.trim().split('\n')).toHaveLength(RULES.length + LINT_RULES.length);
  });

  it('explains one', async () => {
    const { stdout } = await runCommand(AcpiRulesCommand, ['MCFG-MOTHERBOARD']);
    expect(stdout).toMatch(/^MCFG-MOTHERBOARD \(error\)\n.*PNP0C02 device\.\n {2}when broken, Linux: .*Firmware Bug/);
  });

  it('suggests a name for one that is not there', async () => {
    const { stderr, exitCode } = await runCommand(AcpiRulesCommand, ['MCFG-E802']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/error RULE_UNKNOWN: .*\n {2}mend: did you mean MCFG-E820/);
  });
});

describe('q35 acpi show', () => {
  it('prints every field by name, bits too', async () => {
    const root = mkdtempSync(join(tmpdir(), 'q35-show-'));
    const path = join(root, 'FACP.aml');
    writeFileSync(path, buildFadt(DEFAULT_OEM, 1).bytes);
    const { stdout, exitCode } = await runCommand(AcpiShowCommand, [path]);
    rmSync(root, { recursive: true });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/FADT\.IAPC_BOOT_ARCH +0x7 \(8042 LEGACY_DEVICES VGA_NOT_PRESENT\)/);
    expect(stdout).toMatch(/FADT\.X_PM_TMR_BLK +space 1, 32 bits at bit 0, access 0, 0x608/);
  });

  it.each([
    ['a missing file', 'no-such.aml', /error FILE_READ/],
    ['an empty file', '/dev/null', /error TABLE_TOO_SHORT/],
    ['a file that is no table', 'package.json', /error TABLE_SIGNATURE/],
  ])('%s: one error, exit code 2', async (_, file, message) => {
    const { stderr, exitCode } = await runCommand(AcpiShowCommand, [file]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });
});
