import { expect, test } from 'vitest';
import { printDefinitionBlock } from '../../src/aml/asl/print.ts';
import { decodeTables } from '../../src/aml/decode.ts';
import { goldenDirectory, goldenMachines } from './golden.ts';
import { compileAsl, hasIasl } from './iasl.ts';

const missing = !goldenDirectory || !hasIasl;
/** As golden tables were compiled: nothing folded, nothing shortened. */
const OPTIONS = ['-oa', '-vr', '-w1'];

test.skipIf(missing)(
  "iasl gives every table of QEMU's back, byte for byte, from our print (needs golden, iasl)",
  () => {
    let tables = 0;
    for (const machine of goldenMachines('qemu-q35')) {
      const set = decodeTables(machine.tables);
      set.tables.forEach((table, index) => {
        const compiled = compileAsl(printDefinitionBlock(table, set), OPTIONS);
        expect(compiled.errors, `${table.file}\n${compiled.output}`).toBe(0);
        expect(Buffer.from(compiled.table!.subarray(36)).equals(machine.tables[index].bytes.subarray(36))).toBe(true);
        tables++;
      });
    }
    expect(tables).toBe(12);
  },
);

test.skipIf(missing)('iasl compiles our print of real machines, every sixteenth of them (needs golden, iasl)', () => {
  const refused: string[] = [];
  for (const machine of goldenMachines('real-machines').filter((_, index) => index % 16 === 0)) {
    const set = decodeTables(machine.tables);
    for (const table of set.tables) {
      const { errors, output } = compileAsl(printDefinitionBlock(table, set), OPTIONS);
      if (errors !== 0) refused.push(`${table.file}: ${output}`);
    }
  }
  expect(refused).toEqual([]);
});
