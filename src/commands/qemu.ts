import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Flags } from '@oclif/core';
import { FW_CFG_OVERRIDE_PREFIX } from '../bios/artifacts.ts';
import { toQemuArguments } from '../bios/topology/qemu-arguments.ts';
import { boardArgs, boardFlags } from '../cli/board-flags.ts';
import { loadBoard } from '../cli/board-loading.ts';
import { Q35Command } from '../cli/q35-command.ts';
import { UserError } from '../shared/errors.ts';

/** Folder of a built directory whose files are fw_cfg files. */
const FW_CFG_FOLDER = 'etc';

export default class QemuCommand extends Q35Command {
  static override summary = 'Print the arguments that make QEMU the same board';
  static override description =
    'Machine, memory split, processors and devices at the same slots, and with --firmware the files of `q35 acpi build` under opt/q35/, where the ROM looks first. Quoted for a shell; console, ROM and kernel are yours.';
  static override enableJsonFlag = true;
  static override args = boardArgs;
  static override flags = {
    ...boardFlags,
    firmware: Flags.string({ description: 'directory that q35 acpi build wrote for the same board' }),
  };
  static override examples = [
    '<%= config.bin %> qemu board.yaml',
    'eval qemu-system-x86_64 $(<%= config.bin %> qemu --firmware firmware) -bios q35.rom -kernel vmlinuz -display none -serial stdio',
  ];

  async run(): Promise<readonly string[]> {
    const { args, flags } = await this.parse(QemuCommand);
    const board = loadBoard(args.board, flags, this.config.root);
    const qemuArguments = [...toQemuArguments(board), ...firmwareArguments(flags.firmware)];
    this.log(qemuArguments.map(quoteForShell).join(' '));
    return qemuArguments;
  }
}

/** @throws UserError FIRMWARE_DIRECTORY */
function firmwareArguments(directory: string | undefined): string[] {
  if (directory === undefined) return [];
  return fwCfgFiles(directory).flatMap((name) => [
    '-fw_cfg',
    // QEMU reads two commas as one that belongs to the value.
    `name=${FW_CFG_OVERRIDE_PREFIX}${name},file=${join(directory, name).replaceAll(',', ',,')}`,
  ]);
}

function fwCfgFiles(directory: string): string[] {
  try {
    return readdirSync(join(directory, FW_CFG_FOLDER), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(directory, '/').length))
      .sort();
  } catch (error) {
    throw new UserError('FIRMWARE_DIRECTORY', `the directory has no readable folder '${FW_CFG_FOLDER}'`, {
      place: { file: directory },
      mend: 'build it: q35 acpi build --out DIRECTORY',
      cause: error,
    });
  }
}

function quoteForShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
