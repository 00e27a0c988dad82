import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  add,
  arg,
  call,
  device,
  divide,
  method,
  name,
  packageOf,
  ret,
  store,
  str,
  toHexString,
} from '../../src/aml/build.ts';
import { field, fieldUnit, operationRegion } from '../../src/aml/build-fields.ts';
import { encodeDefinitionBlock } from '../../src/aml/table-header.ts';
import AmlEvaluateCommand from '../../src/commands/aml/evaluate.ts';
import { runCommand } from '../support/run-command.ts';

describe('q35 aml evaluate', () => {
  let directory = '';
  let file = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'q35-evaluate-'));
    file = join(directory, 'dsdt.aml');
    const identity = { signature: 'DSDT', revision: 2, oemId: 'Q35', oemTableId: 'TEST' };
    writeFileSync(
      file,
      encodeDefinitionBlock(identity, [
        operationRegion('REGS', 'SystemIO', 0x80, 1),
        field('REGS', {}, [fieldUnit('PORT', 8)]),
        device('\\_SB.DEV', [
          name('_UID', str('x')),
          name('LIST', packageOf([1, str('two'), '^DEV'])),
          name('DONE', 0),
          method('_INI', 0, [store(1, 'DONE')]),
        ]),
        method('TRAC', 0, [ret(call('SUM', 'PORT', 3))]),
        method('HEXA', 0, [ret(toHexString(0x12))]),
        method('SUM', 2, [ret(add(arg(0), arg(1)))]),
        method('FAIL', 0, [ret(divide(1, 0))]),
      ]),
    );
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('prints the value of a name', async () => {
    const { stdout, exitCode } = await runCommand(AmlEvaluateCommand, ['\\_SB.DEV.LIST', file]);
    expect([stdout, exitCode]).toEqual(['Package {\n    0x1,\n    "two",\n    \\_SB.DEV\n}\n', 0]);
  });

  it('passes arguments', async () => {
    const { stdout } = await runCommand(AmlEvaluateCommand, ['\\SUM', file, '--arg', '40', '--arg', '0x2']);
    expect(stdout).toBe('0x2A\n');
  });

  it('prints JSON and fills absent hardware', async () => {
    const { stdout } = await runCommand(AmlEvaluateCommand, ['\\PORT', file, '--fill', '255', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      path: '\\PORT',
      value: '0xFF',
      notifications: [],
      problems: [],
      absent: [{ region: '\\REGS', space: 'SystemIO', accesses: 1 }],
    });
  });

  it('traces calls, names and region accesses on stderr', async () => {
    const { stdout, stderr } = await runCommand(AmlEvaluateCommand, ['\\TRAC', file, '--trace']);
    expect(stdout).toBe('0x3\n');
    expect(stderr.trimEnd().split('\n')).toEqual([
      'call \\TRAC ()',
      '  name \\PORT',
      '  read SystemIO 0x80 1 = 0x0 (\\REGS)',
      '  call \\SUM (0x0, 0x3)',
      '  return \\SUM = 0x3',
      'return \\TRAC = 0x3',
    ]);
  });

  it('traces as JSON lines', async () => {
    const { stderr } = await runCommand(AmlEvaluateCommand, [
      '\\SUM',
      file,
      '--arg',
      '1',
      '-a',
      '2',
      '--trace',
      '--json',
    ]);
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { event: 'call', path: '\\SUM', args: ['0x1', '0x2'], depth: 0 },
      { event: 'return', path: '\\SUM', value: '0x3', depth: 0 },
    ]);
  });

  it('runs as Windows does', async () => {
    const run = async (semantics: string) =>
      (await runCommand(AmlEvaluateCommand, ['\\HEXA', file, '--semantics', semantics])).stdout;
    expect([await run('spec'), await run('nt')]).toEqual(['"0x0000000000000012"\n', '"0x12"\n']);
  });

  it('initializes as an OS does', async () => {
    const run = async (flags: string[]) =>
      (await runCommand(AmlEvaluateCommand, ['\\_SB.DEV.DONE', file, ...flags])).stdout;
    expect([await run([]), await run(['--initialize'])]).toEqual(['0x0\n', '0x1\n']);
  });

  it.each([
    ['a path that is not there', ['\\_SB.NONE', 'FILE'], /error AML_NOT_FOUND: .*\n {2}at \\_SB\.NONE\n {2}mend: /],
    ['a method that fails', ['\\FAIL', 'FILE'], /error AML_DIVIDE_BY_ZERO: .*\n {2}at \\FAIL\n/],
    ['what is no path', ['not a path', 'FILE'], /error AML_NAME: /],
    ['a missing file', ['\\SUM', 'missing.aml'], /error FILE_READ: /],
  ])('refuses %s with exit code 2', async (_, argv, message) => {
    const { stdout, stderr, exitCode } = await runCommand(
      AmlEvaluateCommand,
      argv.map((word) => (word === 'FILE' ? file : word)),
    );
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });
});
