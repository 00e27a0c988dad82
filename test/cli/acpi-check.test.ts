import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import AcpiBuildCommand from '../../src/commands/acpi/build.ts';
import AcpiCheckCommand from '../../src/commands/acpi/check.ts';
import { runCommand } from '../support/run-command.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'q35-check-'));
});
afterAll(() => rmSync(root, { recursive: true }));

describe('q35 acpi check', () => {
  it('finds nothing in what q35 acpi build wrote', async () => {
    const out = join(root, 'sound');
    await runCommand(AcpiBuildCommand, ['--out', out]);
    const { stdout, exitCode } = await runCommand(AcpiCheckCommand, [out]);
    expect(stdout).toMatch(/^\d+ rules, 0 findings\n$/);
    expect(exitCode).toBe(0);
  });

  it('says what is broken, what follows and the mend, and ends with exit code 1', async () => {
    const out = join(root, 'broken');
    await runCommand(AcpiBuildCommand, ['--acpitable', 'delete=APIC', '--out', out]);
    const { stdout, exitCode } = await runCommand(AcpiCheckCommand, [out]);
    expect(stdout).toMatch(
      /^error TABLE-REQUIRED: there is no APIC \(APIC\)\n {2}rule: .*\n {2}Linux: .*\n {2}Windows: .*\n {2}mend: /,
    );
    expect(exitCode).toBe(1);
  });

  it('prints findings as JSON', async () => {
    const out = join(root, 'json');
    await runCommand(AcpiBuildCommand, ['--bios-date', '04/01/2014', '--out', out]);
    const { stdout, exitCode } = await runCommand(AcpiCheckCommand, [out, '--json']);
    expect(JSON.parse(stdout).findings).toMatchObject([{ rule: 'SMBIOS-DATE', severity: 'warning' }]);
    expect(exitCode).toBe(0);
  });

  it('takes tables as /sys/firmware/acpi/tables has them', async () => {
    const path = directory('sys', { APIC: 'APIC with too few bytes' });
    const { stdout, exitCode } = await runCommand(AcpiCheckCommand, [path]);
    expect(stdout).toMatch(/error TABLE-LENGTH: APIC states/);
    expect(exitCode).toBe(1);
  });

  it.each([
    ['a directory that is missing', () => join(root, 'none'), /error DIRECTORY_READ/],
    ['a directory without tables', () => directory('empty', {}), /error CHECK_EMPTY/],
    ['a plan that is none', () => directory('plan', { 'plan.json': '{}', 'a.aml': 'x' }), /error PLAN_JSON/],
  ])('%s: one error, exit code 2', async (_, path, message) => {
    const { stderr, exitCode } = await runCommand(AcpiCheckCommand, [path()]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });
});

function directory(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(root, name);
  mkdirSync(path);
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
  return path;
}
