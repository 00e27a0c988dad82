import { expect, test } from 'vitest';
import { add, divide, multiply, squareRoot } from '../../../../src/emulator/cpu/softfloat/arithmetic.ts';
import { FloatUnit } from '../../../../src/emulator/cpu/softfloat/float-unit.ts';
import { BINARY32, BINARY64, EXTENDED } from '../../../../src/emulator/cpu/softfloat/format.ts';
import { Random } from '../../../oracle/cpu-vectors/random.ts';

const view = new DataView(new ArrayBuffer(8));

function double(bits: bigint): number {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

function bitsOfDouble(value: number): bigint {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

function single(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

function bitsOfSingle(value: number): number {
  view.setFloat32(0, value);
  return view.getUint32(0);
}

/** Doubles with exponents at the edges more often than by chance. */
function anyDouble(random: Random): bigint {
  const bits = random.u64();
  const exponent = random.pick([undefined, undefined, 0n, 1n, 2n, 0x3ffn, 0x400n, 0x7fen, 0x7ffn]);
  const fraction = random.below(3) === 0 ? bits & 0xfff0_0000_ffff_f000n : bits;
  return exponent === undefined ? fraction : (fraction & 0x800f_ffff_ffff_ffffn) | (exponent << 52n);
}

test('binary64 and binary32 agree with the host, whose arithmetic rounds to nearest even', () => {
  const unit = new FloatUnit({ x87: false });
  const random = new Random('softfloat');
  const operations = [
    { operate: add, host: (x: number, y: number) => x + y },
    { operate: multiply, host: (x: number, y: number) => x * y },
    { operate: divide, host: (x: number, y: number) => x / y },
  ];
  for (let index = 0; index < 20_000; index++) {
    const left = anyDouble(random);
    const right = anyDouble(random);
    for (const { operate, host } of operations) {
      unit.a.fromF64(left);
      unit.b.fromF64(right);
      operate(unit, BINARY64, unit.a, unit.b);
      const wanted = host(double(left), double(right));
      if (Number.isNaN(wanted)) expect(double(unit.f64)).toBeNaN();
      else expect(unit.f64).toBe(bitsOfDouble(wanted));
      const short = [Number(left >> 32n), Number(right >> 32n)] as const;
      unit.a.fromF32(short[0]);
      unit.b.fromF32(short[1]);
      operate(unit, BINARY32, unit.a, unit.b);
      // Double rounding is harmless: 53 ≥ 2 × 24 + 2.
      const wantedShort = Math.fround(host(single(short[0]), single(short[1])));
      if (!Number.isNaN(wantedShort)) expect(unit.f32).toBe(bitsOfSingle(wantedShort));
    }
    unit.a.fromF64(left);
    squareRoot(unit, BINARY64, unit.a);
    const root = Math.sqrt(double(left));
    if (!Number.isNaN(root)) expect(unit.f64).toBe(bitsOfDouble(root));
  }
});

test('the 80-bit square root is the largest whose square does not exceed the operand', () => {
  const unit = new FloatUnit({ x87: true });
  unit.rounding = 3;
  const random = new Random('root');
  for (let index = 0; index < 500; index++) {
    const significand = random.u64() | (1n << 63n);
    unit.a.fromF80(16383, significand);
    squareRoot(unit, EXTENDED, unit.a);
    const root = unit.significand80;
    expect(root * root <= significand << 63n).toBe(true);
    expect((root + 1n) * (root + 1n) > significand << 63n).toBe(true);
  }
});
