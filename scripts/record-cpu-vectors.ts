/**
 * Records fixtures/cpu from the processor under us. Needs gcc on x86-64 Linux that allows modify_ldt; run it when forms are added:
 * `node scripts/record-cpu-vectors.ts [group…]`. The order and the values follow from fixed seeds, so that a diff shows what was added.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { VECTOR_GROUPS } from '../test/oracle/cpu-vectors/groups.ts';
import { FIXTURES } from '../test/oracle/cpu-vectors/load.ts';
import { runNatively } from '../test/oracle/cpu-vectors/native.ts';
import { VectorRecorder } from '../test/oracle/cpu-vectors/recorder.ts';
import { formatVectors } from '../test/oracle/cpu-vectors/text.ts';

const source = join(import.meta.dirname, '../test/oracle/cpu-vectors/native.c');
const wanted = process.argv.slice(2);
mkdirSync(FIXTURES, { recursive: true });
for (const [group, record] of Object.entries(VECTOR_GROUPS)) {
  if (wanted.length > 0 && !wanted.includes(group)) continue;
  const recorder = new VectorRecorder(group);
  record(recorder);
  const vectors = runNatively(source, recorder.inputs);
  const text = formatVectors(vectors);
  const packed = gzipSync(Buffer.from(text, 'latin1'), { level: 9 });
  writeFileSync(join(FIXTURES, `${group}.txt.gz`), packed);
  const forms = new Set(vectors.map((vector) => vector.name)).size;
  const faults = vectors.filter((vector) => vector.after.fault).length;
  console.log(
    `${group}: ${forms} forms, ${vectors.length} cases (${faults} faults), ${text.length} bytes of text, ${packed.length} packed`,
  );
}
