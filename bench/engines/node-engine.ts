import { spawn } from 'node:child_process';
import type { Mark } from '../marks.ts';
import { TIMEOUT_SECONDS } from './engine.ts';

/** What a process that runs a guest is told, as JSON in its first argument. */
export interface GuestRequest {
  readonly kernel: string;
  readonly initrd?: string;
  readonly append: string;
  /** Entries after which a block becomes a region; undefined: what the engine does by itself. */
  readonly regionsAfter?: number;
}

/**
 * Runs an engine that is a program for Node, in a process of its own: it prints a mark a line as JSON, and its last lines of serial
 * output on stderr when the guest does not come to its end.
 * @throws Error when the guest does not
 */
export function runInNode(program: string, request: GuestRequest): Promise<Mark[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, JSON.stringify(request)], { stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_SECONDS * 1000);
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (bytes: Buffer) => {
        output[stream] += bytes.toString();
      });
    }
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      const marks = output.stdout
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Mark);
      if (status === 0 && marks.at(-1)?.text === 'done') resolve(marks);
      else reject(new Error(`${program} ended with ${status}: ${output.stderr}`));
    });
  });
}
