import { expect, test } from 'vitest';
import { differences, EngineHarness } from '../../oracle/cpu-vectors/engine-harness.ts';
import { loadVectors, vectorGroups } from '../../oracle/cpu-vectors/load.ts';

/** What a real processor did (fixtures/cpu), and what the engine makes of the same bytes and state. */
const harness = new EngineHarness();

test.each(vectorGroups())('%s: the engine agrees with the processor', (group) => {
  const failures: string[] = [];
  let cases = 0;
  for (const vector of loadVectors(group)) {
    cases++;
    const found = differences(vector, harness.run(vector), true);
    if (found.length > 0)
      failures.push(`${vector.name} [${Buffer.from(vector.bytes).toString('hex')}]: ${found.join('; ')}`);
  }
  expect(cases).toBeGreaterThan(0);
  expect(failures).toEqual([]);
});
