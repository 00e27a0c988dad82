import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { method, name, ret, scope } from '../../src/aml/build.ts';
import { encodeDefinitionBlock } from '../../src/aml/table-header.ts';
import { parseAcpidumpText } from '../../src/bios/acpi/dump/acpidump-text.ts';
import { decodeCpio } from '../../src/bios/boot/cpio.ts';
import AcpiBuildCommand from '../../src/commands/acpi/build.ts';
import AcpiDiffCommand from '../../src/commands/acpi/diff.ts';
import AcpiExtractCommand from '../../src/commands/acpi/extract.ts';
import AcpiLintCommand from '../../src/commands/acpi/lint.ts';
import AcpiMergeCommand from '../../src/commands/acpi/merge.ts';
import AcpiPatchCommand from '../../src/commands/acpi/patch.ts';
import { runCommand } from '../support/run-command.ts';
import { runExamples } from './run-examples.ts';

const words = z.strictObject({ text: z.string().min(1) });
const level = z.enum(['none', 'note', 'warning', 'error']);
/** What SARIF 2.1.0 (OASIS, §3.13 to §3.49) asks of the properties that we write; any other is a mistake. */
const SARIF = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z.array(
    z.strictObject({
      tool: z.strictObject({
        driver: z.strictObject({
          name: z.string().min(1),
          version: z.string(),
          rules: z.array(
            z.strictObject({
              id: z.string().min(1),
              shortDescription: words,
              fullDescription: words,
              help: words,
              defaultConfiguration: z.strictObject({ level }),
            }),
          ),
        }),
      }),
      results: z.array(
        z.strictObject({
          ruleId: z.string().min(1),
          ruleIndex: z.int().min(0),
          level,
          message: words,
          locations: z
            .array(
              z.strictObject({
                physicalLocation: z
                  .strictObject({
                    artifactLocation: z.strictObject({ uri: z.string().regex(/^[!-~]+$/) }),
                    region: z
                      .strictObject({
                        byteOffset: z.int().min(0),
                        byteLength: z.int().min(0),
                        snippet: words.optional(),
                      })
                      .optional(),
                  })
                  .optional(),
                logicalLocations: z.array(z.strictObject({ fullyQualifiedName: z.string().min(1) })).optional(),
              }),
            )
            .min(1),
        }),
      ),
    }),
  ),
});

const hasAcpixtract = spawnSync('acpixtract', ['-v']).status === 0;
const SYS = { '/sys/firmware/acpi/tables': 'tables' };
let root: string;
let home: string;

function ssdt(oemTableId: string, value: number): Uint8Array {
  const identity = { signature: 'SSDT', revision: 2, oemId: 'Q35', oemTableId };
  return encodeDefinitionBlock(identity, [scope('\\_SB', [name('XVAL', value), method('_DSM', 4, [ret('XVAL')])])]);
}

beforeAll(async () => {
  home = process.cwd();
  root = mkdtempSync(join(tmpdir(), 'q35-surgery-'));
  process.chdir(root);
  await runCommand(AcpiBuildCommand, ['--out', 'board']);
  mkdirSync('tables');
  for (const file of readdirSync('board/tables')) {
    if (/^(RSDT|XSDT)/.test(file)) continue;
    writeFileSync(join('tables', file), readFileSync(join('board/tables', file)));
  }
  writeFileSync('tables/SSDT.aml', ssdt('CpuPm', 1));
  writeFileSync('ssdt-new.aml', ssdt('New', 2));
  writeFileSync('ssdt1.aml', ssdt('CpuPm', 3));
  writeFileSync('dsdt.aml', readFileSync('tables/DSDT.aml'));
  writeFileSync('known.txt', '# accepted\nDEVICE-HID-ADR \\_SB.* # the board says so\n');
  await runCommand(AcpiExtractCommand, ['tables', '--format', 'text', '--out', 'text']);
  for (const file of ['acpidump.txt', 'before.txt', 'after.txt'])
    writeFileSync(file, readFileSync('text/acpidump.txt'));
});
afterAll(() => {
  process.chdir(home);
  rmSync(root, { recursive: true });
});

describe('examples in the help', () => {
  it.each([
    ['acpi lint', AcpiLintCommand],
    ['acpi extract', AcpiExtractCommand],
    ['acpi patch', AcpiPatchCommand],
    ['acpi diff', AcpiDiffCommand],
    ['acpi merge', AcpiMergeCommand],
  ] as const)('%s: each runs', async (topic, command) => {
    for (const { example, run } of await runExamples(command, topic, SYS)) {
      expect([example, run.exitCode, run.stderr.replace(/^warning: .*\n/gm, '')]).toEqual([
        example,
        run.exitCode < 2 ? run.exitCode : 0,
        '',
      ]);
    }
  });
});

describe('q35 acpi extract', () => {
  it.skipIf(!hasAcpixtract)('writes text from which acpixtract takes the same bytes (needs acpixtract)', () => {
    mkdirSync('xtract');
    execFileSync('acpixtract', ['-a', '../acpidump.txt'], { cwd: 'xtract', stdio: 'ignore' });
    const taken = readdirSync('xtract').map((file) => readFileSync(join('xtract', file)).toString('hex'));
    const given = readdirSync('tables').map((file) => readFileSync(join('tables', file)).toString('hex'));
    expect(taken.sort()).toEqual(given.sort());
  });

  it('takes the same bytes out of its own text, by name', async () => {
    const { exitCode } = await runCommand(AcpiExtractCommand, [
      'acpidump.txt',
      'FACP',
      'ssdt1',
      'SSDT:CpuPm',
      '--out',
      'some',
    ]);
    expect(exitCode).toBe(0);
    expect(readdirSync('some').sort()).toEqual(['facp.aml', 'q35-files.txt', 'ssdt1.aml']);
    expect(readFileSync('some/ssdt1.aml')).toEqual(readFileSync('tables/SSDT.aml'));
  });

  it.each([
    [
      'a table that is not there',
      ['acpidump.txt', 'DMAR', '--out', 'none'],
      /error TABLE_UNKNOWN: .*\n {2}mend: name one of dsdt/,
    ],
    ['a file without tables', ['known.txt', '--out', 'none'], /error DUMP_EMPTY/],
    ['a missing file', ['gone.txt', '--out', 'none'], /error FILE_READ/],
  ])('%s: one error, exit code 2, nothing written', async (_, argv, message) => {
    const { stderr, exitCode } = await runCommand(AcpiExtractCommand, argv);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
    expect(readdirSync('.')).not.toContain('none');
  });
});

describe('q35 acpi patch and diff', () => {
  it('changes a value, a name and bytes, and diff shows just that', async () => {
    const argv = [
      'tables',
      '--set',
      '\\_SB.XVAL=0x1234',
      '--rename',
      '_DSM=XDSM',
      '--bytes',
      'FACP+0x2e=0a00',
      '--out',
      'changed',
    ];
    expect((await runCommand(AcpiPatchCommand, argv)).stdout).toMatch(/^2 tables changed: SSDT CpuPm, FACP/);
    const { stdout, exitCode } = await runCommand(AcpiDiffCommand, ['tables', 'changed', '--json']);
    expect(exitCode).toBe(1);
    const { differences } = JSON.parse(stdout);
    expect(differences).toEqual([
      { what: 'field', change: 'changed', path: 'FADT.SCI_INT', before: '0x9', after: '0xa' },
      {
        what: 'object',
        change: 'changed',
        path: '\\_SB.XVAL',
        before: expect.any(String),
        after: expect.stringContaining('0x1234'),
      },
      { what: 'object', change: 'removed', path: '\\_SB._DSM', before: expect.any(String) },
      { what: 'object', change: 'added', path: '\\_SB.XDSM', after: expect.stringContaining('Method (XDSM') },
    ]);
  });

  it('a set differs in nothing from itself as text', async () => {
    const { stdout, exitCode } = await runCommand(AcpiDiffCommand, ['tables', 'acpidump.txt']);
    expect([stdout, exitCode]).toEqual(['0 differences\n', 0]);
  });

  it('writes an initrd with the changed table alone, newer than the firmware’s', async () => {
    await runCommand(AcpiPatchCommand, ['tables', '--set', '\\_SB.XVAL=7', '--format', 'cpio', '--out', 'initrd']);
    const files = decodeCpio(readFileSync('initrd/acpi.cpio')).filter(({ data }) => data);
    expect(files.map(({ name: path }) => path)).toEqual(['kernel/firmware/acpi/ssdt1.aml']);
    const { data } = files[0];
    expect(new DataView(data!.buffer, data!.byteOffset).getUint32(24, true)).toBe(2);
    expect(data!.reduce((sum, byte) => sum + byte, 0) % 256).toBe(0);
    const list = spawnSync('cpio', ['-t'], { input: readFileSync('initrd/acpi.cpio'), encoding: 'utf8' });
    if (list.status === 0) expect(list.stdout).toContain('kernel/firmware/acpi/ssdt1.aml');
  });

  it.each([
    ['a Name that is not there', ['--set', '\\_SB.NONE=1'], /error PATCH_NAME/],
    ['a change that is none', ['--bytes', 'FACP=1'], /error PATCH_SYNTAX/],
    ['an offset beyond the table', ['--bytes', 'FACP+0x5000=00'], /error PATCH_OFFSET/],
    ['a name that no table holds', ['--rename', 'QQQQ=ZZZZ'], /error PATCH_RENAME/],
    ['a file that is no table', ['--replace', 'known.txt'], /error PATCH_FILE/],
  ])('%s: one error, exit code 2', async (_, argv, message) => {
    const { stderr, exitCode } = await runCommand(AcpiPatchCommand, ['tables', ...argv, '--out', 'none']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('q35 acpi merge', () => {
  it('adds what is new, replaces what is there, and links it for the firmware', async () => {
    const { stdout } = await runCommand(AcpiMergeCommand, [
      'tables',
      'ssdt-new.aml',
      'ssdt1.aml',
      '--format',
      'text',
      '--out',
      'merged',
    ]);
    expect(stdout).toMatch(/^SSDT CpuPm is from ssdt1\.aml\n/);
    const texts = parseAcpidumpText(readFileSync('merged/acpidump.txt'));
    expect(texts.filter(({ signature }) => signature === 'SSDT').map(({ bytes }) => bytes.length)).toHaveLength(2);
    await runCommand(AcpiMergeCommand, ['tables', 'ssdt-new.aml', '--format', 'loader', '--out', 'loader']);
    expect(readdirSync('loader/etc').sort()).toEqual(['acpi', 'table-loader']);
  });
});

describe('q35 acpi lint', () => {
  it('finds, suppresses, and says what is left of the suppressions', async () => {
    const found = await runCommand(AcpiLintCommand, ['tables', '--severity', 'remark', '--json']);
    const { findings, counts } = JSON.parse(found.stdout);
    expect(counts.error).toBe(findings.filter(({ severity }: { severity: string }) => severity === 'error').length);
    writeFileSync('all.txt', '*\nAML-BYTES # gone\n');
    const { stdout, stderr, exitCode } = await runCommand(AcpiLintCommand, ['tables', '--suppress', 'all.txt']);
    expect(stdout).toMatch(/: 0 errors, 0 warnings, 0 remarks/);
    expect(stderr).toContain('all.txt:2: nothing is left of AML-BYTES');
    expect(exitCode).toBe(0);
  });

  it('writes SARIF 2.1.0 with a rule and a place for each result', async () => {
    await runCommand(AcpiLintCommand, ['tables', '--severity', 'remark', '--sarif', 'out.sarif']);
    const [run] = SARIF.parse(JSON.parse(readFileSync('out.sarif', 'utf8'))).runs;
    const ids = run.tool.driver.rules.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { ruleId, ruleIndex } of run.results) expect(ids[ruleIndex]).toBe(ruleId);
  });

  it('refuses a suppression that is none', async () => {
    writeFileSync('bad.txt', 'not a rule\n');
    const { stderr, exitCode } = await runCommand(AcpiLintCommand, ['tables', '--suppress', 'bad.txt']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/error LINT_SUPPRESSION: .*\n {2}at bad\.txt:1/);
  });
});
