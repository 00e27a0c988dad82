import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Engine } from './engine.ts';
import { type GuestRequest, runInNode } from './node-engine.ts';

/** Our machine. `programs` holds `*-process.ts` compiled: stripping types at each start would cost a CPU second that users do not pay. */
export function q35Engine(programs: string, regionsAfter: number | undefined): Engine {
  let isGenerated = false;
  return {
    missing: () => undefined,
    run: ({ kernel, initrd, append }, workloads) => {
      const request: GuestRequest = { kernel, initrd, append: append(workloads), regionsAfter };
      if (!isGenerated) generateInterpreter(programs, request);
      isGenerated = true;
      return runInNode(join(programs, 'q35-process.js'), request);
    },
  };
}

/** Nor do users generate the interpreter: the build keeps it. */
function generateInterpreter(programs: string, request: GuestRequest): void {
  const program = join(programs, 'interpreter-process.js');
  const { status, stderr } = spawnSync(process.execPath, [program, JSON.stringify(request)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
}
