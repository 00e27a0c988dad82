import { type Expr, i32, i64, select, v128 } from '../wasm/expr.ts';
import { type InstructionRow, type OpcodeMap, type RowOptions, row } from './row.ts';
import type { I32, I64, Semantic, Semantics } from './semantics.ts';
import {
  enterMmx,
  guardMmx,
  guardSse,
  immediateByte,
  low64,
  readVector,
  type V128,
  type VectorBytes,
  writeMmx,
  writeXmm,
} from './vector.ts';

export { both, joined, lanes, type Operation, onMmx, TWINS, type Twin, twinRowsOf };

/** A lane operation; the upper half is 0 on MMX and does not matter afterwards. */
type Operation = (c: Semantics, a: V128, b: V128) => V128;

const lanes =
  (opcode: number): Operation =>
  (_, a, b) =>
    v128.binary(opcode, a, b);
const shuffled =
  (...bytes: number[]): Operation =>
  (_, a, b) =>
    v128.shuffle(a, b, bytes);

/** Byte numbers of a shuffle given in lanes of `bytes`; lanes of the second operand follow those of the first. */
function lanesOf(bytes: number, ...list: number[]): number[] {
  const all = list.flatMap((lane) => Array.from({ length: bytes }, (_, index) => lane * bytes + index));
  return [...all, ...Array.from({ length: 16 - all.length }, () => 0)];
}

/** Interleaves lanes `first`… of both operands. */
function interleave(bytes: number, first: number, count: number): Operation {
  const lane = 16 / bytes;
  return shuffled(
    ...lanesOf(
      bytes,
      ...Array.from({ length: count * 2 }, (_, index) => first + (index >> 1) + (index & 1 ? lane : 0)),
    ),
  );
}

/** Both MMX operands in one vector: a low, b high. */
const joined = (a: V128, b: V128): V128 => v128.shuffle(a, b, lanesOf(8, 0, 2));

interface Twin {
  readonly xmm: Operation;
  readonly mmx: Operation;
  /** Bytes of an MMX memory operand, when not 8. */
  readonly mmxBytes?: VectorBytes;
}
const both = (operation: Operation): Twin => ({ xmm: operation, mmx: operation });

const low = (bytes: number): Twin => ({
  xmm: interleave(bytes, 0, 8 / bytes),
  mmx: interleave(bytes, 0, 4 / bytes),
  mmxBytes: 4,
});
const high = (bytes: number): Twin => ({
  xmm: interleave(bytes, 8 / bytes, 8 / bytes),
  mmx: interleave(bytes, 4 / bytes, 4 / bytes),
});
const pack = (opcode: number): Twin => ({
  xmm: lanes(opcode),
  mmx: (c, a, b) => {
    const source = c.let(joined(a, b));
    return v128.binary(opcode, source, source);
  },
});

/** High halves of 16-bit products; `extend` is the opcode of the low extended multiply, the high one follows it. */
const multiplyHigh =
  (extend: number): Operation =>
  (_, a, b) =>
    v128.shuffle(v128.binary(extend, a, b), v128.binary(extend + 1, a, b), lanesOf(2, 1, 3, 5, 7, 9, 11, 13, 15));

const evenDwords = (a: V128): V128 => v128.shuffle(a, a, lanesOf(4, 0, 2, 0, 2));
const multiplyDwords: Operation = (_, a, b) => v128.binary(0xde, evenDwords(a), evenDwords(b));

const sumOfDifferences: Operation = (c, a, b) => {
  const difference = v128.binary(0x71, v128.binary(0x79, a, b), v128.binary(0x77, a, b));
  // Bytes to words, words to dwords, pairs of dwords: the sums fit 16 bits.
  const sums = c.let(v128.unary(0x7f, v128.unary(0x7d, difference)));
  const odd = v128.shift(0xcd, sums, i32.const(32));
  return v128.and(
    v128.binary(0xae, sums, odd),
    v128.const([0xff, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0]),
  );
};

/** Shift by a count that may exceed the width: zeros, or the sign for arithmetic shifts. */
function shift(c: Semantics, opcode: number, bits: number, arithmetic: boolean, a: V128, count: I64): V128 {
  const n = c.let(count);
  if (arithmetic) {
    const capped = select(i64.gtU(n, i64.const(bits - 1)), i64.const(bits - 1), n);
    return v128.shift(opcode, a, i32.wrap(capped));
  }
  const zero = v128.const(new Array(16).fill(0));
  return select(i64.gtU(n, i64.const(bits - 1)), zero, v128.shift(opcode, a, i32.wrap(n)));
}

const shiftBy = (opcode: number, bits: number, arithmetic = false): Twin =>
  both((c, a, b) => shift(c, opcode, bits, arithmetic, a, low64(b)));

/** 0F xx on MMX, 66 0F xx on XMM. */
const TWINS: readonly (readonly [number, string, Twin])[] = [
  [0x60, 'PUNPCKLBW', low(1)],
  [0x61, 'PUNPCKLWD', low(2)],
  [0x62, 'PUNPCKLDQ', low(4)],
  [0x63, 'PACKSSWB', pack(0x65)],
  [0x64, 'PCMPGTB', both(lanes(0x27))],
  [0x65, 'PCMPGTW', both(lanes(0x31))],
  [0x66, 'PCMPGTD', both(lanes(0x3b))],
  [0x67, 'PACKUSWB', pack(0x66)],
  [0x68, 'PUNPCKHBW', high(1)],
  [0x69, 'PUNPCKHWD', high(2)],
  [0x6a, 'PUNPCKHDQ', high(4)],
  [0x6b, 'PACKSSDW', pack(0x85)],
  [0x74, 'PCMPEQB', both(lanes(0x23))],
  [0x75, 'PCMPEQW', both(lanes(0x2d))],
  [0x76, 'PCMPEQD', both(lanes(0x37))],
  [0xd1, 'PSRLW', shiftBy(0x8d, 16)],
  [0xd2, 'PSRLD', shiftBy(0xad, 32)],
  [0xd3, 'PSRLQ', shiftBy(0xcd, 64)],
  [0xd4, 'PADDQ', both(lanes(0xce))],
  [0xd5, 'PMULLW', both(lanes(0x95))],
  [0xd8, 'PSUBUSB', both(lanes(0x73))],
  [0xd9, 'PSUBUSW', both(lanes(0x93))],
  [0xda, 'PMINUB', both(lanes(0x77))],
  [0xdb, 'PAND', both((_, a, b) => v128.and(a, b))],
  [0xdc, 'PADDUSB', both(lanes(0x70))],
  [0xdd, 'PADDUSW', both(lanes(0x90))],
  [0xde, 'PMAXUB', both(lanes(0x79))],
  [0xdf, 'PANDN', both((_, a, b) => v128.andNot(b, a))],
  [0xe0, 'PAVGB', both(lanes(0x7b))],
  [0xe1, 'PSRAW', shiftBy(0x8c, 16, true)],
  [0xe2, 'PSRAD', shiftBy(0xac, 32, true)],
  [0xe3, 'PAVGW', both(lanes(0x9b))],
  [0xe4, 'PMULHUW', both(multiplyHigh(0xbe))],
  [0xe5, 'PMULHW', both(multiplyHigh(0xbc))],
  [0xe8, 'PSUBSB', both(lanes(0x72))],
  [0xe9, 'PSUBSW', both(lanes(0x92))],
  [0xea, 'PMINSW', both(lanes(0x96))],
  [0xeb, 'POR', both((_, a, b) => v128.or(a, b))],
  [0xec, 'PADDSB', both(lanes(0x6f))],
  [0xed, 'PADDSW', both(lanes(0x8f))],
  [0xee, 'PMAXSW', both(lanes(0x98))],
  [0xef, 'PXOR', both((_, a, b) => v128.xor(a, b))],
  [0xf1, 'PSLLW', shiftBy(0x8b, 16)],
  [0xf2, 'PSLLD', shiftBy(0xab, 32)],
  [0xf3, 'PSLLQ', shiftBy(0xcb, 64)],
  [0xf4, 'PMULUDQ', both(multiplyDwords)],
  [0xf5, 'PMADDWD', both(lanes(0xba))],
  [0xf6, 'PSADBW', both(sumOfDifferences)],
  [0xf8, 'PSUBB', both(lanes(0x71))],
  [0xf9, 'PSUBW', both(lanes(0x91))],
  [0xfa, 'PSUBD', both(lanes(0xb1))],
  [0xfb, 'PSUBQ', both(lanes(0xd1))],
  [0xfc, 'PADDB', both(lanes(0x6e))],
  [0xfd, 'PADDW', both(lanes(0x8e))],
  [0xfe, 'PADDD', both(lanes(0xae))],
];

export const onXmm =
  (operation: Operation): Semantic =>
  (c) => {
    guardSse(c);
    const b = readVector(c, 1);
    writeXmm(c, 0, operation(c, readVector(c, 0), b));
  };

const onMmx =
  (operation: Operation, bytes: VectorBytes = 8): Semantic =>
  (c) => {
    guardMmx(c);
    const b = readVector(c, 1, c.isMemory(1) ? bytes : 8);
    const result = c.let(operation(c, readVector(c, 0, 8), b));
    enterMmx(c);
    writeMmx(c, 0, result);
  };

const XMM: RowOptions = { prefix: 0x66 };
const MMX: RowOptions = { prefix: 0 };

/** MMX and XMM rows of a list of twins. */
function twinRowsOf(
  map: OpcodeMap,
  list: readonly (readonly [number, string, Twin])[],
  more: RowOptions = {},
): InstructionRow[] {
  return list.flatMap(([opcode, name, twin]) => [
    row(map, opcode, name, ['Vdq', 'Wdq'], onXmm(twin.xmm), { ...XMM, ...more }),
    row(map, opcode, name, ['Pq', 'Qq'], onMmx(twin.mmx, twin.mmxBytes), { ...MMX, ...more }),
  ]);
}

/** Shifts by an immediate: 0F 71–73 with ModRM.reg as the operation. */
function immediateShiftRows(): InstructionRow[] {
  const list = [
    [0x71, 2, 'PSRLW', 0x8d, 16, false],
    [0x71, 4, 'PSRAW', 0x8c, 16, true],
    [0x71, 6, 'PSLLW', 0x8b, 16, false],
    [0x72, 2, 'PSRLD', 0xad, 32, false],
    [0x72, 4, 'PSRAD', 0xac, 32, true],
    [0x72, 6, 'PSLLD', 0xab, 32, false],
    [0x73, 2, 'PSRLQ', 0xcd, 64, false],
    [0x73, 6, 'PSLLQ', 0xcb, 64, false],
  ] as const;
  const count = (c: Semantics) => i64.extendI32U(immediateByte(c));
  return list.flatMap(([opcode, group, name, operation, bits, arithmetic]) => [
    row(
      '0f',
      opcode,
      name,
      ['Udq', 'Ib'],
      (c) => {
        guardSse(c);
        writeXmm(c, 0, shift(c, operation, bits, arithmetic, readVector(c, 0), count(c)));
      },
      { ...XMM, group, only: 'reg' },
    ),
    row(
      '0f',
      opcode,
      name,
      ['Nq', 'Ib'],
      (c) => {
        guardMmx(c);
        const result = c.let(shift(c, operation, bits, arithmetic, readVector(c, 0, 8), count(c)));
        enterMmx(c);
        writeMmx(c, 0, result);
      },
      { ...MMX, group, only: 'reg' },
    ),
  ]);
}

const BYTE_NUMBERS = Array.from({ length: 16 }, (_, index) => index);

/** PSRLDQ, PSLLDQ: bytes by position; a swizzle gives 0 for numbers beyond 15. */
const byteShift =
  (left: boolean): Semantic =>
  (c) => {
    guardSse(c);
    const n = c.let(immediateByte(c));
    const count: I32 = select(i32.gtU(n, i32.const(16)), i32.const(16), n);
    const places = v128.binary(left ? 0x71 : 0x6e, v128.const(BYTE_NUMBERS), v128.splat(0x0f, count));
    writeXmm(c, 0, v128.binary(0x0e, readVector(c, 0), places));
  };

/** PMOVMSKB. */
const byteMask =
  (mmx: boolean): Semantic =>
  (c) => {
    if (mmx) guardMmx(c);
    else guardSse(c);
    const mask: Expr<'i32'> = v128.test(0x64, readVector(c, 1, mmx ? 8 : 16));
    if (mmx) enterMmx(c);
    c.set(0, i64.extendI32U(mask));
  };

/** Integer instructions on MMX and XMM registers (SDM vol. 1 §9.4, §11.4.2). */
export const SIMD_INTEGER_ROWS: readonly InstructionRow[] = [
  ...twinRowsOf('0f', TWINS),
  ...immediateShiftRows(),
  row('0f', 0x73, 'PSRLDQ', ['Udq', 'Ib'], byteShift(false), { ...XMM, group: 3, only: 'reg' }),
  row('0f', 0x73, 'PSLLDQ', ['Udq', 'Ib'], byteShift(true), { ...XMM, group: 7, only: 'reg' }),
  row('0f', 0x6c, 'PUNPCKLQDQ', ['Vdq', 'Wdq'], onXmm(interleave(8, 0, 1)), XMM),
  row('0f', 0x6d, 'PUNPCKHQDQ', ['Vdq', 'Wdq'], onXmm(interleave(8, 1, 1)), XMM),
  row('0f', 0xd7, 'PMOVMSKB', ['Gd', 'Udq'], byteMask(false), { ...XMM, only: 'reg' }),
  row('0f', 0xd7, 'PMOVMSKB', ['Gd', 'Nq'], byteMask(true), { ...MMX, only: 'reg' }),
];

export { interleave, lanesOf };
