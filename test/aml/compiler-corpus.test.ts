import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/aml/compiler/compile.ts';
import { goldenDirectory, goldenMachines } from './golden.ts';
import { compileAsl, disassembleWithIasl, hasIasl } from './iasl.ts';

const CORPUS = join(import.meta.dirname, '../../fixtures/aml/asl');
const sources = readdirSync(CORPUS).filter((file) => file.endsWith('.asl') && !file.includes('included'));
const read = (file: string): string => readFileSync(join(CORPUS, file), 'latin1');
const includes = { read: (path: string) => ({ file: path, text: read(path) }) };
/** iasl as Debian has it. */
const CREATOR = { creatorId: 'INTL', creatorRevision: 0x2020_0925 };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('the corpus of operators and macros', () => {
  test.skipIf(!hasIasl).each(sources)('%s gives the whole table that iasl makes of it (needs iasl)', (file) => {
    const { tables } = compile(file, read(file), { includes, ...CREATOR });
    const theirs = compileAsl(read(file), ['-I', CORPUS]);
    expect(theirs.table, theirs.output).toBeDefined();
    expect(hex(tables[0].bytes)).toBe(hex(theirs.table!));
  });

  test.skipIf(!hasIasl).each(sources)('%s without optimizations gives what iasl -oa makes (needs iasl)', (file) => {
    const { tables } = compile(file, read(file), { includes, ...CREATOR, optimize: 'none' });
    const theirs = compileAsl(read(file), ['-oa', '-I', CORPUS]);
    // Folding is what lets a Name hold an expression: without it iasl refuses some sources.
    if (theirs.table) expect(hex(tables[0].bytes)).toBe(hex(theirs.table));
  });
});

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
