import { describe, expect, test } from 'vitest';
import { differences, EngineHarness } from '../../oracle/cpu-vectors/engine-harness.ts';
import { loadVectors, vectorGroups } from '../../oracle/cpu-vectors/load.ts';

/** What a real processor did (fixtures/cpu), and what the engine makes of the same bytes and state. */
function compare(harness: EngineHarness, group: string, every: number): void {
  const failures: string[] = [];
  let cases = 0;
  for (const vector of loadVectors(group)) {
    if (cases++ % every !== 0) continue;
    const found = differences(vector, harness.run(vector), true);
    if (found.length > 0)
      failures.push(`${vector.name} [${Buffer.from(vector.bytes).toString('hex')}]: ${found.join('; ')}`);
  }
  expect(cases).toBeGreaterThan(0);
  expect(failures).toEqual([]);
}

describe('interpreter', () => {
  const harness = new EngineHarness();
  test.each(vectorGroups())('%s: the engine agrees with the processor', (group) => compare(harness, group, 1));
});

/** A compile a case: some of them here, all with Q35_ALL_VECTORS=1. */
const REGION_STRIDE = process.env.Q35_ALL_VECTORS === undefined ? 16 : 1;

describe('regions', () => {
  const harness = new EngineHarness(1);
  test.each(vectorGroups())('%s: the engine agrees with the processor', (group) =>
    compare(harness, group, REGION_STRIDE),
  );
});
