import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Compiled by `npm test` and `npm start` before they run anything. */
const isBuilt = existsSync(`${ROOT}/dist/commands`);

interface EntryRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

/** Runs bin/run.js as a shell would; `closed`: with nobody who reads its output. */
function runEntry(argv: readonly string[], closed = false): Promise<EntryRun> {
  const child = spawn(process.execPath, [`${ROOT}/bin/run.js`, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  if (closed) child.stdout.destroy();
  else child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => (output.stderr += chunk));
  return new Promise((resolve) => {
    child.on('close', (exitCode) => resolve({ ...output, exitCode }));
  });
}

describe.skipIf(!isBuilt)('the q35 program (needs dist: npm run build)', () => {
  it('prints a result and ends with 0', async () => {
    const { stdout, exitCode } = await runEntry(['acpi', 'rules', 'MCFG-E820']);
    expect([stdout.split('\n')[0], exitCode]).toEqual(['MCFG-E820 (error)', 0]);
  });

  it.each([
    ['a mistake in the input', ['pci', 'plan', 'no-such.yaml'], /^error FILE_READ: /],
    ['a command that is none', ['bot'], /command bot not found/],
    ['a flag that is none', ['pci', 'plan', '--devise', 'edu'], /Nonexistent flag: --devise/],
  ])('%s: exit code 2, no stack', async (_, argv, message) => {
    const { stdout, stderr, exitCode } = await runEntry(argv);
    expect(stderr).toMatch(message);
    expect([stdout, exitCode]).toEqual(['', 2]);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  it('ends like other programs when nobody reads on, as in q35 … | head', async () => {
    expect(await runEntry(['acpi', 'rules'], true)).toMatchObject({ stderr: '', exitCode: 128 + 13 });
  });
});
