import { dataAddress, encode, littleEndian, type Mode, memoryAt, type OperandBits, reg } from '../encode.ts';
import type { Random } from '../random.ts';
import { type CaseState, DF, type VectorRecorder, wideSizes } from '../recorder.ts';
import { CODE_BASE, DATA_BASE, DEFAULT_RIP } from '../vector.ts';

/** Jumps, calls, returns, loops, the stack, string instructions, and what user mode may not do. */
export function recordControl(recorder: VectorRecorder, mode: Mode): void {
  recordJumps(recorder, mode);
  recordCalls(recorder, mode);
  recordStack(recorder, mode);
  recordFrames(recorder, mode);
  recordStrings(recorder, mode);
  recordFaults(recorder, mode);
}

/** Not back into the instruction itself: the harness stops at the first INT3 that it meets. */
const shortDisplacement = (random: Random): number => random.below(256 - 8);
const nearDisplacement = (random: Random): number =>
  random.below(0x700) * (random.below(2) ? 1 : 0) || -0xf0 + random.below(0xe0);

const addressOf = (mode: Mode, linear: number): bigint => BigInt(linear - (mode === 16 ? CODE_BASE : 0));

function recordJumps(recorder: VectorRecorder, mode: Mode): void {
  const { random } = recorder;
  const nearBytes = mode === 16 ? 2 : 4;
  for (let condition = 0; condition < 16; condition++) {
    for (let index = 0; index < 10; index++) {
      recorder.add(
        `J${condition.toString(16)} rel8`,
        mode,
        [0x70 | condition, shortDisplacement(random)],
        recorder.state(mode),
      );
      const displacement = littleEndian(BigInt(nearDisplacement(random)), nearBytes);
      recorder.add(
        `J${condition.toString(16)} rel${nearBytes * 8}`,
        mode,
        [0x0f, 0x80 | condition, ...displacement],
        recorder.state(mode),
      );
    }
  }
  for (let index = 0; index < 4; index++) {
    recorder.add('JMP rel8', mode, [0xeb, shortDisplacement(random)], recorder.state(mode));
    recorder.add(
      `JMP rel${nearBytes * 8}`,
      mode,
      [0xe9, ...littleEndian(BigInt(nearDisplacement(random)), nearBytes)],
      recorder.state(mode),
    );
  }
  const loops = [
    ['LOOPNE', 0xe0],
    ['LOOPE', 0xe1],
    ['LOOP', 0xe2],
    ['JCXZ/JECXZ/JRCXZ', 0xe3],
  ] as const;
  for (const [name, opcode] of loops) {
    for (const prefix of [[], [0x67]]) {
      for (let index = 0; index < 12; index++) {
        const state = recorder.state(mode);
        state.gpr[1] = random.pick([
          0n,
          1n,
          2n,
          0x1_0000n,
          0x1_0001n,
          0xffff_0001n,
          0xffff_0000n,
          0x1_0000_0000n,
          0x1_0000_0001n,
        ]);
        recorder.add(`${name} rel8`, mode, [...prefix, opcode, shortDisplacement(random)], state);
      }
    }
  }
}

function recordCalls(recorder: VectorRecorder, mode: Mode): void {
  const { random } = recorder;
  const bits: OperandBits = mode;
  const nearBytes = mode === 16 ? 2 : 4;
  const target = () => addressOf(mode, DEFAULT_RIP + 0x40 + random.below(0x400));
  for (let index = 0; index < 4; index++) {
    recorder.add(
      `CALL rel${nearBytes * 8}`,
      mode,
      [0xe8, ...littleEndian(BigInt(nearDisplacement(random)), nearBytes)],
      recorder.state(mode),
    );
    for (const [name, extension] of [
      ['CALL', 2],
      ['JMP', 4],
    ] as const) {
      const direct = recorder.state(mode);
      const register = random.pick(mode === 64 ? [0, 1, 2, 3, 5, 8, 13] : [0, 1, 2, 3, 5]);
      direct.gpr[register] = target();
      recorder.add(
        `${name} r${bits}`,
        mode,
        encode({ mode, bits, default64: true, opcode: [0xff], reg: extension, rm: reg(register) }),
        direct,
      );
      const indirect = recorder.state(mode);
      const memory = memoryAt(random, mode, dataAddress(random, bits / 8));
      indirect.point(memory);
      indirect.store(memory.linear, target(), bits / 8);
      recorder.add(
        `${name} m${bits}`,
        mode,
        encode({ mode, bits, default64: true, opcode: [0xff], reg: extension, rm: memory }),
        indirect,
      );
    }
    const back = recorder.state(mode);
    back.store(Number(back.gpr[4]) + (mode === 16 ? CODE_BASE : 0), target(), bits / 8);
    recorder.add('RET', mode, [0xc3], back);
    recorder.add('RET imm16', mode, [0xc2, ...littleEndian(BigInt(random.below(0x300)), 2)], back);
  }
  const pushes: CaseState = recorder.state(mode);
  pushes.gpr[4] = addressOf(mode, DATA_BASE);
  recorder.add('CALL rel32 (stack fault)', mode, [0xe8, ...littleEndian(0x20n, nearBytes)], pushes);
}

function recordStack(recorder: VectorRecorder, mode: Mode): void {
  const { random } = recorder;
  const sizes: OperandBits[] = mode === 64 ? [16, 64] : [16, 32];
  const stacked = () => {
    const state = recorder.state(mode);
    const stack = DATA_BASE + 0x1000 + (random.below(0x200) - 0x100) * 2;
    state.gpr[4] = addressOf(mode, stack);
    state.store(stack, random.bits(512), 64);
    return state;
  };
  for (const bits of sizes) {
    for (let register = 0; register < (mode === 64 ? 16 : 8); register++) {
      const shared = { mode, bits, default64: true, opcodeRegister: register } as const;
      recorder.add(`PUSH r${bits}`, mode, encode({ ...shared, opcode: [0x50] }), stacked());
      recorder.add(`POP r${bits}`, mode, encode({ ...shared, opcode: [0x58] }), stacked());
    }
    for (let index = 0; index < 6; index++) {
      const immediateBytes = bits === 16 ? 2 : 4;
      recorder.add(
        `PUSH imm8 (${bits})`,
        mode,
        encode({ mode, bits, default64: true, opcode: [0x6a], immediate: littleEndian(random.integer(8), 1) }),
        stacked(),
      );
      recorder.add(
        `PUSH imm (${bits})`,
        mode,
        encode({
          mode,
          bits,
          default64: true,
          opcode: [0x68],
          immediate: littleEndian(random.integer(immediateBytes * 8), immediateBytes),
        }),
        stacked(),
      );
      const flags = stacked();
      flags.rflags |= random.pick([0, DF, 0x4000, 0x20_0000]);
      recorder.add(`PUSHF (${bits})`, mode, encode({ mode, bits, default64: true, opcode: [0x9c] }), flags);
      // TF and AC would trap in the harness; IOPL, IF, VM, RF, VIF and VIP are not user mode's to change.
      const pop = recorder.state(mode);
      pop.store(Number(pop.gpr[4]) + (mode === 16 ? CODE_BASE : 0), random.bits(32) & 0xfffb_feffn, 8);
      recorder.add(`POPF (${bits})`, mode, encode({ mode, bits, default64: true, opcode: [0x9d] }), pop);
      if (mode !== 64) {
        recorder.add(`PUSHA (${bits})`, mode, encode({ mode, bits, opcode: [0x60] }), stacked());
        recorder.add(`POPA (${bits})`, mode, encode({ mode, bits, opcode: [0x61] }), stacked());
      }
    }
    recorder.rm({
      name: `PUSH r/m${bits}`,
      mode,
      bits,
      default64: true,
      opcode: [0xff],
      reg: { extension: 6 },
      rm: 'both',
      count: 8,
    });
    recorder.rm({
      name: `POP r/m${bits}`,
      mode,
      bits,
      default64: true,
      opcode: [0x8f],
      reg: { extension: 0 },
      rm: 'both',
      count: 8,
      setup: (state, source) =>
        state.store(Number(state.gpr[4]) + (mode === 16 ? CODE_BASE : 0), source.bits(bits), bits / 8),
    });
    if (mode !== 16) recordStackPointerOperands(recorder, mode, bits);
  }
}

/** PUSH [RSP+8] uses the old stack pointer, POP [RSP+8] the new one. */
function recordStackPointerOperands(recorder: VectorRecorder, mode: Mode, bits: OperandBits): void {
  for (const [name, opcode, extension] of [
    ['PUSH [rSP+8]', 0xff, 6],
    ['POP [rSP+8]', 0x8f, 0],
  ] as const) {
    const state = recorder.state(mode);
    state.store(Number(state.gpr[4]) - 32, recorder.random.bits(512), 64);
    const rm = {
      kind: 'memory',
      modRm: 0x44,
      tail: [0x24, 8],
      rexX: false,
      rexB: false,
      prefixes: [],
      linear: 0,
      registers: new Map(),
      ripRelative: false,
    } as const;
    recorder.add(
      `${name} (${bits})`,
      mode,
      encode({ mode, bits, default64: true, opcode: [opcode], reg: extension, rm }),
      state,
    );
  }
}

function recordFrames(recorder: VectorRecorder, mode: Mode): void {
  const { random } = recorder;
  const sizes: OperandBits[] = mode === 64 ? [16, 64] : [16, 32];
  const segment = mode === 16 ? CODE_BASE : 0;
  for (const bits of sizes) {
    for (const level of [0, 1, 2, 3, 7, 31, 33]) {
      for (const size of [0, 0x10, 0x123]) {
        const state = recorder.state(mode);
        const frame = DATA_BASE + 0xc00 + random.below(64) * 8;
        state.gpr[5] = BigInt(frame - segment);
        state.store(frame - 256, random.bits(2048), 256);
        const bytes = encode({
          mode,
          bits,
          default64: true,
          opcode: [0xc8],
          immediate: [...littleEndian(BigInt(size), 2), level],
        });
        recorder.add(`ENTER imm16, imm8 (${bits})`, mode, bytes, state);
      }
    }
    for (let index = 0; index < 4; index++) {
      const state = recorder.state(mode);
      const frame = dataAddress(random, 8);
      state.gpr[5] = BigInt(frame - segment);
      state.store(frame, random.bits(64), 8);
      recorder.add(`LEAVE (${bits})`, mode, encode({ mode, bits, default64: true, opcode: [0xc9] }), state);
    }
  }
}

const STRINGS = [
  ['MOVS', 0xa4, ['', 'rep', 'repne']],
  ['CMPS', 0xa6, ['', 'rep', 'repne']],
  ['STOS', 0xaa, ['', 'rep', 'repne']],
  ['LODS', 0xac, ['', 'rep', 'repne']],
  ['SCAS', 0xae, ['', 'rep', 'repne']],
] as const;

function recordStrings(recorder: VectorRecorder, mode: Mode): void {
  for (const [name, opcode, repeats] of STRINGS) {
    for (const bits of [8, ...wideSizes(mode)] as OperandBits[]) {
      for (const repeat of repeats) {
        for (let index = 0; index < 10; index++)
          recordString(recorder, mode, `${repeat} ${name}${bits}`.trim(), opcode, bits, repeat, index);
      }
    }
  }
}

function recordString(
  recorder: VectorRecorder,
  mode: Mode,
  name: string,
  opcode: number,
  bits: OperandBits,
  repeat: string,
  index: number,
): void {
  const { random } = recorder;
  const state = recorder.state(mode);
  if (random.below(3) === 0) state.rflags |= DF;
  const bytes = bits / 8;
  // Case 8 runs off the end of the data area in the middle of a repetition.
  const offEnd = index === 8 && mode !== 16;
  const source = offEnd
    ? DATA_BASE + (state.rflags & DF ? 3 * bytes : 0x2000 - 3 * bytes)
    : dataAddress(random, 8) + 0x20;
  const destination = index === 7 ? source + bytes : dataAddress(random, 8) + 0x20;
  const prefixes = [...(repeat === 'rep' ? [0xf3] : repeat === 'repne' ? [0xf2] : [])];
  if (index === 9) prefixes.push(0x67);
  const short = index === 9 && mode === 64 ? random.bits(32) << 32n : 0n;
  if (index === 9 && mode === 32) return;
  const count = BigInt(repeat === '' ? random.bits(32) : random.below(7)) | short;
  state.gpr[1] = count;
  state.gpr[6] = addressOf(mode, source) | short;
  state.gpr[7] = addressOf(mode, destination) | short;
  const pattern = random.below(2) ? 0n : random.bits(64);
  const fill = (address: number) => {
    const first = state.rflags & DF ? address - 7 * bytes : address;
    for (let element = 0; element < 8; element++) {
      const value = random.below(4) ? pattern : random.bits(64);
      const place = first + element * bytes;
      if (place >= DATA_BASE && place + bytes <= DATA_BASE + 0x2000)
        state.store(place, BigInt.asUintN(bits, value), bytes);
    }
  };
  fill(source);
  fill(destination);
  state.setRegister(0, bits, BigInt.asUintN(bits, pattern));
  recorder.add(name, mode, encode({ mode, bits, prefixes, opcode: [opcode | (bits === 8 ? 0 : 1)] }), state);
}

/** Instructions that only raise an exception at CPL 3. */
function recordFaults(recorder: VectorRecorder, mode: Mode): void {
  const privileged: readonly (readonly [string, readonly number[]])[] = [
    ['HLT', [0xf4]],
    ['CLI', [0xfa]],
    ['STI', [0xfb]],
    ['IN AL, imm8', [0xe4, 0x60]],
    ['IN eAX, DX', [0xed]],
    ['OUT imm8, AL', [0xe6, 0x80]],
    ['OUT DX, AL', [0xee]],
    ['INSB', [0x6c]],
    ['OUTSB', [0x6e]],
    ['MOV r, CR0', [0x0f, 0x20, 0xc0]],
    ['MOV CR3, r', [0x0f, 0x22, 0xd8]],
    ['MOV r, DR0', [0x0f, 0x21, 0xc0]],
    ['CLTS', [0x0f, 0x06]],
    ['INVD', [0x0f, 0x08]],
    ['WBINVD', [0x0f, 0x09]],
    ['WRMSR', [0x0f, 0x30]],
    ['RDMSR', [0x0f, 0x32]],
    ['LLDT r16', [0x0f, 0x00, 0xd0]],
    ['LTR r16', [0x0f, 0x00, 0xd8]],
    ['LMSW r16', [0x0f, 0x01, 0xf0]],
  ];
  const undefinedOpcodes: readonly (readonly [string, readonly number[]])[] = [
    ['UD2', [0x0f, 0x0b]],
    ['LEA r, r', [0x8d, 0xc0]],
    ['LOCK MOV', [0xf0, 0x89, 0x03]],
    ['LOCK ADD r, r', [0xf0, 0x01, 0xc0]],
    ['LOCK CMP m, r', [0xf0, 0x39, 0x03]],
    ['LOCK NOP', [0xf0, 0x90]],
    ['FE /2', [0xfe, 0xd0]],
    ['FF /7', [0xff, 0xf8]],
    ['C6 /1', [0xc6, 0xc8]],
    ['CMPXCHG8B r', [0x0f, 0xc7, 0xc9]],
    ['MOV CS, r', [0x8e, 0xc8]],
    ['MOV r, segment 6', [0x8c, 0xf0]],
    ['LES/LDS with register or VEX', mode === 64 ? [0x0f, 0x04] : [0x0f, 0x0a]],
  ];
  const gone64: readonly number[] = [
    0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x9a, 0xce, 0xd4, 0xd5, 0xd6, 0xea,
  ];
  for (const [name, bytes] of [...privileged, ...undefinedOpcodes])
    recorder.add(`${name} (fault)`, mode, bytes, recorder.state(mode));
  if (mode === 64)
    for (const opcode of gone64)
      recorder.add(
        `${opcode.toString(16)}h (not in 64-bit mode)`,
        mode,
        [opcode, 0, 0, 0, 0, 0, 0],
        recorder.state(mode),
      );
  const overflow = recorder.state(mode);
  overflow.rflags &= ~0x800;
  if (mode !== 64) recorder.add('INTO (OF = 0)', mode, [0xce], overflow);
  if (mode === 64) {
    const jump = recorder.state(mode);
    jump.gpr[0] = 0x8000_0000_0000_0000n;
    recorder.add('JMP r64 (not canonical)', mode, [0xff, 0xe0], jump);
    const push = recorder.state(mode);
    push.gpr[4] = 0x8000_0000_0000_0008n;
    recorder.add('PUSH r64 (not canonical)', mode, [0x50], push);
  }
  // An instruction across a page boundary.
  const across = recorder.state(mode);
  across.rip = CODE_BASE + 0xffd;
  recorder.add(
    'MOV r, imm (across pages)',
    mode,
    encode({
      mode,
      bits: mode,
      opcode: [0xb8],
      opcodeRegister: 1,
      immediate: littleEndian(0x1122_3344_5566_7788n, mode / 8),
    }),
    across,
  );
}
