import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import AmlCompileCommand from '../../src/commands/aml/compile.ts';
import { runCommand } from '../support/run-command.ts';

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
    expect(stderr).toContain('bad.asl:4:24: error ASL_NAME_UNKNOWN: CCC_ is declared nowhere');
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

  it('says when a source is missing', async () => {
    const { stderr, exitCode } = await runCommand(AmlCompileCommand, [at('none.asl')]);
    expect(stderr).toContain('error FILE_READ');
    expect(exitCode).toBe(2);
  });
});
