import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FW_CFG_OVERRIDE_PREFIX } from '../../../src/bios/artifacts.ts';
import { buildRom } from '../../../src/bios/rom/rom.ts';
import type { RomRun } from './rom-run.ts';

const QEMU = '/usr/bin/qemu-system-x86_64';
export const hasQemu = existsSync(QEMU);

const BARE = ['-machine', 'q35', '-m', '128', '-nodefaults'];
const TIME_LIMIT = 60_000;
const POLL_INTERVAL = 50;

/** Boots our ROM on QEMU's q35 and returns what came over COM1. */
export async function runOnQemu(run: RomRun): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'q35-qemu-'));
  const store = (name: string, bytes: Uint8Array): string => {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    return path;
  };
  const files = [...(run.files ?? [])].flatMap(([name, bytes]) => [
    '-fw_cfg',
    `name=${FW_CFG_OVERRIDE_PREFIX}${name},file=${store(name, bytes)}`,
  ]);
  const kernel = run.kernel === undefined ? [] : ['-kernel', store('kernel', run.kernel)];
  const initrd = run.initrd === undefined ? [] : ['-initrd', store('initrd', run.initrd)];
  const append = run.append === undefined ? [] : ['-append', run.append];
  const firmware = ['-bios', store('rom.bin', run.rom ?? buildRom().bytes)];
  const fixed = ['-accel', 'tcg', '-display', 'none', '-serial', `file:${join(directory, 'serial')}`, '-no-reboot'];
  try {
    return await serialOf(
      [...(run.board ?? BARE), ...fixed, ...firmware, ...kernel, ...initrd, ...append, ...files],
      join(directory, 'serial'),
      run.until,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** QEMU drops what a guest sends while a pipe's reader is late; a file takes all of it. */
function serialOf(argv: readonly string[], path: string, until: RegExp | undefined): Promise<string> {
  const serial = (): string => (existsSync(path) ? readFileSync(path, 'latin1') : '');
  return new Promise((resolve, reject) => {
    const child = spawn(QEMU, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), TIME_LIMIT);
    const watch = setInterval(() => {
      if (until?.test(serial())) child.kill('SIGKILL');
    }, POLL_INTERVAL);
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      clearInterval(watch);
      const ended = code === 0 || (signal === 'SIGKILL' && until?.test(serial()));
      if (ended) resolve(serial());
      else reject(new Error(`QEMU ended with ${code ?? signal}: ${errors}\n${serial().slice(-2000)}`));
    });
  });
}
