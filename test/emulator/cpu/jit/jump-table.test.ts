import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jumpTableOf } from '../../../../src/emulator/cpu/jit/jump-table.ts';

describe('jump tables of regions', () => {
  it('lead each target to its own entry', () => {
    const offsets = fc.uniqueArray(fc.integer({ min: -0x1000, max: 0x2000 }), { minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(offsets, (targets) => {
        const table = jumpTableOf(targets);
        // Too many that collide: the region then asks the jump cache.
        if (table === undefined) return;
        const { entries, shift } = table;
        expect(Math.log2(entries.length) % 1).toBe(0);
        for (const [index, offset] of targets.entries()) {
          expect(entries[(offset >>> shift) & (entries.length - 1)]).toBe(index);
        }
        expect(entries.filter((index) => index >= 0).length).toBe(targets.length);
      }),
    );
  });

  it('are small where the targets are aligned', () => {
    expect(jumpTableOf([0x100, 0x110, 0x120, 0x130])?.entries.length).toBe(4);
  });
});
