import { recordArithmetic } from './forms/arithmetic.ts';
import { recordControl } from './forms/control.ts';
import { recordExtensions } from './forms/extensions.ts';
import { recordMoves } from './forms/moves.ts';
import { recordNumbers } from './forms/numbers.ts';
import { recordSequences } from './forms/sequences.ts';
import { recordShifts } from './forms/shifts.ts';
import { recordSimd } from './forms/simd.ts';
import { recordVex } from './forms/vex.ts';
import { recordX87 } from './forms/x87.ts';
import type { VectorRecorder } from './recorder.ts';

const integer = (mode: 16 | 32 | 64) => (recorder: VectorRecorder) => {
  recordArithmetic(recorder, mode);
  recordShifts(recorder, mode);
  recordMoves(recorder, mode);
  recordControl(recorder, mode);
};

/** What fixtures/cpu holds: a file for each, recorded by scripts/record-cpu-vectors.ts. */
export const VECTOR_GROUPS: Record<string, (recorder: VectorRecorder) => void> = {
  'integer-64': integer(64),
  'integer-32': integer(32),
  'integer-16': integer(16),
  'sequences-64': (recorder) => recordSequences(recorder, 64, 3000),
  'sequences-32': (recorder) => recordSequences(recorder, 32, 1500),
  'sequences-16': (recorder) => recordSequences(recorder, 16, 1000),
  'x87-64': (recorder) => recordX87(recorder, 64),
  'x87-32': (recorder) => recordX87(recorder, 32, 0.2),
  'x87-16': (recorder) => recordX87(recorder, 16, 0.1),
  'numbers-64': (recorder) => recordNumbers(recorder, 300),
  'simd-64': (recorder) => recordSimd(recorder, 64),
  'simd-32': (recorder) => recordSimd(recorder, 32, 0.3),
  'simd-16': (recorder) => recordSimd(recorder, 16, 0.2),
  'extensions-64': (recorder) => recordExtensions(recorder, 64),
  'extensions-32': (recorder) => recordExtensions(recorder, 32, 0.3),
  'avx-64': (recorder) => recordVex(recorder, 64, ['avx']),
  'avx-32': (recorder) => recordVex(recorder, 32, ['avx'], 0.2),
  'avx2-64': (recorder) => recordVex(recorder, 64, ['avx2']),
  'fma-bmi-64': (recorder) => recordVex(recorder, 64, ['fma', 'f16c', 'bmi1', 'bmi2'], 1.5),
  'avx2-32': (recorder) => recordVex(recorder, 32, ['avx2', 'fma', 'f16c', 'bmi1', 'bmi2'], 0.2),
  'extensions-16': (recorder) => recordExtensions(recorder, 16, 0.2),
};
