import { existsSync } from 'node:fs';
import type { Engine } from './engine.ts';
import { runInNode } from './node-engine.ts';

/** Debian's seabios: v86's npm package brings no firmware. */
export const SEABIOS = '/usr/share/seabios';

/** v86, for 32-bit guests. `program` is `v86-process.ts` compiled. */
export function v86Engine(program: string): Engine {
  return {
    missing: () => (existsSync(`${SEABIOS}/bios.bin`) ? undefined : 'seabios is not installed'),
    run: ({ kernel, initrd, append }, workloads) => runInNode(program, { kernel, initrd, append: append(workloads) }),
  };
}
