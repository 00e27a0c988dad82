import { describe, expect, it } from 'vitest';
import { NEVER_HOT } from '../../src/emulator/cpu/interpreter/generate.ts';
import { Comparison } from './compare.ts';
import { assembleProgram, draftProgram } from './program.ts';

/** `node bench/fuzz.ts` runs more of them, and takes a failing one apart. */
const PROGRAMS = 600;
const FIRST_SEED = 1;
const REGIONS_AFTER = 4;

describe('random programs', () => {
  it('come to the same state in the interpreter, in regions and in other slices', () => {
    const comparison = new Comparison(NEVER_HOT, REGIONS_AFTER);
    const found: string[] = [];
    for (let seed = FIRST_SEED; seed < FIRST_SEED + PROGRAMS; seed++) {
      const difference = comparison.run(assembleProgram(draftProgram(seed)));
      if (difference !== undefined) found.push(`seed ${seed}: ${difference}`);
    }
    expect(found).toEqual([]);
    expect(comparison.regionsCompiled).toBeGreaterThan(PROGRAMS);
  });
});
