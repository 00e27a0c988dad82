import { buildInitramfs } from '../bios/boot/initramfs.ts';
import { kernelItems } from '../bios/boot/kernel-items.ts';
import { VERIFY_APPEND } from '../bios/boot/linux-init.ts';
import { buildProbe } from '../bios/rom/probe/probe.ts';
import type { Board } from '../bios/topology/board.ts';
import { judged, type ReportItem, type ReportStage } from '../bios/verify/readback/item.ts';
import { type BuiltBoard, verifyLinuxSerial } from '../bios/verify/readback/linux.ts';
import { verifyProbeSerial } from '../bios/verify/readback/probe.ts';
import type { Logger } from '../shared/logger.ts';
import { readFileBytes } from './files.ts';
import { type GuestRun, runGuest } from './guest-run.ts';
import type { ProgressLine } from './progress.ts';
import { endText, type RunEnd } from './run-machine.ts';

/** What every guest of a verification runs on. */
export interface VerifySetting {
  readonly board: Board;
  readonly built: BuiltBoard;
  readonly rom: Uint8Array;
  readonly limit: number | undefined;
  readonly logger: Logger;
  readonly progress: ProgressLine;
}

/** Files of the Linux stage. */
export interface LinuxFiles {
  readonly kernel: string;
  readonly busybox: string;
}

function figuresOf({ instructions, cpuSeconds, stateHash }: GuestRun): Record<string, string> {
  return {
    instructions: `${Math.round(instructions / 1e6)} M`,
    'CPU time': `${cpuSeconds.toFixed(1)} s`,
    'state hash': stateHash,
  };
}

/** Whether the guest ended as it should; an autopsy goes into the item, so that it is seen. */
export function endItem(name: string, built: RunEnd['kind'], end: RunEnd): ReportItem {
  return judged(`${name} ends`, built, end.kind === built ? built : endText(end), end.kind === built);
}

/** Boots the probe guest, which needs no download, and compares. */
export async function probeStage(setting: VerifySetting): Promise<ReportStage> {
  const { board, built, rom, logger, progress, limit } = setting;
  const items = kernelItems({
    kernel: buildProbe().bytes,
    kernelFile: 'the probe guest',
    append: '',
    lowRamBytes: board.machine.lowRamBytes,
  });
  const run = await runGuest('probe', { board, rom, files: built.firmware, items, logger }, limit, progress);
  const compared = verifyProbeSerial(built, run.serial);
  return { name: 'probe', items: [endItem('probe', 'power-off', run.end), ...compared], figures: figuresOf(run) };
}

/**
 * Boots Linux with the reporting initramfs and compares.
 * @throws UserError for files that cannot be read or are no kernel or busybox
 */
export async function linuxStage(setting: VerifySetting, files: LinuxFiles): Promise<ReportStage> {
  const { board, built, rom, logger, progress, limit } = setting;
  const items = kernelItems({
    kernel: readFileBytes(files.kernel),
    kernelFile: files.kernel,
    initrd: buildInitramfs(readFileBytes(files.busybox), files.busybox),
    initrdFile: files.busybox,
    append: VERIFY_APPEND,
    lowRamBytes: board.machine.lowRamBytes,
  });
  const start = { board, rom, files: built.firmware, items, logger };
  const run = await runGuest('linux', start, limit, progress);
  const compared = await verifyLinuxSerial(built, run.serial);
  return { name: 'linux', items: [endItem('linux', 'power-off', run.end), ...compared], figures: figuresOf(run) };
}
