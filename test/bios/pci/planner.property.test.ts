import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packWindow } from '../../../src/bios/pci/packing.ts';
import { decodePlanFile, encodePlanFile } from '../../../src/bios/pci/plan-file.ts';
import { planPci } from '../../../src/bios/pci/planner.ts';
import { KIB } from '../../../src/shared/bytes.ts';
import { checkPlan } from './check-plan.ts';
import { randomBoard } from './random-boards.ts';

const SEED = 35;

describe('a plan of any board (to depth 6, 200 functions)', () => {
  it('has no overlap, is aligned, contained in every parent window, with minimal windows', () => {
    fc.assert(
      fc.property(randomBoard, (board) => checkPlan(planPci(board))),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('is the same each time, and its file reads back', () => {
    fc.assert(
      fc.property(randomBoard, (board) => {
        const plan = planPci(board);
        expect(planPci(structuredClone(board))).toEqual(plan);
        expect(decodePlanFile(encodePlanFile(plan.writes), 'plan')).toEqual(plan.writes);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });
});

/** The least size over all orders of first fit: every packing without needless gaps comes out of one of them. */
function leastSize(claims: readonly { size: number; alignment: number }[]): number {
  let least = Number.POSITIVE_INFINITY;
  const extend = (rest: readonly number[], taken: readonly { base: number; end: number }[]): void => {
    if (rest.length === 0) least = Math.min(least, Math.max(0, ...taken.map(({ end }) => end)));
    for (const index of rest) {
      const { size, alignment } = claims[index];
      let base = 0;
      while (taken.some((other) => base < other.end && base + size > other.base)) base += alignment;
      extend(
        rest.filter((other) => other !== index),
        [...taken, { base, end: base + size }],
      );
    }
  };
  extend(
    claims.map((_, index) => index),
    [],
  );
  return least;
}

const claim = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 8 }), fc.boolean())
  .map(([bits, count, ragged]) => {
    const alignment = 4 * KIB * 2 ** bits;
    return { alignment, size: ragged ? alignment + 4 * KIB * (count - 1) : alignment };
  });

describe('the packing of a window', () => {
  it('is the smallest there is, for up to five claims', () => {
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 5 }), (claims) => packWindow(claims).size === leastSize(claims)),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('has no gap that a later claim could fill', () => {
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 40 }), (claims) => {
        const { size, offsets } = packWindow(claims);
        const used = offsets.map((base, index) => ({ base, end: base + claims[index].size }));
        for (const [index, { size: wanted, alignment }] of claims.entries()) {
          for (let base = 0; base + wanted <= size && base < offsets[index]; base += alignment) {
            const free = used.every((other, at) => at === index || base >= other.end || base + wanted <= other.base);
            expect(free).toBe(false);
          }
        }
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  it('has no gap at all for BARs alone', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 12, max: 40 }), { maxLength: 60 }), (bits) => {
        const claims = bits.map((bit) => ({ size: 2 ** bit, alignment: 2 ** bit }));
        expect(packWindow(claims).size).toBe(claims.reduce((sum, { size }) => sum + size, 0));
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
});
