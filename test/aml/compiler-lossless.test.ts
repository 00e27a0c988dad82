import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { device, method, ret, scope } from '../../src/aml/build.ts';
import { compile } from '../../src/aml/compiler/compile.ts';
import { disassemble } from '../../src/aml/disassemble.ts';
import { decodeTableHeader, encodeDefinitionBlock, resealTable } from '../../src/aml/table-header.ts';
import { concatBytes, equalBytes } from '../../src/shared/bytes.ts';
import { byteSum } from '../../src/shared/checksum.ts';
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
          expect(equalBytes(compiled[index], bytes), file).toBe(true);
        });
      }
    },
    120_000,
  );

  test('a header with another creator, odd identifiers, a wrong checksum or length, and what follows the table', () => {
    const creator = { creatorId: 'INTL', creatorRevision: 0x20200925 };
    const table = encodeDefinitionBlock({ ...identity, ...creator }, [device('DEV0', [])]);
    const changed = (offset: number, ...bytes: number[]) => {
      const copy = table.slice();
      copy.set(bytes, offset);
      return copy;
    };
    const files = [
      table,
      resealTable(changed(10, 0x41, 0, 0x42)),
      changed(9, table[9] ^ 0x55),
      changed(4, 0xff, 0xff),
      concatBytes([table, Uint8Array.of(0, 1, 2)]),
    ];
    for (const bytes of files) expect(again([{ bytes }])[0]).toEqual(bytes);
  });

  test('the caller of the compiler may name another creator', () => {
    const [{ asl }] = disassemble([{ bytes: encodeDefinitionBlock({ ...identity, creatorId: 'INTL' }, []) }]);
    const { bytes } = compile('table.dsl', asl, { creatorId: 'ABCD' }).tables[0];
    expect([decodeTableHeader(bytes)?.creatorId, byteSum(bytes)]).toEqual(['ABCD', 0]);
  });
});
