import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../src/aml/compiler/compile.ts';
import AcpiBuildCommand from '../../src/commands/acpi/build.ts';
import AcpiCheckCommand from '../../src/commands/acpi/check.ts';
import AcpiRulesCommand from '../../src/commands/acpi/rules.ts';
import AcpiShowCommand from '../../src/commands/acpi/show.ts';
import AmlDisassembleCommand from '../../src/commands/aml/disassemble.ts';
import BiosBuildCommand from '../../src/commands/bios/build.ts';
import PciPlanCommand from '../../src/commands/pci/plan.ts';
import { runCommand } from '../support/run-command.ts';
import { runExamples } from './run-examples.ts';

/** What this machine may not have, by what stands for it here. */
const HERE = {
  '/sys/firmware/acpi/tables': 'tables',
  '/sys/firmware/acpi/tables/APIC': 'tables/APIC.aml',
  'replace=DSDT,file=https://example.org/dsdt.aml': 'replace=DSDT,file=dsdt.aml',
};

let root: string;
let home: string;
beforeAll(async () => {
  home = process.cwd();
  root = mkdtempSync(join(tmpdir(), 'q35-examples-'));
  process.chdir(root);
  cpSync(join(home, 'fixtures/boards/default.yaml'), 'board.yaml');
  await runCommand(AcpiBuildCommand, ['--out', 'firmware']);
  cpSync('firmware/tables', 'tables', { recursive: true });
  cpSync('tables/DSDT.aml', 'dsdt.aml');
  const ssdt = (name: string) => `DefinitionBlock ("", "SSDT", 2, "Q35", "${name}", 1) { Name (\\${name}, 1) }`;
  for (const name of ['SSDT', 'ssdt1', 'ssdt2'])
    writeFileSync(`${name}.aml`, compile('ssdt.asl', ssdt(name.toUpperCase().slice(-4))).tables[0].bytes);
});
afterAll(() => {
  process.chdir(home);
  rmSync(root, { recursive: true });
});

describe('examples in the help', () => {
  it.each([
    ['acpi build', AcpiBuildCommand],
    ['acpi check', AcpiCheckCommand],
    ['acpi rules', AcpiRulesCommand],
    ['acpi show', AcpiShowCommand],
    ['aml disassemble', AmlDisassembleCommand],
    ['bios build', BiosBuildCommand],
    ['pci plan', PciPlanCommand],
  ] as const)('%s: each runs', async (topic, command) => {
    const runs = await runExamples(command, topic, HERE);
    expect(runs.length).toBeGreaterThan(0);
    for (const { example, run } of runs) expect([example, run.exitCode], run.stderr).toEqual([example, 0]);
  });

  it('a directory of tables is disassembled to one file a table', () => {
    expect(readFileSync('asl/DSDT.dsl', 'latin1')).toContain('DefinitionBlock ("", "DSDT"');
    expect(readFileSync('asl/FACP.dsl', 'latin1')).toContain('PREFERRED_PM_PROFILE');
  });
});
