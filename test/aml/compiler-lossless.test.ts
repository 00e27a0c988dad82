import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { device, method, ret, scope } from '../../src/aml/build.ts';
import { compile } from '../../src/aml/compiler/compile.ts';
import { disassemble } from '../../src/aml/disassemble.ts';
import { encodeDefinitionBlock } from '../../src/aml/table-header.ts';
import { goldenDirectory, goldenMachines } from './golden.ts';
import { METHODS, statements, termList } from './random-trees.ts';

const HEADER = 36;
const body = (table: Uint8Array): string => Buffer.from(table.subarray(HEADER)).toString('hex');
const identity = { signature: 'SSDT', revision: 2, oemId: 'Q35', oemTableId: 'RANDOM' };

/** Our own text of `tables`, compiled. */
function again(tables: readonly { readonly bytes: Uint8Array; readonly file?: string }[]): Uint8Array[] {
  return disassemble(tables, { tolerant: true }).map(
    ({ asl, file }) => compile(file ?? 'table.dsl', asl).tables[0].bytes,
  );
}

describe('compile(disassemble(table)) = table', () => {
  test('random declarations', () => {
    fc.assert(
      fc.property(termList(3), (tree) => {
        const methods = [...METHODS].map(([path, count]) => method(path, count, [ret(0)]));
        const table = encodeDefinitionBlock(identity, [...methods, ...tree]);
        expect(body(again([{ bytes: table }])[0])).toBe(body(table));
      }),
      { numRuns: 150, seed: 35 },
    );
  });

  test('random method bodies', () => {
    fc.assert(
      fc.property(statements(4, 6), (tree) => {
        const methods = [...METHODS].map(([path, count]) => method(path, count, [ret(0)]));
        const table = encodeDefinitionBlock(identity, [
          ...methods,
          scope('\\_SB', [device('DEVA', [device('DEVB', [method('TEST', 7, tree)])])]),
        ]);
        expect(body(again([{ bytes: table }])[0])).toBe(body(table));
      }),
      { numRuns: 150, seed: 35 },
    );
  });

  test.skipIf(!goldenDirectory)(
    "QEMU's tables and every twelfth real machine (needs golden)",
    () => {
      const real = goldenMachines('real-machines').filter((_, index) => index % 12 === 0);
      for (const { tables } of [...goldenMachines('qemu-q35'), ...real]) {
        const compiled = again(tables);
        tables.forEach(({ bytes, file }, index) => {
          expect(body(compiled[index]) === body(bytes), file).toBe(true);
        });
      }
    },
    120_000,
  );
});
