import { CODE_SIZE, MODE_BITS } from '../modes.ts';
import { conversionNumber, WIDE_OPERATION } from '../simd/operations.ts';
import { MODE, SIMD_SCRATCH, XMM } from '../state.ts';
import { i32, i64, v128 } from '../wasm/expr.ts';
import { helper } from './float-fast-path.ts';
import { type InstructionRow, type RowOptions, row, systemRow } from './row.ts';
import type { I32, Semantic, Semantics } from './semantics.ts';
import { SIMD_MOVE_ROWS } from './simd-moves.ts';
import { choose, compareStrings, isEmpty, setZeroCarry } from './simd-sse4.ts';
import { ZERO } from './simd-ssse3.ts';
import { guardAvx, immediateByte, low64, type V128 } from './vector.ts';
import { vex, vexAddress, writeVex } from './vex.ts';

const NONE: RowOptions = { prefix: 0, feature: 'avx' };
const P66: RowOptions = { prefix: 0x66, feature: 'avx' };
const F3: RowOptions = { prefix: 0xf3, feature: 'avx' };
const F2: RowOptions = { prefix: 0xf2, feature: 'avx' };

export const avx =
  (body: Semantic): Semantic =>
  (c) => {
    guardAvx(c);
    body(c);
  };

/** Both halves of an operand of 32 bytes. */
export function readPair(c: Semantics, index: number): readonly [V128, V128] {
  if (!c.isMemory(index)) return [c.let(c.vector(index)), c.let(c.highVector(index))];
  const address = vexAddress(c, index, 32);
  return [c.let(v128.load(address)), c.let(v128.load(address, 16))];
}

function checkAligned(c: Semantics, index: number, bytes: number): void {
  if (!c.isMemory(index)) return;
  const linear = c.let(c.linear());
  c.b.if(i32.and(i32.wrap(linear), i32.const(bytes - 1)), () => c.fault(13, 0));
}

const load = (bytes: 16 | 32, aligned: boolean): Semantic =>
  avx((c) => {
    if (aligned) checkAligned(c, 1, bytes);
    if (bytes === 32) return writeVex(c, 0, ...readPair(c, 1));
    writeVex(c, 0, c.let(c.isMemory(1) ? v128.load(vexAddress(c, 1, 16)) : c.vector(1)));
  });

const store = (bytes: 16 | 32, aligned: boolean): Semantic =>
  avx((c) => {
    const low = c.let(c.vector(1));
    const high = bytes === 32 ? c.let(c.highVector(1)) : ZERO;
    if (!c.isMemory(0)) return writeVex(c, 0, low, high);
    const linear = c.let(c.linear(true));
    if (aligned) c.b.if(i32.and(i32.wrap(linear), i32.const(bytes - 1)), () => c.fault(13, 0));
    c.storeWith(linear, bytes, (address) => {
      c.b.storeV128(address, low);
      if (bytes === 32) c.b.storeV128(address, high, 16);
    });
  });

/** Load and store rows of one move at both lengths. */
const moves = (
  loadCode: number,
  storeCode: number,
  name: string,
  options: RowOptions,
  aligned: boolean,
): InstructionRow[] =>
  ([16, 32] as const).flatMap((bytes) => {
    const suffix = bytes === 32 ? 'qq' : 'dq';
    const more = { ...options, vexL: bytes === 32 ? 1 : 0 } as const;
    return [
      row('vex0f', loadCode, name, [`V${suffix}`, `W${suffix}`], load(bytes, aligned), more),
      row('vex0f', storeCode, name, [`W${suffix}`, `V${suffix}`], store(bytes, aligned), more),
    ];
  });

const streaming = (opcode: number, name: string, options: RowOptions): InstructionRow[] =>
  ([16, 32] as const).map((bytes) => {
    const suffix = bytes === 32 ? 'qq' : 'dq';
    const more = { ...options, only: 'mem', vexL: bytes === 32 ? 1 : 0 } as const;
    return row('vex0f', opcode, name, [`W${suffix}`, `V${suffix}`], store(bytes, true), more);
  });

/** The semantic of an SSE move. */
function sse(opcode: number, prefix: number, first: string): Semantic {
  const found = SIMD_MOVE_ROWS.find(
    (legacy) => legacy.opcode === opcode && legacy.options.prefix === prefix && legacy.operands[0] === first,
  );
  if (found === undefined) throw new Error(`no SSE move ${opcode.toString(16)}`);
  return found.semantic;
}

/** Merges of a low part into the first source: register and memory forms differ in the SSE semantic. */
const merge = { destination: 0, first: 1, shifted: true } as const;

function scalarRows(): InstructionRow[] {
  return (
    [
      [0xf3, 'VMOVSS', 'd', F3],
      [0xf2, 'VMOVSD', 'q', F2],
    ] as const
  ).flatMap(([prefix, name, width, options]) => {
    const loading = sse(0x10, prefix, 'Vdq');
    return [
      row('vex0f', 0x10, name, ['Vdq', `W${width}`], vex(loading, { destination: 0 }), { ...options, only: 'mem' }),
      row('vex0f', 0x10, name, ['Vdq', 'Hdq', 'Udq'], vex(loading, merge), { ...options, only: 'reg' }),
      row('vex0f', 0x11, name, [`W${width}`, 'Vdq'], vex(sse(0x11, prefix, `W${width}`)), { ...options, only: 'mem' }),
      row('vex0f', 0x11, name, ['Udq', 'Hdq', 'Vdq'], vex(loading, merge), { ...options, only: 'reg' }),
    ];
  });
}

const halfRows = (): InstructionRow[] => [
  row('vex0f', 0x12, 'VMOVLPS', ['Vdq', 'Hdq', 'Wq'], vex(sse(0x12, 0, 'Vdq'), merge), { ...NONE, vexL: 0 }),
  row('vex0f', 0x12, 'VMOVLPD', ['Vdq', 'Hdq', 'Wq'], vex(sse(0x12, 0x66, 'Vdq'), merge), {
    ...P66,
    only: 'mem',
    vexL: 0,
  }),
  row('vex0f', 0x16, 'VMOVHPS', ['Vdq', 'Hdq', 'Wq'], vex(sse(0x16, 0, 'Vdq'), merge), { ...NONE, vexL: 0 }),
  row('vex0f', 0x16, 'VMOVHPD', ['Vdq', 'Hdq', 'Wq'], vex(sse(0x16, 0x66, 'Vdq'), merge), {
    ...P66,
    only: 'mem',
    vexL: 0,
  }),
  ...[0x13, 0x17].flatMap((opcode) =>
    [NONE, P66].map((options) =>
      row(
        'vex0f',
        opcode,
        opcode === 0x13 ? 'VMOVLP' : 'VMOVHP',
        ['Mq', 'Vdq'],
        vex(sse(opcode, options.prefix!, 'Mq')),
        {
          ...options,
          only: 'mem',
          vexL: 0,
        },
      ),
    ),
  ),
];

const registerRows = (): InstructionRow[] => [
  row('vex0f', 0x6e, 'VMOVD', ['Vdq', 'Ey'], vex(sse(0x6e, 0x66, 'Vdq'), { destination: 0 }), {
    ...P66,
    vexL: 0,
    sizes: [4, 8],
  }),
  row('vex0f', 0x7e, 'VMOVD', ['Ey', 'Vdq'], vex(sse(0x7e, 0x66, 'Ey')), { ...P66, vexL: 0, sizes: [4, 8] }),
  row('vex0f', 0x7e, 'VMOVQ', ['Vdq', 'Wq'], vex(sse(0x7e, 0xf3, 'Vdq'), { destination: 0 }), { ...F3, vexL: 0 }),
  row('vex0f', 0xd6, 'VMOVQ', ['Wq', 'Vdq'], vex(sse(0xd6, 0x66, 'Wq')), { ...P66, only: 'mem', vexL: 0 }),
  row(
    'vex0f',
    0xd6,
    'VMOVQ',
    ['Udq', 'Vdq'],
    avx((c) => writeVex(c, 0, c.let(c.lowVector(1, 8)))),
    {
      ...P66,
      only: 'reg',
      vexL: 0,
    },
  ),
];

/** VMOVMSKPS, VMOVMSKPD, VPMOVMSKB of 256 bits: `bits` from each half. */
const signMask = (opcode: number, bits: number): Semantic =>
  avx((c) => {
    const [low, high] = readPair(c, 1);
    const mask = i32.or(v128.test(opcode, low), i32.shl(v128.test(opcode, high), i32.const(bits)));
    c.set(0, c.let(i64.extendI32U(mask)));
  });

/** VPTEST and VTESTPS, VTESTPD: the latter look at signs only. */
const test = (bytes: 16 | 32, signs?: readonly [allBits: V128]): Semantic =>
  avx((c) => {
    const source = vexAddress(c, 1, bytes);
    const own = c.let(c.vectorAddress(0));
    const halves = bytes === 32 ? [0, 16] : [0];
    const masked = (value: V128): V128 => (signs === undefined ? value : v128.and(value, signs[0]));
    const any = (combine: (a: V128, b: V128) => V128): I32 => {
      const parts = halves.map((offset) => masked(combine(v128.load(own, offset), v128.load(source, offset))));
      return isEmpty(parts.reduce((all, part) => v128.or(all, part)));
    };
    const zero = c.let(any((a, b) => v128.and(a, b)));
    setZeroCarry(c, zero, c.let(any((a, b) => v128.andNot(b, a))));
  });

const DWORD_SIGNS = v128.const([0, 0, 0, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0x80]);
const QWORD_SIGNS = v128.const([0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x80]);

const testRows = (): InstructionRow[] =>
  ([16, 32] as const).flatMap((bytes) => {
    const suffix = bytes === 32 ? 'qq' : 'dq';
    const options = { ...P66, vexL: bytes === 32 ? 1 : 0, vexW: 0 } as const;
    const operands = [`V${suffix}`, `W${suffix}`];
    return [
      row('vex0f38', 0x17, 'VPTEST', operands, test(bytes), { ...P66, vexL: options.vexL }),
      row('vex0f38', 0x0e, 'VTESTPS', operands, test(bytes, [DWORD_SIGNS]), options),
      row('vex0f38', 0x0f, 'VTESTPD', operands, test(bytes, [QWORD_SIGNS]), options),
    ];
  });

/** 1 in 64-bit code, which has sixteen registers. */
const isCode64 = (c: Semantics): I32 =>
  i32.eq(i32.and(c.stateI32(MODE), i32.const(MODE_BITS.CODE_SIZE)), i32.const(CODE_SIZE.BITS_64));

/** Blends by the top bits of the register in the immediate's high half. */
const blend = (shift: number, bits: number, bytes: 16 | 32): Semantic =>
  avx((c) => {
    const source = vexAddress(c, 2, bytes);
    c.spillVectors();
    const first = c.let(c.vectorAddress(1));
    // Eight registers outside 64-bit code: the top bit is ignored there.
    const field = i32.and(immediateByte(c), i32.or(i32.const(0x70), i32.shl(isCode64(c), i32.const(7))));
    const register = c.let(i32.add(i32.const(XMM), i32.shl(field, i32.const(1))));
    const half = (offset: number): V128 => {
      const mask = c.let(v128.shift(shift, v128.load(register, offset), i32.const(bits - 1)));
      return c.let(choose(mask, v128.load(first, offset), v128.load(source, offset)));
    };
    const low = half(0);
    writeVex(c, 0, low, bytes === 32 ? half(16) : ZERO);
  });

const blendRows = (): InstructionRow[] =>
  ([16, 32] as const).flatMap((bytes) => {
    const suffix = bytes === 32 ? 'qq' : 'dq';
    const operands = [`V${suffix}`, `H${suffix}`, `W${suffix}`, 'Ib'];
    const options = { ...P66, vexL: bytes === 32 ? 1 : 0, vexW: 0 } as const;
    return [
      row('vex0f3a', 0x4a, 'VBLENDVPS', operands, blend(0xac, 32, bytes), options),
      row('vex0f3a', 0x4b, 'VBLENDVPD', operands, blend(0xcc, 64, bytes), options),
      row('vex0f3a', 0x4c, 'VPBLENDVB', operands, blend(0x6c, 8, bytes), {
        ...options,
        feature: bytes === 32 ? 'avx2' : 'avx',
      }),
    ];
  });

/** VZEROUPPER, VZEROALL; outside 64-bit code the upper eight registers stay. */
const zeroRegisters = (all: boolean): Semantic =>
  avx((c) => {
    c.spillVectors();
    const clear = (first: number): void => {
      for (let register = first; register < first + 8; register++) {
        const address = i32.const(XMM + register * 32);
        if (all) c.b.store(0xfd0b, address, ZERO);
        c.b.store(0xfd0b, address, ZERO, 16);
      }
    };
    clear(0);
    c.b.if(isCode64(c), () => clear(8));
  });

/** PCMPESTRM and PCMPISTRM leave their mask in XMM0, whose upper half becomes 0. */
const stringMask = (explicit: boolean): Semantic => {
  const inner = vex(compareStrings(explicit, false), { source: 1, sourceBytes: 16 });
  return (c) => {
    inner(c);
    c.spillVectors();
    c.b.store(0xfd0b, i32.const(XMM), ZERO, 16);
  };
};

/** Half precision: four or eight numbers. */
const halfToSingle = (wide: boolean): Semantic =>
  vex(
    (c) =>
      helper(c, conversionNumber('VCVTPH2PS') + (wide ? WIDE_OPERATION : 0), c.vectorAddress(0), c.vectorAddress(1)),
    { destination: 0, source: 1, sourceBytes: wide ? 16 : 8, wide },
  );

const singleToHalf = (wide: boolean): Semantic =>
  avx((c) => {
    const scratch = i32.const(SIMD_SCRATCH);
    const source = c.let(c.vectorAddress(1));
    if (c.isMemory(0)) {
      // The place is checked before MXCSR changes.
      const linear = c.let(c.linear(true));
      c.storeWith(linear, wide ? 16 : 8, (address) => {
        helper(c, conversionNumber('VCVTPS2PH') + (wide ? WIDE_OPERATION : 0), scratch, source, immediateByte(c));
        if (wide) c.b.store(0xfd0b, address, v128.load(scratch));
        else c.b.storeI64(address, low64(v128.load(scratch)));
      });
      return;
    }
    helper(c, conversionNumber('VCVTPS2PH') + (wide ? WIDE_OPERATION : 0), scratch, source, immediateByte(c));
    writeVex(c, 0, v128.load(scratch));
  });

const halfPrecisionRows = (): InstructionRow[] => {
  const options = { prefix: 0x66, feature: 'f16c', vexW: 0 } as const;
  return [
    row('vex0f38', 0x13, 'VCVTPH2PS', ['Vdq', 'Wq'], halfToSingle(false), { ...options, vexL: 0 }),
    row('vex0f38', 0x13, 'VCVTPH2PS', ['Vqq', 'Wdq'], halfToSingle(true), { ...options, vexL: 1 }),
    row('vex0f3a', 0x1d, 'VCVTPS2PH', ['Wq', 'Vdq', 'Ib'], singleToHalf(false), { ...options, vexL: 0 }),
    row('vex0f3a', 0x1d, 'VCVTPS2PH', ['Wdq', 'Vqq', 'Ib'], singleToHalf(true), { ...options, vexL: 1 }),
  ];
};

/** Moves, tests and blends under VEX. */
export const AVX_MOVE_ROWS: readonly InstructionRow[] = [
  ...moves(0x10, 0x11, 'VMOVUPS', NONE, false),
  ...moves(0x10, 0x11, 'VMOVUPD', P66, false),
  ...moves(0x28, 0x29, 'VMOVAPS', NONE, true),
  ...moves(0x28, 0x29, 'VMOVAPD', P66, true),
  ...moves(0x6f, 0x7f, 'VMOVDQA', P66, true),
  ...moves(0x6f, 0x7f, 'VMOVDQU', F3, false),
  ...streaming(0x2b, 'VMOVNTPS', NONE),
  ...streaming(0x2b, 'VMOVNTPD', P66),
  ...streaming(0xe7, 'VMOVNTDQ', P66),
  row('vex0f', 0xf0, 'VLDDQU', ['Vdq', 'Wdq'], load(16, false), { ...F2, only: 'mem', vexL: 0 }),
  row('vex0f', 0xf0, 'VLDDQU', ['Vqq', 'Wqq'], load(32, false), { ...F2, only: 'mem', vexL: 1 }),
  row('vex0f38', 0x2a, 'VMOVNTDQA', ['Vdq', 'Wdq'], load(16, true), { ...P66, only: 'mem', vexL: 0 }),
  row('vex0f38', 0x2a, 'VMOVNTDQA', ['Vqq', 'Wqq'], load(32, true), { ...P66, only: 'mem', vexL: 1, feature: 'avx2' }),
  ...scalarRows(),
  ...halfRows(),
  ...registerRows(),
  row('vex0f', 0x50, 'VMOVMSKPS', ['Gd', 'Uqq'], signMask(0xa4, 4), { ...NONE, only: 'reg', vexL: 1 }),
  row('vex0f', 0x50, 'VMOVMSKPD', ['Gd', 'Uqq'], signMask(0xc4, 2), { ...P66, only: 'reg', vexL: 1 }),
  row('vex0f', 0xd7, 'VPMOVMSKB', ['Gd', 'Uqq'], signMask(0x64, 16), { ...P66, only: 'reg', vexL: 1, feature: 'avx2' }),
  ...testRows(),
  ...blendRows(),
  row('vex0f', 0x77, 'VZEROUPPER', [], zeroRegisters(false), { ...NONE, vexL: 0 }),
  row('vex0f', 0x77, 'VZEROALL', [], zeroRegisters(true), { ...NONE, vexL: 1 }),
  row('vex0f3a', 0x60, 'VPCMPESTRM', ['Vdq', 'Wdq', 'Ib'], stringMask(true), { ...P66, vexL: 0, sizes: [4, 8] }),
  row('vex0f3a', 0x62, 'VPCMPISTRM', ['Vdq', 'Wdq', 'Ib'], stringMask(false), { ...P66, vexL: 0 }),
  ...halfPrecisionRows(),
  systemRow('vex0f', 0xae, 'LDMXCSR', ['M'], { ...NONE, group: 2, only: 'mem', vexL: 0, ends: false }),
  systemRow('vex0f', 0xae, 'STMXCSR', ['M'], { ...NONE, group: 3, only: 'mem', vexL: 0, ends: false }),
  systemRow('vex0f', 0xf7, 'MASKMOVDQU', ['Vdq', 'Udq'], { ...P66, only: 'reg', vexL: 0, ends: false }),
];
