import { encode, littleEndian, type Mode, type OperandBits } from '../encode.ts';
import type { Random } from '../random.ts';
import {
  AF,
  type CaseState,
  CF,
  immediateOf,
  OF,
  PF,
  SF,
  STATUS,
  type VectorRecorder,
  wideSizes,
  ZF,
} from '../recorder.ts';

const BINARY = ['ADD', 'OR', 'ADC', 'SBB', 'AND', 'SUB', 'XOR', 'CMP'];
const LOGICAL = new Set(['OR', 'AND', 'XOR', 'TEST']);
const LOCKABLE = new Set(['ADD', 'OR', 'ADC', 'SBB', 'AND', 'SUB', 'XOR']);

/** ADD…CMP, TEST, INC, DEC, NOT, NEG, MUL, IMUL, DIV, IDIV, and decimal adjustment. */
export function recordArithmetic(recorder: VectorRecorder, mode: Mode): void {
  BINARY.forEach((name, index) => {
    recordBinary(recorder, mode, name, index);
  });
  recordTest(recorder, mode);
  recordUnary(recorder, mode);
  recordMultiply(recorder, mode);
  recordDivide(recorder, mode);
  if (mode !== 64) recordDecimal(recorder, mode);
}

function recordBinary(recorder: VectorRecorder, mode: Mode, name: string, index: number): void {
  const undefinedFlags = LOGICAL.has(name) ? AF : 0;
  const row = index << 3;
  for (const bits of [8, ...wideSizes(mode)] as OperandBits[]) {
    const wide = bits === 8 ? 0 : 1;
    const shared = { mode, bits, rm: 'both', undefinedFlags } as const;
    const immediateBits = immediateOf(bits);
    recorder.rm({ ...shared, name: `${name} r/m${bits}, r${bits}`, opcode: [row | wide], reg: { bits }, count: 14 });
    recorder.rm({ ...shared, name: `${name} r${bits}, r/m${bits}`, opcode: [row | 2 | wide], reg: { bits }, count: 8 });
    const extension = { extension: index };
    recorder.rm({
      ...shared,
      name: `${name} r/m${bits}, imm${immediateBits}`,
      opcode: [0x80 | wide],
      reg: extension,
      immediateBits,
      count: 6,
    });
    if (wide)
      recorder.rm({
        ...shared,
        name: `${name} r/m${bits}, imm8`,
        opcode: [0x83],
        reg: extension,
        immediateBits: 8,
        count: 6,
      });
    recordAccumulator(
      recorder,
      mode,
      `${name} ${bits === 8 ? 'AL' : bits === 64 ? 'RAX' : 'eAX'}, imm${immediateBits}`,
      bits,
      row | 4 | wide,
      undefinedFlags,
    );
    if (LOCKABLE.has(name)) {
      recorder.rm({
        ...shared,
        rm: 'memory',
        prefixes: [0xf0],
        name: `LOCK ${name} r/m${bits}, r${bits}`,
        opcode: [row | wide],
        reg: { bits },
        count: 2,
      });
    }
  }
  if (mode !== 64) {
    recorder.rm({
      mode,
      bits: 8,
      rm: 'both',
      undefinedFlags,
      name: `${name} r/m8, imm8 (82h)`,
      opcode: [0x82],
      reg: { extension: index },
      immediateBits: 8,
      count: 2,
    });
  }
}

function recordAccumulator(
  recorder: VectorRecorder,
  mode: Mode,
  name: string,
  bits: OperandBits,
  opcode: number,
  undefinedFlags: number,
): void {
  for (let index = 0; index < 6; index++) {
    const state = recorder.state(mode);
    state.setRegister(0, bits, recorder.random.integer(bits));
    const immediateBits = immediateOf(bits);
    const immediate = littleEndian(recorder.random.integer(immediateBits), immediateBits / 8);
    recorder.add(name, mode, encode({ mode, bits, opcode: [opcode], immediate }), state, undefinedFlags);
  }
}

function recordTest(recorder: VectorRecorder, mode: Mode): void {
  for (const bits of [8, ...wideSizes(mode)] as OperandBits[]) {
    const wide = bits === 8 ? 0 : 1;
    const immediateBits = immediateOf(bits);
    const shared = { mode, bits, rm: 'both', undefinedFlags: AF } as const;
    recorder.rm({ ...shared, name: `TEST r/m${bits}, r${bits}`, opcode: [0x84 | wide], reg: { bits }, count: 10 });
    recorder.rm({
      ...shared,
      name: `TEST r/m${bits}, imm${immediateBits}`,
      opcode: [0xf6 | wide],
      reg: { extension: 0 },
      immediateBits,
      count: 8,
    });
    recorder.rm({
      ...shared,
      name: `TEST r/m${bits}, imm${immediateBits} (/1)`,
      opcode: [0xf6 | wide],
      reg: { extension: 1 },
      immediateBits,
      count: 2,
    });
    recordAccumulator(recorder, mode, `TEST accumulator, imm${immediateBits}`, bits, 0xa8 | wide, AF);
  }
}

function recordUnary(recorder: VectorRecorder, mode: Mode): void {
  for (const bits of [8, ...wideSizes(mode)] as OperandBits[]) {
    const wide = bits === 8 ? 0 : 1;
    const forms = [
      ['INC', 0xfe, 0],
      ['DEC', 0xfe, 1],
      ['NOT', 0xf6, 2],
      ['NEG', 0xf6, 3],
    ] as const;
    for (const [name, opcode, extension] of forms) {
      recorder.rm({
        name: `${name} r/m${bits}`,
        mode,
        bits,
        opcode: [opcode | wide],
        reg: { extension },
        rm: 'both',
        count: 12,
      });
      recorder.rm({
        name: `LOCK ${name} r/m${bits}`,
        mode,
        bits,
        prefixes: [0xf0],
        opcode: [opcode | wide],
        reg: { extension },
        rm: 'memory',
        count: 2,
      });
    }
    if (mode === 64 || bits === 8) continue;
    for (let register = 0; register < 8; register++) {
      for (const [name, opcode] of [
        ['INC', 0x40],
        ['DEC', 0x48],
      ] as const) {
        const state = recorder.state(mode);
        state.setRegister(register, bits, recorder.random.integer(bits));
        recorder.add(
          `${name} r${bits} (one byte)`,
          mode,
          encode({ mode, bits, opcode: [opcode], opcodeRegister: register }),
          state,
        );
      }
    }
  }
}

function recordMultiply(recorder: VectorRecorder, mode: Mode): void {
  const undefinedFlags = SF | ZF | AF | PF;
  for (const bits of [8, ...wideSizes(mode)] as OperandBits[]) {
    const wide = bits === 8 ? 0 : 1;
    const setup = (state: CaseState, random: Random) => {
      state.setRegister(0, bits, random.integer(bits));
      if (wide) state.setRegister(2, bits, random.integer(bits));
    };
    for (const [name, extension] of [
      ['MUL', 4],
      ['IMUL', 5],
    ] as const) {
      recorder.rm({
        name: `${name} r/m${bits}`,
        mode,
        bits,
        opcode: [0xf6 | wide],
        reg: { extension },
        rm: 'both',
        count: 16,
        undefinedFlags,
        setup,
      });
    }
    if (!wide) continue;
    const shared = { mode, bits, reg: { bits }, rm: 'both', undefinedFlags } as const;
    const immediateBits = immediateOf(bits);
    recorder.rm({ ...shared, name: `IMUL r${bits}, r/m${bits}`, opcode: [0x0f, 0xaf], count: 14 });
    recorder.rm({
      ...shared,
      name: `IMUL r${bits}, r/m${bits}, imm${immediateBits}`,
      opcode: [0x69],
      immediateBits,
      count: 10,
    });
    recorder.rm({ ...shared, name: `IMUL r${bits}, r/m${bits}, imm8`, opcode: [0x6b], immediateBits: 8, count: 10 });
  }
}

function recordDivide(recorder: VectorRecorder, mode: Mode): void {
  for (const bits of [8, ...wideSizes(mode)] as OperandBits[]) {
    const wide = bits === 8 ? 0 : 1;
    for (const [name, extension] of [
      ['DIV', 6],
      ['IDIV', 7],
    ] as const) {
      const setup = (state: CaseState, random: Random) => setDividend(state, random, bits, name === 'IDIV');
      const shared = {
        mode,
        bits,
        opcode: [0xf6 | wide],
        reg: { extension },
        rm: 'both',
        undefinedFlags: STATUS,
        setup,
      } as const;
      recorder.rm({ ...shared, name: `${name} r/m${bits}`, count: 20 });
      recorder.rm({ ...shared, name: `${name} r/m${bits}`, count: 1, rmValue: () => 0n });
      // The overflow boundary: most negative dividend by −1.
      recorder.rm({ ...shared, name: `${name} r/m${bits}`, count: 2, rmValue: () => BigInt.asUintN(bits, -1n) });
    }
  }
}

/** Mostly dividends whose quotient fits. */
function setDividend(state: CaseState, random: Random, bits: number, signed: boolean): void {
  const low = random.integer(bits);
  const kind = random.below(4);
  const negative = (low >> BigInt(bits - 1)) & 1n;
  let high = kind === 0 ? random.integer(bits) : kind === 1 ? BigInt(random.below(16)) : 0n;
  if (signed && kind >= 1) high = negative ? BigInt.asUintN(bits, -1n - (kind === 1 ? high : 0n)) : high;
  if (bits === 8) state.setRegister(0, 16, (high << 8n) | low);
  else {
    state.setRegister(0, bits, low);
    state.setRegister(2, bits, high);
  }
}

function recordDecimal(recorder: VectorRecorder, mode: Mode): void {
  const { random } = recorder;
  const simple = [
    ['DAA', 0x27, OF],
    ['DAS', 0x2f, OF],
    ['AAA', 0x37, OF | SF | ZF | PF],
    ['AAS', 0x3f, OF | SF | ZF | PF],
  ] as const;
  for (const [name, opcode, undefinedFlags] of simple) {
    for (let index = 0; index < 60; index++) {
      const state = recorder.state(mode);
      state.setRegister(0, 16, random.bits(16));
      recorder.add(name, mode, [opcode], state, undefinedFlags);
    }
  }
  for (const [name, opcode] of [
    ['AAM', 0xd4],
    ['AAD', 0xd5],
  ] as const) {
    for (const divisor of [10, 10, 10, 1, 2, 16, 255, 7, 0, 128]) {
      const state = recorder.state(mode);
      state.setRegister(0, 16, random.bits(16));
      recorder.add(`${name} imm8`, mode, [opcode, divisor], state, OF | AF | CF);
    }
  }
}
