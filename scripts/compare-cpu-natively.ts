/**
 * Compares the engine with the processor under us on fresh random cases, beyond those of fixtures/cpu. Needs what record-cpu-vectors.ts
 * needs: `node scripts/compare-cpu-natively.ts seed…`. Prints each form that differs with its first case; exit code 1 when there is one.
 */
import { join } from 'node:path';
import { differences, EngineHarness } from '../test/oracle/cpu-vectors/engine-harness.ts';
import { VECTOR_GROUPS } from '../test/oracle/cpu-vectors/groups.ts';
import { runNatively } from '../test/oracle/cpu-vectors/native.ts';
import { VectorRecorder } from '../test/oracle/cpu-vectors/recorder.ts';
import { formatVectors } from '../test/oracle/cpu-vectors/text.ts';

const source = join(import.meta.dirname, '../test/oracle/cpu-vectors/native.c');
const harness = new EngineHarness();
for (const seed of process.argv.slice(2)) {
  for (const [group, record] of Object.entries(VECTOR_GROUPS)) {
    const recorder = new VectorRecorder(`${seed} ${group}`);
    record(recorder);
    const vectors = runNatively(source, recorder.inputs);
    const first = new Map<string, string>();
    let count = 0;
    for (const vector of vectors) {
      const found = differences(vector, harness.run(vector), true);
      if (found.length === 0) continue;
      count++;
      if (!first.has(vector.name)) first.set(vector.name, `${formatVectors([vector])} ${found.join('; ')}`);
    }
    console.log(`${seed} ${group}: ${vectors.length} cases, ${count} differ`);
    for (const text of first.values()) console.log(text);
    if (count > 0) process.exitCode = 1;
  }
}
