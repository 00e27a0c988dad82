import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { characterDevice, directory, encodeCpio, file, symbolicLink } from '../src/bios/boot/cpio.ts';
import { buildRom } from '../src/bios/rom/rom.ts';
import { type DebianFile, debianFile } from '../src/cli/debian-files.ts';
import type { GuestName } from './parts.ts';

/** Files that an engine boots. */
export interface GuestImage {
  readonly kernel: string;
  readonly initrd?: string;
  /** The toolkit's ROM, where another engine's own firmware cannot enter the kernel. */
  readonly rom?: string;
  /** Command line that makes the guest run `workloads`. */
  readonly append: (workloads: readonly string[]) => string;
}

/** A guest that cannot be had on this machine, and why. */
export interface Missing {
  readonly missing: string;
}

const HERE = import.meta.dirname;
const ROOT = join(HERE, '..');
const SOURCES = join(HERE, 'guest');
/** Links of busybox that the workloads run. */
const APPLETS = ['true', 'gzip'];
const C_FLAGS = ['-O2', '-Wall', '-fno-math-errno'];

/**
 * Builds what a guest boots into `folder`: programs by gcc, an initramfs with busybox, the kernel as Debian has it.
 * @throws Error when the project's own sources do not compile
 */
export function guestImage(name: GuestName, folder: string): GuestImage | Missing {
  mkdirSync(folder, { recursive: true });
  if (spawnSync('gcc', ['--version']).error !== undefined) return { missing: 'gcc is not installed' };
  if (name === 'bare') return bareImage(folder);
  const files = { cloud: 'cloudKernel', amd64: 'kernel', '686': 'kernel686' } as const;
  const kernel = debianFile(ROOT, files[name], process.env);
  if (kernel === undefined) return { missing: `${files[name]} is not there: npm run setup fetches it` };
  const wide = name !== '686';
  if (!wide && !compilesFor32Bits()) return { missing: 'gcc does not compile for 32 bits: install gcc-multilib' };
  const program = join(folder, wide ? 'linux-64' : 'linux-32');
  compile(program, [...C_FLAGS, '-static', ...(wide ? [] : ['-m32'])], ['linux.c', ...workloadSources()]);
  const busybox: DebianFile = wide ? 'busybox' : 'busybox686';
  const busyboxFile = debianFile(ROOT, busybox, process.env);
  if (busyboxFile === undefined) return { missing: `${busybox} is not there: npm run setup fetches it` };
  const initrd = join(folder, `${name}.cpio`);
  writeFileSync(initrd, initramfs(readFileSync(program), readFileSync(busyboxFile)));
  return {
    kernel,
    initrd,
    append: (workloads) => `console=ttyS0 quiet panic=-1 bench=${workloads.join(',')}`,
  };
}

const workloadSources = (): string[] =>
  readdirSync(join(SOURCES, 'workloads'))
    .filter((source) => source.endsWith('.c'))
    .sort()
    .map((source) => `workloads/${source}`);

function must(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { cwd: SOURCES, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command} failed: ${result.error?.message ?? result.stderr}`);
}

function compile(target: string, flags: readonly string[], sources: readonly string[]): void {
  must('gcc', [...flags, '-o', target, ...sources]);
}

function compilesFor32Bits(): boolean {
  const program = '#include <stdio.h>\nint main(void) { return 0; }';
  const args = ['-m32', '-static', '-x', 'c', '-', '-o', '/dev/null'];
  return spawnSync('gcc', args, { input: program }).status === 0;
}

function initramfs(init: Uint8Array, busybox: Uint8Array): Uint8Array {
  return encodeCpio([
    directory('bin'),
    directory('dev'),
    characterDevice('dev/console', 5, 1),
    characterDevice('dev/null', 1, 3, 0o666),
    file('bin/busybox', busybox, 0o755),
    ...APPLETS.map((applet) => symbolicLink(`bin/${applet}`, 'busybox')),
    file('init', init, 0o755),
  ]);
}

/** The workloads behind a Linux setup header, which the toolkit's ROM enters by the 64-bit boot protocol. */
function bareImage(folder: string): GuestImage {
  const elf = join(folder, 'bare.elf');
  const kernel = join(folder, 'bare.img');
  const rom = join(folder, 'q35.rom');
  const flags = ['-ffreestanding', '-fno-stack-protector', '-fno-pic', '-no-pie', '-mno-red-zone', '-mcmodel=kernel'];
  const link = ['-nostdlib', '-static', '-T', 'link.ld', '-Wl,--no-warn-rwx-segments,--build-id=none'];
  compile(elf, [...C_FLAGS, ...flags, ...link], ['start.S', 'bare.c', 'library.c', ...workloadSources()]);
  must('objcopy', ['-O', 'binary', elf, kernel]);
  writeFileSync(rom, buildRom().bytes);
  return { kernel, rom, append: (workloads) => workloads.join(',') };
}
