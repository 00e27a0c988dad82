import { expect, test } from 'vitest';
import { corpusTables, mutatedTable, randomTable, runEverything } from './mutated-tables.ts';
import { Random } from './random-asl/random.ts';

const SEED = 35;
const MUTANTS = 600;

// The long run is bench/fuzz-aml-interpreter.ts.
test('mutated tables run to values and typed errors', () => {
  const random = new Random(SEED);
  const tables = [...corpusTables(), ...random.many(6, (index) => randomTable(SEED + index))].filter(
    (table) => table !== undefined,
  );
  const totals = { evaluations: 0, failures: 0 };
  for (let mutant = 0; mutant < MUTANTS; mutant++) {
    const { evaluations, failures } = runEverything(mutatedTable(random.pick(tables), random), random);
    totals.evaluations += evaluations;
    totals.failures += failures;
  }
  expect(totals.evaluations).toBeGreaterThan(MUTANTS * 5);
  expect(totals.failures).toBeGreaterThan(MUTANTS / 4);
  expect(totals.failures).toBeLessThan(totals.evaluations);
});
