import { describe, expect, it } from 'vitest';
import { NEVER_HOT } from '../../src/emulator/cpu/interpreter/generate.ts';
import { Comparison } from './compare.ts';
import { assembleProgram, draftProgram } from './program.ts';

/** `node bench/fuzz.ts` runs more of them, and takes a failing one apart. */
const PROGRAMS = 300;
const FIRST_SEED = 1;
const REGIONS_AFTER = 4;
/** Programs that once found something: self-modifying code that a slice's end cut, STI with IF set. */
const OLD_FINDINGS = [415, 10_454];

describe('random programs', () => {
  it('come to the same state in the interpreter, in regions and in other slices', () => {
    const comparison = new Comparison(NEVER_HOT, REGIONS_AFTER);
    const seeds = [...OLD_FINDINGS, ...Array.from({ length: PROGRAMS }, (_, index) => FIRST_SEED + index)];
    const found = seeds.flatMap((seed) => {
      const difference = comparison.run(assembleProgram(draftProgram(seed)));
      return difference === undefined ? [] : [`seed ${seed}: ${difference}`];
    });
    expect(found).toEqual([]);
    expect(comparison.regionsCompiled).toBeGreaterThan(PROGRAMS);
  });
});
