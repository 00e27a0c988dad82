import { encode, littleEndian, type Mode, type OperandBits, reg } from '../encode.ts';
import type { Random } from '../random.ts';
import { AF, CF, OF, PF, SF, STATUS, type VectorRecorder, wideSizes, ZF } from '../recorder.ts';
import { CODE_BASE, DATA_BASE } from '../vector.ts';

/** An instruction of a sequence, and how it treats the status flags. */
interface Step {
  readonly bytes: readonly number[];
  readonly reads: number;
  readonly writes: number;
  /** Written, but undefined. */
  readonly leavesUndefined: number;
}

const RBP = 5;
const RCX = 1;
/** CF | parity of conditions in encoding order, pairwise. */
const CONDITION_READS = [OF, CF, ZF, CF | ZF, SF, PF, SF | OF, ZF | SF | OF];
const POOL_32 = [0, 2, 3, 6, 7];
const POOL_64 = [0, 2, 3, 6, 7, 8, 9, 10, 11];

/**
 * Flags that one instruction leaves lazily and the next consumes, short forward jumps, and counted loops: what single instructions
 * cannot show. Flags that the SDM leaves undefined are never consumed.
 */
export function recordSequences(recorder: VectorRecorder, mode: Mode, count: number): void {
  for (let index = 0; index < count; index++) recordSequence(recorder, mode, index % 3 === 2);
}

function recordSequence(recorder: VectorRecorder, mode: Mode, isLoop: boolean): void {
  const { random } = recorder;
  const state = recorder.state(mode);
  for (const register of mode === 64 ? POOL_64 : POOL_32) state.gpr[register] = random.integer(64);
  const data = DATA_BASE + 0x400;
  state.gpr[RBP] = BigInt(data - (mode === 16 ? CODE_BASE : 0));
  // A pattern, so that the fixtures pack well.
  const pattern = random.bits(64);
  for (let offset = 0; offset < 128; offset += 8) state.store(data + offset, pattern, 8);
  if (isLoop) state.gpr[RCX] = BigInt(1 + random.below(5));
  let undefinedFlags = 0;
  const bytes: number[] = [];
  const add = (step: Step): void => {
    bytes.push(...step.bytes);
    undefinedFlags = (undefinedFlags & ~step.writes) | step.leavesUndefined;
  };
  const length = 3 + random.below(5);
  for (let position = 0; position < length && bytes.length < 36; position++) {
    let step = anyStep(random, mode);
    for (let tries = 0; (step.reads & undefinedFlags) !== 0 && tries < 50; tries++) step = anyStep(random, mode);
    if ((step.reads & undefinedFlags) !== 0) continue;
    add(step);
  }
  // In a loop the first instruction meets the flags that the last one left: those of DEC (all but CF).
  const backward = -(bytes.length + (mode === 64 ? 2 : 1) + 2);
  if (isLoop) {
    bytes.push(...(mode === 64 ? [0xff, 0xc9] : [0x49]), 0x75, backward & 0xff);
    undefinedFlags &= ~(OF | SF | ZF | AF | PF);
  }
  recorder.add(`sequence${isLoop ? ' in a loop' : ''}`, mode, bytes, state, undefinedFlags);
}

function anyStep(random: Random, mode: Mode): Step {
  const sizes: OperandBits[] = [8, ...wideSizes(mode)];
  const bits = random.pick(sizes);
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return arithmetic(random, mode, bits);
    case 3:
      return unaryStep(random, mode, bits);
    case 4:
      return shiftStep(random, mode, bits);
    case 5:
    case 6:
      return setOrMove(random, mode);
    case 7:
      return jumpOver(random, mode);
    case 8:
      return memoryStep(random, mode, bits);
    case 9:
      return carryStep(random, mode);
    case 10:
      return multiplyStep(random, mode);
    default:
      return stackStep(random, mode);
  }
}

function anyRegister(random: Random, mode: Mode, bits: OperandBits): number {
  const pool = mode === 64 ? POOL_64 : bits === 8 ? [0, 2, 3] : POOL_32;
  // SPL to DIL would need care with REX; AH to BH belong to the pool's registers.
  const register = random.pick(pool);
  return bits === 8 && (register === 6 || register === 7) ? 0 : register;
}

const plain = (bytes: Iterable<number>): Step => ({ bytes: [...bytes], reads: 0, writes: 0, leavesUndefined: 0 });

function arithmetic(random: Random, mode: Mode, bits: OperandBits): Step {
  const operation = random.below(8);
  const wide = bits === 8 ? 0 : 1;
  const shared = { mode, bits, rm: reg(anyRegister(random, mode, bits)) } as const;
  const bytes =
    random.below(2) === 0
      ? encode({ ...shared, opcode: [(operation << 3) | wide], reg: anyRegister(random, mode, bits) })
      : encode({
          ...shared,
          opcode: [bits === 8 ? 0x80 : 0x83],
          reg: operation,
          immediate: littleEndian(random.integer(8), 1),
        });
  const isLogical = operation === 1 || operation === 4 || operation === 6;
  const reads = operation === 2 || operation === 3 ? CF : 0;
  return { bytes: [...bytes], reads, writes: STATUS, leavesUndefined: isLogical ? AF : 0 };
}

function unaryStep(random: Random, mode: Mode, bits: OperandBits): Step {
  const [opcode, extension, writes] = random.pick([
    [0xfe, 0, STATUS & ~CF],
    [0xfe, 1, STATUS & ~CF],
    [0xf6, 2, 0],
    [0xf6, 3, STATUS],
  ] as const);
  const wide = bits === 8 ? 0 : 1;
  const bytes = encode({
    mode,
    bits,
    opcode: [opcode | wide],
    reg: extension,
    rm: reg(anyRegister(random, mode, bits)),
  });
  return { bytes: [...bytes], reads: 0, writes, leavesUndefined: 0 };
}

function shiftStep(random: Random, mode: Mode, bits: OperandBits): Step {
  const extension = random.below(8);
  const count = random.below(3) === 0 ? 0 : 1 + random.below(bits - 1);
  const wide = bits === 8 ? 0 : 1;
  const bytes = encode({
    mode,
    bits,
    opcode: [0xc0 | wide],
    reg: extension,
    rm: reg(anyRegister(random, mode, bits)),
    immediate: [count & (bits === 64 ? 63 : 31)],
  });
  const reads = extension === 2 || extension === 3 ? CF : 0;
  if (count === 0) return { bytes: [...bytes], reads, writes: 0, leavesUndefined: 0 };
  const overflow = count === 1 ? 0 : OF;
  if (extension < 4) return { bytes: [...bytes], reads, writes: CF | OF, leavesUndefined: overflow };
  return { bytes: [...bytes], reads, writes: STATUS, leavesUndefined: AF | overflow };
}

function setOrMove(random: Random, mode: Mode): Step {
  const condition = random.below(16);
  const reads = CONDITION_READS[condition >> 1]!;
  if (random.below(2) === 0) {
    const rm = reg(anyRegister(random, mode, 8));
    return { ...plain(encode({ mode, bits: 8, opcode: [0x0f, 0x90 | condition], reg: 0, rm })), reads };
  }
  const bits = random.pick(wideSizes(mode));
  const rm = reg(anyRegister(random, mode, bits));
  return {
    ...plain(encode({ mode, bits, opcode: [0x0f, 0x40 | condition], reg: anyRegister(random, mode, bits), rm })),
    reads,
  };
}

/** A conditional jump over an instruction that leaves the flags alone. */
function jumpOver(random: Random, mode: Mode): Step {
  const condition = random.below(16);
  const skipped = encode({
    mode,
    bits: 8,
    opcode: [0xb0],
    opcodeRegister: anyRegister(random, mode, 8),
    immediate: [random.below(256)],
  });
  return { ...plain([0x70 | condition, skipped.length, ...skipped]), reads: CONDITION_READS[condition >> 1]! };
}

/** [rBP + disp8] as an operand. */
function memoryStep(random: Random, mode: Mode, bits: OperandBits): Step {
  const wide = bits === 8 ? 0 : 1;
  const rm = {
    kind: 'memory',
    modRm: mode === 16 ? 0x46 : 0x45,
    tail: [random.below(112)],
    rexX: false,
    rexB: false,
    prefixes: [],
    linear: 0,
    registers: new Map(),
    ripRelative: false,
  } as const;
  const register = anyRegister(random, mode, bits);
  const operation = random.below(9);
  if (operation === 8)
    return plain(encode({ mode, bits, opcode: [(random.below(2) ? 0x88 : 0x8a) | wide], reg: register, rm }));
  const direction = random.below(2) ? 2 : 0;
  const bytes = encode({ mode, bits, opcode: [(operation << 3) | direction | wide], reg: register, rm });
  const isLogical = operation === 1 || operation === 4 || operation === 6;
  const reads = operation === 2 || operation === 3 ? CF : 0;
  return { bytes: [...bytes], reads, writes: STATUS, leavesUndefined: isLogical ? AF : 0 };
}

function carryStep(random: Random, mode: Mode): Step {
  switch (random.below(4)) {
    case 0:
      return { ...plain([0xf5]), reads: CF, writes: CF };
    case 1:
      return { ...plain([random.pick([0xf8, 0xf9])]), writes: CF };
    case 2: {
      // BT leaves all but CF and ZF undefined.
      const bits = random.pick(wideSizes(mode));
      const rm = reg(anyRegister(random, mode, bits));
      const bytes = encode({ mode, bits, opcode: [0x0f, 0xba], reg: 4, rm, immediate: [random.below(bits)] });
      return { ...plain(bytes), writes: CF | OF | SF | AF | PF, leavesUndefined: OF | SF | AF | PF };
    }
    default:
      return { ...plain([0x9f]), reads: CF | PF | AF | ZF | SF };
  }
}

function multiplyStep(random: Random, mode: Mode): Step {
  const bits = random.pick(wideSizes(mode));
  const rm = reg(anyRegister(random, mode, bits));
  const bytes = encode({ mode, bits, opcode: [0x0f, 0xaf], reg: anyRegister(random, mode, bits), rm });
  return { bytes: [...bytes], reads: 0, writes: STATUS, leavesUndefined: SF | ZF | AF | PF };
}

function stackStep(random: Random, mode: Mode): Step {
  const bits = mode;
  switch (random.below(3)) {
    case 0:
      // PUSHF, POP: all flags as a value.
      return {
        ...plain([0x9c, ...encode({ mode, bits, default64: true, opcode: [0x58], opcodeRegister: 0 })]),
        reads: STATUS,
      };
    case 1:
      return plain([0x50 | random.pick(POOL_32), 0x58 | random.pick(POOL_32)]);
    default:
      // CALL and a POP of the return address.
      return plain([0xe8, ...littleEndian(0n, mode === 16 ? 2 : 4), 0x58 | random.pick(POOL_32)]);
  }
}
