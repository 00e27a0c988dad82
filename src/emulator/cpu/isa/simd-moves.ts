import { type Expr, i32, i64, v128 } from '../wasm/expr.ts';
import { type InstructionRow, type RowOptions, row, systemRow } from './row.ts';
import type { I32, Semantic, Semantics } from './semantics.ts';
import { interleave, lanesOf, onXmm } from './simd-integer.ts';
import {
  enterMmx,
  guardMmx,
  guardSse,
  high64,
  immediateByte,
  low32,
  low64,
  readVector,
  storeVector,
  type V128,
  withLow64,
  writeMmx,
  writeMmxInteger,
  writeXmm,
} from './vector.ts';

const NONE: RowOptions = { prefix: 0 };
const P66: RowOptions = { prefix: 0x66 };
const F3: RowOptions = { prefix: 0xf3 };
const F2: RowOptions = { prefix: 0xf2 };

const sse =
  (body: Semantic): Semantic =>
  (c) => {
    guardSse(c);
    body(c);
  };
const mmx =
  (body: Semantic): Semantic =>
  (c) => {
    guardMmx(c);
    body(c);
  };

const load = (aligned: boolean) =>
  sse((c) => {
    if (c.isMemory(1)) writeXmm(c, 0, readVector(c, 1, 16, aligned));
    else c.moveVector(0, 1);
  });
const store = (aligned: boolean) => sse((c) => storeVector(c, 0, readVector(c, 1), aligned));

/** Low dword or quadword of a register or memory; from memory the rest becomes 0, from a register it stays. */
const loadScalar = (bytes: 4 | 8): Semantic =>
  sse((c) => {
    const source = readVector(c, 1, bytes);
    if (c.isMemory(1)) return writeXmm(c, 0, source);
    const into = readVector(c, 0);
    writeXmm(c, 0, bytes === 8 ? withLow64(into, low64(source)) : v128.replace(0x1c, into, 0, low32(source)));
  });

const storeScalar = (bytes: 4 | 8): Semantic =>
  sse((c) => {
    if (c.isMemory(0)) {
      const number = bytes === 8 ? c.double(1) : c.single(1);
      const linear = c.let(c.linear());
      return c.storeWith(linear, bytes, (address) => c.b.store(bytes === 8 ? 0x39 : 0x38, address, number));
    }
    const source = readVector(c, 1, bytes);
    const value = c.let(bytes === 8 ? low64(source) : i64.extendI32U(low32(source)));
    const into = readVector(c, 0);
    writeXmm(c, 0, bytes === 8 ? withLow64(into, value) : v128.replace(0x1c, into, 0, i32.wrap(value)));
  });

/** MOVQ xmm, xmm/m64: the upper half becomes 0. */
const loadQuadword = sse((c) => writeXmm(c, 0, readVector(c, 1, 8)));
const storeQuadword = sse((c) => {
  if (c.isMemory(0)) {
    const value = c.double(1);
    c.storeWith(c.let(c.linear()), 8, (address) => c.b.storeF64(address, value));
  } else writeXmm(c, 0, readVector(c, 1, 8));
});

/** MOVLPS/MOVHPS and their register forms. */
const loadLow = sse((c) => {
  const value = c.isMemory(1) ? low64(readVector(c, 1, 8)) : high64(readVector(c, 1));
  const bound = c.let(value);
  writeXmm(c, 0, withLow64(readVector(c, 0), bound));
});
const loadHigh = sse((c) => {
  const value = c.let(low64(readVector(c, 1, 8)));
  writeXmm(c, 0, v128.replace(0x1e, readVector(c, 0), 1, value));
});
const storeHalf = (half: (value: V128) => Expr<'i64'>): Semantic =>
  sse((c) => c.store(c.let(c.linear()), 8, c.let(half(readVector(c, 1)))));

/** MOVD, MOVQ between general and vector registers; operand `y` is 4 or 8 bytes. */
const toXmm = sse((c) => {
  const value = c.let(c.get(1));
  writeXmm(c, 0, withLow64(v128.const(new Array(16).fill(0)), value));
});
const toMmx = mmx((c) => {
  const value = c.let(c.get(1));
  enterMmx(c);
  writeMmxInteger(c, 0, value);
});
const fromXmm = sse((c) => c.set(0, c.let(low64(readVector(c, 1)))));
const fromMmx = mmx((c) => {
  const value = c.let(low64(readVector(c, 1, 8)));
  const truncated = c.sizeOf(0) === 4 ? c.let(i64.and(value, i64.const(0xffff_ffff))) : value;
  c.set(0, truncated);
  enterMmx(c);
});

const loadMmx = mmx((c) => {
  const value = readVector(c, 1, 8);
  enterMmx(c);
  writeMmx(c, 0, value);
});
const storeMmx = mmx((c) => {
  const value = readVector(c, 1, 8);
  if (c.isMemory(0)) c.store(c.let(c.linear()), 8, c.let(low64(value)));
  enterMmx(c);
  if (!c.isMemory(0)) writeMmx(c, 0, value);
});
const xmmFromMmx: Semantic = (c) => {
  guardSse(c);
  guardMmx(c);
  const value = readVector(c, 1, 8);
  enterMmx(c);
  writeXmm(c, 0, value);
};
const mmxFromXmm: Semantic = (c) => {
  guardSse(c);
  guardMmx(c);
  const value = readVector(c, 1, 8);
  enterMmx(c);
  writeMmx(c, 0, value);
};

const signMask = (opcode: number): Semantic =>
  sse((c) => c.set(0, i64.extendI32U(v128.test(opcode, readVector(c, 1)))));

/** Two bits of an immediate at `position`, as the number of a lane. */
const field = (immediate: I32, position: number, mask = 3): I32 =>
  i32.and(i32.shrU(immediate, i32.const(position)), i32.const(mask));

/** Byte numbers for a swizzle that puts dword `lanes[k]` into place k. Built at run time: the interpreter knows the immediate only then. */
function dwordPlaces(c: Semantics, lanes: readonly I32[]): V128 {
  const zero = v128.const(new Array(16).fill(0));
  return c.let(
    lanes.reduce<V128>((places, number, index) => {
      // Bytes 4n, 4n + 1, 4n + 2, 4n + 3.
      const bytes = i32.add(i32.mul(number, i32.const(0x0404_0404)), i32.const(0x0302_0100));
      return v128.replace(0x1c, places, index, bytes);
    }, zero),
  );
}

function wordPlaces(c: Semantics, words: readonly (I32 | number)[]): V128 {
  const zero = v128.const(new Array(16).fill(0));
  return c.let(
    words.reduce<V128>((places, word, index) => {
      const number = typeof word === 'number' ? i32.const(word) : word;
      const bytes = i32.add(i32.mul(number, i32.const(0x0202)), i32.const(0x0100));
      return v128.replace(0x1a, places, index, bytes);
    }, zero),
  );
}

const swizzle = (value: V128, places: V128): V128 => v128.binary(0x0e, value, places);

const shuffleDwords = sse((c) => {
  const source = readVector(c, 1);
  const immediate = c.let(immediateByte(c));
  const lanes = [0, 2, 4, 6].map((position) => field(immediate, position));
  writeXmm(c, 0, swizzle(source, dwordPlaces(c, lanes)));
});

const shuffleWords = (high: boolean): Semantic =>
  sse((c) => {
    const source = readVector(c, 1);
    const immediate = c.let(immediateByte(c));
    const chosen = [0, 2, 4, 6].map((position) => {
      const lane = field(immediate, position);
      return high ? i32.add(lane, i32.const(4)) : lane;
    });
    writeXmm(c, 0, swizzle(source, wordPlaces(c, high ? [0, 1, 2, 3, ...chosen] : [...chosen, 4, 5, 6, 7])));
  });

const shuffleMmx = mmx((c) => {
  const source = readVector(c, 1, 8);
  const immediate = c.let(immediateByte(c));
  const chosen = [0, 2, 4, 6].map((position) => field(immediate, position));
  const result = c.let(swizzle(source, wordPlaces(c, chosen)));
  enterMmx(c);
  writeMmx(c, 0, result);
});

/** SHUFPS: two lanes of the destination, two of the source. */
const shuffleSingles = sse((c) => {
  const b = readVector(c, 1);
  const a = readVector(c, 0);
  const immediate = c.let(immediateByte(c));
  const lanes = [0, 2, 4, 6].map((position) => field(immediate, position));
  const places = dwordPlaces(c, lanes);
  writeXmm(c, 0, v128.shuffle(swizzle(a, places), swizzle(b, places), lanesOf(8, 0, 3)));
});

const shuffleDoubles = sse((c) => {
  const b = readVector(c, 1);
  const a = readVector(c, 0);
  const immediate = c.let(immediateByte(c));
  const pair = (lane: I32): readonly I32[] => [
    i32.shl(lane, i32.const(1)),
    i32.add(i32.shl(lane, i32.const(1)), i32.const(1)),
  ];
  const lanes = [...pair(field(immediate, 0, 1)), ...pair(field(immediate, 1, 1))];
  const places = dwordPlaces(c, lanes);
  writeXmm(c, 0, v128.shuffle(swizzle(a, places), swizzle(b, places), lanesOf(8, 0, 3)));
});

/** PINSRW writes one word in place; the immediate counts modulo the words. */
const insertWord =
  (words: 4 | 8): Semantic =>
  (c) => {
    if (words === 4) guardMmx(c);
    else guardSse(c);
    const value = c.let(c.get(1));
    const place = i32.shl(i32.and(immediateByte(c), i32.const(words - 1)), i32.const(1));
    if (words === 4) {
      enterMmx(c);
      const address = c.let(c.vectorAddress(0));
      c.b.store(0x3b, address, i32.const(0xffff), 8);
    }
    c.b.storeSized(2, i32.add(c.vectorAddress(0), place), value);
  };

const extractWord =
  (words: 4 | 8): Semantic =>
  (c) => {
    if (words === 4) guardMmx(c);
    else guardSse(c);
    const place = i32.shl(i32.and(immediateByte(c), i32.const(words - 1)), i32.const(1));
    const value = c.let(i64.load16u(i32.add(c.vectorAddress(1), place)));
    if (words === 4) enterMmx(c);
    c.set(0, value);
  };

export { dwordPlaces, field, swizzle, wordPlaces };

const move = (opcode: number, name: string, options: RowOptions, aligned: boolean): InstructionRow[] => [
  row('0f', opcode, name, ['Vdq', 'Wdq'], load(aligned), options),
  row('0f', opcode === 0x6f ? 0x7f : opcode + 1, name, ['Wdq', 'Vdq'], store(aligned), options),
];

/** Data transfers and shuffles of SSE and SSE2, and their MMX companions. */
export const SIMD_MOVE_ROWS: readonly InstructionRow[] = [
  ...move(0x10, 'MOVUPS', NONE, false),
  ...move(0x10, 'MOVUPD', P66, false),
  ...move(0x28, 'MOVAPS', NONE, true),
  ...move(0x28, 'MOVAPD', P66, true),
  ...move(0x6f, 'MOVDQA', P66, true),
  ...move(0x6f, 'MOVDQU', F3, false),
  row('0f', 0x10, 'MOVSS', ['Vdq', 'Wd'], loadScalar(4), F3),
  row('0f', 0x11, 'MOVSS', ['Wd', 'Vdq'], storeScalar(4), F3),
  row('0f', 0x10, 'MOVSD', ['Vdq', 'Wq'], loadScalar(8), F2),
  row('0f', 0x11, 'MOVSD', ['Wq', 'Vdq'], storeScalar(8), F2),
  row('0f', 0x12, 'MOVLPS', ['Vdq', 'Wq'], loadLow, NONE),
  row('0f', 0x12, 'MOVLPD', ['Vdq', 'Wq'], loadLow, { ...P66, only: 'mem' }),
  row('0f', 0x13, 'MOVLPS', ['Mq', 'Vdq'], storeHalf(low64), { ...NONE, only: 'mem' }),
  row('0f', 0x13, 'MOVLPD', ['Mq', 'Vdq'], storeHalf(low64), { ...P66, only: 'mem' }),
  row('0f', 0x16, 'MOVHPS', ['Vdq', 'Wq'], loadHigh, NONE),
  row('0f', 0x16, 'MOVHPD', ['Vdq', 'Wq'], loadHigh, { ...P66, only: 'mem' }),
  row('0f', 0x17, 'MOVHPS', ['Mq', 'Vdq'], storeHalf(high64), { ...NONE, only: 'mem' }),
  row('0f', 0x17, 'MOVHPD', ['Mq', 'Vdq'], storeHalf(high64), { ...P66, only: 'mem' }),
  row('0f', 0x2b, 'MOVNTPS', ['Wdq', 'Vdq'], store(true), { ...NONE, only: 'mem' }),
  row('0f', 0x2b, 'MOVNTPD', ['Wdq', 'Vdq'], store(true), { ...P66, only: 'mem' }),
  row('0f', 0xe7, 'MOVNTDQ', ['Wdq', 'Vdq'], store(true), { ...P66, only: 'mem' }),
  row('0f', 0xe7, 'MOVNTQ', ['Qq', 'Pq'], storeMmx, { ...NONE, only: 'mem' }),
  row('0f', 0x50, 'MOVMSKPS', ['Gd', 'Udq'], signMask(0xa4), { ...NONE, only: 'reg' }),
  row('0f', 0x50, 'MOVMSKPD', ['Gd', 'Udq'], signMask(0xc4), { ...P66, only: 'reg' }),
  row('0f', 0x6e, 'MOVD', ['Vdq', 'Ey'], toXmm, P66),
  row('0f', 0x6e, 'MOVD', ['Pq', 'Ey'], toMmx, NONE),
  row('0f', 0x7e, 'MOVD', ['Ey', 'Vdq'], fromXmm, P66),
  row('0f', 0x7e, 'MOVD', ['Ey', 'Pq'], fromMmx, NONE),
  row('0f', 0x7e, 'MOVQ', ['Vdq', 'Wq'], loadQuadword, F3),
  row('0f', 0xd6, 'MOVQ', ['Wq', 'Vdq'], storeQuadword, P66),
  row('0f', 0x6f, 'MOVQ', ['Pq', 'Qq'], loadMmx, NONE),
  row('0f', 0x7f, 'MOVQ', ['Qq', 'Pq'], storeMmx, NONE),
  row('0f', 0xd6, 'MOVQ2DQ', ['Vdq', 'Nq'], xmmFromMmx, { ...F3, only: 'reg' }),
  row('0f', 0xd6, 'MOVDQ2Q', ['Pq', 'Udq'], mmxFromXmm, { ...F2, only: 'reg' }),
  row('0f', 0x14, 'UNPCKLPS', ['Vdq', 'Wdq'], onXmm(interleave(4, 0, 2)), NONE),
  row('0f', 0x14, 'UNPCKLPD', ['Vdq', 'Wdq'], onXmm(interleave(8, 0, 1)), P66),
  row('0f', 0x15, 'UNPCKHPS', ['Vdq', 'Wdq'], onXmm(interleave(4, 2, 2)), NONE),
  row('0f', 0x15, 'UNPCKHPD', ['Vdq', 'Wdq'], onXmm(interleave(8, 1, 1)), P66),
  row('0f', 0x70, 'PSHUFD', ['Vdq', 'Wdq', 'Ib'], shuffleDwords, P66),
  row('0f', 0x70, 'PSHUFHW', ['Vdq', 'Wdq', 'Ib'], shuffleWords(true), F3),
  row('0f', 0x70, 'PSHUFLW', ['Vdq', 'Wdq', 'Ib'], shuffleWords(false), F2),
  row('0f', 0x70, 'PSHUFW', ['Pq', 'Qq', 'Ib'], shuffleMmx, NONE),
  row('0f', 0xc6, 'SHUFPS', ['Vdq', 'Wdq', 'Ib'], shuffleSingles, NONE),
  row('0f', 0xc6, 'SHUFPD', ['Vdq', 'Wdq', 'Ib'], shuffleDoubles, P66),
  row('0f', 0xc4, 'PINSRW', ['Vdq', 'Ew', 'Ib'], insertWord(8), P66),
  row('0f', 0xc4, 'PINSRW', ['Pq', 'Ew', 'Ib'], insertWord(4), NONE),
  row('0f', 0xc5, 'PEXTRW', ['Gd', 'Udq', 'Ib'], extractWord(8), { ...P66, only: 'reg' }),
  row('0f', 0xc5, 'PEXTRW', ['Gd', 'Nq', 'Ib'], extractWord(4), { ...NONE, only: 'reg' }),
  systemRow('0f', 0xf7, 'MASKMOVDQU', ['Vdq', 'Udq'], { ...P66, only: 'reg', ends: false }),
  systemRow('0f', 0xf7, 'MASKMOVQ', ['Pq', 'Nq'], { ...NONE, only: 'reg', ends: false }),
  // Logic does not care for lanes.
  ...([NONE, P66] as const).flatMap((options) => {
    const suffix = options === NONE ? 'PS' : 'PD';
    return [
      row(
        '0f',
        0x54,
        `AND${suffix}`,
        ['Vdq', 'Wdq'],
        onXmm((_, a, b) => v128.and(a, b)),
        options,
      ),
      row(
        '0f',
        0x55,
        `ANDN${suffix}`,
        ['Vdq', 'Wdq'],
        onXmm((_, a, b) => v128.andNot(b, a)),
        options,
      ),
      row(
        '0f',
        0x56,
        `OR${suffix}`,
        ['Vdq', 'Wdq'],
        onXmm((_, a, b) => v128.or(a, b)),
        options,
      ),
      row(
        '0f',
        0x57,
        `XOR${suffix}`,
        ['Vdq', 'Wdq'],
        onXmm((_, a, b) => v128.xor(a, b)),
        options,
      ),
    ];
  }),
];
