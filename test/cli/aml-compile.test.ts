import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import AmlCompileCommand from '../../src/commands/aml/compile.ts';
import { runCommand } from '../support/run-command.ts';
import { runExamples } from './run-examples.ts';

const block = (signature: string, body: string): string =>
  `DefinitionBlock ("", "${signature}", 2, "Q35", "TEST", 1)\n{\n${body}\n}\n`;

describe('q35 aml compile', () => {
  let directory = '';
  const at = (file: string) => join(directory, file);

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'q35-compile-'));
    writeFileSync(at('good.asl'), block('DSDT', '#include "part.asl"\nName (VAL0, VALUE)'));
    writeFileSync(at('part.asl'), 'Name (PART, 1)');
    writeFileSync(at('bad.asl'), block('DSDT', 'Name (AAA, )\nMethod (BBB) { Return (CCC) }'));
    writeFileSync(at('warns.asl'), block('SSDT', 'Method (AAA, 1) { Switch (Arg0) { Case (1) {} } }'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('runs each example of its help', async () => {
    const home = process.cwd();
    process.chdir(directory);
    try {
      for (const file of ['dsdt.dsl', 'ssdt.asl']) {
        writeFileSync(file, block(file.slice(0, 4).toUpperCase(), 'Method (AAA, 1) { Return (Zero) }'));
      }
      for (const { example, run } of await runExamples(AmlCompileCommand, 'aml compile')) {
        expect([example, run.exitCode]).toEqual([example, 0]);
      }
    } finally {
      process.chdir(home);
    }
  });

  it('writes the table beside the source', async () => {
    const { stdout, exitCode } = await runCommand(AmlCompileCommand, [at('good.asl'), '-D', 'VALUE=7']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('good.aml  DSDT');
    const table = readFileSync(at('good.aml'));
    expect(table.toString('latin1', 0, 4)).toBe('DSDT');
    expect(table.reduce((sum, byte) => (sum + byte) & 0xff, 0)).toBe(0);
    expect(table.subarray(36).toString('hex')).toBe('085041525401' + '0856414c300a07');
  });

  it('reports every mistake and writes nothing', async () => {
    const { stderr, exitCode } = await runCommand(AmlCompileCommand, [at('bad.asl')]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('bad.asl:3:12: error ASL_SYNTAX');
    expect(stderr).toContain('bad.asl:4:24: error ASL_NAME_UNKNOWN: CCC is declared nowhere');
    expect(stderr).toContain('2 errors: nothing was written');
    expect(existsSync(at('bad.aml'))).toBe(false);
  });

  it('prints warnings, unless told not to', async () => {
    expect((await runCommand(AmlCompileCommand, [at('warns.asl')])).stderr).toContain('remark ASL_SERIALIZED');
    expect((await runCommand(AmlCompileCommand, [at('warns.asl'), '--quiet'])).stderr).toBe('');
  });

  it('prints JSON and only that with --json', async () => {
    const good = await runCommand(AmlCompileCommand, [at('good.asl'), '-D', 'VALUE', '-o', at('x.aml'), '--json']);
    expect(JSON.parse(good.stdout).tables[0]).toMatchObject({ out: at('x.aml'), signature: 'DSDT', revision: 2 });
    const bad = await runCommand(AmlCompileCommand, [at('bad.asl'), '--json']);
    expect(JSON.parse(bad.stdout).diagnostics[0]).toMatchObject({ id: 'ASL_SYNTAX', line: 3, column: 12 });
    expect(bad.exitCode).toBe(2);
  });

  it('writes what builds take besides the table', async () => {
    const { exitCode } = await runCommand(AmlCompileCommand, [
      at('good.asl'),
      ...['-D', 'VALUE=7', '-o', at('more.aml'), '--emit', 'c', '--emit', 'listing', '--emit', 'namespace'],
    ]);
    expect(exitCode).toBe(0);
    expect(readFileSync(at('more.hex'), 'utf8')).toContain('unsigned char more_aml_code[] =');
    expect(readFileSync(at('more.lst'), 'utf8')).toContain('       1:  Name (PART, 1)');
    expect(readFileSync(at('more.nsp'), 'utf8')).toContain('  VAL0 IntObj  ');
    const { stderr } = await runCommand(AmlCompileCommand, [at('good.asl'), '--emit', 'c', '--emit', 'asm']);
    expect(stderr).toContain('error ASL_EMIT');
  });

  it('counts warnings as errors, leaves some out, and writes SARIF', async () => {
    const strict = [at('warns.asl'), '--werror', '-o', at('strict.aml')];
    const { exitCode, stderr } = await runCommand(AmlCompileCommand, [...strict, '--sarif', at('strict.sarif')]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('1 error or warning: nothing was written');
    expect(JSON.parse(readFileSync(at('strict.sarif'), 'utf8')).runs[0].results[0].ruleId).toMatch(/^ASL_/);
    expect(existsSync(at('strict.aml'))).toBe(false);
    expect((await runCommand(AmlCompileCommand, [...strict, '--ignore', '3124'])).exitCode).toBe(0);
    expect((await runCommand(AmlCompileCommand, [...strict, '--ignore', 'NONE'])).stderr).toContain('error ASL_IGNORE');
  });

  it('takes the revision and the date from the caller', async () => {
    writeFileSync(at('date.asl'), block('SSDT', 'Name (DATE, __DATE__) Name (BIGV, Ones)'));
    const args = [at('date.asl'), '--revision', '1', '--date', '1700000000'];
    expect((await runCommand(AmlCompileCommand, args)).exitCode).toBe(0);
    const table = readFileSync(at('date.aml'));
    expect(table[8]).toBe(1);
    expect(table.toString('latin1')).toContain('Tue Nov 14 22:13:20 2023');
  });

  it('says when a source is missing', async () => {
    const { stderr, exitCode } = await runCommand(AmlCompileCommand, [at('none.asl')]);
    expect(stderr).toContain('error FILE_READ');
    expect(exitCode).toBe(2);
  });
});
