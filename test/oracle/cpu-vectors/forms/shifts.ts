import type { Mode, OperandBits } from '../encode.ts';
import type { Random } from '../random.ts';
import {
  AF,
  type CaseState,
  CF,
  OF,
  type OperandValues,
  PF,
  SF,
  STATUS,
  type VectorRecorder,
  wideSizes,
  ZF,
} from '../recorder.ts';

const COUNTS = [0, 1, 1, 2, 3, 7, 8, 9, 15, 16, 17, 18, 24, 25, 27, 31, 32, 33, 36, 63, 64, 65, 255];
const SHIFTS = ['ROL', 'ROR', 'RCL', 'RCR', 'SHL', 'SHR', 'SAL', 'SAR'];

/** Rotates, shifts and double shifts by 1, CL and imm8, with every class of count. */
export function recordShifts(recorder: VectorRecorder, mode: Mode): void {
  for (const bits of [8, ...wideSizes(mode)] as OperandBits[]) {
    const wide = bits === 8 ? 0 : 1;
    SHIFTS.forEach((name, extension) => {
      const shared = { mode, bits, reg: { extension }, rm: 'both' } as const;
      const masked = (count: number) => undefinedOfShift(extension, bits, count);
      recorder.rm({
        ...shared,
        name: `${name} r/m${bits}, 1`,
        opcode: [0xd0 | wide],
        count: 8,
        undefinedFlags: masked(1),
      });
      recorder.rm({
        ...shared,
        name: `${name} r/m${bits}, imm8`,
        opcode: [0xc0 | wide],
        immediateBits: 8,
        immediates: COUNTS,
        count: 14,
        undefinedFlags: ({ immediate }) => masked(Number(immediate)),
      });
      recorder.rm({
        ...shared,
        name: `${name} r/m${bits}, CL`,
        opcode: [0xd2 | wide],
        count: 24,
        setup: setCount,
        undefinedFlags: ({ state }) => masked(Number(state.gpr[1]! & 0xffn)),
      });
    });
    if (wide) recordDoubleShifts(recorder, mode, bits);
  }
  recordBitTests(recorder, mode);
  recordBitScans(recorder, mode);
}

function setCount(state: CaseState, random: Random): void {
  state.setRegister(1, 8, BigInt(random.pick(COUNTS)));
}

/** SDM vol. 2, "RCL/RCR/ROL/ROR" and "SAL/SAR/SHL/SHR", Flags Affected. */
function undefinedOfShift(extension: number, bits: number, count: number): number {
  const masked = count & (bits === 64 ? 63 : 31);
  if (masked === 0) return 0;
  const overflow = masked === 1 ? 0 : OF;
  if (extension < 4) return overflow;
  return AF | overflow | (extension !== 7 && masked >= bits ? CF : 0);
}

function recordDoubleShifts(recorder: VectorRecorder, mode: Mode, bits: OperandBits): void {
  const masked = (count: number) => {
    const effective = count & (bits === 64 ? 63 : 31);
    return effective === 0 ? 0 : effective === 1 ? AF : AF | OF;
  };
  // Beyond the operand size the result is undefined.
  const tooFar = (count: number) => (count & (bits === 64 ? 63 : 31)) > bits;
  for (const [name, opcode] of [
    ['SHLD', 0xa4],
    ['SHRD', 0xac],
  ] as const) {
    const shared = { mode, bits, reg: { bits }, rm: 'both' } as const;
    recorder.rm({
      ...shared,
      name: `${name} r/m${bits}, r${bits}, imm8`,
      opcode: [0x0f, opcode],
      immediateBits: 8,
      immediates: COUNTS,
      count: 16,
      undefinedFlags: ({ immediate }) => masked(Number(immediate)),
      reject: ({ immediate }) => tooFar(Number(immediate)),
    });
    const count = ({ state }: OperandValues) => Number(state.gpr[1]! & 0xffn);
    recorder.rm({
      ...shared,
      name: `${name} r/m${bits}, r${bits}, CL`,
      opcode: [0x0f, opcode | 1],
      count: 20,
      setup: setCount,
      undefinedFlags: (values) => masked(count(values)),
      reject: (values) => tooFar(count(values)),
    });
  }
}

function recordBitTests(recorder: VectorRecorder, mode: Mode): void {
  const undefinedFlags = OF | SF | AF | PF;
  for (const bits of wideSizes(mode)) {
    for (const [name, extension] of [
      ['BT', 4],
      ['BTS', 5],
      ['BTR', 6],
      ['BTC', 7],
    ] as const) {
      const opcode = [0x0f, 0x83 | (extension << 3)];
      const shared = { mode, bits, undefinedFlags } as const;
      recorder.rm({
        ...shared,
        name: `${name} r/m${bits}, r${bits}`,
        opcode,
        reg: { bits },
        rm: 'register',
        count: 10,
      });
      // A bit offset in a register reaches beyond the operand, either way.
      recorder.rm({
        ...shared,
        name: `${name} r/m${bits}, r${bits}`,
        opcode,
        reg: { bits },
        rm: 'memory',
        count: 12,
        regValue: (random) =>
          BigInt.asUintN(bits, BigInt(random.pick([random.below(bits), random.below(0x4000), -random.below(0x1000)]))),
        setup: (state, random) => state.store(0x1000_4000 + random.below(0x100), random.bits(512), 64),
      });
      recorder.rm({
        ...shared,
        name: `${name} r/m${bits}, imm8`,
        opcode: [0x0f, 0xba],
        reg: { extension },
        rm: 'both',
        immediateBits: 8,
        count: 8,
      });
      if (extension !== 4) {
        recorder.rm({
          ...shared,
          name: `LOCK ${name} r/m${bits}, imm8`,
          prefixes: [0xf0],
          opcode: [0x0f, 0xba],
          reg: { extension },
          rm: 'memory',
          immediateBits: 8,
          count: 2,
        });
      }
    }
  }
}

function recordBitScans(recorder: VectorRecorder, mode: Mode): void {
  const sparse = (bits: number) => (random: Random) =>
    random.below(2)
      ? 1n << BigInt(random.below(bits))
      : (random.bits(bits) << BigInt(random.below(bits))) & ((1n << BigInt(bits)) - 1n);
  for (const bits of wideSizes(mode)) {
    for (const [name, opcode] of [
      ['BSF', 0xbc],
      ['BSR', 0xbd],
    ] as const) {
      recorder.rm({
        name: `${name} r${bits}, r/m${bits}`,
        mode,
        bits,
        opcode: [0x0f, opcode],
        reg: { bits },
        rm: 'both',
        count: 16,
        rmValue: sparse(bits),
        undefinedFlags: STATUS & ~ZF,
        // With a source of 0 processors keep the destination, but differ on its upper half.
        reject: ({ rm }) => rm === 0n && mode === 64 && bits === 32,
      });
    }
  }
}
