import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFinding } from '../../../src/aml/lint/finding.ts';
import { buildFirmware } from '../../../src/bios/firmware.ts';
import { planPci } from '../../../src/bios/pci/planner.ts';
import { checkFirmware } from '../../../src/bios/verify/check.ts';
import { randomBoard } from '../pci/random-boards.ts';

describe('checks on files', () => {
  it('find nothing on any board that can be planned', () => {
    fc.assert(
      fc.property(randomBoard, (machine) => {
        const plan = planPci(machine);
        const findings = checkFirmware({ source: 'random board', files: buildFirmware(machine, plan), plan });
        expect(findings.map(formatFinding)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});
