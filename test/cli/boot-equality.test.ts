import { expect, it } from 'vitest';
import { guestMachine } from '../../bench/engines/q35-machine.ts';
import { lockStep } from '../../bench/lock-step.ts';
import { NEVER_HOT } from '../../src/emulator/cpu/interpreter/generate.ts';
import { debianFile } from '../support/debian.ts';

const kernel = debianFile('cloudKernel');
/** The kernel unpacks itself and starts; `node bench/boot-equality.ts` goes on to power-off. */
const INSTRUCTIONS = 150e6;
/** Slices of odd length end somewhere else in the guest's loops each time. */
const SLICE = 2_999_999;

it.skipIf(kernel === undefined)(
  'regions leave every slice of Linux’s start in the interpreter’s state (Debian’s cloud kernel)',
  () => {
    const request = { kernel: kernel ?? '', append: 'console=ttyS0' };
    const silent = { write() {} };
    const [interpreted, compiled] = [NEVER_HOT, 200].map((regionsAfter) =>
      guestMachine({ ...request, regionsAfter }, silent),
    );
    const result = lockStep(interpreted, compiled, { slice: SLICE, limit: INSTRUCTIONS });
    expect(result).toMatchObject({ event: 'limit' });
    expect(result.difference).toBeUndefined();
    expect(result.regions).toBeGreaterThan(20);
  },
  200_000,
);
