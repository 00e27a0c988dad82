import type { CpuFeature } from '../model/features.ts';
import {
  arithmeticNumber,
  type ConversionName,
  conversionNumber,
  LANE_TYPE,
  WIDE_OPERATION,
} from '../simd/operations.ts';
import { helper, PACKED_DOUBLE, PACKED_SINGLE } from './float-fast-path.ts';
import { type InstructionRow, type OpcodeMap, type RowOptions, row } from './row.ts';
import type { Semantic } from './semantics.ts';
import { SIMD_CONVERT_ROWS } from './simd-convert.ts';
import { SIMD_CRYPTO_ROWS } from './simd-crypto.ts';
import {
  compareLanes,
  packedAlternating,
  packedArithmetic,
  packedNeighbours,
  packedRoot,
  packedSelect,
  SIMD_FLOAT_ROWS,
} from './simd-float.ts';
import { SIMD_INTEGER_ROWS } from './simd-integer.ts';
import { SIMD_MOVE_ROWS } from './simd-moves.ts';
import { floatHelper, SSE4_ROWS } from './simd-sse4.ts';
import { SSSE3_ROWS } from './simd-ssse3.ts';
import { immediateByte } from './vector.ts';
import { type VexShape, vex } from './vex.ts';

/*
 * The VEX forms that follow from an SSE row: three operands instead of two, no alignment, and 256 bits where the instruction works on
 * 128-bit lanes. Everything else stands in avx-moves.ts and avx-permutes.ts.
 */

const SSE_ROWS: readonly InstructionRow[] = [
  ...SIMD_INTEGER_ROWS,
  ...SIMD_MOVE_ROWS,
  ...SIMD_FLOAT_ROWS,
  ...SIMD_CONVERT_ROWS,
  ...SSSE3_ROWS,
  ...SSE4_ROWS,
  ...SIMD_CRYPTO_ROWS,
];

/** Moves with forms of their own, blends by a fourth register, and what has no VEX form. */
const OTHER = /^(MOV(?!..?DUP|DDUP|MSK)|LDDQU|P?BLENDV|SHA|MASKMOV|PCMP.STRM|PTEST)/;
/** One source besides the destination. */
const UNARY =
  /^(PSHUF[DHL]|PABS|MOV.*DUP|SQRTP|RSQRTP|RCPP|ROUNDP|PHMINPOSUW|AESIMC|AESKEYGEN|PMOV[SZ]X|CVT(T?P[SD]2|DQ2))/;
/** Vector operands are only read. */
const READ_ONLY = /^(U?COMIS|PCMP.STR|CVTT?S[SD]2SI|MOVMSK|PMOVMSK|PEXTR|EXTRACT)/;
const ONLY_128 =
  /^(PHMINPOSUW|AES|PCLMUL|DPPD|PINSR|INSERTPS|PCMP.STR|PEXTR|EXTRACT|U?COMIS|CVT.*S[SD]|CVT.*2SI|P?MOVMSK)/;
const SCALAR = /^(?!P).*(SS|SD)$|^CVT.*2SI$/;
const SHIFTS_BY_VECTOR = /^PS(LL|RL|RA)[WDQ]$/;
const FLOAT = /^(?!P).*P[SD]$|DUP$|^CVT/;
/** Bits of the immediate that belong to each half. */
const IMMEDIATE_BITS: Readonly<Record<string, number>> = { BLENDPS: 4, BLENDPD: 2, SHUFPD: 2, MPSADBW: 3 };

const SOURCE_BYTES: Readonly<Record<string, number>> = { Ww: 2, Wd: 4, Wq: 8, Wdq: 16 };
const SOURCE_CODES: Readonly<Record<number, string>> = { 4: 'Wd', 8: 'Wq', 16: 'Wdq', 32: 'Wqq' };

const vexMap = (map: OpcodeMap): OpcodeMap => `vex${map}` as OpcodeMap;
const usesMmx = ({ operands }: InstructionRow): boolean => operands.some((code) => /^[PQN]/.test(code));
const isDerivable = (legacy: InstructionRow): boolean =>
  /^(Vdq|Udq|G|E)/.test(legacy.operands[0]) &&
  !usesMmx(legacy) &&
  !OTHER.test(legacy.mnemonic) &&
  legacy.options.prefix !== undefined;

/** Options of the VEX row; sizes of general registers stay. */
function optionsOf({ options, operands }: InstructionRow, feature: CpuFeature, more: RowOptions): RowOptions {
  const { group, only, prefix, sizes } = options;
  const varies = operands.some((code) => code.endsWith('y'));
  return { group, only, prefix, sizes: varies ? [4, 8] : sizes, feature, ...more };
}

const packedOf = (name: string) => (name.endsWith('D') ? PACKED_DOUBLE : PACKED_SINGLE);
const laneType = (name: string) => (name.endsWith('D') ? LANE_TYPE.PD : LANE_TYPE.PS);

/** A helper call on the view's operands. */
const byHelper =
  (operation: number): Semantic =>
  (c) =>
    helper(c, operation, c.let(c.vectorAddress(0)), c.let(c.vectorAddress(1)), immediateByte(c));

/** Semantics that handle both halves at once, so that exceptions of one are known before the other is written. */
function wholeSemantic(name: string): Semantic | undefined {
  const p = packedOf(name);
  const type = laneType(name);
  switch (name.slice(0, -2)) {
    case 'ADD':
    case 'SUB':
    case 'MUL':
    case 'DIV':
      return packedArithmetic(p, name.slice(0, -2) as 'ADD', 2);
    case 'MIN':
    case 'MAX':
      return packedSelect(p, name.slice(0, -2) as 'MIN', 2);
    case 'SQRT':
      return packedRoot(p, 2);
    case 'CMP':
    case 'RCP':
    case 'RSQRT':
      return byHelper(arithmeticNumber(name.slice(0, -2) as 'CMP', type) + WIDE_OPERATION);
    case 'HADD':
    case 'HSUB':
      return packedNeighbours(p, name.slice(0, -2) as 'HADD', 2);
    case 'ADDSUB':
      return packedAlternating(p, 2);
    case 'ROUND':
    case 'DP':
      return floatHelper(name.slice(0, -2) as 'DP', type, true);
    default:
      return undefined;
  }
}

/** CMPPS…: VEX forms have 32 predicates. */
function semantic128(legacy: InstructionRow): Semantic {
  const match = /^CMP([PS])([SD])$/.exec(legacy.mnemonic);
  if (match === null) return legacy.semantic;
  const [, kind, precision] = match;
  const type = LANE_TYPE[`${kind}${precision}` as keyof typeof LANE_TYPE];
  const bytes = kind === 'P' ? 16 : precision === 'S' ? 4 : 8;
  return compareLanes(precision === 'S' ? PACKED_SINGLE : PACKED_DOUBLE, type, bytes, 32);
}

function form128(legacy: InstructionRow): InstructionRow {
  const { map, opcode, mnemonic, operands } = legacy;
  // Scalars ignore VEX.L.
  const options = optionsOf(legacy, 'avx', SCALAR.test(mnemonic) ? {} : { vexL: 0 });
  const build = (codes: readonly string[], shape: VexShape) =>
    row(vexMap(map), opcode, `V${mnemonic}`, codes, vex(semantic128(legacy), shape), options);
  const sourceBytes = SOURCE_BYTES[operands[1]];
  if (READ_ONLY.test(mnemonic)) return build(operands, sourceBytes === undefined ? {} : { source: 1, sourceBytes });
  if (operands[0] === 'Udq') return build(['Hdq', ...operands], { destination: 0, first: 1, shifted: true });
  if (UNARY.test(mnemonic)) return build(operands, { destination: 0, source: 1, sourceBytes });
  const [first, second, ...rest] = operands;
  // General registers, and operands whose memory form differs, are read by the semantic itself.
  const own = sourceBytes === undefined || mnemonic === 'INSERTPS' ? {} : { source: 2, sourceBytes };
  return build([first, 'Hdq', second, ...rest], { destination: 0, first: 1, shifted: true, ...own });
}

function form256(legacy: InstructionRow): InstructionRow {
  const { map, opcode, mnemonic, operands } = legacy;
  const options = optionsOf(legacy, FLOAT.test(mnemonic) ? 'avx' : 'avx2', { vexL: 1 });
  const whole = wholeSemantic(mnemonic);
  const immediateBits = IMMEDIATE_BITS[mnemonic];
  const shared = { destination: 0, wide: true, runs: whole === undefined ? 2 : 1, immediateBits } as const;
  const build = (codes: readonly string[], shape: VexShape) =>
    row(vexMap(map), opcode, `V${mnemonic}`, codes, vex(whole ?? legacy.semantic, shape), options);
  const [, second, ...rest] = operands;
  if (operands[0] === 'Udq')
    return build(['Hqq', 'Uqq', ...rest, second].slice(0, 3), { ...shared, first: 1, shifted: true });
  if (SHIFTS_BY_VECTOR.test(mnemonic)) {
    return build(['Vqq', 'Hqq', 'Wdq'], { ...shared, first: 1, source: 2, sourceBytes: 16, step: 0, shifted: true });
  }
  if (UNARY.test(mnemonic)) {
    const extends_ = mnemonic.startsWith('PMOV');
    const step = extends_ ? SOURCE_BYTES[second] : 16;
    return build(['Vqq', SOURCE_CODES[step * 2], ...rest], { ...shared, source: 1, sourceBytes: step * 2, step });
  }
  return build(['Vqq', 'Hqq', 'Wqq', ...rest], { ...shared, first: 1, source: 2, sourceBytes: 32, shifted: true });
}

/** Packed conversions on 256 bits: bytes of the source, and whether the result has 32. */
const WIDE_CONVERSIONS: readonly (readonly [string, number, boolean])[] = [
  ['CVTPS2PD', 16, true],
  ['CVTDQ2PD', 16, true],
  ['CVTPD2PS', 32, false],
  ['CVTPD2DQ', 32, false],
  ['CVTTPD2DQ', 32, false],
  ['CVTDQ2PS', 32, true],
  ['CVTPS2DQ', 32, true],
  ['CVTTPS2DQ', 32, true],
];

function wideConversions(): InstructionRow[] {
  return WIDE_CONVERSIONS.flatMap(([name, sourceBytes, wide]) =>
    SIMD_CONVERT_ROWS.filter(({ mnemonic }) => mnemonic === name).map((legacy) =>
      row(
        vexMap(legacy.map),
        legacy.opcode,
        `V${name}`,
        [wide ? 'Vqq' : 'Vdq', SOURCE_CODES[sourceBytes]],
        vex(byHelper(conversionNumber(name as ConversionName) + WIDE_OPERATION), {
          destination: 0,
          source: 1,
          sourceBytes,
          wide,
        }),
        optionsOf(legacy, 'avx', { vexL: 1 }),
      ),
    ),
  );
}

const DERIVABLE = SSE_ROWS.filter(isDerivable);

/** VEX forms of SSE instructions. */
export const AVX_DERIVED_ROWS: readonly InstructionRow[] = [
  ...DERIVABLE.map(form128),
  ...DERIVABLE.filter(
    ({ mnemonic }) => !ONLY_128.test(mnemonic) && !SCALAR.test(mnemonic) && !mnemonic.startsWith('CVT'),
  ).map(form256),
  ...wideConversions(),
];
