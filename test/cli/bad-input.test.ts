import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeTable } from '../../src/aml/table-header.ts';
import { buildProbe } from '../../src/bios/rom/probe/probe.ts';
import AcpiBuildCommand from '../../src/commands/acpi/build.ts';
import AcpiCheckCommand from '../../src/commands/acpi/check.ts';
import AcpiDiffCommand from '../../src/commands/acpi/diff.ts';
import AcpiExtractCommand from '../../src/commands/acpi/extract.ts';
import AcpiLintCommand from '../../src/commands/acpi/lint.ts';
import AcpiMergeCommand from '../../src/commands/acpi/merge.ts';
import AcpiPatchCommand from '../../src/commands/acpi/patch.ts';
import AcpiShowCommand from '../../src/commands/acpi/show.ts';
import AmlCompileCommand from '../../src/commands/aml/compile.ts';
import AmlDisassembleCommand from '../../src/commands/aml/disassemble.ts';
import AmlEvaluateCommand from '../../src/commands/aml/evaluate.ts';
import BiosBuildCommand from '../../src/commands/bios/build.ts';
import BootCommand from '../../src/commands/boot.ts';
import PciPlanCommand from '../../src/commands/pci/plan.ts';
import QemuCommand from '../../src/commands/qemu.ts';
import SnapshotRestoreCommand from '../../src/commands/snapshot/restore.ts';
import VerifyCommand from '../../src/commands/verify.ts';
import { runCommand } from '../support/run-command.ts';

// What users get wrong, at each command that takes it: one typed error, exit code 2, no stack trace, and every file as it was before.

type Command = Parameters<typeof runCommand>[0];

let folder = '';
const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'q35-bad-'));
  const table = encodeTable({ signature: 'SSDT', revision: 2, oemId: 'USER', oemTableId: 'MINE' }, new Uint8Array(4));
  const longer = table.slice();
  longer[4] = 0xff;
  const files: Record<string, Uint8Array | string> = {
    'text.txt': 'neither a kernel nor a table\n'.repeat(40),
    'cut.elf': buildProbe().bytes.subarray(0, 200),
    'cut.aml': table.subarray(0, 20),
    'longer.aml': longer,
    'odd.rom': new Uint8Array(0x1_0001),
    'large.rom': new Uint8Array(0x110_0000),
    'source.aml': 'DefinitionBlock ("", "SSDT", 2, "Q35", "TEST", 1) {}',
    'board.yaml': 'memory: 512M\ndevices:\n  - { driver: edu, id: a }\n  - { driver: edu, id: a }\n',
    'no-board.yaml': 'memory: [',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(at(name), content);
  mkdirSync(at('out'));
  writeFileSync(at('out/mine'), 'not written by the toolkit');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Name and hash of every file: what a failed command must leave alone. */
function contents(): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const isFile = statSync(at(name)).isFile();
      return `${name} ${
        isFile
          ? createHash('sha256')
              .update(readFileSync(at(name)))
              .digest('hex')
          : ''
      }`;
    });
}

async function expectRefusal(command: Command, argv: string[], code: string): Promise<void> {
  const before = contents();
  const { stdout, stderr, exitCode } = await runCommand(command, argv);
  expect(stderr).toMatch(new RegExp(`^error ${code}: [^\\n]+\\n( {2}at [^\\n]+\\n)? {2}mend: [^\\n]+\\n$`));
  expect([stdout, exitCode]).toEqual(['', 2]);
  expect(contents()).toEqual(before);
}

/** Commands that take a board, with the flags that make them write. */
const BOARD_COMMANDS: [string, Command, () => string[]][] = [
  ['pci plan', PciPlanCommand, () => []],
  ['acpi build', AcpiBuildCommand, () => ['--out', at('firmware')]],
  ['boot', BootCommand, () => ['--serial', `file:${at('serial.txt')}`, '--debugcon', `file:${at('debug.txt')}`]],
  ['verify', VerifyCommand, () => ['--stage', 'files', '--junit', at('report.xml')]],
];

const BOARD_CASES: [string, () => string[], string][] = [
  ['an unknown device', () => ['--device', 'e1000'], 'DEVICE_UNKNOWN'],
  ['an id that is used twice', () => ['--device', 'edu,id=a', '--device', 'virtio-rng-pci,id=a'], 'ID_TWICE'],
  ['an id that a board file uses twice', () => [at('board.yaml')], 'ID_TWICE'],
  ['a bus that does not exist', () => ['--device', 'edu,bus=rp9'], 'BUS_UNKNOWN'],
  ['an option that the device has not', () => ['--device', 'edu,speed=9'], 'OPTION_UNKNOWN'],
  ['a slot that is taken', () => ['--device', 'edu,addr=5', '--device', 'edu,addr=5'], 'SLOT_TAKEN'],
  ['a window that cannot fit', () => ['--device', 'q35-testdev,bar0=mem32:1G,bar1=mem32:1G'], 'PCI_MEM32_SHORTAGE'],
  ['too little memory', () => ['--m', '16'], 'RAM_TOO_SMALL'],
  ['memory over the limit', () => ['--m', '8G'], 'RAM_TOO_LARGE'],
  ['a board file that is missing', () => [at('none.yaml')], 'FILE_READ'],
  ['a board file that is no YAML', () => [at('no-board.yaml')], 'BOARD_YAML'],
];

describe.each(BOARD_COMMANDS)('q35 %s', (_, command, outputs) => {
  it.each(BOARD_CASES)('refuses %s', async (_case, argv, code) => {
    await expectRefusal(command, [...argv(), ...outputs()], code);
  });
});

const TABLE_COMMANDS = BOARD_COMMANDS.filter(([name]) => name !== 'pci plan');
const TABLE_CASES: [string, () => string, string][] = [
  ['that is missing', () => `file=${at('none')}`, 'FILE_READ'],
  ['at a URL that nothing answers', () => 'file=http://127.0.0.1:1/x.aml', 'URL_UNREACHABLE'],
  ['that is cut short', () => `file=${at('cut.aml')}`, 'ACPITABLE_LENGTH'],
  ['whose header states more bytes than there are', () => `file=${at('longer.aml')}`, 'ACPITABLE_LENGTH'],
  ['in place of one that the board has not', () => `replace=BGRT,file=${at('longer.aml')}`, 'ACPITABLE_[A-Z]+'],
];

describe.each(TABLE_COMMANDS)('q35 %s --acpitable', (_, command, outputs) => {
  it.each(TABLE_CASES)('refuses a table %s', async (_case, option, code) => {
    await expectRefusal(command, ['--acpitable', option(), ...outputs()], code);
  });
});

const OTHER_CASES: [string, Command, () => string[], string][] = [
  ['boot: a kernel that is text', BootCommand, () => ['--kernel', at('text.txt')], 'KERNEL_FORMAT'],
  ['boot: an ELF that is cut short', BootCommand, () => ['--kernel', at('cut.elf')], 'KERNEL_[A-Z]+'],
  ['boot: a ROM of an odd size', BootCommand, () => ['--bios', at('odd.rom')], 'ROM_SIZE'],
  ['boot: a ROM over 16 MiB', BootCommand, () => ['--bios', at('large.rom')], 'ROM_SIZE'],
  ['verify: a ROM of an odd size', VerifyCommand, () => ['--bios', at('odd.rom')], 'ROM_SIZE'],
  [
    'boot: an initrd that is missing',
    BootCommand,
    () => ['--kernel', at('cut.elf'), '--initrd', at('none')],
    'FILE_READ',
  ],
  ['boot: a ROM that is missing', BootCommand, () => ['--bios', at('none')], 'FILE_READ'],
  ['acpi build: a date that is none', AcpiBuildCommand, () => ['--bios-date', '2024-01-01'], 'BIOS_DATE'],
  ['acpi build: a directory of someone else', AcpiBuildCommand, () => ['--out', at('out')], 'OUT_OCCUPIED'],
  ['acpi check: a directory that is missing', AcpiCheckCommand, () => [at('none')], 'DIRECTORY_READ'],
  ['acpi show: a table with a bad length', AcpiShowCommand, () => [at('longer.aml')], 'TABLE_LENGTH'],
  ['acpi show: a directory without tables', AcpiShowCommand, () => [at('out')], 'DUMP_EMPTY'],
  ['aml compile: a compiled table', AmlCompileCommand, () => [at('longer.aml')], 'ASL_BINARY'],
  ['aml compile: a directory', AmlCompileCommand, () => [at('out')], 'FILE_READ'],
  ['aml compile: a source in the place of its table', AmlCompileCommand, () => [at('source.aml')], 'ASL_OUT'],
  ['acpi show: a file that is no table', AcpiShowCommand, () => [at('text.txt')], 'TABLE_SIGNATURE'],
  ['aml disassemble: a table with a bad length', AmlDisassembleCommand, () => [at('longer.aml')], 'AML_[A-Z]+'],
  ['aml disassemble: text', AmlDisassembleCommand, () => [at('text.txt'), '--out', at('asl')], 'AML_TABLE'],
  [
    'aml compile: a source that is missing',
    AmlCompileCommand,
    () => [at('none.asl'), '--out', at('x.aml')],
    'FILE_READ',
  ],
  ['aml evaluate: a table that is missing', AmlEvaluateCommand, () => ['\\_SB', at('none')], 'FILE_READ'],
  ['acpi lint: a file without tables', AcpiLintCommand, () => [at('text.txt')], 'DUMP_EMPTY'],
  ['acpi diff: a side that is missing', AcpiDiffCommand, () => [at('none'), at('cut.aml')], 'FILE_READ'],
  ['acpi extract: a file without tables', AcpiExtractCommand, () => [at('text.txt'), '--out', at('x')], 'DUMP_EMPTY'],
  ['acpi merge: a file that is missing', AcpiMergeCommand, () => [at('none'), '--out', at('x')], 'FILE_READ'],
  [
    'acpi patch: a change that is none',
    AcpiPatchCommand,
    () => [at('longer.aml'), '--set', 'x', '--out', at('x')],
    '[A-Z]+_[A-Z]+',
  ],
  ['boot: an unknown processor', BootCommand, () => ['--cpu', 'z80'], 'CPU_MODEL'],
  ['qemu: a directory without a build', QemuCommand, () => ['--firmware', at('out')], 'FIRMWARE_DIRECTORY'],
  ['snapshot restore: a file that is none', SnapshotRestoreCommand, () => [at('text.txt')], 'SNAPSHOT_FORMAT'],
  ['bios build: a file below a file', BiosBuildCommand, () => ['--out', at('text.txt/rom')], 'FILE_WRITE'],
];

describe('q35', () => {
  it.each(OTHER_CASES)('refuses at %s', async (_, command, argv, code) => {
    const needsOut = command === AcpiBuildCommand && !argv().includes('--out');
    await expectRefusal(command, needsOut ? [...argv(), '--out', at('firmware')] : argv(), code);
  });
});
