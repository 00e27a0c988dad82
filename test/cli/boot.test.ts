import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EscapeFilter } from '../../src/cli/console.ts';
import BootCommand from '../../src/commands/boot.ts';
import { runCommand } from '../support/run-command.ts';

let folder = '';
const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'q35-boot-'));
  writeFileSync(at('text.txt'), 'this is no kernel\n'.repeat(100));
  writeFileSync(at('empty'), '');
  writeFileSync(at('short.rom'), new Uint8Array(1000));
  // A header that announces more than the file has.
  const truncated = new Uint8Array(2000);
  truncated[0x1f1] = 4;
  truncated.set([0x55, 0xaa], 0x1fe);
  truncated.set(new TextEncoder().encode('HdrS'), 0x202);
  truncated.set([0x0f, 0x02], 0x206);
  truncated.set([0x01], 0x211);
  truncated.set([0x03, 0x00], 0x236);
  truncated.set([0x00, 0x10], 0x1f4);
  writeFileSync(at('truncated'), truncated);
});
afterAll(() => rmSync(folder, { recursive: true }));

const SMALL = ['--m', '64', '--device', 'edu', '--serial', 'none'];

describe('q35 boot', () => {
  it('runs the ROM; without a kernel it says so and sleeps, and the command tells', async () => {
    const serial = at('serial.txt');
    const run = await runCommand(BootCommand, ['--m', '64', '--device', 'edu', '--serial', `file:${serial}`]);
    expect(readFileSync(serial, 'utf8')).toMatch(/q35: ROM in long mode[\s\S]*kernel/);
    expect(run.stderr).toMatch(/halted with nothing that could wake it/);
    expect(run.exitCode).toBe(5);
  });

  it('ends at the limit', async () => {
    const { stderr, exitCode } = await runCommand(BootCommand, [...SMALL, '--limit', '1K']);
    expect([stderr, exitCode]).toEqual(['the limit on instructions is reached\n', 4]);
  });

  it('tells with --profile where guest and emulator spent their time, and draws it', async () => {
    const flags = ['--limit', '1M', '--profile', '--flame-graph', at('flame.svg')];
    const { stderr, exitCode } = await runCommand(BootCommand, [...SMALL, ...flags]);
    expect(stderr).toMatch(/profile: \d+ M instructions in .* M\/s\n/);
    expect(stderr).toMatch(/ % +\d+\.\d+ s {2}interpreter\n/);
    expect(stderr).toMatch(/ % {2}(firmware|kernel): .*page 0x/);
    expect(readFileSync(at('flame.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
    expect([4, 5]).toContain(exitCode);
  });

  it('warns of an fw_cfg name outside opt/', async () => {
    const { stderr } = await runCommand(BootCommand, [...SMALL, '--limit', '10', '--fw_cfg', 'etc/mine,string=x']);
    expect(stderr).toMatch(/warning: fw_cfg name 'etc\/mine' is outside opt\//);
  });

  const cases: [string, () => string[], RegExp][] = [
    ['a kernel that is missing', () => ['--kernel', at('none')], /error FILE_READ: .*none does not exist/],
    [
      'a kernel that is text',
      () => ['--kernel', at('text.txt')],
      /error KERNEL_FORMAT: .*neither a bzImage nor an ELF/,
    ],
    ['a kernel that is empty', () => ['--kernel', at('empty')], /error KERNEL_FORMAT/],
    [
      'a kernel that is cut short',
      () => ['--kernel', at('truncated')],
      /error KERNEL_TRUNCATED: .*2000 bytes; its header/,
    ],
    ['a ROM of a wrong size', () => ['--bios', at('short.rom')], /error ROM_SIZE: .*1000 bytes[\s\S]*64 KiB/],
    ['an empty ROM', () => ['--bios', at('empty')], /error ROM_SIZE/],
    ['a drive that is missing', () => ['--drive', `id=d,file=${at('none')}`], /error DRIVE_OPEN: drive d/],
    ['a table file that is missing', () => ['--acpitable', `file=${at('none')}`], /error FILE_READ/],
    [
      'a URL that does not answer',
      () => ['--acpitable', 'file=http://127.0.0.1:1/x.aml'],
      /error [A-Z_]+: .*127\.0\.0\.1/,
    ],
    ['a table with a bad length', () => ['--acpitable', `file=${at('text.txt')}`], /error ACPITABLE_/],
    ['fw_cfg without a file', () => ['--fw_cfg', 'opt/x'], /error OPTION_MISSING/],
    ['fw_cfg with a file that is missing', () => ['--fw_cfg', `opt/x,file=${at('none')}`], /error FILE_READ/],
    ['fw_cfg with a strange option', () => ['--fw_cfg', 'opt/x,string=a,gen_id=b'], /error OPTION_UNKNOWN/],
    ['a limit that is no number', () => ['--limit', 'soon'], /error LIMIT_SYNTAX/],
    ['a threshold of regions that is no number', () => ['--regions-after', 'soon'], /error REGIONS_SYNTAX/],
    ['a place for output that is none', () => ['--debugcon', 'tcp:1'], /error STREAM_SYNTAX/],
    ['a file that cannot be written', () => ['--debugcon', `file:${at('no/such/x')}`], /error FILE_WRITE/],
  ];
  it.each(cases)('%s: one error, exit code 2, no stack, no output', async (_, argv, message) => {
    const { stdout, stderr, exitCode } = await runCommand(BootCommand, [...SMALL, ...argv()]);
    expect(stderr).toMatch(message);
    expect([stdout, exitCode]).toEqual(['', 2]);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(existsSync(at('no'))).toBe(false);
  });
});

describe('keys at the console', () => {
  it('pass to the guest, but for Ctrl-A', () => {
    const escapes = new EscapeFilter();
    expect([...escapes.filter(Uint8Array.from([97, 1]))]).toEqual([97]);
    expect([...escapes.filter(Uint8Array.from([1, 98]))]).toEqual([1, 98]);
    expect(escapes.quit).toBe(false);
    expect([...escapes.filter(Uint8Array.from([1, 120]))]).toEqual([]);
    expect(escapes.quit).toBe(true);
  });
});
