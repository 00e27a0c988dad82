import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import AcpiBuildCommand from '../../src/commands/acpi/build.ts';
import AcpiExplainCommand from '../../src/commands/acpi/explain.ts';
import AcpiExtractCommand from '../../src/commands/acpi/extract.ts';
import { runCommand } from '../support/run-command.ts';
import { runExamples } from './run-examples.ts';

let root: string;
let home: string;
beforeAll(async () => {
  home = process.cwd();
  root = mkdtempSync(join(tmpdir(), 'q35-explain-'));
  process.chdir(root);
  await runCommand(AcpiBuildCommand, ['--out', 'tables']);
  await runCommand(AcpiExtractCommand, ['tables', '--format', 'text', '--out', 'text']);
  writeFileSync('acpidump.txt', readFileSync('text/acpidump.txt'));
  writeFileSync('dsdt.aml', readFileSync('tables/tables/DSDT.aml'));
  writeFileSync('facp.aml', readFileSync('tables/tables/FACP.aml'));
});
afterAll(() => {
  process.chdir(home);
  rmSync(root, { recursive: true });
});

const explained = async (...argv: string[]) => (await runCommand(AcpiExplainCommand, [...argv, 'tables'])).stdout;

describe('q35 acpi explain', () => {
  it('each example in the help runs', async () => {
    const runs = await runExamples(AcpiExplainCommand, 'acpi explain');
    for (const { example, run } of runs) expect([example, run.exitCode, run.stderr]).toEqual([example, 0, '']);
  });

  it('tables: what each is for and what it says', async () => {
    const text = await explained();
    expect(text).toMatch(/^dsdt: \d+ bytes, revision 2, by Q35FW "Q35BOARD"\n {2}The machine’s devices/);
    expect(text).toMatch(/the SCI is interrupt 9;/);
    expect(text).toMatch(/I\/O APIC \d+ at 0xfec0_0000, GSIs from 0/);
    expect(text).toMatch(/segment 0, buses 0–255: 0xb000_0000–0xbfff_ffff/);
  });

  it('one table: every field with its value in words and its meaning', async () => {
    const { stdout } = await runCommand(AcpiExplainCommand, ['facp.aml']);
    expect(stdout).toMatch(/PREFERRED_PM_PROFILE 0x0 \(unspecified\): what kind of machine it is/);
    expect(stdout).toMatch(/RESET_REG 8 bits at 0xcf9 of SystemIO: written to restart the machine/);
    expect(stdout).not.toMatch(/undefined|NaN|RESERVED/);
  });

  it('--fields: those of every data table, and no other', async () => {
    const text = await explained('--fields');
    expect(text).toMatch(/EVENT_TIMER_BLOCK_ID 0x8086_a201 \(3 comparators of 64 bits, vendor 0x8086\)/);
    expect(text).toMatch(/Interrupt Source Override at 0x[0-9a-f]+:\n {6}BUS 0x0: 0 is ISA/);
    expect(text).not.toMatch(/DEFINITION|undefined|NaN/);
  });

  it('mmconfig: the range, the line in dmesg, who claims it', async () => {
    const text = await explained('mmconfig');
    expect(text).toMatch(/"PCI: MMCONFIG for domain 0000 \[bus 00-ff\] at \[mem 0xb0000000-0xbfffffff\]"/);
    expect(text).toMatch(/\(PNP0C02\) claims it: "reserved as ACPI motherboard resource"; Linux uses it\./);
  });

  it('prt: each bus, with I/O APICs in use', async () => {
    const text = await explained('prt');
    expect(text).toMatch(/^\\_SB\.PCI0\._PRT \(host bridge\), with I\/O APICs in use\n/);
    expect(text).toMatch(/device 0x1f INTA → link \\_SB\.GSIA, now GSI 16/);
  });

  it('irq: who leads to it', async () => {
    expect(await explained('irq', '16')).toMatch(
      /Pin 16 of the I\/O APIC[\s\S]*device 0x1f INTA on the bus of \\_SB\.PCI0 by \\_SB\.GSIA/,
    );
    expect(await explained('irq', '9')).toMatch(/It is the SCI/);
  });

  it('a path: ids, presence, resources, and what follows', async () => {
    const text = await explained('\\_SB.PCI0');
    expect(text).toMatch(/A device: PNP0A08 \(PCI Express Bus\), PNP0A03 \(PCI Bus\)\./);
    expect(text).toMatch(/hands on buses 0x0-/);
    expect(await explained('\\_SB.PCI0._UID')).toMatch(/^\\_SB\.PCI0\._UID: Unique ID\n[\s\S]*it gives:\n {4}0x0/);
  });

  it.each([
    ['a path that is not there', ['\\_SB.NONE', 'tables'], /error EXPLAIN_PATH/],
    ['an interrupt that is none', ['irq', 'x', 'tables'], /error EXPLAIN_GSI/],
    ['tables that are not there', ['prt', 'none'], /error FILE_READ/],
  ])('%s: one error, exit code 2', async (_, argv, message) => {
    const { stderr, exitCode } = await runCommand(AcpiExplainCommand, argv);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });
});
