import { readFileSync } from 'node:fs';
import { characterDevice, directory, encodeCpio, file, symbolicLink } from '../../src/bios/boot/cpio.ts';
import { kernelItems } from '../../src/bios/boot/kernel-items.ts';
import { buildFirmware } from '../../src/bios/firmware.ts';
import { planPci } from '../../src/bios/pci/planner.ts';
import { buildRom } from '../../src/bios/rom/rom.ts';
import { type GuestRun, runGuest } from '../../src/cli/guest-run.ts';
import { ProgressLine } from '../../src/cli/progress.ts';
import { type CpuModel, DEFAULT_CPU_MODEL } from '../../src/emulator/cpu/model/cpu-model.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { boardOfFlags } from './boards.ts';

/** A Linux with busybox and an init of the test's own. */
export interface LinuxBoot {
  readonly kernelFile: string;
  readonly busyboxFile: string;
  /** The board, by flags. */
  readonly flags: Parameters<typeof boardOfFlags>[0];
  /** Script of busybox's shell. */
  readonly init: string;
  /** Further programs in /bin. */
  readonly programs?: ReadonlyMap<string, Uint8Array>;
  readonly cpu?: CpuModel;
  readonly regionsAfter?: number;
  /** Instructions. */
  readonly limit?: number;
}

/** Boots Debian's kernel and returns the run. */
export function bootLinux(boot: LinuxBoot): Promise<GuestRun> {
  const { kernelFile, busyboxFile, programs = new Map<string, Uint8Array>() } = boot;
  const board = boardOfFlags(boot.flags);
  const initrd = encodeCpio([
    ...['bin', 'dev', 'proc', 'sys'].map((name) => directory(name)),
    characterDevice('dev/console', 5, 1),
    characterDevice('dev/null', 1, 3, 0o666),
    characterDevice('dev/ttyS0', 4, 64),
    file('bin/busybox', new Uint8Array(readFileSync(busyboxFile)), 0o755),
    symbolicLink('bin/sh', 'busybox'),
    ...[...programs].map(([name, bytes]) => file(`bin/${name}`, bytes, 0o755)),
    file('init', new TextEncoder().encode(boot.init), 0o755),
  ]);
  const items = kernelItems({
    kernel: new Uint8Array(readFileSync(kernelFile)),
    kernelFile,
    initrd,
    append: 'console=ttyS0,115200 quiet panic=-1',
    lowRamBytes: board.machine.lowRamBytes,
  });
  const start = {
    board,
    rom: buildRom().bytes,
    files: buildFirmware(board.machine, planPci(board.machine)),
    items,
    logger: silentLogger,
    cpu: boot.cpu ?? DEFAULT_CPU_MODEL,
    regionsAfter: boot.regionsAfter,
  };
  return runGuest('linux', start, boot.limit, new ProgressLine(process.stderr, false));
}
