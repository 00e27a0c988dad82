import { dataAddress, encode, littleEndian, type Mode, memoryAt, type OperandBits, reg } from '../encode.ts';
import type { Random } from '../random.ts';
import { type CaseState, immediateOf, type VectorRecorder, wideSizes } from '../recorder.ts';
import { CODE_BASE } from '../vector.ts';

/** MOV in all forms, extensions, exchanges, CMOVcc, SETcc, LEA, BSWAP, XLAT, flag moves, no-operations. */
export function recordMoves(recorder: VectorRecorder, mode: Mode): void {
  recordMov(recorder, mode);
  recordExtensions(recorder, mode);
  recordExchanges(recorder, mode);
  recordConditional(recorder, mode);
  recordAddressing(recorder, mode);
  recordMisc(recorder, mode);
}

function recordMov(recorder: VectorRecorder, mode: Mode): void {
  const { random } = recorder;
  for (const bits of [8, ...wideSizes(mode)] as OperandBits[]) {
    const wide = bits === 8 ? 0 : 1;
    const immediateBits = immediateOf(bits);
    const shared = { mode, bits, rm: 'both' } as const;
    recorder.rm({ ...shared, name: `MOV r/m${bits}, r${bits}`, opcode: [0x88 | wide], reg: { bits }, count: 10 });
    recorder.rm({ ...shared, name: `MOV r${bits}, r/m${bits}`, opcode: [0x8a | wide], reg: { bits }, count: 10 });
    recorder.rm({
      ...shared,
      name: `MOV r/m${bits}, imm${immediateBits}`,
      opcode: [0xc6 | wide],
      reg: { extension: 0 },
      immediateBits,
      count: 6,
    });
    for (let register = 0; register < (mode === 64 ? 16 : 8); register++) {
      const bytes = encode({
        mode,
        bits,
        opcode: [wide ? 0xb8 : 0xb0],
        opcodeRegister: register,
        immediate: littleEndian(random.integer(bits), bits / 8),
      });
      recorder.add(`MOV r${bits}, imm${bits}`, mode, bytes, recorder.state(mode));
    }
    for (let index = 0; index < 4; index++) {
      for (const [name, opcode] of [
        [`MOV accumulator, moffs${bits}`, 0xa0],
        [`MOV moffs${bits}, accumulator`, 0xa2],
      ] as const) {
        const state = recorder.state(mode);
        const linear = dataAddress(random, bits / 8);
        const short = mode === 64 && index === 3;
        state.store(linear, random.bits(bits), bits / 8);
        const offset = BigInt(mode === 16 ? linear - CODE_BASE : linear);
        const immediate = littleEndian(offset, mode === 16 ? 2 : mode === 32 || short ? 4 : 8);
        recorder.add(
          name,
          mode,
          encode({ mode, bits, prefixes: short ? [0x67] : [], opcode: [opcode | wide], immediate }),
          state,
        );
      }
    }
    if (bits === 32 || bits === 64) {
      recorder.rm({
        ...shared,
        rm: 'memory',
        name: `MOVNTI m${bits}, r${bits}`,
        opcode: [0x0f, 0xc3],
        reg: { bits },
        count: 3,
      });
    }
  }
}

function recordExtensions(recorder: VectorRecorder, mode: Mode): void {
  for (const bits of wideSizes(mode)) {
    for (const [name, opcode, rmBits] of [
      ['MOVZX', 0xb6, 8],
      ['MOVZX', 0xb7, 16],
      ['MOVSX', 0xbe, 8],
      ['MOVSX', 0xbf, 16],
    ] as const) {
      recorder.rm({
        name: `${name} r${bits}, r/m${rmBits}`,
        mode,
        bits,
        opcode: [0x0f, opcode],
        reg: { bits },
        rmBits,
        rm: 'both',
        count: 8,
      });
    }
    if (mode === 64) {
      const rmBits = bits === 16 ? 16 : 32;
      recorder.rm({
        name: `MOVSXD r${bits}, r/m${rmBits}`,
        mode,
        bits,
        opcode: [0x63],
        reg: { bits },
        rmBits,
        rm: 'both',
        count: 8,
      });
    }
    for (let index = 0; index < 6; index++) {
      for (const [name, opcode] of [
        ['CBW/CWDE/CDQE', 0x98],
        ['CWD/CDQ/CQO', 0x99],
      ] as const) {
        const state = recorder.state(mode);
        state.setRegister(0, bits, recorder.random.integer(bits));
        recorder.add(name, mode, encode({ mode, bits, opcode: [opcode] }), state);
      }
    }
  }
}

function recordExchanges(recorder: VectorRecorder, mode: Mode): void {
  const { random } = recorder;
  for (const bits of [8, ...wideSizes(mode)] as OperandBits[]) {
    const wide = bits === 8 ? 0 : 1;
    const shared = { mode, bits, reg: { bits }, rm: 'both' } as const;
    recorder.rm({ ...shared, name: `XCHG r/m${bits}, r${bits}`, opcode: [0x86 | wide], count: 8 });
    recorder.rm({ ...shared, name: `XADD r/m${bits}, r${bits}`, opcode: [0x0f, 0xc0 | wide], count: 10 });
    recorder.rm({
      ...shared,
      rm: 'memory',
      prefixes: [0xf0],
      name: `LOCK XADD r/m${bits}, r${bits}`,
      opcode: [0x0f, 0xc0 | wide],
      count: 3,
    });
    // Equal and unequal: values from a small set, and the accumulator too.
    const few = (source: Random) => source.pick([0x11n, 0xf7n, BigInt.asUintN(bits, -1n)]);
    const setup = (state: CaseState, source: Random) => state.setRegister(0, bits, few(source));
    const compare = { ...shared, opcode: [0x0f, 0xb0 | wide], rmValue: few, setup };
    recorder.rm({ ...compare, name: `CMPXCHG r/m${bits}, r${bits}`, count: 14 });
    recorder.rm({ ...compare, rm: 'memory', prefixes: [0xf0], name: `LOCK CMPXCHG r/m${bits}, r${bits}`, count: 6 });
    if (!wide) continue;
    for (let register = 0; register < (mode === 64 ? 16 : 8); register++) {
      const bytes = encode({ mode, bits, opcode: [0x90], opcodeRegister: register });
      recorder.add(`XCHG accumulator, r${bits}`, mode, bytes, recorder.state(mode));
      if (bits !== 16) {
        recorder.add(
          `BSWAP r${bits}`,
          mode,
          encode({ mode, bits, opcode: [0x0f, 0xc8], opcodeRegister: register }),
          recorder.state(mode),
        );
      }
    }
  }
  for (const bits of (mode === 64 ? [32, 64] : [32]) as OperandBits[]) {
    for (let index = 0; index < 10; index++) {
      const state = recorder.state(mode);
      const byteLength = bits / 4;
      const address = index === 9 ? 0x1000_4004 : dataAddress(random, byteLength, bits === 64);
      const memory = memoryAt(random, mode, address);
      const value = random.bits(bits * 2);
      state.store(address, value, byteLength);
      if (index % 2 === 0) {
        state.setRegister(0, bits, BigInt.asUintN(bits, value));
        state.setRegister(2, bits, value >> BigInt(bits));
      }
      state.point(memory);
      const prefixes = index % 3 === 0 ? [0xf0] : [];
      const operand = mode === 16 ? undefined : bits;
      const bytes = encode({
        mode,
        ...(operand ? { bits: operand } : {}),
        prefixes,
        opcode: [0x0f, 0xc7],
        reg: 1,
        rm: memory,
      });
      recorder.add(`CMPXCHG${byteLength}B m${bits * 2}`, mode, bytes, state);
    }
  }
}

function recordConditional(recorder: VectorRecorder, mode: Mode): void {
  for (let condition = 0; condition < 16; condition++) {
    recorder.rm({
      name: `SET${condition.toString(16)} r/m8`,
      mode,
      bits: 8,
      opcode: [0x0f, 0x90 | condition],
      reg: { extension: 0 },
      rm: 'both',
      count: 8,
    });
    for (const bits of wideSizes(mode)) {
      recorder.rm({
        name: `CMOV${condition.toString(16)} r${bits}, r/m${bits}`,
        mode,
        bits,
        opcode: [0x0f, 0x40 | condition],
        reg: { bits },
        rm: 'both',
        count: 5,
      });
    }
  }
}

/** LEA and MOV over many addressing forms, and accesses that fault. */
function recordAddressing(recorder: VectorRecorder, mode: Mode): void {
  const { random } = recorder;
  for (const bits of wideSizes(mode)) {
    recorder.rm({
      name: `LEA r${bits}, m`,
      mode,
      bits,
      opcode: [0x8d],
      reg: { bits },
      rmBits: 8,
      rm: 'memory',
      count: 80,
    });
  }
  recorder.rm({ name: 'MOV r32, r/m32', mode, bits: 32, opcode: [0x8b], reg: { bits: 32 }, rm: 'memory', count: 200 });
  if (mode === 16) return;
  // Both neighbours of the data area are unmapped.
  for (const address of [0x1000_3ffd, 0x1000_5ffd, 0x1000_6000, 0x2000_0000, 0x1000_3000]) {
    for (const [name, opcode] of [
      ['MOV r32, r/m32', [0x8b]],
      ['MOV r/m32, r32', [0x89]],
      ['ADD r/m32, r32', [0x01]],
      ['CMP r/m32, r32', [0x39]],
      ['XCHG r/m32, r32', [0x87]],
      ['CMPXCHG r/m32, r32', [0x0f, 0xb1]],
      ['BTS r/m32, r32', [0x0f, 0xab]],
    ] as const) {
      const state = recorder.state(mode);
      const memory = memoryAt(random, mode, address);
      state.point(memory);
      if (opcode.length === 2 && opcode[1] === 0xab) state.setRegister(2, 32, 3n);
      recorder.add(`${name} (page fault)`, mode, encode({ mode, bits: 32, opcode, reg: 2, rm: memory }), state);
    }
  }
  if (mode !== 64) return;
  for (const [register, name] of [
    [3, 'DS'],
    [4, 'SS'],
    [5, 'SS'],
  ] as const) {
    for (const opcode of [0x8b, 0x89, 0x01]) {
      const state = recorder.state(mode);
      state.gpr[register] = 0x8000_0000_0000_0000n >> BigInt(random.below(16));
      const modRm = {
        kind: 'memory',
        modRm: register === 4 ? 0x44 : 0x40 | register,
        tail: register === 4 ? [0x24, 8] : [8],
      } as const;
      const rm = {
        ...modRm,
        rexX: false,
        rexB: false,
        prefixes: [],
        linear: 0,
        registers: new Map(),
        ripRelative: false,
      };
      recorder.add(
        `access through ${name}, not canonical`,
        mode,
        encode({ mode, bits: 64, opcode: [opcode], reg: 0, rm }),
        state,
      );
    }
  }
}

function recordMisc(recorder: VectorRecorder, mode: Mode): void {
  const { random } = recorder;
  const oneByte = [
    ['CLC', 0xf8],
    ['STC', 0xf9],
    ['CMC', 0xf5],
    ['CLD', 0xfc],
    ['STD', 0xfd],
    ['LAHF', 0x9f],
    ['SAHF', 0x9e],
    ['NOP', 0x90],
  ] as const;
  for (const [name, opcode] of oneByte) {
    for (let index = 0; index < 8; index++) {
      const state = recorder.state(mode);
      state.rflags |= random.below(2) * 0x400;
      state.setRegister(0, 16, random.bits(16));
      recorder.add(name, mode, [opcode], state);
    }
  }
  if (mode !== 64) {
    for (let index = 0; index < 4; index++) recorder.add('SALC', mode, [0xd6], recorder.state(mode));
  }
  for (let index = 0; index < 6; index++) {
    const state = recorder.state(mode);
    const table = dataAddress(random, 256);
    state.gpr[3] = BigInt(table - (mode === 16 ? CODE_BASE : 0));
    state.store(table + Number(state.gpr[0]! & 0xffn), random.bits(8), 1);
    recorder.add('XLAT', mode, [0xd7], state);
  }
  for (const bits of wideSizes(mode)) recordHints(recorder, mode, bits);
  for (const [name, modRm] of [
    ['LFENCE', 5],
    ['MFENCE', 6],
    ['SFENCE', 7],
  ] as const) {
    recorder.add(name, mode, encode({ mode, opcode: [0x0f, 0xae], reg: modRm, rm: reg(0) }), recorder.state(mode));
  }
  recorder.rm({
    name: 'CLFLUSH m8',
    mode,
    bits: 8,
    opcode: [0x0f, 0xae],
    reg: { extension: 7 },
    rm: 'memory',
    count: 2,
  });
  recorder.add('PAUSE', mode, [0xf3, 0x90], recorder.state(mode));
}

/** NOP with an operand, the reserved hints beside it, and prefetches. */
function recordHints(recorder: VectorRecorder, mode: Mode, bits: OperandBits): void {
  for (let opcode = 0x19; opcode <= 0x1f; opcode++) {
    // F3 0F 1E is CET's; 0F 1A and 1B are MPX's, with memory operands that count.
    if (opcode === 0x1a || opcode === 0x1b) continue;
    recorder.rm({
      name: `NOP r/m${bits} (0F ${opcode.toString(16)})`,
      mode,
      bits,
      opcode: [0x0f, opcode],
      reg: { extension: 0 },
      rm: 'both',
      count: 2,
    });
  }
  for (let extension = 0; extension < 4; extension++) {
    const name = `PREFETCHh (/${extension})`;
    recorder.rm({ name, mode, bits, opcode: [0x0f, 0x18], reg: { extension }, rm: 'memory', count: 2 });
  }
  recorder.rm({
    name: 'PREFETCHW m8',
    mode,
    bits,
    opcode: [0x0f, 0x0d],
    reg: { extension: 1 },
    rm: 'memory',
    count: 2,
  });
}
