import { anyF32, anyF64 } from '../floats.ts';
import type { Random } from '../random.ts';
import type { VectorRecorder } from '../recorder.ts';
import { DATA_BASE, DEFAULT_FPU } from '../vector.ts';

const RBP = 5;
const RCX = 1;
/** Few registers, so that results become operands. */
const REGISTERS = 6;
const DATA = DATA_BASE + 0x400;
const DATA_BYTES = 128;
/** MXCSR as programs have it, before and after their first rounding. */
const USUAL_MXCSR = [0x1f80, 0x1fa0];
/** SQRT ADD MUL SUB MIN DIV MAX, conversions between precisions. */
const ARITHMETIC = [0x51, 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f, 0x58, 0x59, 0x5a];
const PREFIXES = [[], [0x66], [0xf3], [0xf2]] as const;
const MOVAPD = [0x66, 0x0f, 0x28];
const MOVSD = [0xf2, 0x0f, 0x10];
const UNPCKLPD = [0x66, 0x0f, 0x14];
const UCOMISD = [0x66, 0x0f, 0x2e];
const CMPLTPD = [0x66, 0x0f, 0xc2];

/** Sums of products, as programs have them, with a denormal, an infinity or a NaN now and then. */
export function recordNumbers(recorder: VectorRecorder, count: number): void {
  for (let index = 0; index < count; index++) recordSequence(recorder, index % 3 === 2);
}

function recordSequence(recorder: VectorRecorder, isLoop: boolean): void {
  const { random } = recorder;
  const state = recorder.state(64);
  const isDouble = random.below(3) > 0;
  const rarity = random.pick([3, 12, 1000]);
  const lanes = () =>
    isDouble
      ? anyDouble(random, rarity) | (anyDouble(random, rarity) << 64n)
      : [0n, 32n, 64n, 96n].reduce((all, shift) => all | (anySingle(random, rarity) << shift), 0n);
  state.gpr[RBP] = BigInt(DATA);
  if (isLoop) state.gpr[RCX] = BigInt(1 + random.below(5));
  for (let offset = 0; offset < DATA_BYTES; offset += 16) {
    const value = lanes();
    state.store(DATA + offset, BigInt.asUintN(64, value), 8);
    state.store(DATA + offset + 8, value >> 64n, 8);
  }
  // Rounding control, DAZ, FTZ and flags at random now and then; all masked.
  const mxcsr = random.below(4) > 0 ? random.pick(USUAL_MXCSR) : 0x1f80 | (Number(random.bits(16)) & ~0x1f80);
  state.fpu = { ...DEFAULT_FPU, mxcsr, xmm: DEFAULT_FPU.xmm.map(() => lanes()) };
  const bytes: number[] = [];
  const length = 4 + random.below(5);
  for (let position = 0; position < length && bytes.length < 36; position++) bytes.push(...anyStep(random, isDouble));
  const backward = -(bytes.length + 4);
  if (isLoop) bytes.push(0xff, 0xc9, 0x75, backward & 0xff);
  recorder.add(`sequence of numbers${isLoop ? ' in a loop' : ''}`, 64, Uint8Array.from(bytes), state);
}

/** An instruction on registers, or with a memory operand off RBP. */
function anyStep(random: Random, isDouble: boolean): number[] {
  const [opcode, tail] = anyOpcode(random, isDouble);
  const register = random.below(REGISTERS) << 3;
  if (random.below(3) > 0) return [...opcode, 0xc0 | register | random.below(REGISTERS), ...tail];
  return [...opcode, 0x45 | register, 16 * random.below(DATA_BYTES / 16), ...tail];
}

function anyOpcode(random: Random, isDouble: boolean): readonly [readonly number[], readonly number[]] {
  switch (random.below(12)) {
    case 0:
      return [MOVAPD, []];
    case 1:
      return [isDouble ? MOVSD : [0xf3, 0x0f, 0x10], []];
    case 2:
      return [isDouble ? UNPCKLPD : [0x0f, 0x14], []];
    case 3:
      return random.below(2) === 0 ? [UCOMISD, []] : [CMPLTPD, [random.below(8)]];
    default: {
      const kind = isDouble ? [1, 3] : [0, 2];
      return [[...PREFIXES[random.pick(kind)]!, 0x0f, random.pick(ARITHMETIC)], []];
    }
  }
}

function anyDouble(random: Random, rarity: number): bigint {
  if (random.below(rarity) === 0) return anyF64(random);
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, anyNumber(random));
  return view.getBigUint64(0);
}

function anySingle(random: Random, rarity: number): bigint {
  if (random.below(rarity) === 0) return anyF32(random);
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, anyNumber(random));
  return BigInt(view.getUint32(0));
}

/** Zeros, small integers, and numbers of about that size. */
function anyNumber(random: Random): number {
  const sign = random.below(2) === 0 ? 1 : -1;
  const integer = random.below(random.pick([1, 10, 1000, 1 << 30]));
  return sign * (random.below(2) === 0 ? integer : integer + random.u32() / 2 ** 32);
}
