import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, device, eisaId, method, name, ret, scope } from '../../src/aml/build.ts';
import { compile } from '../../src/aml/compiler/compile.ts';
import { encodeDefinitionBlock, encodeTable } from '../../src/aml/table-header.ts';
import AmlCompileCommand from '../../src/commands/aml/compile.ts';
import AmlDisassembleCommand from '../../src/commands/aml/disassemble.ts';
import { runCommand } from '../support/run-command.ts';

const identity = { revision: 2, oemId: 'Q35', oemTableId: 'TEST' };
const dsdt = encodeDefinitionBlock({ ...identity, signature: 'DSDT' }, [
  scope('\\_SB', [
    device('PCI0', [name('_HID', eisaId('PNP0A08')), method('SUM', 2, [ret(0)])]),
    method('_STA', 0, [ret(call('\\_SB.PCI0.SUM', 1, call('\\XTRA', 7)))]),
  ]),
]);
const ssdt = encodeDefinitionBlock({ ...identity, signature: 'SSDT' }, [method('\\XTRA', 1, [ret(0)])]);

describe('q35 aml disassemble', () => {
  let directory = '';
  const at = (file: string) => join(directory, file);

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'q35-disassemble-'));
    writeFileSync(at('dsdt.aml'), dsdt);
    writeFileSync(at('ssdt.aml'), ssdt);
    writeFileSync(at('short.aml'), dsdt.subarray(0, 50));
    writeFileSync(at('text.aml'), 'DefinitionBlock ("", "DSDT", 2, "Q35", "TEST", 1) {}');
    const damaged = dsdt.slice();
    damaged[36] = 0x02;
    writeFileSync(at('damaged.aml'), damaged);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('prints ASL of a table with the others that it depends on', async () => {
    const { stdout, exitCode } = await runCommand(AmlDisassembleCommand, [
      at('dsdt.aml'),
      '--external',
      at('ssdt.aml'),
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Name (_HID, EisaId ("PNP0A08") /* PCI Express Bus */)  // Hardware ID');
    expect(stdout).toContain('External (XTRA, MethodObj)    // 1 arguments');
    expect(stdout).toContain('Return (\\_SB.PCI0.SUM (One, \\XTRA (0x07)))');
  });

  it('writes a file for each table', async () => {
    const out = at('asl');
    const { stdout } = await runCommand(AmlDisassembleCommand, [at('dsdt.aml'), at('ssdt.aml'), '--out', out]);
    expect(stdout.split('\n')).toHaveLength(3);
    expect(readFileSync(join(out, 'ssdt.dsl'), 'latin1')).toContain('Method (\\XTRA, 1, NotSerialized)');
  });

  it('reads a directory, in which each file keeps its name', async () => {
    mkdirSync(at('machine'));
    writeFileSync(at('machine/ssdt.aml'), ssdt);
    writeFileSync(at('machine/dsdt.aml'), dsdt);
    const { stdout, exitCode } = await runCommand(AmlDisassembleCommand, [at('machine'), '--out', at('machine-asl')]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/dsdt\.dsl {2}DSDT \d+ bytes\n.*ssdt\.dsl {2}SSDT/);
    const compiled = await runCommand(AmlCompileCommand, [at('machine-asl/dsdt.dsl'), '--out', at('dsdt.again')]);
    expect(compiled).toMatchObject({ exitCode: 0 });
    expect(new Uint8Array(readFileSync(at('dsdt.again')))).toEqual(dsdt);
  });

  it('says what a row of _PRT is about', async () => {
    const row = 'Package () { 0x001DFFFF, 1, LNKB, 0 }';
    const block = `DefinitionBlock ("", "SSDT", 2, "Q35", "TEST", 1) { Device (LNKB) {} Name (_PRT, Package () { ${row} }) }`;
    writeFileSync(at('prt.aml'), compile('prt.asl', block).tables[0].bytes);
    const { stdout } = await runCommand(AmlDisassembleCommand, [at('prt.aml')]);
    expect(stdout).toMatch(/Package \(0x04\) {2}\/\/ device 0x1D, INTB\n/);
  });

  it('writes ASL 1 with --legacy, to the same bytes', async () => {
    const source = 'Method (SUM, 2) { Store (Arg0 + Arg1, Local0) Return (!Local0) }';
    const block = `DefinitionBlock ("", "SSDT", 2, "Q35", "TEST", 1) { ${source} }`;
    const sums = compile('sums.asl', block).tables[0].bytes;
    writeFileSync(at('sums.aml'), sums);
    const { stdout } = await runCommand(AmlDisassembleCommand, [at('sums.aml'), '--legacy']);
    expect(stdout).toContain('Store (Add (Arg0, Arg1), Local0)');
    expect(stdout).toContain('Return (LNot (Local0))');
    writeFileSync(at('sums.dsl'), stdout);
    await runCommand(AmlCompileCommand, [at('sums.dsl'), '--out', at('sums.again')]);
    expect(new Uint8Array(readFileSync(at('sums.again')))).toEqual(sums);
  });

  it('prints tables of data one field a line, which compile back', async () => {
    const hpet = encodeTable(
      { ...identity, signature: 'HPET' },
      Uint8Array.from({ length: 20 }, (_, index) => index),
    );
    writeFileSync(at('hpet.aml'), hpet);
    const { exitCode } = await runCommand(AmlDisassembleCommand, [at('hpet.aml'), '--out', at('data')]);
    expect(exitCode).toBe(0);
    const compiled = await runCommand(AmlCompileCommand, [at('data/hpet.dsl'), '--out', at('hpet.out')]);
    expect(compiled).toMatchObject({ exitCode: 0, stderr: '' });
    expect(new Uint8Array(readFileSync(at('hpet.out')))).toEqual(hpet);
  });

  it('prints JSON and only that with --json', async () => {
    const { stdout } = await runCommand(AmlDisassembleCommand, [at('ssdt.aml'), '--json']);
    expect(JSON.parse(stdout).tables[0]).toMatchObject({ signature: 'SSDT', revision: 2, checksumValid: true });
  });

  it.each([
    ['a missing file', 'missing.aml', /error FILE_READ: .* does not exist/],
    [
      'a truncated table',
      'short.aml',
      /error AML_TABLE: the header states \d+ bytes, the file has 50\n {2}at .*short\.aml\+0x4\n {2}mend: /,
    ],
    ['text', 'text.aml', /error AML_TABLE: /],
    [
      'a table that is no AML',
      'damaged.aml',
      /error AML_DECODE: 0x2 is no AML opcode\n {2}at .*damaged\.aml\+0x24, \\\n {2}mend: /,
    ],
  ])('refuses %s with exit code 2', async (_, file, message) => {
    const { stdout, stderr, exitCode } = await runCommand(AmlDisassembleCommand, [at(file)]);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at .*\.ts:/);
  });
});
