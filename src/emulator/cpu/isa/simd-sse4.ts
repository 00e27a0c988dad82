import { arithmeticNumber, LANE_TYPE, WIDE_OPERATION } from '../simd/operations.ts';
import { VECTOR_OPERATION, type VectorOperation } from '../simd/vector-operations.ts';
import { XMM } from '../state.ts';
import { i32, i64, select, v128 } from '../wasm/expr.ts';
import { setStatusFlags } from './flags.ts';
import { helper, PACKED_DOUBLE, PACKED_SINGLE } from './float-fast-path.ts';
import { type InstructionRow, type RowOptions, row } from './row.ts';
import type { I32, I64, Semantic, Semantics, Size } from './semantics.ts';
import { packedAlternating, packedNeighbours } from './simd-float.ts';
import { lanes, lanesOf, type Operation, onXmm } from './simd-integer.ts';
import { ZERO } from './simd-ssse3.ts';
import {
  guardSse,
  immediateByte,
  loadVector,
  operandAddress,
  readVector,
  storeVector,
  type V128,
  writeXmm,
} from './vector.ts';

const P66: RowOptions = { prefix: 0x66 };
const SSE3: RowOptions = { feature: 'sse3' };
const SSE41: RowOptions = { ...P66, feature: 'sse4.1' };
const SSE42: RowOptions = { ...P66, feature: 'sse4.2' };

const sse =
  (body: Semantic): Semantic =>
  (c) => {
    guardSse(c);
    body(c);
  };

/** A vector operation that lives in TypeScript: destination and source by address. */
export const byHelper = (operation: VectorOperation, bytes: 4 | 8 | 16 = 16): Semantic =>
  sse((c) => {
    const source = operandAddress(c, 1, bytes, bytes === 16);
    const destination = c.let(c.vectorAddress(0));
    callVector(c, operation, destination, source, immediateByte(c));
  });

/** The result is dropped; XMM operands are in memory. */
export function callVector(
  c: Semantics,
  operation: VectorOperation,
  destination: I32,
  source: I32,
  immediate: I32 = i32.const(0),
): void {
  c.let(c.helper('vector', [i32.const(VECTOR_OPERATION[operation]), destination, source, immediate]));
}

/** A floating-point operation of simd/operations.ts that has no fast path. */
export const floatHelper = (name: 'ROUND' | 'DP', type: 0 | 1 | 2 | 3, wide = false): Semantic =>
  sse((c) => {
    const bytes = type < 2 ? 16 : type === LANE_TYPE.SS ? 4 : 8;
    const source = operandAddress(c, 1, bytes, bytes === 16);
    const immediate = immediateByte(c);
    helper(c, arithmeticNumber(name, type) + (wide ? WIDE_OPERATION : 0), c.let(c.vectorAddress(0)), source, immediate);
  });

const unary =
  (operation: (c: Semantics, value: V128) => V128, bytes: 4 | 8 | 16 = 16): Semantic =>
  (c) => {
    guardSse(c);
    writeXmm(c, 0, operation(c, readVector(c, 1, bytes)));
  };
const copy =
  (...list: number[]) =>
  (_: Semantics, value: V128) =>
    v128.shuffle(value, value, lanesOf(4, ...list));

/** a where the mask is clear, b where it is set. */
const choose = (mask: V128, a: V128, b: V128): V128 => v128.or(v128.and(b, mask), v128.andNot(a, mask));

/** BLENDV: the top bits of XMM0's lanes choose. */
const blendByXmm0 = (shift: number, bits: number): Semantic =>
  sse((c) => {
    const b = readVector(c, 1);
    c.spillVectors();
    const mask = c.let(v128.shift(shift, v128.load(i32.const(XMM)), i32.const(bits - 1)));
    writeXmm(c, 0, choose(mask, readVector(c, 0), b));
  });

/** A mask of lanes from the immediate's bits; `bytes` a lane. */
export function immediateMask(c: Semantics, bytes: 2 | 4 | 8, immediate: I32): V128 {
  const bits = v128.const(
    Array.from({ length: 16 / bytes }, (_, index) => [1 << index, ...new Array(bytes - 1).fill(0)]).flat(),
  );
  const splat =
    bytes === 8 ? v128.splat(0x12, i64.extendI32U(immediate)) : v128.splat(bytes === 4 ? 0x11 : 0x10, immediate);
  const equal = { 2: 0x2d, 4: 0x37, 8: 0xd6 }[bytes];
  return c.let(v128.binary(equal, v128.and(splat, bits), bits));
}

const blendByImmediate = (bytes: 2 | 4 | 8): Semantic =>
  sse((c) => {
    const b = readVector(c, 1);
    const mask = immediateMask(c, bytes, immediateByte(c));
    writeXmm(c, 0, choose(mask, readVector(c, 0), b));
  });

/** Sign and zero extensions: a chain of "extend low" instructions. */
const EXTENSIONS: readonly (readonly [number, string, 2 | 4 | 8, readonly number[]])[] = [
  [0x20, 'PMOVSXBW', 8, [0x87]],
  [0x21, 'PMOVSXBD', 4, [0x87, 0xa7]],
  [0x22, 'PMOVSXBQ', 2, [0x87, 0xa7, 0xc7]],
  [0x23, 'PMOVSXWD', 8, [0xa7]],
  [0x24, 'PMOVSXWQ', 4, [0xa7, 0xc7]],
  [0x25, 'PMOVSXDQ', 8, [0xc7]],
  [0x30, 'PMOVZXBW', 8, [0x89]],
  [0x31, 'PMOVZXBD', 4, [0x89, 0xa9]],
  [0x32, 'PMOVZXBQ', 2, [0x89, 0xa9, 0xc9]],
  [0x33, 'PMOVZXWD', 8, [0xa9]],
  [0x34, 'PMOVZXWQ', 4, [0xa9, 0xc9]],
  [0x35, 'PMOVZXDQ', 8, [0xc9]],
];

/** Low bytes of a vector operand, 2 of them as well. */
export function readLow(c: Semantics, index: number, bytes: 2 | 4 | 8): V128 {
  if (bytes !== 2 || !c.isMemory(index)) return readVector(c, index, bytes === 2 ? 4 : bytes);
  return c.let(v128.splat(0x10, i32.wrap(c.load(c.let(c.linear()), 2))));
}

export const extend = (bytes: 2 | 4 | 8, chain: readonly number[]): Semantic =>
  sse((c) => {
    writeXmm(
      c,
      0,
      chain.reduce((value, opcode) => v128.unary(opcode, value), readLow(c, 1, bytes)),
    );
  });

const MEMORY_WIDTH = { 2: 'Ww', 4: 'Wd', 8: 'Wq' } as const;

/** PMULDQ: even dwords, signed. */
export const multiplySigned: Operation = (_, a, b) => {
  const even = (value: V128) => v128.shuffle(value, value, lanesOf(4, 0, 2, 0, 2));
  return v128.binary(0xdc, even(a), even(b));
};

/** 66 0F 38 xx, all lane by lane. */
export const SSE41_LANES: readonly (readonly [number, string, Operation])[] = [
  [0x28, 'PMULDQ', multiplySigned],
  [0x29, 'PCMPEQQ', lanes(0xd6)],
  [0x2b, 'PACKUSDW', lanes(0x86)],
  [0x38, 'PMINSB', lanes(0x76)],
  [0x39, 'PMINSD', lanes(0xb6)],
  [0x3a, 'PMINUW', lanes(0x97)],
  [0x3b, 'PMINUD', lanes(0xb7)],
  [0x3c, 'PMAXSB', lanes(0x78)],
  [0x3d, 'PMAXSD', lanes(0xb8)],
  [0x3e, 'PMAXUW', lanes(0x99)],
  [0x3f, 'PMAXUD', lanes(0xb9)],
  [0x40, 'PMULLD', lanes(0xb5)],
];

/** ZF and CF, the others 0: RESULT 0 for ZF, else 1, whose parity is turned so that PF is clear. */
export function setZeroCarry(c: Semantics, zero: I32, carry: I32): void {
  const z = c.let(i64.extendI32U(zero));
  const carries = i64.mul(i64.extendI32U(carry), i64.const(3n << 62n));
  c.setRawFlags(i64.xor(z, i64.const(1)), i64.or(carries, i64.shl(z, i64.const(8))));
}

const isEmpty = (value: V128): I32 => i32.eqz(v128.test(0x53, value));

/** PTEST: ZF for source AND destination, CF for source AND NOT destination. */
export const testVector: Semantic = sse((c) => {
  const b = readVector(c, 1);
  const a = readVector(c, 0);
  const zero = c.let(isEmpty(v128.and(a, b)));
  setZeroCarry(c, zero, c.let(isEmpty(v128.andNot(b, a))));
});

/** Address of lane `immediate` of operand `index`. */
const laneAddress = (c: Semantics, index: number, bytes: Size): I32 => {
  const lane = i32.and(immediateByte(c), i32.const(16 / bytes - 1));
  return i32.add(c.vectorAddress(index), i32.mul(lane, i32.const(bytes)));
};
const loadLane = (bytes: Size, address: I32): I64 =>
  ({ 1: i64.load8u, 2: i64.load16u, 4: i64.load32u, 8: i64.load })[bytes](address);

/** PEXTRB…: `bytes` 0 means the operand size. */
export const extract = (bytes: 0 | 1 | 2 | 4): Semantic =>
  sse((c) => {
    const size = bytes === 0 ? c.sizeOf(0) : bytes;
    c.set(0, c.let(loadLane(size, laneAddress(c, 1, size))));
  });
const insert = (bytes: 0 | 1): Semantic =>
  sse((c) => {
    const value = c.let(c.get(1));
    const size = bytes === 0 ? c.sizeOf(1) : bytes;
    c.b.storeSized(size, laneAddress(c, 0, size), value);
  });

/** INSERTPS: one dword by the immediate, then zeros by its low four bits. */
export const insertSingle: Semantic = sse((c) => {
  const immediate = c.let(immediateByte(c));
  const field = (position: number) =>
    i32.shl(i32.and(i32.shrU(immediate, i32.const(position)), i32.const(3)), i32.const(2));
  const source = operandAddress(c, 1, 4);
  const value = c.let(i32.load(c.isMemory(1) ? source : i32.add(source, field(6))));
  const destination = c.let(c.vectorAddress(0));
  c.b.storeI32(i32.add(destination, field(4)), value);
  const zeros = immediateMask(c, 4, immediate);
  c.b.store(0xfd0b, destination, v128.andNot(v128.load(destination), zeros));
});

/** PCMPESTRI…: the helper gives RFLAGS and, from bit 16 on, the index. */
export const compareStrings = (explicit: boolean, index: boolean): Semantic =>
  sse((c) => {
    const source = operandAddress(c, 1, 16, false);
    const destination = c.let(c.vectorAddress(0));
    const length = (register: number): I32 => {
      const value = c.let(c.size === 8 ? c.gpr(register, 8) : i64.extend32S(c.gpr(register, 4)));
      const sign = c.let(i64.shrS(value, i64.const(63)));
      const magnitude = c.let(i64.sub(i64.xor(value, sign), sign));
      return i32.wrap(select(i64.gtU(magnitude, i64.const(16)), i64.const(16), magnitude));
    };
    let control: I32 = immediateByte(c);
    if (explicit) {
      const lengths = i32.or(i32.shl(length(0), i32.const(8)), i32.shl(length(2), i32.const(16)));
      control = i32.or(control, i32.or(lengths, i32.const(0x0100_0000)));
    }
    if (!index) {
      // The mask goes to XMM0.
      c.spillVectors();
      control = i32.or(control, i32.const(0x0200_0000));
    }
    const answer = c.let(c.helper('vector', [i32.const(VECTOR_OPERATION.PCMPSTR), destination, source, control]));
    setStatusFlags(c, c.let(i64.extendI32U(i32.and(answer, i32.const(0xffff)))));
    if (index) c.setGpr(1, 4, i64.extendI32U(i32.shrU(answer, i32.const(16))));
  });

/** SSE3, SSE4.1 and SSE4.2 (SDM vol. 1 §12.3, §12.10–12). */
export const SSE4_ROWS: readonly InstructionRow[] = [
  row('0f', 0x12, 'MOVSLDUP', ['Vdq', 'Wdq'], unary(copy(0, 0, 2, 2)), { ...SSE3, prefix: 0xf3 }),
  row('0f', 0x16, 'MOVSHDUP', ['Vdq', 'Wdq'], unary(copy(1, 1, 3, 3)), { ...SSE3, prefix: 0xf3 }),
  row('0f', 0x12, 'MOVDDUP', ['Vdq', 'Wq'], unary(copy(0, 1, 0, 1), 8), { ...SSE3, prefix: 0xf2 }),
  row(
    '0f',
    0xf0,
    'LDDQU',
    ['Vdq', 'Wdq'],
    sse((c) => writeXmm(c, 0, readVector(c, 1, 16, false))),
    {
      ...SSE3,
      prefix: 0xf2,
      only: 'mem',
    },
  ),
  row('0f', 0xd0, 'ADDSUBPS', ['Vdq', 'Wdq'], packedAlternating(PACKED_SINGLE), { ...SSE3, prefix: 0xf2 }),
  row('0f', 0xd0, 'ADDSUBPD', ['Vdq', 'Wdq'], packedAlternating(PACKED_DOUBLE), { ...SSE3, prefix: 0x66 }),
  row('0f', 0x7c, 'HADDPS', ['Vdq', 'Wdq'], packedNeighbours(PACKED_SINGLE, 'HADD'), { ...SSE3, prefix: 0xf2 }),
  row('0f', 0x7c, 'HADDPD', ['Vdq', 'Wdq'], packedNeighbours(PACKED_DOUBLE, 'HADD'), { ...SSE3, prefix: 0x66 }),
  row('0f', 0x7d, 'HSUBPS', ['Vdq', 'Wdq'], packedNeighbours(PACKED_SINGLE, 'HSUB'), { ...SSE3, prefix: 0xf2 }),
  row('0f', 0x7d, 'HSUBPD', ['Vdq', 'Wdq'], packedNeighbours(PACKED_DOUBLE, 'HSUB'), { ...SSE3, prefix: 0x66 }),

  row('0f38', 0x10, 'PBLENDVB', ['Vdq', 'Wdq'], blendByXmm0(0x6c, 8), SSE41),
  row('0f38', 0x14, 'BLENDVPS', ['Vdq', 'Wdq'], blendByXmm0(0xac, 32), SSE41),
  row('0f38', 0x15, 'BLENDVPD', ['Vdq', 'Wdq'], blendByXmm0(0xcc, 64), SSE41),
  row('0f38', 0x17, 'PTEST', ['Vdq', 'Wdq'], testVector, SSE41),
  row(
    '0f38',
    0x2a,
    'MOVNTDQA',
    ['Vdq', 'Wdq'],
    sse((c) => writeXmm(c, 0, readVector(c, 1))),
    { ...SSE41, only: 'mem' },
  ),
  ...EXTENSIONS.map(([opcode, name, bytes, chain]) =>
    row('0f38', opcode, name, ['Vdq', MEMORY_WIDTH[bytes]], extend(bytes, chain), SSE41),
  ),
  ...SSE41_LANES.map(([opcode, name, operation]) => row('0f38', opcode, name, ['Vdq', 'Wdq'], onXmm(operation), SSE41)),
  row('0f38', 0x37, 'PCMPGTQ', ['Vdq', 'Wdq'], onXmm(lanes(0xd9)), SSE42),
  row('0f38', 0x41, 'PHMINPOSUW', ['Vdq', 'Wdq'], byHelper('PHMINPOSUW'), SSE41),
  row('0f3a', 0x08, 'ROUNDPS', ['Vdq', 'Wdq', 'Ib'], floatHelper('ROUND', 0), SSE41),
  row('0f3a', 0x09, 'ROUNDPD', ['Vdq', 'Wdq', 'Ib'], floatHelper('ROUND', 1), SSE41),
  row('0f3a', 0x0a, 'ROUNDSS', ['Vdq', 'Wd', 'Ib'], floatHelper('ROUND', 2), SSE41),
  row('0f3a', 0x0b, 'ROUNDSD', ['Vdq', 'Wq', 'Ib'], floatHelper('ROUND', 3), SSE41),
  row('0f3a', 0x0c, 'BLENDPS', ['Vdq', 'Wdq', 'Ib'], blendByImmediate(4), SSE41),
  row('0f3a', 0x0d, 'BLENDPD', ['Vdq', 'Wdq', 'Ib'], blendByImmediate(8), SSE41),
  row('0f3a', 0x0e, 'PBLENDW', ['Vdq', 'Wdq', 'Ib'], blendByImmediate(2), SSE41),
  row('0f3a', 0x14, 'PEXTRB', ['Ed', 'Vdq', 'Ib'], extract(1), { ...SSE41, only: 'reg' }),
  row('0f3a', 0x14, 'PEXTRB', ['Eb', 'Vdq', 'Ib'], extract(1), { ...SSE41, only: 'mem' }),
  row('0f3a', 0x15, 'PEXTRW', ['Ed', 'Vdq', 'Ib'], extract(2), { ...SSE41, only: 'reg' }),
  row('0f3a', 0x15, 'PEXTRW', ['Ew', 'Vdq', 'Ib'], extract(2), { ...SSE41, only: 'mem' }),
  row('0f3a', 0x16, 'PEXTRD', ['Ey', 'Vdq', 'Ib'], extract(0), { ...SSE41, sizes: [4, 8] }),
  row('0f3a', 0x17, 'EXTRACTPS', ['Ed', 'Vdq', 'Ib'], extract(4), SSE41),
  row('0f3a', 0x20, 'PINSRB', ['Vdq', 'Ed', 'Ib'], insert(1), { ...SSE41, only: 'reg' }),
  row('0f3a', 0x20, 'PINSRB', ['Vdq', 'Eb', 'Ib'], insert(1), { ...SSE41, only: 'mem' }),
  row('0f3a', 0x21, 'INSERTPS', ['Vdq', 'Wd', 'Ib'], insertSingle, SSE41),
  row('0f3a', 0x22, 'PINSRD', ['Vdq', 'Ey', 'Ib'], insert(0), { ...SSE41, sizes: [4, 8] }),
  row('0f3a', 0x40, 'DPPS', ['Vdq', 'Wdq', 'Ib'], floatHelper('DP', 0), SSE41),
  row('0f3a', 0x41, 'DPPD', ['Vdq', 'Wdq', 'Ib'], floatHelper('DP', 1), SSE41),
  row('0f3a', 0x42, 'MPSADBW', ['Vdq', 'Wdq', 'Ib'], byHelper('MPSADBW'), SSE41),
  row('0f3a', 0x60, 'PCMPESTRM', ['Vdq', 'Wdq', 'Ib'], compareStrings(true, false), { ...SSE42, sizes: [4, 8] }),
  row('0f3a', 0x61, 'PCMPESTRI', ['Vdq', 'Wdq', 'Ib'], compareStrings(true, true), { ...SSE42, sizes: [4, 8] }),
  row('0f3a', 0x62, 'PCMPISTRM', ['Vdq', 'Wdq', 'Ib'], compareStrings(false, false), SSE42),
  row('0f3a', 0x63, 'PCMPISTRI', ['Vdq', 'Wdq', 'Ib'], compareStrings(false, true), SSE42),
];

export { choose, copy, EXTENSIONS, isEmpty, loadVector, storeVector, ZERO };
