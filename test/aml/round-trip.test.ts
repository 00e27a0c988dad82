import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { device, method, ret, scope } from '../../src/aml/build.ts';
import { decodeTables } from '../../src/aml/decode.ts';
import { encodeTerms } from '../../src/aml/encode.ts';
import { DeclaredNames } from '../../src/aml/namespace.ts';
import { TermReader } from '../../src/aml/reader/term-reader.ts';
import { encodeDefinitionBlock } from '../../src/aml/table-header.ts';
import type { AmlTerm } from '../../src/aml/tree.ts';
import { disassembleWithIasl, hasIasl } from './iasl.ts';
import { METHODS, statements, termList } from './random-trees.ts';

function decode(bytes: Uint8Array): { terms: AmlTerm[]; problems: number } {
  const known = new DeclaredNames();
  for (const [path, argumentCount] of METHODS) known.declare(path, { kind: 'Method', argumentCount, table: 1 });
  const reader = new TermReader(bytes, { table: 0, known, declared: new DeclaredNames() });
  return { terms: reader.readTermList(0, bytes.length), problems: reader.problems.length };
}

const kindsOf = (terms: readonly AmlTerm[]): string =>
  JSON.stringify(terms, (_, value) => (typeof value === 'bigint' ? Number(value) : value));

describe('trees and bytes', () => {
  test('decode(encode(tree)) = tree', () => {
    fc.assert(
      fc.property(termList(4), (tree) => {
        const { terms, problems } = decode(encodeTerms(tree));
        expect(problems).toBe(0);
        expect(terms).toEqual(tree);
      }),
      { numRuns: 300, seed: 35 },
    );
  });

  test('encode(decode(bytes)) = bytes, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(encodeTerms(decode(bytes).terms)).toEqual(Uint8Array.from(bytes));
      }),
      { numRuns: 500, seed: 35 },
    );
  });

  test('a damaged table gives problems or another tree, never another error', () => {
    const identity = { signature: 'SSDT', revision: 2, oemId: 'Q35', oemTableId: 'FUZZ' };
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(termList(3), damage, (tree, changes) => {
        const table = encodeDefinitionBlock(identity, tree);
        for (const [at, value] of changes) table[36 + (at % Math.max(table.length - 36, 1))] = value;
        const [decoded] = decodeTables([{ bytes: table }]).tables;
        expect(encodeTerms(decoded.terms)).toEqual(table.slice(36));
      }),
      { numRuns: 200, seed: 35 },
    );
  });

  test.skipIf(!hasIasl)('iasl -d reads what we encode (needs iasl)', () => {
    // ACPICA loads what it disassembles: a Scope or a Field of a name that nothing declares would stop it.
    const loadable = statements(3, 8).filter((body) => !/"Def(Scope|\w*Field|External)"/.test(kindsOf(body)));
    const bodies = fc.sample(loadable, { numRuns: 25, seed: 35 });
    const methods = bodies.map((body, index) => method(`T${String(index).padStart(3, '0')}`, 7, body));
    const table = encodeDefinitionBlock({ signature: 'SSDT', revision: 2, oemId: 'Q35', oemTableId: 'RANDOM' }, [
      ...[...METHODS].map(([path, count]) => method(path, count, [ret(0)])),
      // Deep enough for the carets of names.
      scope('\\_SB', [device('DEVA', [device('DEVB', methods)])]),
    ]);
    const { text, output } = disassembleWithIasl([table]);
    expect(output).not.toMatch(/Error|AE_/);
    expect(text.match(/Method \(T\d\d\d/g)?.length).toBe(bodies.length);
  });
});
