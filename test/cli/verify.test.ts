import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import VerifyCommand from '../../src/commands/verify.ts';
import { runCommand } from '../support/run-command.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'q35-verify-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('q35 verify', () => {
  it('checks the files of the default board: text, JUnit', async () => {
    const junit = join(folder, 'report.xml');
    const { stdout, exitCode } = await runCommand(VerifyCommand, ['--stage', 'files', '--junit', junit]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^files: \d+ items, all as built\n/);
    expect(stdout).toMatch(/verified: \d+ items in 1 stages, all as built\n$/);
    expect(readFileSync(junit, 'utf8')).toMatch(
      /^<\?xml .*\n<testsuites name="q35 verify">\n {2}<testsuite name="files"/,
    );
  });

  it('prints the same as JSON', async () => {
    const { stdout } = await runCommand(VerifyCommand, ['--stage', 'files', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, stages: [{ name: 'files', ok: true }], leftOut: [] });
  });

  it('ends with 1 and names the rule when files do not agree', async () => {
    const { stdout, exitCode } = await runCommand(VerifyCommand, [
      '--stage',
      'files',
      '--acpitable',
      'delete=MCFG',
      '--only-failures',
    ]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/FAILED {2}rule [A-Z0-9-]+\n +built .*\n +seen .*mend:/);
    expect(stdout).toMatch(/not verified: \d+ of \d+ items failed/);
  });

  it('refuses a kernel and a busybox that are none', async () => {
    const text = join(folder, 'text');
    writeFileSync(text, 'text');
    const run = (argv: string[]) => runCommand(VerifyCommand, ['--stage', 'linux', ...argv]);
    const missing = await run(['--kernel', join(folder, 'none'), '--busybox', text]);
    expect([missing.exitCode, missing.stdout]).toEqual([2, '']);
    expect(missing.stderr).toMatch(/error FILE_READ/);
    const wrong = await run(['--kernel', text, '--busybox', text]);
    expect(wrong.exitCode).toBe(2);
    expect(wrong.stderr).toMatch(/error BUSYBOX_FORMAT/);
  });
});
