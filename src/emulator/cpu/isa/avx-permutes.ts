import type { VectorOperation } from '../simd/vector-operations.ts';
import { i32, i64, select, v128 } from '../wasm/expr.ts';
import { avx } from './avx-moves.ts';
import { type InstructionRow, type RowOptions, row, systemRow } from './row.ts';
import type { I32, Semantic, Semantics } from './semantics.ts';
import { SIMD_MOVE_ROWS } from './simd-moves.ts';
import { callVector, choose, immediateMask } from './simd-sse4.ts';
import { ZERO } from './simd-ssse3.ts';
import { immediateByte, readVector, type V128, writeXmm } from './vector.ts';
import { type VexShape, vex, vexAddress, writeVex } from './vex.ts';

const AVX: RowOptions = { prefix: 0x66, feature: 'avx', vexW: 0 };
const AVX2: RowOptions = { prefix: 0x66, feature: 'avx2' };

const BOTH = [16, 32] as const;
const suffix = (bytes: 16 | 32): string => (bytes === 32 ? 'qq' : 'dq');
const length = (bytes: 16 | 32) => (bytes === 32 ? 1 : 0);

/** One element everywhere. */
const broadcast = (element: 1 | 2 | 4 | 8, bytes: 16 | 32): Semantic =>
  avx((c) => {
    const address = vexAddress(c, 1, element);
    const value = {
      1: () => v128.splat(0x0f, i32.load8u(address)),
      2: () => v128.splat(0x10, i32.load16u(address)),
      4: () => v128.splat(0x11, i32.load(address)),
      8: () => v128.splat(0x12, i64.load(address)),
    }[element]();
    const all = c.let(value);
    writeVex(c, 0, all, bytes === 32 ? all : ZERO);
  });

const ELEMENT_CODES = { 1: 'b', 2: 'w', 4: 'd', 8: 'q' } as const;

function broadcastRows(): InstructionRow[] {
  const rows: InstructionRow[] = [];
  const add = (opcode: number, name: string, element: 1 | 2 | 4 | 8, bytes: 16 | 32, options: RowOptions) =>
    rows.push(
      row('vex0f38', opcode, name, [`V${suffix(bytes)}`, `W${ELEMENT_CODES[element]}`], broadcast(element, bytes), {
        ...options,
        vexL: length(bytes),
        vexW: 0,
      }),
    );
  for (const bytes of BOTH) {
    add(0x58, 'VPBROADCASTD', 4, bytes, AVX2);
    add(0x59, 'VPBROADCASTQ', 8, bytes, AVX2);
    add(0x78, 'VPBROADCASTB', 1, bytes, AVX2);
    add(0x79, 'VPBROADCASTW', 2, bytes, AVX2);
    add(0x18, 'VBROADCASTSS', 4, bytes, { ...AVX, only: 'mem' });
    add(0x18, 'VBROADCASTSS', 4, bytes, { ...AVX2, only: 'reg' });
  }
  add(0x19, 'VBROADCASTSD', 8, 32, { ...AVX, only: 'mem' });
  add(0x19, 'VBROADCASTSD', 8, 32, { ...AVX2, only: 'reg' });
  for (const [opcode, name, options] of [
    [0x1a, 'VBROADCASTF128', AVX],
    [0x5a, 'VBROADCASTI128', AVX2],
  ] as const) {
    const semantic = avx((c) => {
      const value = c.let(v128.load(vexAddress(c, 1, 16)));
      writeVex(c, 0, value, value);
    });
    rows.push(row('vex0f38', opcode, name, ['Vqq', 'Wdq'], semantic, { ...options, only: 'mem', vexL: 1, vexW: 0 }));
  }
  return rows;
}

/** The immediate's bit 0. */
const upper = (c: Semantics): I32 => i32.and(immediateByte(c), i32.const(1));

const insertHalf: Semantic = avx((c) => {
  const value = c.let(c.isMemory(2) ? v128.load(vexAddress(c, 2, 16)) : c.vector(2));
  const high = c.let(upper(c));
  const low = c.let(select(high, c.vector(1), value));
  writeVex(c, 0, low, c.let(select(high, value, c.highVector(1))));
});

const extractHalf: Semantic = avx((c) => {
  const value = c.let(select(upper(c), c.highVector(1), c.vector(1)));
  if (!c.isMemory(0)) return writeVex(c, 0, value);
  c.storeWith(c.let(c.linear(true)), 16, (address) => c.b.storeV128(address, value));
});

/** A vector operation in TypeScript on the view; `control` is added to the immediate. */
const byHelper = (operation: VectorOperation, shape: VexShape, control = 0): Semantic =>
  vex(
    (c) =>
      callVector(c, operation, c.vectorAddress(0), c.vectorAddress(1), i32.or(immediateByte(c), i32.const(control))),
    shape,
  );

const three = (bytes: 16 | 32): VexShape => ({
  destination: 0,
  first: 1,
  source: 2,
  sourceBytes: bytes,
  wide: bytes === 32,
  shifted: true,
});
const halves = (bytes: 16 | 32): VexShape => ({ ...three(bytes), runs: bytes === 32 ? 2 : 1 });

/** VPERMILPS, VPERMILPD by a vector: byte places from its low bits. */
const permuteSingles: Semantic = (c) => {
  const control = v128.and(readVector(c, 1), v128.const(new Array(4).fill([3, 0, 0, 0]).flat()));
  const places = v128.binary(0xb5, control, v128.const(new Array(16).fill(4)));
  const bytes = v128.const(new Array(4).fill([0, 1, 2, 3]).flat());
  writeXmm(c, 0, v128.binary(0x0e, readVector(c, 0), v128.binary(0xae, places, bytes)));
};
const permuteDoubles: Semantic = (c) => {
  const control = v128.and(
    v128.shift(0xcd, readVector(c, 1), i32.const(1)),
    v128.const([1, ...ZEROS_7, 1, ...ZEROS_7]),
  );
  const places = v128.binary(0xd5, control, v128.const(new Array(16).fill(8)));
  const bytes = v128.const([0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7]);
  writeXmm(c, 0, v128.binary(0x0e, readVector(c, 0), v128.binary(0xce, places, bytes)));
};
const ZEROS_7 = [0, 0, 0, 0, 0, 0, 0];

const legacy = (opcode: number, prefix: number): Semantic => {
  const found = SIMD_MOVE_ROWS.find((entry) => entry.opcode === opcode && entry.options.prefix === prefix);
  if (found === undefined) throw new Error(`no SSE row ${opcode.toString(16)}`);
  return found.semantic;
};

const blendDwords: Semantic = (c) => {
  const b = readVector(c, 1);
  const mask: V128 = immediateMask(c, 4, immediateByte(c));
  writeXmm(c, 0, choose(mask, readVector(c, 0), b));
};

const WIDE = 0x200;
const QWORDS = 0x100;

function lengthRows(bytes: 16 | 32): InstructionRow[] {
  const s = suffix(bytes);
  const vexL = length(bytes);
  const wide = bytes === 32 ? WIDE : 0;
  const operands = [`V${s}`, `H${s}`, `W${s}`];
  const single = { ...AVX, vexL } as const;
  const variable = (opcode: number, name: string, operation: VectorOperation, w: 0 | 1) =>
    row('vex0f38', opcode, name, operands, byHelper(operation, three(bytes), wide | (w === 1 ? QWORDS : 0)), {
      ...AVX2,
      vexL,
      vexW: w,
    });
  const unary: VexShape = {
    destination: 0,
    source: 1,
    sourceBytes: bytes,
    wide: bytes === 32,
    runs: bytes === 32 ? 2 : 1,
  };
  const pair: VexShape = { ...unary, first: 1, immediateBits: 2 };
  const masked = (opcode: number, name: string, store: boolean, options: RowOptions, w: 0 | 1) =>
    systemRow('vex0f38', opcode, name, store ? ['M', `H${s}`, `V${s}`] : [`V${s}`, `H${s}`, 'M'], {
      ...options,
      only: 'mem',
      vexL,
      vexW: w,
      ends: false,
    });
  const gather = (opcode: number, name: string, w: 0 | 1) =>
    systemRow('vex0f38', opcode, name, [`V${s}`, 'M', `H${s}`], { ...AVX2, only: 'mem', vexL, vexW: w, ends: false });
  return [
    row('vex0f38', 0x0c, 'VPERMILPS', operands, vex(permuteSingles, halves(bytes)), single),
    row('vex0f38', 0x0d, 'VPERMILPD', operands, vex(permuteDoubles, halves(bytes)), single),
    row('vex0f3a', 0x04, 'VPERMILPS', [`V${s}`, `W${s}`, 'Ib'], vex(legacy(0x70, 0x66), unary), single),
    row('vex0f3a', 0x05, 'VPERMILPD', [`V${s}`, `W${s}`, 'Ib'], vex(legacy(0xc6, 0x66), pair), single),
    row('vex0f3a', 0x02, 'VPBLENDD', [...operands, 'Ib'], vex(blendDwords, { ...halves(bytes), immediateBits: 4 }), {
      ...AVX2,
      vexL,
      vexW: 0,
    }),
    variable(0x45, 'VPSRLVD', 'VPSRLV', 0),
    variable(0x45, 'VPSRLVQ', 'VPSRLV', 1),
    variable(0x46, 'VPSRAVD', 'VPSRAV', 0),
    variable(0x47, 'VPSLLVD', 'VPSLLV', 0),
    variable(0x47, 'VPSLLVQ', 'VPSLLV', 1),
    masked(0x2c, 'VMASKMOV_LOAD32', false, AVX, 0),
    masked(0x2d, 'VMASKMOV_LOAD64', false, AVX, 0),
    masked(0x2e, 'VMASKMOV_STORE32', true, AVX, 0),
    masked(0x2f, 'VMASKMOV_STORE64', true, AVX, 0),
    masked(0x8c, 'VMASKMOV_LOAD32', false, AVX2, 0),
    masked(0x8c, 'VMASKMOV_LOAD64', false, AVX2, 1),
    masked(0x8e, 'VMASKMOV_STORE32', true, AVX2, 0),
    masked(0x8e, 'VMASKMOV_STORE64', true, AVX2, 1),
    ...[0x90, 0x91, 0x92, 0x93].flatMap((opcode) => [gather(opcode, 'VGATHER32', 0), gather(opcode, 'VGATHER64', 1)]),
  ];
}

/** Broadcasts, permutations, variable shifts, masked moves and gathers of AVX and AVX2. */
export const AVX_PERMUTE_ROWS: readonly InstructionRow[] = [
  ...broadcastRows(),
  ...BOTH.flatMap(lengthRows),
  row('vex0f3a', 0x18, 'VINSERTF128', ['Vqq', 'Hqq', 'Wdq', 'Ib'], insertHalf, { ...AVX, vexL: 1 }),
  row('vex0f3a', 0x38, 'VINSERTI128', ['Vqq', 'Hqq', 'Wdq', 'Ib'], insertHalf, { ...AVX2, vexL: 1, vexW: 0 }),
  row('vex0f3a', 0x19, 'VEXTRACTF128', ['Wdq', 'Vqq', 'Ib'], extractHalf, { ...AVX, vexL: 1 }),
  row('vex0f3a', 0x39, 'VEXTRACTI128', ['Wdq', 'Vqq', 'Ib'], extractHalf, { ...AVX2, vexL: 1, vexW: 0 }),
  row('vex0f3a', 0x06, 'VPERM2F128', ['Vqq', 'Hqq', 'Wqq', 'Ib'], byHelper('VPERM2F128', three(32)), {
    ...AVX,
    vexL: 1,
  }),
  row('vex0f3a', 0x46, 'VPERM2I128', ['Vqq', 'Hqq', 'Wqq', 'Ib'], byHelper('VPERM2F128', three(32)), {
    ...AVX2,
    vexL: 1,
    vexW: 0,
  }),
  row('vex0f38', 0x16, 'VPERMPS', ['Vqq', 'Hqq', 'Wqq'], byHelper('VPERMD', three(32)), { ...AVX2, vexL: 1, vexW: 0 }),
  row('vex0f38', 0x36, 'VPERMD', ['Vqq', 'Hqq', 'Wqq'], byHelper('VPERMD', three(32)), { ...AVX2, vexL: 1, vexW: 0 }),
  ...(
    [
      [0x00, 'VPERMQ'],
      [0x01, 'VPERMPD'],
    ] as const
  ).map(([opcode, name]) =>
    row(
      'vex0f3a',
      opcode,
      name,
      ['Vqq', 'Wqq', 'Ib'],
      byHelper('VPERMQ', { destination: 0, source: 1, sourceBytes: 32, wide: true }),
      { ...AVX2, vexL: 1, vexW: 1 },
    ),
  ),
];
