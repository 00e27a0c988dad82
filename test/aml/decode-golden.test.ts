import { expect, test } from 'vitest';
import { decodeTables } from '../../src/aml/decode.ts';
import { encodeTerms } from '../../src/aml/encode.ts';
import { equalBytes } from '../../src/shared/bytes.ts';
import { goldenDirectory, goldenMachines } from './golden.ts';

for (const [collection, step] of [
  ['qemu-q35', 1],
  // All 1,810 tables with Q35_ALL_GOLDEN set.
  ['real-machines', process.env.Q35_ALL_GOLDEN ? 1 : 8],
] as const) {
  test.skipIf(!goldenDirectory)(`tables of ${collection} decode and encode to their bytes (needs golden)`, () => {
    const counts = { tables: 0, problems: 0, different: 0 };
    const machines = goldenMachines(collection).filter((_, index) => index % step === 0);
    for (const machine of machines) {
      const decoded = decodeTables(machine.tables);
      decoded.tables.forEach((table, index) => {
        counts.tables++;
        if (table.problems.length > 0) counts.problems++;
        const original = machine.tables[index].bytes.subarray(36, table.header.length);
        if (!equalBytes(encodeTerms(table.terms), original)) counts.different++;
      });
    }
    const tables = machines.reduce((sum, machine) => sum + machine.tables.length, 0);
    expect(counts).toEqual({ tables, problems: 0, different: 0 });
  });
}
