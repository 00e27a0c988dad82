import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkFirmware } from '../../../src/bios/verify/check.ts';
import type { CheckSubject } from '../../../src/bios/verify/subject.ts';
import { GOLDEN } from '../../support/shared-data.ts';

function subjectOf(directory: string): CheckSubject {
  const names = readdirSync(directory).filter((name) => name.endsWith('.aml'));
  const files = new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(directory, name)))]));
  return { source: directory, files };
}

function directoriesOf(collection: string): string[] {
  const path = join(GOLDEN!, collection);
  return readdirSync(path).map((name) => join(path, name));
}

describe.skipIf(!GOLDEN)('checks on the tables of others (needs ../shared/golden)', () => {
  it("find in QEMU's tables only that PMBASE is not reserved but for GPE0", () => {
    for (const directory of directoriesOf('qemu-q35')) {
      const messages = checkFirmware(subjectOf(directory)).map(
        ({ rule, message }) => `${rule} ${message.split(' ')[0]}`,
      );
      expect(messages, directory).toEqual([
        'FADT-BLOCK-RESERVED PM1A_EVT_BLK',
        'FADT-BLOCK-RESERVED PM1A_CNT_BLK',
        'FADT-BLOCK-RESERVED PM_TMR_BLK',
      ]);
    }
  });

  it('end on the tables of real machines, whatever they hold', () => {
    // Every eighth: decoding their AML takes a third of a second each.
    const directories = directoriesOf('real-machines').filter((_, index) => index % 8 === 0);
    const counts = directories.map((directory) => checkFirmware(subjectOf(directory)).length);
    expect(counts.length).toBeGreaterThan(10);
    expect(counts.every((count) => count < 1000)).toBe(true);
  });
});
