import { Flags } from '@oclif/core';
import { formatFinding } from '../aml/lint/finding.ts';
import { assembleFirmware } from '../bios/firmware.ts';
import { planPci } from '../bios/pci/planner.ts';
import type { Board } from '../bios/topology/board.ts';
import type { BoardFlags } from '../bios/topology/flags.ts';
import { checkFirmware } from '../bios/verify/check.ts';
import { parseCpuModel } from '../emulator/cpu/model/cpu-model.ts';
import type { Logger } from '../shared/logger.ts';
import { acpiTableFlag, loadAcpiTables } from './acpitable-flag.ts';
import { boardFlags, loadBoard } from './board-flags.ts';
import { bootFlags, loadKernelItems, loadRom } from './boot-flags.ts';
import type { MachineStart } from './emulated-machine.ts';
import { readFwCfgFlags } from './fw-cfg-flag.ts';

/** Flags that say what is booted, and on which board. */
export const startFlags = {
  ...boardFlags,
  ...bootFlags,
  acpitable: acpiTableFlag,
  fw_cfg: Flags.string({
    description: '[name=]NAME,file=PATH or [name=]NAME,string=TEXT',
    multiple: true,
    multipleNonGreedy: true,
  }),
};

/** The values of `startFlags`. */
export interface StartFlags extends BoardFlags {
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  readonly bios?: string;
  readonly cpu: string;
  readonly acpitable?: readonly string[];
  readonly fw_cfg?: readonly string[];
}

/** What a guest starts from. */
export type BootStart = Pick<MachineStart, 'rom' | 'files' | 'items' | 'cpu'> & { readonly board: Board };

/**
 * Plans the board that argument and flags state, builds its firmware files and loads what is booted.
 * @param root folder of the package
 * @throws UserError from reading, planning and building
 */
export async function prepareBoot(
  boardFile: string | undefined,
  flags: StartFlags,
  root: string,
  logger: Logger,
): Promise<BootStart> {
  const board = loadBoard(boardFile, flags, root);
  const fwCfg = readFwCfgFlags(flags.fw_cfg ?? []);
  const plan = planPci(board.machine);
  const firmware = assembleFirmware(board.machine, plan, { acpiTables: await loadAcpiTables(flags.acpitable) });
  for (const warning of [...firmware.warnings, ...fwCfg.warnings]) logger.warn(warning);
  for (const finding of checkFirmware({ source: 'the built files', files: firmware.files, plan })) {
    logger.warn(formatFinding(finding));
  }
  return {
    board,
    rom: loadRom(flags.bios),
    files: new Map([...firmware.files, ...fwCfg.files]),
    items: loadKernelItems(flags, board.machine.lowRamBytes),
    cpu: parseCpuModel(flags.cpu),
  };
}
