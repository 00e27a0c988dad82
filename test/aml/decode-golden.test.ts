import { expect, test } from 'vitest';
import { decodeTables } from '../../src/aml/decode.ts';
import { encodeTerms } from '../../src/aml/encode.ts';
import { equalBytes } from '../../src/shared/bytes.ts';
import { goldenDirectory, goldenMachines } from './golden.ts';

for (const collection of ['qemu-q35', 'real-machines'] as const) {
  test.skipIf(!goldenDirectory)(`every table of ${collection} decodes and encodes to its bytes (needs golden)`, () => {
    const counts = { tables: 0, problems: 0, different: 0 };
    for (const machine of goldenMachines(collection)) {
      const decoded = decodeTables(machine.tables);
      decoded.tables.forEach((table, index) => {
        counts.tables++;
        if (table.problems.length > 0) counts.problems++;
        const original = machine.tables[index].bytes.subarray(36, table.header.length);
        if (!equalBytes(encodeTerms(table.terms), original)) counts.different++;
      });
    }
    expect(counts).toEqual({ tables: collection === 'qemu-q35' ? 12 : 1810, problems: 0, different: 0 });
  });
}
