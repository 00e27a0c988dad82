import { spawnSync } from 'node:child_process';

/** One run of a command: user and system seconds of the whole process, and what it printed. */
export interface TimedRun {
  readonly cpuSeconds: number;
  readonly stdout: string;
}

/** Runs `command` and takes its CPU time from the shell's own accounting. @throws Error when it cannot be started */
export function timedRun(command: readonly string[], allowedStatus: readonly number[] = [0]): TimedRun {
  const shell = spawnSync('bash', ['-c', 'TIMEFORMAT="cpu %U %S"; time "$@"', 'bash', ...command], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  const match = /^cpu ([\d.]+) ([\d.]+)$/m.exec(shell.stderr);
  if (match === null || !allowedStatus.includes(shell.status ?? -1)) {
    throw new Error(`${command.join(' ')} ended with ${shell.status}: ${shell.stderr}`);
  }
  return { cpuSeconds: Number(match[1]) + Number(match[2]), stdout: shell.stdout };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
