import { describe, expect, test } from 'vitest';
import { type CompiledTable, compile } from '../../src/aml/compiler/compile.ts';
import { CompileError } from '../../src/aml/compiler/diagnostics.ts';
import { compileAsl, hasIasl } from './iasl.ts';
import { mutated } from './random-asl/mutate.ts';
import { Random } from './random-asl/random.ts';
import { randomSource } from './random-asl/source.ts';

const SEED = 35;
const SOURCES = 40;
const MUTANTS = 15;
const seeds = Array.from({ length: SOURCES }, (_, index) => SEED + index);
/** iasl as Debian has it. */
const CREATOR = { creatorId: 'INTL', creatorRevision: 0x2020_0925 };

function compiledOrRefused(text: string): CompiledTable | undefined {
  try {
    return compile('random.asl', text).tables[0];
  } catch (error) {
    if (error instanceof CompileError) return undefined;
    throw error;
  }
}

// The long run is bench/fuzz-asl.ts.
describe('random ASL', () => {
  test.skipIf(!hasIasl)("gives iasl's bytes (needs iasl)", () => {
    for (const seed of seeds) {
      const text = randomSource(seed);
      const theirs = compileAsl(text);
      expect(theirs.table, `seed ${seed}: ${theirs.output}`).toBeDefined();
      const { bytes } = compile('random.asl', text, CREATOR).tables[0];
      expect(Buffer.from(bytes).equals(theirs.table!), `seed ${seed}`).toBe(true);
    }
  });

  test('with changed tokens gives a table or a typed error', () => {
    let refused = 0;
    for (const seed of seeds) {
      const text = randomSource(seed);
      const random = new Random(seed);
      for (let mutant = 0; mutant < MUTANTS; mutant++) if (!compiledOrRefused(mutated(text, random))) refused++;
    }
    expect(refused).toBeGreaterThan(SOURCES);
  });
});
