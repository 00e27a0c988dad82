import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/aml/compiler/compile.ts';
import { SPECIAL } from '../../src/aml/compiler/parse-expressions.ts';
import { STATEMENTS } from '../../src/aml/compiler/parse-statements.ts';
import { RESOURCE_MACROS } from '../../src/aml/compiler/resource-macros.ts';
import { OPCODES, type Opcode, type OperatorName } from '../../src/aml/opcodes.ts';
import { goldenDirectory, goldenMachines } from './golden.ts';
import { compileAsl, disassembleWithIasl, hasIasl } from './iasl.ts';
import { iaslDiagnostics } from './iasl-diagnostics.ts';

const CORPUS = join(import.meta.dirname, '../../fixtures/aml/asl');
/** What iasl 20200925 refuses: its bytes stand in this test. */
const NEWER = 'newer.asl';
const sources = readdirSync(CORPUS).filter((file) => !file.includes('included') && file !== NEWER);
const read = (file: string): string => readFileSync(join(CORPUS, file), 'latin1');
const includes = { read: (path: string) => ({ file: path, text: read(path) }) };
/** iasl as Debian has it. */
const CREATOR = { creatorId: 'INTL', creatorRevision: 0x2020_0925 };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('the corpus of operators and macros', () => {
  test.skipIf(!hasIasl).each(sources)('%s gives the whole table that iasl makes of it (needs iasl)', (file) => {
    const { tables } = compile('table.asl', read(file), { includes, ...CREATOR });
    const theirs = compileAsl(read(file), ['-I', CORPUS]);
    expect(theirs.table, theirs.output).toBeDefined();
    expect(hex(tables[0].bytes)).toBe(hex(theirs.table!));
  });

  test.skipIf(!hasIasl).each(sources)('%s without optimizations gives what iasl -oa makes (needs iasl)', (file) => {
    const { tables } = compile('table.asl', read(file), { includes, ...CREATOR, optimize: 'none' });
    const theirs = compileAsl(read(file), ['-oa', '-I', CORPUS]);
    // Folding is what lets a Name hold an expression: without it iasl refuses some sources.
    if (theirs.table) expect(hex(tables[0].bytes)).toBe(hex(theirs.table));
  });
});

describe('what the corpus covers', () => {
  const texts = [...sources, NEWER].map((file) => read(file).replace(/\/\/.*/g, ''));
  const words = new Set(texts.flatMap((text) => text.match(/\w+/g) ?? []).map((word) => word.toUpperCase()));
  const rows = Object.entries(OPCODES) as [OperatorName, Opcode][];

  test('each row of the opcode table is in its AML', () => {
    const kinds = new Set<string>();
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
      if ('kind' in value) kinds.add(value.kind as string);
      for (const inner of Object.values(value)) visit(inner);
    };
    for (const file of sources) {
      visit(compile(file, read(file), { includes }).tables[0].terms);
      visit(compile(file, read(file), { includes, optimize: 'none' }).tables[0].terms);
    }
    expect(rows.map(([, { name }]) => name).filter((name) => !kinds.has(name))).toEqual([]);
  });

  test('each operator by its word', () => {
    // A Package whose size is not known is one.
    const written = rows.map(([name]) => name).filter((name) => name !== 'VarPackage');
    const others = [...SPECIAL.keys(), ...STATEMENTS.keys()];
    // The host's clock, which differs between two runs of iasl.
    const left = ['__PATH__', '__DATE__'];
    const missing = [...written, ...others].filter((name) => !words.has(name.toUpperCase()) && !left.includes(name));
    expect(missing).toEqual([]);
  });

  test('each operator by its symbol, and each assignment', () => {
    const symbols = new Set(texts.flatMap((text) => text.match(/[-+*/%&|^~!<>=]+/g) ?? []));
    const wanted = rows.flatMap(([, { asl }]) => {
      if (!('symbol' in asl)) return [];
      return asl.style === 'infix' && asl.assign ? [asl.symbol, `${asl.symbol}=`] : [asl.symbol];
    });
    expect([...wanted, '/', '/=', '='].filter((symbol) => !symbols.has(symbol))).toEqual([]);
  });

  test('each resource macro', () => {
    expect(Object.keys(RESOURCE_MACROS).filter((name) => !words.has(name.toUpperCase()))).toEqual([]);
  });

  test('what iasl 20200925 does not know: Csi2Bus, ClockInput, WordMemory, True and False', () => {
    const { bytes } = compile(NEWER, read(NEWER)).tables[0];
    const descriptors = [
      '8e1400 01 02 04 02 1500 01 0100 01 5c5f53422e4353493000',
      '8e1300 01 00 04 02 0000 01 0000 5c5f53422e4353493000',
      '931400 01 0500 0300 45230100 01 5c5f53422e434c4b3000',
      '930900 01 0000 0300 45230100',
      '880d00 00 0c 03 0000 0010 ff1f 0000 0010',
      '7900',
    ];
    const fields = ['5b13 52455330 0a3a 0a06 46303030', '5b13 52455330 0a38 0a02 46303031'];
    const names = ['08 494e5430 ff', '08 494e5431 00'];
    const wanted = ['08 52455330 114606 0a62', ...descriptors, ...fields, ...names].join('').replaceAll(' ', '');
    expect(hex(bytes.subarray(36))).toBe(wanted);
  });
});

/** Kinds of which iasl says neither more nor less; docs/asl-compiler.md has the others. */
const SAME_AS_IASL = [
  'ASL_ARGUMENT_UNUSED',
  'ASL_EMPTY',
  'ASL_LEGACY',
  'ASL_LOCAL_UNUSED',
  'ASL_NAME_UNUSED',
  'ASL_NOT_SERIALIZED',
  'ASL_OFFSET_IDLE',
  'ASL_PREDEFINED_RETURN',
  'ASL_STORE_SELF',
  'ASL_SWITCH_TYPE',
  'ASL_TIMEOUT_LOST',
  'ASL_UNREACHABLE',
];

test.skipIf(!hasIasl || !goldenDirectory)(
  'the compiler warns where iasl does, on its disassembly of real tables (needs golden, iasl)',
  () => {
    const tables = goldenMachines('real-machines').flatMap((machine) => machine.tables);
    // Small ones, and few: all of them are test/aml/report-compiler.ts.
    const some = tables.filter(({ bytes }, index) => bytes.length < 20_000 && index % 40 === 0);
    let found = 0;
    for (const { file, bytes } of some) {
      const { text } = disassembleWithIasl([bytes]);
      const { table, output } = compileAsl(text, ['-vi']);
      if (!table) continue;
      const count = (all: readonly { readonly id: string }[]) =>
        SAME_AS_IASL.map((id) => [id, all.filter((one) => one.id === id).length]);
      const ours = compile('table.asl', text).diagnostics;
      expect([file, count(ours)]).toEqual([file, count(iaslDiagnostics(output))]);
      found += ours.length;
    }
    expect(found).toBeGreaterThan(50);
  },
);

test.skipIf(!hasIasl || !goldenDirectory)(
  "iasl's disassembly of QEMU's tables compiles to iasl's bytes (needs golden, iasl)",
  () => {
    let equal = 0;
    for (const { tables } of goldenMachines('qemu-q35')) {
      for (const { bytes } of tables) {
        const { text } = disassembleWithIasl([bytes]);
        const theirs = compileAsl(text).table;
        if (theirs === undefined) continue;
        expect(hex(compile('table.dsl', text, CREATOR).tables[0].bytes)).toBe(hex(theirs));
        equal++;
      }
    }
    expect(equal).toBeGreaterThan(8);
  },
);
