import { describe, expect, it } from 'vitest';
import VerifyCommand from '../../src/commands/verify.ts';
import { debianFile } from '../support/debian.ts';
import { runCommand } from '../support/run-command.ts';
import { bootSmpLinux, compileProcessorsProgram } from '../support/smp-linux.ts';

const kernel = debianFile('cloudKernel');
const busybox = debianFile('busybox');
/** A boot takes about 15 s of CPU time; machines that test are shared. */
const TIMEOUT = 400_000;
const INSTRUCTION_LIMIT = 10e9;
const program = compileProcessorsProgram();

describe('q35 verify with several processors', () => {
  it.each(['2', '6,sockets=2,cores=3', '4,cores=2,threads=2'])(
    'finds files and probe as built: --smp %s',
    async (smp) => {
      const argv = ['--smp', smp, '--stage', 'files', '--stage', 'probe', '--only-failures'];
      const { stdout, exitCode } = await runCommand(VerifyCommand, argv);
      expect(stdout).toMatch(/verified: \d+ items in 2 stages, all as built\n$/);
      expect(exitCode).toBe(0);
    },
    TIMEOUT,
  );
});

describe.skipIf(kernel === undefined || busybox === undefined)('Linux (Debian’s cloud kernel and busybox)', () => {
  const boot = (smp: string, limit = INSTRUCTION_LIMIT, regionsAfter?: number) =>
    bootSmpLinux(kernel ?? '', busybox ?? '', smp, { limit, regionsAfter, program });

  it(
    'brings up 2 processors with one TSC, takes one away and brings it back',
    async () => {
      const { end, serial } = await boot('2');
      expect(end).toEqual({ kind: 'power-off' });
      expect(serial).toContain('Q35 processors 2 online 0-1');
      expect(serial).toContain('Q35 jobs 2 sums 1');
      expect(serial).toMatch(/smp: Brought up 1 node, 2 CPUs/);
      expect(serial).toMatch(/Switched to clocksource tsc\r?\n/);
      expect(serial).toMatch(/Q35 without the second: 0\r?\n/);
      expect(serial).toMatch(/Q35 with the second: 0-1\r?\n/);
      expect(serial).not.toMatch(/unsynchron|unstable|warp between|BUG:|WARNING:|stall/i);
    },
    TIMEOUT,
  );

  it(
    'brings up 8 processors, which work together, and does the same again to the last bit',
    async () => {
      const first = await boot('8');
      expect(first.serial).toContain('Q35 processors 8 online 0-7');
      expect(first.serial).toContain('Q35 jobs 8 sums 1');
      expect(first.serial).toMatch(/smp: Brought up 1 node, 8 CPUs/);
      if (program !== undefined)
        expect(first.serial).toContain('Q35 lost counts 0 0, stale pages or code 0, TSC warps 0');
      const second = await boot('8');
      expect(second.serial).toBe(first.serial);
      expect([second.instructions, second.stateHash]).toEqual([first.instructions, first.stateHash]);
    },
    TIMEOUT,
  );

  it(
    'takes the same way with compiled regions, through the start of 4 processors',
    async () => {
      const limit = 450e6;
      const interpreted = await boot('4', limit);
      const compiled = await boot('4', limit, 2000);
      expect(compiled.stateHash).toBe(interpreted.stateHash);
    },
    TIMEOUT,
  );
});
