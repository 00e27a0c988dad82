import { expect, test } from 'vitest';
import { disassembledAgain } from './disassembled-again.ts';
import { corpusTables, mutatedTable } from './mutated-tables.ts';
import { Random } from './random-asl/random.ts';

const MUTANTS = 800;

// The long run is bench/fuzz-aml.ts.
test('damaged tables come back by way of their text, byte for byte, or are refused with a typed error', () => {
  const tables = corpusTables();
  const bad: string[] = [];
  for (let seed = 0; seed < MUTANTS; seed++) {
    const random = new Random(seed);
    const outcome = disassembledAgain(mutatedTable(random.pick(tables), random));
    if (outcome !== 'same' && outcome !== 'refused') bad.push(`${seed}: ${outcome}`);
  }
  expect(bad).toEqual([]);
});
