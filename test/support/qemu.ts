import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FirmwareFiles, FW_CFG_OVERRIDE_PREFIX } from '../../src/bios/artifacts.ts';
import type { Board } from '../../src/bios/topology/board.ts';
import { toQemuArguments } from '../../src/bios/topology/qemu-arguments.ts';

export const QEMU = 'qemu-system-x86_64';

/** Tests that compare with QEMU skip by name where it is not installed. */
export const hasQemu = spawnSync(QEMU, ['--version']).status === 0;

export interface QemuBoot {
  readonly board: Board;
  readonly rom: Uint8Array;
  readonly firmware: FirmwareFiles;
  readonly kernel: string;
  readonly initrd?: Uint8Array;
  readonly append: string;
  readonly timeoutSeconds: number;
}

export interface QemuRun {
  /** What came out of COM1. */
  readonly serial: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

/** Boots a board with our ROM and firmware files on QEMU's q35 (TCG) and waits until it powers off. */
export async function bootOnQemu(boot: QemuBoot): Promise<QemuRun> {
  const folder = mkdtempSync(join(tmpdir(), 'q35-qemu-'));
  const put = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, name.replaceAll('/', '_'));
    writeFileSync(path, bytes);
    return path;
  };
  const serial = join(folder, 'serial.txt');
  const fwCfg = [...boot.firmware].flatMap(([name, bytes]) => [
    '-fw_cfg',
    `name=${FW_CFG_OVERRIDE_PREFIX}${name},file=${put(name, bytes)}`,
  ]);
  const initrd = boot.initrd === undefined ? [] : ['-initrd', put('initrd', boot.initrd)];
  const stderrPath = join(folder, 'stderr.txt');
  const stderr = openSync(stderrPath, 'w');
  const child = spawn(
    QEMU,
    [
      ...toQemuArguments(boot.board),
      ...['-accel', 'tcg', '-display', 'none', '-monitor', 'none', '-no-reboot', '-serial', `file:${serial}`],
      ...['-bios', put('rom.bin', boot.rom), '-kernel', boot.kernel, '-append', boot.append],
      ...initrd,
      ...fwCfg,
    ],
    { stdio: ['ignore', 'ignore', stderr] },
  );
  const timer = setTimeout(() => child.kill('SIGKILL'), boot.timeoutSeconds * 1000);
  const exitCode = await new Promise<number | null>((resolve) => {
    child.on('exit', resolve);
  });
  clearTimeout(timer);
  closeSync(stderr);
  const run = {
    serial: existsSync(serial) ? readFileSync(serial, 'latin1') : '',
    stderr: readFileSync(stderrPath, 'utf8'),
    exitCode,
  };
  rmSync(folder, { recursive: true });
  return run;
}
