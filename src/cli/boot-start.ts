import { formatFinding } from '../aml/lint/finding.ts';
import { assembleFirmware } from '../bios/firmware.ts';
import { planPci } from '../bios/pci/planner.ts';
import type { Board } from '../bios/topology/board.ts';
import { checkFirmware } from '../bios/verify/check.ts';
import { parseCpuModel } from '../emulator/cpu/model/cpu-model.ts';
import type { Logger } from '../shared/logger.ts';
import { loadAcpiTables } from './acpitable-loading.ts';
import { loadBoard } from './board-loading.ts';
import { loadKernelItems, loadRom } from './boot-loading.ts';
import type { MachineStart } from './emulated-machine.ts';
import { readFwCfgFlags } from './fw-cfg-flag.ts';
import type { StartFlags } from './start-flags.ts';

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
