import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../src/aml/compiler/compile.ts';
import { decodeResources } from '../../src/aml/resources/resource-template.ts';
import AmlDebugCommand from '../../src/commands/aml/debug.ts';
import AmlEvaluateCommand from '../../src/commands/aml/evaluate.ts';
import SnapshotSaveCommand from '../../src/commands/snapshot/save.ts';
import { runCommand } from '../support/run-command.ts';
import { runExamples } from './run-examples.ts';

const SSDT = 'DefinitionBlock ("", "SSDT", 2, "Q35", "EXAMPLE", 1) { Name (XTRA, 1) }';

describe('q35 aml evaluate --snapshot', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'q35-aml-snapshot-'));
    await runCommand(SnapshotSaveCommand, [at('guest'), '--m', '64', '--device', 'edu', '--until', 'smbios: entry']);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const evaluate = (path: string, ...flags: string[]) =>
    runCommand(AmlEvaluateCommand, [path, '--snapshot', at('guest'), ...flags]);

  it("takes the tables from the guest's memory", async () => {
    const { stdout, exitCode } = await evaluate('\\_SB.PCI0._CRS', '--json');
    const { value } = JSON.parse(stdout) as { value: { buffer: string } };
    const { descriptors } = decodeResources(new Uint8Array(Buffer.from(value.buffer, 'hex')));
    expect(exitCode).toBe(0);
    expect(descriptors.length).toBeGreaterThan(4);
  });

  it('reads and writes the registers of a machine of its own', async () => {
    const before = readFileSync(at('guest'));
    // The firmware routed PIRQA to IRQ 10.
    const link = await evaluate('\\_SB.LNKA._CRS', '--trace');
    expect(link.stderr).toContain('  read PCI_Config 0x60 1 = 0xA (\\_SB.PCI0.SF8.PIRQ)\n');
    expect(link.stdout).toContain('89 06 00 09 01 0A 00 00 00 79 00');
    const disabled = await evaluate('\\_SB.LNKA._DIS', '--trace');
    expect(disabled.stderr).toContain('  write PCI_Config 0x60 1 = 0x8A (\\_SB.PCI0.SF8.PIRQ)\n');
    expect(readFileSync(at('guest')).equals(before)).toBe(true);
  });

  it("runs the examples of both commands' help", async () => {
    const source = `DefinitionBlock ("", "DSDT", 2, "Q35", "EXAMPLE", 1) {
      Method (_PIC, 1) { Return (Arg0) }
      Device (\\_SB.PCI0) { Name (_HID, EisaId ("PNP0A08")) Name (_CRS, ResourceTemplate () {}) Method (_STA) { Return (15) } } }`;
    writeFileSync(at('dsdt.aml'), compile('example.asl', source).tables[0].bytes);
    writeFileSync(at('ssdt.aml'), compile('example.asl', SSDT).tables[0].bytes);
    const files = { 'dsdt.aml': at('dsdt.aml'), 'ssdt.aml': at('ssdt.aml'), 'shell.q35': at('guest') };
    const runs = await runExamples(AmlEvaluateCommand, 'aml evaluate', files);
    // The first example of the debugger is for a terminal.
    const debug = {
      ...AmlDebugCommand,
      examples: AmlDebugCommand.examples.slice(1),
      run: AmlDebugCommand.run.bind(AmlDebugCommand),
    };
    runs.push(...(await runExamples(debug, 'aml debug', files)));
    expect(runs.map(({ run }) => [run.exitCode, run.stdout.length > 0])).toEqual(runs.map(() => [0, true]));
  });

  it('says when the guest has no tables yet', async () => {
    await runCommand(SnapshotSaveCommand, [at('early'), '--m', '64', '--at', '10']);
    const { stderr, exitCode } = await runCommand(AmlEvaluateCommand, ['\\_SB', '--snapshot', at('early')]);
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/error GUEST_TABLES: /)]);
  });
});
