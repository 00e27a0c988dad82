import type { Engine } from './engine.ts';
import { runInNode } from './node-engine.ts';

/** Our machine. `program` is `q35-process.ts` compiled: stripping types at each start would cost a CPU second that users do not pay. */
export function q35Engine(program: string, regionsAfter: number | undefined): Engine {
  return {
    missing: () => undefined,
    run: ({ kernel, initrd, append }, workloads) =>
      runInNode(program, {
        kernel,
        initrd,
        append: append(workloads),
        regionsAfter,
      }),
  };
}
