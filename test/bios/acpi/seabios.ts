import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FirmwareFiles } from '../../../src/bios/artifacts.ts';
import { QEMU } from '../../support/qemu.ts';

const RAM_MIB = 128;
const FSEG_BASE = 0xf_0000;
const DEADLINE = 60_000;

export interface GuestMemory {
  readonly ramBytes: number;
  readonly ram: Uint8Array;
}

/** QEMU with SeaBIOS as an outside linker/loader: lets it link `files` on a q35 without ACPI of its own and gives back the guest's RAM. */
export async function linkWithSeabios(files: FirmwareFiles): Promise<GuestMemory> {
  const cwd = mkdtempSync(join(tmpdir(), 'q35-seabios-'));
  const blobs = [...files].flatMap(([name, bytes], index) => {
    writeFileSync(join(cwd, `blob${index}`), bytes);
    return ['-fw_cfg', `name=${name},file=blob${index}`];
  });
  const machine = ['-M', 'q35,acpi=off,sata=off,smbus=off', '-m', String(RAM_MIB), '-accel', 'tcg'];
  const quiet = ['-nodefaults', '-display', 'none', '-monitor', 'stdio', '-boot', 'reboot-timeout=-1'];
  const log = ['-chardev', 'file,id=log,path=log', '-device', 'isa-debugcon,iobase=0x402,chardev=log'];
  const qemu = spawn(QEMU, [...machine, ...quiet, ...log, ...blobs], {
    cwd,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise((resolve) => qemu.once('exit', resolve));
  try {
    await poll(
      () => existsSync(join(cwd, 'log')) && /No bootable device/.test(readFileSync(join(cwd, 'log'), 'latin1')),
    );
    qemu.stdin.write(`pmemsave 0 ${RAM_MIB << 20} ram\nquit\n`);
    await ended;
    return { ramBytes: RAM_MIB << 20, ram: new Uint8Array(readFileSync(join(cwd, 'ram'))) };
  } finally {
    qemu.kill();
    await ended;
    rmSync(cwd, { recursive: true, force: true });
  }
}

async function poll(condition: () => boolean): Promise<void> {
  const end = Date.now() + DEADLINE;
  while (!condition()) {
    if (Date.now() > end) throw new Error('SeaBIOS did not come to its end in time');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The RSDP's address in the last segment below 1 MiB. */
export function findRsdp({ ram }: GuestMemory): number {
  for (let gpa = FSEG_BASE; gpa < 0x10_0000; gpa += 16) {
    if (String.fromCharCode(...ram.subarray(gpa, gpa + 8)) === 'RSD PTR ') return gpa;
  }
  throw new Error('SeaBIOS left no RSDP');
}
