import { describe, expect, it } from 'vitest';
import { Comparison } from './compare.ts';
import { FINDINGS } from './findings.ts';
import { assembleProgram, draftProgram } from './program.ts';

/** `node bench/fuzz.ts` runs more of them, and takes a failing one apart. */
const PROGRAMS = 300;
const FIRST_SEED = 1;
const REGIONS_AFTER = 4;
describe('random programs', () => {
  it('come to the same state in the interpreter, in regions and in other slices', () => {
    const comparison = new Comparison(REGIONS_AFTER);
    const seeds = Array.from({ length: PROGRAMS }, (_, index) => FIRST_SEED + index);
    const found = [...FINDINGS, ...seeds.map(draftProgram)].flatMap((draft) => {
      const difference = comparison.run(assembleProgram(draft));
      return difference === undefined ? [] : [`seed ${draft.seed}: ${difference}`];
    });
    expect(found).toEqual([]);
    expect(comparison.regionsCompiled).toBeGreaterThan(PROGRAMS);
  });
});
