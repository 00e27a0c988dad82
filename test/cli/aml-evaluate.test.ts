import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { add, arg, device, divide, method, name, packageOf, ret, str } from '../../src/aml/build.ts';
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
        device('\\_SB.DEV', [name('_UID', str('x')), name('LIST', packageOf([1, str('two'), '^DEV']))]),
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
    expect(JSON.parse(stdout)).toEqual({ path: '\\PORT', value: '0xFF', notifications: [], problems: [] });
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
