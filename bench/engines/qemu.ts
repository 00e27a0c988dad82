import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { GuestImage } from '../guest-images.ts';
import { type Mark, MarkReader } from '../marks.ts';
import { type Engine, GUEST_CPU, GUEST_MIB, TIMEOUT_SECONDS } from './engine.ts';

const QEMU = 'qemu-system-x86_64';
/** USER_HZ: a part of the kernel's interface, the same on every x86 Linux. */
const TICKS_PER_SECOND = 100;

/** QEMU's TCG on one thread. Its CPU time is read from /proc when a mark comes out of the serial port (10 ms steps). */
export const qemuEngine: Engine = {
  missing: () => (spawnSync(QEMU, ['--version']).status === 0 ? undefined : `${QEMU} is not installed`),
  run: (image, workloads) =>
    new Promise((resolve, reject) => {
      const child = spawn(QEMU, qemuArguments(image, workloads), { stdio: ['ignore', 'pipe', 'pipe'] });
      const marks: Mark[] = [];
      const reader = new MarkReader((text) => {
        marks.push({ text, ...usage(child.pid!) });
        if (text === 'done') child.kill();
      });
      const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_SECONDS * 1000);
      let stderr = '';
      child.stdout.on('data', (bytes: Buffer) => bytes.forEach(reader.write));
      child.stderr.on('data', (bytes: Buffer) => {
        stderr += bytes.toString();
      });
      child.on('error', reject);
      child.on('close', (status) => {
        clearTimeout(timer);
        if (marks.at(-1)?.text === 'done') resolve(marks);
        else reject(new Error(`QEMU ended with ${status}: ${stderr}\n${reader.tail}`));
      });
    }),
};

function qemuArguments(image: GuestImage, workloads: readonly string[]): string[] {
  return [
    ...['-M', 'q35', '-accel', 'tcg,thread=single', '-cpu', GUEST_CPU, '-m', String(GUEST_MIB), '-nodefaults'],
    ...['-display', 'none', '-serial', 'stdio', '-no-reboot', '-no-shutdown'],
    ...(image.rom === undefined ? [] : ['-bios', image.rom]),
    ...['-kernel', image.kernel, '-append', image.append(workloads)],
    ...(image.initrd === undefined ? [] : ['-initrd', image.initrd]),
  ];
}

/** CPU time and peak memory of a process that runs (proc(5)). */
function usage(pid: number): { cpuSeconds: number; peakRssBytes: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The program's name stands in parentheses and may hold anything; utime and stime are the 12th and 13th field behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    peakRssBytes: Number(peak?.[1] ?? 0) * 1024,
  };
}
