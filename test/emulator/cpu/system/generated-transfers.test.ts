import { describe, expect, test } from 'vitest';
import { architecturalBytes } from '../../../../src/emulator/cpu/architectural-state.ts';
import { CR0_BITS, CR4_BITS, EFER_BITS } from '../../../../src/emulator/cpu/control-bits.ts';
import { CpuState } from '../../../../src/emulator/cpu/cpu-state.ts';
import {
  type HandlerExits,
  InterpreterSemantics,
} from '../../../../src/emulator/cpu/interpreter/interpreter-semantics.ts';
import { FIRST_TRANSLATION_AREA, UOP_ARENA } from '../../../../src/emulator/cpu/interpreter/layout.ts';
import { FORM, NEXT, UOP } from '../../../../src/emulator/cpu/interpreter/micro-op.ts';
import type { Size } from '../../../../src/emulator/cpu/isa/semantics.ts';
import { DECODABLE_ROWS } from '../../../../src/emulator/cpu/isa/table.ts';
import {
  AVX_TRAP,
  CODE_LIMIT,
  CPL,
  CR0,
  CR4,
  DIRECTION,
  EFER,
  EFFECTIVE_BASES,
  JUMP_RIP,
  LINEAR_MASK,
  MMU_INDEX,
  MODE,
  MODE_KEY,
  NEXT_RIP,
  READ_LIMITS,
  RFLAGS,
  RIP_PAGE,
  SEGMENT_INDEX,
  STACK_MASK,
  STATE_BASE,
  STATE_END,
  TLB_READ,
  TLB_WRITE,
  TRANSLATION_AREA,
  USER_GENERATION,
  WRITE_LIMITS,
} from '../../../../src/emulator/cpu/state.ts';
import { storedRegister } from '../../../../src/emulator/cpu/stored-registers.ts';
import { INSTRUCTION_HANDLERS } from '../../../../src/emulator/cpu/system/instruction-handlers.ts';
import { updateDerivedState } from '../../../../src/emulator/cpu/translation/derived-state.ts';
import { i32, localGet } from '../../../../src/emulator/cpu/wasm/expr.ts';
import { FunctionBuilder } from '../../../../src/emulator/cpu/wasm/function-builder.ts';
import { ModuleBuilder } from '../../../../src/emulator/cpu/wasm/module-builder.ts';
import { FakeProcessor, faultOf } from './fake-processor.ts';
import { operandsOf } from './operands.ts';

const ROUNDS = 3000;
/** What a handler answers here that leaves the case to TypeScript, and one that goes on with the next instruction. */
const TYPESCRIPT = 64;
const DONE = 32;
const RIP_OF_PAGE = 0x40_1000n;
const UOP_PLACE = { offset: 0x10, length: 3 };
const NEXT_IN_PAGE = RIP_OF_PAGE + BigInt(UOP_PLACE.offset + UOP_PLACE.length);
const FLAT_LIMIT = 0xffff_ffff;

/** What derives from the registers. */
const DERIVED: readonly (readonly [offset: number, byteLength: number])[] = [
  [EFFECTIVE_BASES, 7 * 8],
  [MODE, 4],
  [MMU_INDEX, 4],
  [TLB_READ, 4],
  [TLB_WRITE, 4],
  [MODE_KEY, 8],
  [STACK_MASK, 8],
  [LINEAR_MASK, 8],
  [READ_LIMITS, 6 * 8],
  [WRITE_LIMITS, 6 * 8],
  [CODE_LIMIT, 8],
  [AVX_TRAP, 4],
  [DIRECTION, 4],
];

type Random = (below: number) => number;

/** xorshift32: the same states in every run. */
function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** The generated code of a row by itself; it gives what a handler does (NEXT). */
function generated(memory: WebAssembly.Memory, mnemonic: string, size: Size): (uop: number) => number {
  const entry = DECODABLE_ROWS.find(({ row }) => row.mnemonic === mnemonic)!;
  const module = new ModuleBuilder({ initialPages: 1, maximumPages: 0x1_0000, shared: false });
  const system = module.importFunction('system', { parameters: ['i32'], results: ['i32'] });
  const b = new FunctionBuilder(1);
  const exits: HandlerExits = {
    next: () => b.return(i32.const(DONE)),
    enter: () => b.unreachable(),
    jump: (rip) => {
      b.storeI64(i32.const(JUMP_RIP), rip);
      b.return(i32.const(NEXT.JUMP));
    },
    leave: () => b.return(i32.const(NEXT.LEAVE)),
    follow: (next) => b.return(next),
  };
  entry.row.semantic(new InterpreterSemantics(b, entry, size, FORM.REGISTER, localGet('i32', 0), exits, { system }));
  b.unreachable();
  module.exportFunction('run', module.addFunction({ parameters: ['i32'], results: ['i32'] }, b));
  const imports = { env: { memory, system: () => TYPESCRIPT } };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), imports);
  return exports.run as (uop: number) => number;
}

/** 64-bit code in flat segments, at CPL 0 or 3. */
function randomState(state: CpuState, random: Random): void {
  const often = (bit: number, percent: number): number => (random(100) < percent ? bit : 0);
  const word = (): bigint => (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
  const canonical = (): bigint => BigInt.asUintN(64, BigInt.asIntN(random(20) === 0 ? 64 : 48, word()));
  state.setU64(CR0, BigInt((CR0_BITS.PE | CR0_BITS.PG) >>> 0));
  state.setU64(CR4, BigInt(CR4_BITS.PAE | often(CR4_BITS.SMAP, 50)));
  state.setU64(EFER, BigInt(EFER_BITS.LME | EFER_BITS.LMA | often(EFER_BITS.SCE, 90)));
  const cpl = often(3, 40);
  state.setU32(CPL, cpl);
  const base = random(20) === 0 ? 0x1000n : 0n;
  state.setSegment(SEGMENT_INDEX.CS, 0x10 | cpl, 0xa09b | (cpl << 5), base, random(20) === 0 ? 0xffff : FLAT_LIMIT);
  state.setSegment(SEGMENT_INDEX.SS, 0x18 | cpl, random(2) ? 0xc093 | (cpl << 5) : 0x93, 0n, FLAT_LIMIT);
  state.setSegment(SEGMENT_INDEX.GS, 0, 0x1_0000, canonical(), 0);
  for (let register = 0; register < 16; register++) state.setGpr(register, canonical());
  for (const name of ['STAR', 'SFMASK'] as const) state.setU64(storedRegister(name), word());
  for (const name of ['LSTAR', 'KERNEL_GS_BASE'] as const) state.setU64(storedRegister(name), canonical());
  const flags = random(2 ** 32) & 0x003d_7fd7 & ~RFLAGS.TF;
  state.setRflags(flags | often(RFLAGS.TF, 5) | 2);
  const returned = random(2 ** 32) & ~RFLAGS.TF;
  state.setGpr32(11, (returned | often(RFLAGS.TF, 5)) >>> 0);
  state.setU32(USER_GENERATION, random(256));
  state.setU64(RIP_PAGE, RIP_OF_PAGE);
  state.setU64(NEXT_RIP, NEXT_IN_PAGE);
}

const architectural = (state: CpuState): string => Buffer.from(architecturalBytes(state)).toString('hex');
const derived = (state: CpuState): string =>
  DERIVED.map(([offset, byteLength]) =>
    Buffer.from(state.bytes.subarray(offset, offset + byteLength)).toString('hex'),
  ).join(' ');

/** Runs `mnemonic` as generated code and in TypeScript from the same states; gives how often the former did it itself. */
function compare(mnemonic: string, size: Size): number {
  const pages = Math.ceil((UOP_ARENA + UOP.BYTE_LENGTH) / 0x1_0000);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const run = generated(memory, mnemonic, size);
  const state = new CpuState(memory.buffer);
  state.view.setUint16(UOP_ARENA + UOP.PAGE_OFFSET, UOP_PLACE.offset, true);
  state.bytes[UOP_ARENA + UOP.LENGTH] = UOP_PLACE.length;
  const random = randomFrom(0x2468_ace1);
  let done = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const cpu = new FakeProcessor(0x1000);
    state.setU32(TRANSLATION_AREA, FIRST_TRANSLATION_AREA);
    randomState(state, random);
    updateDerivedState(state);
    cpu.state.bytes.set(state.bytes.subarray(STATE_BASE, STATE_END), STATE_BASE);
    const next = run(UOP_ARENA);
    if (next === TYPESCRIPT) continue;
    done++;
    const fault = faultOf(() => INSTRUCTION_HANDLERS[mnemonic](cpu, operandsOf(cpu, { operandSize: size as 4 | 8 })));
    updateDerivedState(cpu.state);
    const text = `round ${round}`;
    expect(fault, text).toBe('none');
    expect(next === DONE ? NEXT_IN_PAGE : state.u64(JUMP_RIP), text).toBe(cpu.state.nextRip);
    expect(architectural(state), text).toBe(architectural(cpu.state));
    expect(derived(state), text).toBe(derived(cpu.state));
  }
  return done;
}
describe('generated code does what the system code does, and leaves the rest to it', () => {
  test.each([
    ['SYSCALL', 8],
    ['SYSRET', 8],
    ['SWAPGS', 8],
  ] as const)('%s', (mnemonic, size) => {
    expect(compare(mnemonic, size)).toBeGreaterThan(ROUNDS / 4);
  });
});
