import { ARITHMETIC_ROWS } from './arithmetic.ts';
import { AVX_DERIVED_ROWS } from './avx-derived.ts';
import { AVX_MOVE_ROWS } from './avx-moves.ts';
import { AVX_PERMUTE_ROWS } from './avx-permutes.ts';
import { BIT_COUNT_ROWS } from './bit-counts.ts';
import { BIT_ROWS } from './bits.ts';
import { BMI_ROWS } from './bmi.ts';
import { CONTROL_ROWS } from './control.ts';
import { FAST_CALL_ROWS } from './fast-calls.ts';
import { FMA_ROWS } from './fma.ts';
import { INTERRUPT_ROWS } from './interrupts.ts';
import { type InstructionRow, type OpcodeMap, operandBytes, parseOperand, usesModRm } from './row.ts';
import { SEGMENT_ROWS } from './segments.ts';
import type { Size } from './semantics.ts';
import { SIMD_CONVERT_ROWS } from './simd-convert.ts';
import { SIMD_CRYPTO_ROWS } from './simd-crypto.ts';
import { SIMD_FLOAT_ROWS } from './simd-float.ts';
import { SIMD_INTEGER_ROWS } from './simd-integer.ts';
import { SIMD_MOVE_ROWS } from './simd-moves.ts';
import { SSE4_ROWS } from './simd-sse4.ts';
import { SSSE3_ROWS } from './simd-ssse3.ts';
import { STRING_ROWS } from './strings.ts';
import { SYSTEM_ROWS } from './system.ts';
import { TIME_STAMP_ROWS } from './time-stamp.ts';
import { TRANSFER_ROWS } from './transfer.ts';

/** Every instruction. A row's position is its number. */
export const INSTRUCTION_ROWS: readonly InstructionRow[] = [
  ...TRANSFER_ROWS,
  ...ARITHMETIC_ROWS,
  ...BIT_ROWS,
  ...CONTROL_ROWS,
  ...STRING_ROWS,
  ...SYSTEM_ROWS,
  ...SEGMENT_ROWS,
  ...FAST_CALL_ROWS,
  ...INTERRUPT_ROWS,
  ...TIME_STAMP_ROWS,
  ...SIMD_INTEGER_ROWS,
  ...SIMD_MOVE_ROWS,
  ...SIMD_FLOAT_ROWS,
  ...SIMD_CONVERT_ROWS,
  ...BIT_COUNT_ROWS,
  ...SSSE3_ROWS,
  ...SSE4_ROWS,
  ...SIMD_CRYPTO_ROWS,
  ...BMI_ROWS,
  ...AVX_DERIVED_ROWS,
  ...AVX_MOVE_ROWS,
  ...AVX_PERMUTE_ROWS,
  ...FMA_ROWS,
];

/** A row with what the decoder asks of it, worked out once. */
export interface DecodableRow {
  readonly number: number;
  readonly row: InstructionRow;
  readonly modRm: boolean;
  readonly sizes: readonly Size[];
  /** Relative jump. */
  readonly relative: boolean;
  readonly ends: boolean;
}

const ALL_SIZES: readonly Size[] = [2, 4, 8];
const BYTE_ONLY: readonly Size[] = [1];

function sizesOf(row: InstructionRow): readonly Size[] {
  if (row.options.sizes !== undefined) return row.options.sizes;
  const varies = row.operands.some(
    (code) =>
      code === 'rAX' ||
      ['v', 'z', 'y', 'bs', 'p'].includes(parseOperand(code).width) ||
      parseOperand(code).kind === 'J',
  );
  return varies || row.options.default64 === true || row.options.force64 === true ? ALL_SIZES : BYTE_ONLY;
}

export const DECODABLE_ROWS: readonly DecodableRow[] = INSTRUCTION_ROWS.map((row, number) => {
  const relative = row.operands.some((code) => parseOperand(code).kind === 'J');
  return {
    number,
    row,
    modRm:
      row.options.hasModRm === true ||
      row.options.modRm !== undefined ||
      row.options.group !== undefined ||
      row.operands.some(usesModRm),
    sizes: sizesOf(row),
    relative,
    ends: row.options.ends === true || relative,
  };
});

/** Candidates by opcode in one map. */
export type OpcodeIndex = readonly (readonly DecodableRow[])[];

function indexOf(map: OpcodeMap): OpcodeIndex {
  const index: DecodableRow[][] = Array.from({ length: 256 }, () => []);
  for (const candidate of DECODABLE_ROWS) if (candidate.row.map === map) index[candidate.row.opcode].push(candidate);
  return index;
}

export const OPCODE_MAPS: Readonly<Record<OpcodeMap, OpcodeIndex>> = {
  '1': indexOf('1'),
  '0f': indexOf('0f'),
  '0f38': indexOf('0f38'),
  '0f3a': indexOf('0f3a'),
  vex0f: indexOf('vex0f'),
  vex0f38: indexOf('vex0f38'),
  vex0f3a: indexOf('vex0f3a'),
};

/** 1 for opcodes with a ModRM byte, by map (1, 0F, 0F 38, 0F 3A) × 256 + opcode. */
export const MAPS_WITH_MODRM: Uint8Array = Uint8Array.from(
  (['1', '0f', '0f38', '0f3a'] as const).flatMap((map) =>
    OPCODE_MAPS[map].map((candidates) => (candidates.some((candidate) => candidate.modRm) ? 1 : 0)),
  ),
);

export { operandBytes };
