import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFinding } from '../../../src/aml/lint/finding.ts';
import { checkFirmware } from '../../../src/bios/verify/check.ts';
import { Workbench } from './workbench.ts';

const SOUND = new Workbench().subject();
const NAMES = [...SOUND.files.keys()];

/** One piece of damage: bytes overwritten, or the file cut short. */
const damage = fc.record({
  file: fc.constantFrom(...NAMES),
  at: fc.nat(),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  cut: fc.boolean(),
});

describe('checks on damaged files', () => {
  it('never throw, and say what they find in words', () => {
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (pieces) => {
        const files = new Map(SOUND.files);
        for (const { file, at, bytes, cut } of pieces) {
          const image = files.get(file)!.slice();
          const offset = at % Math.max(1, image.length);
          image.set(bytes.subarray(0, Math.max(0, image.length - offset)), offset);
          files.set(file, cut ? image.subarray(0, offset) : image);
        }
        const findings = checkFirmware({ ...SOUND, files });
        for (const finding of findings) expect(formatFinding(finding)).not.toMatch(/NaN|\[object/);
      }),
      { numRuns: 200 },
    );
  });
});
