import { i32, v128 } from '../wasm/expr.ts';
import { type InstructionRow, row } from './row.ts';
import type { I32, Semantics } from './semantics.ts';
import { both, joined, lanes, lanesOf, type Operation, type Twin, twinRowsOf } from './simd-integer.ts';
import { enterMmx, guardMmx, guardSse, immediateByte, readVector, type V128, writeMmx, writeXmm } from './vector.ts';

const FEATURE = { feature: 'ssse3' } as const;
const ZERO = v128.const(new Array(16).fill(0));
const BYTE_NUMBERS = v128.const(Array.from({ length: 16 }, (_, index) => index));
const bytes = (value: number): V128 => v128.const(new Array(16).fill(value));
const words = (value: number): V128 => v128.const(new Array(8).fill([value & 0xff, value >> 8]).flat());

/** Sums or differences of neighbours; `size` bytes a lane. */
const horizontal = (opcode: number, size: 2 | 4): Twin => {
  const count = 16 / size;
  const pick = (first: number) => lanesOf(size, ...Array.from({ length: count }, (_, index) => first + index * 2));
  const xmm: Operation = (_, a, b) => v128.binary(opcode, v128.shuffle(a, b, pick(0)), v128.shuffle(a, b, pick(1)));
  return {
    xmm,
    mmx: (c, a, b) => {
      const source = c.let(joined(a, b));
      return xmm(c, source, source);
    },
  };
};

/** PMADDUBSW: unsigned bytes of a times signed ones of b; neighbours added with saturation. */
const multiplyAddBytes: Operation = (c, a, b) => {
  const low = c.let(v128.binary(0x95, v128.unary(0x89, a), v128.unary(0x87, b)));
  const high = c.let(v128.binary(0x95, v128.unary(0x8a, a), v128.unary(0x88, b)));
  return v128.binary(
    0x8f,
    v128.shuffle(low, high, lanesOf(2, 0, 2, 4, 6, 8, 10, 12, 14)),
    v128.shuffle(low, high, lanesOf(2, 1, 3, 5, 7, 9, 11, 13, 15)),
  );
};

/** PMULHRSW: the host saturates −1 × −1, the instruction wraps. */
const multiplyRound: Operation = (_, a, b) => {
  const minimum = words(0x8000);
  const wraps = v128.and(v128.binary(0x2d, a, minimum), v128.binary(0x2d, b, minimum));
  return v128.xor(v128.binary(0x82, a, b), wraps);
};

/** PSIGN: a negated, kept or cleared by the sign of b. */
const sign = (size: 1 | 2 | 4): Operation => {
  const [shift, subtract, equal] = { 1: [0x6c, 0x71, 0x23], 2: [0x8c, 0x91, 0x2d], 4: [0xac, 0xb1, 0x37] }[size];
  return (c, a, b) => {
    const mask = c.let(v128.shift(shift, b, i32.const(size * 8 - 1)));
    return v128.andNot(v128.binary(subtract, v128.xor(a, mask), mask), v128.binary(equal, b, ZERO));
  };
};

const absolute =
  (opcode: number): Operation =>
  (_, _a, b) =>
    v128.unary(opcode, b);
const shuffleBytes =
  (mask: number): Operation =>
  (_, a, b) =>
    v128.binary(0x0e, a, v128.and(b, bytes(mask)));

/** 0F 38 xx on MMX, 66 0F 38 xx on XMM. */
export const SSSE3_TWINS: readonly (readonly [number, string, Twin])[] = [
  [0x00, 'PSHUFB', { xmm: shuffleBytes(0x8f), mmx: shuffleBytes(0x87) }],
  [0x01, 'PHADDW', horizontal(0x8e, 2)],
  [0x02, 'PHADDD', horizontal(0xae, 4)],
  [0x03, 'PHADDSW', horizontal(0x8f, 2)],
  [0x04, 'PMADDUBSW', both(multiplyAddBytes)],
  [0x05, 'PHSUBW', horizontal(0x91, 2)],
  [0x06, 'PHSUBD', horizontal(0xb1, 4)],
  [0x07, 'PHSUBSW', horizontal(0x92, 2)],
  [0x08, 'PSIGNB', both(sign(1))],
  [0x09, 'PSIGNW', both(sign(2))],
  [0x0a, 'PSIGND', both(sign(4))],
  [0x0b, 'PMULHRSW', both(multiplyRound)],
  [0x1c, 'PABSB', both(absolute(0x60))],
  [0x1d, 'PABSW', both(absolute(0x80))],
  [0x1e, 'PABSD', both(absolute(0xa0))],
];

/** Bytes of high:low from `count` on; places beyond both are 0. */
function align(c: Semantics, high: V128, low: V128, count: I32): V128 {
  const places = c.let(v128.binary(0x70, BYTE_NUMBERS, v128.splat(0x0f, count)));
  return v128.or(v128.binary(0x0e, low, places), v128.binary(0x0e, high, v128.binary(0x71, places, bytes(16))));
}

/** PALIGNR on XMM registers. */
export const alignRight = (c: Semantics): void => {
  guardSse(c);
  const b = readVector(c, 1);
  const a = readVector(c, 0);
  writeXmm(c, 0, align(c, a, b, immediateByte(c)));
};

/** SSSE3 (SDM vol. 1 §12.6). */
export const SSSE3_ROWS: readonly InstructionRow[] = [
  ...twinRowsOf('0f38', SSSE3_TWINS, FEATURE),
  row('0f3a', 0x0f, 'PALIGNR', ['Vdq', 'Wdq', 'Ib'], alignRight, { prefix: 0x66, ...FEATURE }),
  row(
    '0f3a',
    0x0f,
    'PALIGNR',
    ['Pq', 'Qq', 'Ib'],
    (c) => {
      guardMmx(c);
      const b = readVector(c, 1, 8);
      const source = c.let(joined(b, readVector(c, 0, 8)));
      const result = c.let(align(c, ZERO, source, immediateByte(c)));
      enterMmx(c);
      writeMmx(c, 0, result);
    },
    { prefix: 0, ...FEATURE },
  ),
];

export { absolute, bytes, lanes, words, ZERO };
