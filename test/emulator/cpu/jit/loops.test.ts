import { describe, expect, it } from 'vitest';
import { structureOf } from '../../../../src/emulator/cpu/jit/control-flow.ts';
import { innermostLoops } from '../../../../src/emulator/cpu/jit/loops.ts';

const loopsOf = (successors: number[][]) =>
  innermostLoops({ successors }, structureOf({ successors })).map((loop) => loop && [...loop].sort());

describe('innermost loops', () => {
  it('are told apart in a nest', () => {
    // 0 → 1 → 2 ⟲, 2 → 3 → 1, 3 → 4.
    expect(loopsOf([[1], [2], [2, 3], [1, 4], []])).toEqual([undefined, [1, 2, 3], [2], [1, 2, 3], undefined]);
  });

  it('are told apart in a nest that is entered in its middle, where all have one head', () => {
    expect(loopsOf([[0, 1], [0, 2], []])).toEqual([[0], [0, 1], undefined]);
  });
});
