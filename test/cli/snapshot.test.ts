import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import BootCommand from '../../src/commands/boot.ts';
import SnapshotRestoreCommand from '../../src/commands/snapshot/restore.ts';
import SnapshotSaveCommand from '../../src/commands/snapshot/save.ts';
import { SNAPSHOT_VERSION } from '../../src/emulator/machine/snapshot/snapshot-file.ts';
import { runCommand } from '../support/run-command.ts';

let folder = '';
const at = (name: string) => join(folder, name);
const BOARD = ['--m', '64', '--device', 'edu'];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'q35-snapshot-'));
  await runCommand(SnapshotSaveCommand, [at('early'), ...BOARD, '--at', '20K']);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the guest writes from where it starts to its end. */
async function serialOf(argv: string[]): Promise<{ text: string; stderr: string; exitCode: number }> {
  const { stderr, exitCode } = await runCommand(BootCommand, [...argv, '--serial', `file:${at('serial')}`]);
  return { text: readFileSync(at('serial'), 'utf8'), stderr, exitCode };
}

describe('q35 snapshot', () => {
  it('saves at an instruction; boot --snapshot and snapshot restore go on from there', async () => {
    const whole = await serialOf(BOARD);
    const before = await serialOf([...BOARD, '--limit', '20K']);
    const after = await serialOf(['--snapshot', at('early')]);
    expect(before.text.length).toBeGreaterThan(0);
    expect(before.text + after.text).toBe(whole.text);
    expect([after.exitCode, after.stderr]).toEqual([whole.exitCode, whole.stderr]);
    const restored = await runCommand(SnapshotRestoreCommand, [at('early'), '--serial', `file:${at('again')}`]);
    expect([readFileSync(at('again'), 'utf8'), restored.exitCode]).toEqual([after.text, whole.exitCode]);
  });

  it('saves at a text on the serial port, and says how large the file is', async () => {
    const { stdout } = await runCommand(SnapshotSaveCommand, [at('rom'), ...BOARD, '--until', 'long mode']);
    expect(stdout).toMatch(/rom: \d+\.\d MB, saved after \d+ instructions\n/);
    const whole = await serialOf(BOARD);
    const after = await serialOf(['--snapshot', at('rom')]);
    expect(whole.text.endsWith(after.text)).toBe(true);
  });

  it('takes the saved board when it is stated again', async () => {
    const { exitCode } = await serialOf([...BOARD, '--snapshot', at('early'), '--limit', '30K']);
    expect(exitCode).toBe(4);
  });

  const refused: [string, () => string[], RegExp][] = [
    ['a board with other devices', () => ['--m', '64', '--device', 'pci-testdev'], /SNAPSHOT_BOARD: .*PCI devices/],
    ['a board with more memory', () => ['--m', '128', '--device', 'edu'], /SNAPSHOT_BOARD: .*memory/],
    ['another processor', () => [...BOARD, '--cpu', 'x86-64-v2'], /SNAPSHOT_BOARD: .*features of the processor/],
    ['a file more', () => [...BOARD, '--fw_cfg', 'opt/a,string=x'], /SNAPSHOT_BOARD: .*fw_cfg file opt\/a/],
  ];
  it.each(refused)('refuses %s', async (_what, flags, message) => {
    const { stderr, exitCode } = await serialOf([...flags(), '--snapshot', at('early')]);
    expect(stderr).toMatch(message);
    expect([exitCode, stderr.includes('mend: ')]).toEqual([2, true]);
  });

  it('refuses files that are no whole snapshot of this version', async () => {
    const bytes = new Uint8Array(readFileSync(at('early')));
    const attempt = async (spoilt: Uint8Array): Promise<string> => {
      writeFileSync(at('spoilt'), spoilt);
      const { stderr, exitCode } = await runCommand(SnapshotRestoreCommand, [at('spoilt'), '--serial', 'none']);
      expect(exitCode).toBe(2);
      return stderr;
    };
    expect(await attempt(new TextEncoder().encode('no snapshot'))).toMatch(/SNAPSHOT_FORMAT/);
    expect(await attempt(bytes.with(8, 77))).toContain(`77 instead of ${SNAPSHOT_VERSION}`);
    expect(await attempt(bytes.subarray(0, bytes.length - 100))).toMatch(/SNAPSHOT_DAMAGED/);
    expect(await attempt(bytes.with(bytes.length - 50, bytes[bytes.length - 50] ^ 1))).toMatch(/SNAPSHOT_DAMAGED/);
    const missing = await runCommand(SnapshotRestoreCommand, [at('missing')]);
    expect([missing.exitCode, missing.stderr]).toEqual([2, expect.stringContaining('FILE_READ')]);
  });

  it('refuses a drive that has changed since', async () => {
    writeFileSync(at('disk'), new Uint8Array(4096));
    const drive = ['--m', '64', '--drive', `id=d,file=${at('disk')},if=none,format=raw`];
    const device = ['--device', 'virtio-blk-pci,drive=d'];
    await runCommand(SnapshotSaveCommand, [at('disked'), ...drive, ...device, '--at', '20K']);
    const restore = () => runCommand(SnapshotRestoreCommand, [at('disked'), '--serial', 'none', '--limit', '30K']);
    expect((await restore()).exitCode).toBe(4);
    writeFileSync(at('disk'), new Uint8Array(4096).fill(1));
    const { stderr, exitCode } = await restore();
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('SNAPSHOT_DRIVE')]);
  });

  it('saves nothing when the guest ends before', async () => {
    const early = await runCommand(SnapshotSaveCommand, [at('never'), ...BOARD, '--at', '20G']);
    expect([early.exitCode, early.stderr]).toEqual([2, expect.stringContaining('SNAPSHOT_NOT_REACHED')]);
    const flags = ['--until', 'no such text', '--limit', '30K'];
    const late = await runCommand(SnapshotSaveCommand, [at('never'), ...BOARD, ...flags]);
    expect([late.exitCode, late.stderr]).toEqual([2, expect.stringContaining('SNAPSHOT_NOT_REACHED')]);
    expect(() => readFileSync(at('never'))).toThrow();
  });
});
