/**
 * Records fixtures/cpu from the processor under us. Needs gcc on x86-64 Linux that allows modify_ldt; run it when forms are added:
 * `node scripts/record-cpu-vectors.ts [group…]`. The order and the values follow from fixed seeds, so that a diff shows what was added.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { recordArithmetic } from '../test/oracle/cpu-vectors/forms/arithmetic.ts';
import { recordControl } from '../test/oracle/cpu-vectors/forms/control.ts';
import { recordMoves } from '../test/oracle/cpu-vectors/forms/moves.ts';
import { recordShifts } from '../test/oracle/cpu-vectors/forms/shifts.ts';
import { recordSimd } from '../test/oracle/cpu-vectors/forms/simd.ts';
import { recordX87 } from '../test/oracle/cpu-vectors/forms/x87.ts';
import { FIXTURES } from '../test/oracle/cpu-vectors/load.ts';
import { runNatively } from '../test/oracle/cpu-vectors/native.ts';
import { VectorRecorder } from '../test/oracle/cpu-vectors/recorder.ts';
import { formatVectors } from '../test/oracle/cpu-vectors/text.ts';

const integer = (mode: 16 | 32 | 64) => (recorder: VectorRecorder) => {
  recordArithmetic(recorder, mode);
  recordShifts(recorder, mode);
  recordMoves(recorder, mode);
  recordControl(recorder, mode);
};

const GROUPS: Record<string, (recorder: VectorRecorder) => void> = {
  'integer-64': integer(64),
  'integer-32': integer(32),
  'integer-16': integer(16),
  'x87-64': (recorder) => recordX87(recorder, 64),
  'x87-32': (recorder) => recordX87(recorder, 32, 0.2),
  'x87-16': (recorder) => recordX87(recorder, 16, 0.1),
  'simd-64': (recorder) => recordSimd(recorder, 64),
  'simd-32': (recorder) => recordSimd(recorder, 32, 0.3),
};

const source = join(import.meta.dirname, '../test/oracle/cpu-vectors/native.c');
const wanted = process.argv.slice(2);
mkdirSync(FIXTURES, { recursive: true });
for (const [group, record] of Object.entries(GROUPS)) {
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
