import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildRom } from '../src/bios/rom/rom.ts';
import { median, timedRun } from './cpu-seconds.ts';

/**
 * Instructions a second on three compiled programs, beside QEMU's TCG on the same image and firmware in the same run:
 * `node bench/interpreter.ts [rounds]`. CPU seconds of the whole process, less a run that does nothing; medians. Needs gcc and
 * qemu-system-x86_64.
 */
const PROGRAMS = ['crc32', 'sha256', 'mix'] as const;
const NOTHING = PROGRAMS.length;
const ROUNDS = Number(process.argv[2] ?? 3);
const HERE = import.meta.dirname;
const OUT = join(HERE, '../.cache/bench');
const IMAGE = join(OUT, 'guest.img');
const ROM = join(OUT, 'q35.rom');
/** isa-debug-exit with value 0: (0 << 1) | 1. */
const GUEST_DONE = 1;

function must(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command} failed: ${result.error?.message ?? result.stderr}`);
}

function buildGuest(): void {
  mkdirSync(OUT, { recursive: true });
  const object = (name: string): string => join(OUT, `${name}.o`);
  const flags = [
    '-O2',
    '-ffreestanding',
    '-fno-stack-protector',
    '-fno-pic',
    '-mno-sse',
    '-mno-red-zone',
    '-mcmodel=kernel',
  ];
  must('gcc', [...flags, '-c', join(HERE, 'guest/programs.c'), '-o', object('programs')]);
  must('gcc', ['-c', join(HERE, 'guest/start.S'), '-o', object('start')]);
  const elf = join(OUT, 'guest.elf');
  must('ld', [
    '-T',
    join(HERE, 'guest/link.ld'),
    '--no-warn-rwx-segments',
    '-o',
    elf,
    object('start'),
    object('programs'),
  ]);
  must('objcopy', ['-O', 'binary', elf, IMAGE]);
  writeFileSync(ROM, buildRom().bytes);
}

function ours(program: number): { cpuSeconds: number; retired: number; answer: string } {
  const { cpuSeconds, stdout } = timedRun([process.execPath, join(HERE, 'run-guest.ts'), IMAGE, String(program)]);
  const lines = stdout.trim().split('\n');
  const { retired } = JSON.parse(lines.at(-1)!) as { retired: number };
  return { cpuSeconds, retired, answer: lines.at(-2)! };
}

function qemu(program: number): { cpuSeconds: number; answer: string } {
  const machine = ['-M', 'q35', '-accel', 'tcg,thread=single', '-cpu', 'qemu64', '-m', '512', '-nodefaults'];
  const output = [
    '-display',
    'none',
    '-serial',
    'stdio',
    '-no-reboot',
    '-device',
    'isa-debug-exit,iobase=0x501,iosize=4',
  ];
  const guest = ['-bios', ROM, '-kernel', IMAGE, '-append', String(program)];
  const run = timedRun(['qemu-system-x86_64', ...machine, ...output, ...guest], [GUEST_DONE]);
  return { cpuSeconds: run.cpuSeconds, answer: run.stdout.trim().split('\n').at(-1)! };
}

buildGuest();
const samples = PROGRAMS.map(() => ({ ours: [] as number[], qemu: [] as number[], millions: 0 }));
for (let round = 0; round < ROUNDS; round++) {
  const idle = { ours: ours(NOTHING), qemu: qemu(NOTHING) };
  for (const [program, sample] of samples.entries()) {
    const mine = ours(program);
    const theirs = qemu(program);
    if (mine.answer !== theirs.answer)
      throw new Error(`${PROGRAMS[program]}: ${mine.answer} here, ${theirs.answer} on QEMU`);
    sample.ours.push(mine.cpuSeconds - idle.ours.cpuSeconds);
    sample.qemu.push(theirs.cpuSeconds - idle.qemu.cpuSeconds);
    sample.millions = (mine.retired - idle.ours.retired) / 1e6;
  }
}
console.log('program   M instructions   ours: CPU s   M/s   QEMU TCG: CPU s   M/s   ours ÷ QEMU');
for (const [program, sample] of samples.entries()) {
  const mine = median(sample.ours);
  const theirs = median(sample.qemu);
  const columns = [
    PROGRAMS[program].padEnd(10),
    sample.millions.toFixed(0).padStart(14),
    mine.toFixed(2).padStart(14),
    (sample.millions / mine).toFixed(0).padStart(6),
    theirs.toFixed(2).padStart(17),
    (sample.millions / theirs).toFixed(0).padStart(6),
    (mine / theirs).toFixed(2).padStart(13),
  ];
  console.log(columns.join(' '));
}
