import { i32, i64 } from '../wasm/expr.ts';
import { AUX_CF, AUX_CF_XOR_OF, bitsOf, zeroExtend } from './flags.ts';
import { type InstructionRow, row, systemRow } from './row.ts';
import type { I64, Semantic, Semantics } from './semantics.ts';
import { setZeroCarry } from './simd-sse4.ts';

const populationCount: Semantic = (c) => {
  const count = c.let(i64.popcnt(c.get(1)));
  c.set(0, count);
  setZeroCarry(c, i64.eqz(count), i32.const(0));
};

/** LZCNT, TZCNT: the operand size for 0. */
const zeroCount =
  (leading: boolean): Semantic =>
  (c) => {
    const value = c.let(c.get(1));
    const bits = bitsOf(c.size);
    const count = c.let(
      leading
        ? i64.sub(i64.clz(value), i64.const(64 - bits))
        : c.size === 8
          ? i64.ctz(value)
          : i64.ctz(i64.or(value, i64.const(1n << BigInt(bits)))),
    );
    c.set(0, count);
    setZeroCarry(c, i64.eqz(count), i64.eqz(value));
  };

function reverseBytes(c: Semantics, value: I64): I64 {
  const swap = (input: I64, mask: bigint, by: number): I64 =>
    i64.or(
      i64.and(i64.shrU(input, i64.const(by)), i64.const(mask)),
      i64.shl(i64.and(input, i64.const(mask)), i64.const(by)),
    );
  const bytes = c.let(swap(value, 0x00ff_00ff_00ff_00ffn, 8));
  if (c.size === 2) return bytes;
  const words = c.let(swap(bytes, 0x0000_ffff_0000_ffffn, 16));
  return c.size === 4 ? words : i64.rotl(words, i64.const(32));
}

const moveReversed: Semantic = (c) => {
  const value = c.let(c.get(1));
  c.set(0, c.let(zeroExtend(c.size, reverseBytes(c, value))));
};

const checksum: Semantic = (c) => {
  const source = c.let(c.get(1));
  const bytes = c.sizeOf(1);
  let sum = c.let(i32.wrap(c.get(0)));
  sum = c.let(c.helper('crc32', [sum, i32.wrap(source), i32.const(Math.min(bytes, 4))]));
  if (bytes === 8) sum = c.let(c.helper('crc32', [sum, i32.wrap(i64.shrU(source, i64.const(32))), i32.const(4)]));
  c.set(0, i64.extendI32U(sum));
};

/** ADCX, ADOX: a chain of its own through CF or OF, the other flags untouched. */
const addWithFlag =
  (carry: boolean): Semantic =>
  (c) => {
    const b = c.let(c.get(1));
    const a = c.let(c.get(0));
    const aux = c.let(c.flagsAux());
    const cf = c.let(c.flagsCarry());
    const of = c.let(i64.xor(cf, i64.and(i64.shrU(aux, i64.const(62)), i64.const(1))));
    const sum = c.let(i64.add(i64.add(a, b), carry ? cf : of));
    const out = c.let(
      c.size === 8
        ? i64.shrU(i64.or(i64.and(a, b), i64.and(i64.or(a, b), i64.not(sum))), i64.const(63))
        : i64.and(i64.shrU(sum, i64.const(32)), i64.const(1)),
    );
    c.set(0, zeroExtend(c.size, sum));
    const newCarry = carry ? out : cf;
    const newOverflow = carry ? of : out;
    const rest = i64.and(aux, i64.const(~(AUX_CF | AUX_CF_XOR_OF)));
    const words = i64.or(i64.shl(newCarry, i64.const(63)), i64.shl(i64.xor(newCarry, newOverflow), i64.const(62)));
    c.setRawFlags(c.flagsResult(), i64.or(rest, words));
  };

/** POPCNT, LZCNT, TZCNT, MOVBE, CRC32, ADX, and what gives random numbers. */
export const BIT_COUNT_ROWS: readonly InstructionRow[] = [
  row('0f', 0xb8, 'POPCNT', ['Gv', 'Ev'], populationCount, { prefix: 0xf3, feature: 'popcnt' }),
  row('0f', 0xbc, 'TZCNT', ['Gv', 'Ev'], zeroCount(false), { prefix: 0xf3, feature: 'bmi1' }),
  row('0f', 0xbd, 'LZCNT', ['Gv', 'Ev'], zeroCount(true), { prefix: 0xf3, feature: 'lzcnt' }),
  row('0f38', 0xf0, 'MOVBE', ['Gv', 'Ev'], moveReversed, { only: 'mem', feature: 'movbe' }),
  row('0f38', 0xf1, 'MOVBE', ['Ev', 'Gv'], moveReversed, { only: 'mem', feature: 'movbe' }),
  row('0f38', 0xf0, 'CRC32', ['Gy', 'Eb'], checksum, { prefix: 0xf2, feature: 'sse4.2', sizes: [4, 8] }),
  row('0f38', 0xf1, 'CRC32', ['Gy', 'Ev'], checksum, { prefix: 0xf2, feature: 'sse4.2' }),
  row('0f38', 0xf6, 'ADCX', ['Gy', 'Ey'], addWithFlag(true), { prefix: 0x66, feature: 'adx', sizes: [4, 8] }),
  row('0f38', 0xf6, 'ADOX', ['Gy', 'Ey'], addWithFlag(false), { prefix: 0xf3, feature: 'adx', sizes: [4, 8] }),
  systemRow('0f', 0xc7, 'RDRAND', ['Rv'], { group: 6, only: 'reg', feature: 'rdrand', ends: false }),
  systemRow('0f', 0xc7, 'RDSEED', ['Rv'], { group: 7, only: 'reg', feature: 'rdseed', ends: false }),
  systemRow('0f', 0xc7, 'RDPID', ['Ry'], {
    group: 7,
    only: 'reg',
    prefix: 0xf3,
    sizes: [4, 8],
    feature: 'rdpid',
    ends: false,
  }),
];
