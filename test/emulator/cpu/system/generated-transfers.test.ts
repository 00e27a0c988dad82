import { describe, expect, test } from 'vitest';
import { architecturalBytes, registerValues } from '../../../../src/emulator/cpu/architectural-state.ts';
import { CpuState } from '../../../../src/emulator/cpu/cpu-state.ts';
import type { EventKind } from '../../../../src/emulator/cpu/exceptions/event.ts';
import { ExceptionUnit } from '../../../../src/emulator/cpu/exceptions/exception-unit.ts';
import {
  DELIVER_SIGNATURE,
  DELIVERY,
  deliveryFunction,
} from '../../../../src/emulator/cpu/interpreter/delivery-code.ts';
import type { HandlerExits } from '../../../../src/emulator/cpu/interpreter/handler-exits.ts';
import { InterpreterSemantics } from '../../../../src/emulator/cpu/interpreter/interpreter-semantics.ts';
import {
  FIRST_TRANSLATION_AREA,
  MACHINE_OFFSET,
  readTlbOf,
  TLB_ENTRY_BYTES,
  UOP_ARENA,
  writeTlbOf,
} from '../../../../src/emulator/cpu/interpreter/layout.ts';
import { FORM, type Form, NEXT, UOP } from '../../../../src/emulator/cpu/interpreter/micro-op.ts';
import { ACCESS_SIGNATURE } from '../../../../src/emulator/cpu/interpreter/page-walk-code.ts';
import type { Size } from '../../../../src/emulator/cpu/isa/semantics.ts';
import { DECODABLE_ROWS } from '../../../../src/emulator/cpu/isa/table.ts';
import {
  CODE_LIMIT,
  DIRECTION,
  EFFECTIVE_BASES,
  GPR,
  JUMP_RIP,
  LINEAR_MASK,
  MMU_INDEX,
  MODE,
  MODE_KEY,
  READ_LIMITS,
  RIP,
  SEGMENT_INDEX,
  STACK_MASK,
  STATE_BASE,
  STATE_END,
  TLB_READ,
  TLB_WRITE,
  WRITE_LIMITS,
} from '../../../../src/emulator/cpu/state.ts';
import { INSTRUCTION_HANDLERS } from '../../../../src/emulator/cpu/system/instruction-handlers.ts';
import { updateDerivedState } from '../../../../src/emulator/cpu/translation/derived-state.ts';
import { i32, localGet } from '../../../../src/emulator/cpu/wasm/expr.ts';
import { FunctionBuilder } from '../../../../src/emulator/cpu/wasm/function-builder.ts';
import { ModuleBuilder } from '../../../../src/emulator/cpu/wasm/module-builder.ts';
import { FAKE_RAM_OFFSET, FakeProcessor, faultOf } from './fake-processor.ts';
import { operandsOf } from './operands.ts';
import { BEHIND, PLACE, RAM_BYTES, TransferStates } from './transfer-states.ts';

const ROUNDS = 1000;
/** What a handler answers here that leaves the case to TypeScript, and one that goes on with the next instruction. */
const TYPESCRIPT = 64;
const DONE = 32;

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
  [DIRECTION, 4],
];

/** A row of the table, and one of its handlers. */
interface Instruction {
  readonly mnemonic: string;
  readonly size: Size;
  readonly form?: Form;
  readonly opcode?: number;
  readonly group?: number;
}

/** The generated code of a row by itself; it gives what a handler does (NEXT). */
function handlerOf(module: ModuleBuilder, imports: Record<string, number>, instruction: Instruction): void {
  const { mnemonic, size, form = FORM.REGISTER, opcode, group } = instruction;
  const entry = DECODABLE_ROWS.find(
    ({ row }) =>
      row.mnemonic === mnemonic &&
      (opcode === undefined || row.opcode === opcode) &&
      (group === undefined || row.options.group === group),
  )!;
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
  entry.row.semantic(new InterpreterSemantics(b, entry, size, form, localGet('i32', 0), exits, imports));
  exits.next();
  b.unreachable();
  module.exportFunction('handler', module.addFunction({ parameters: ['i32'], results: ['i32'] }, b));
}

/** A state block, RAM that the TLBs hold as a whole, and generated code; the same for system code in TypeScript. */
class Pair {
  readonly state: CpuState;
  readonly handler: (uop: number) => number;
  readonly deliver: (...parameters: number[]) => number;
  cpu!: FakeProcessor;
  readonly #ram: Uint8Array;
  readonly #states = new TransferStates(0x2468_ace1);

  constructor(instruction: Instruction) {
    const pages = Math.ceil((MACHINE_OFFSET + RAM_BYTES) / 0x1_0000);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const module = new ModuleBuilder({ initialPages: 1, maximumPages: 0x1_0000, shared: false });
    const system = module.importFunction('system', { parameters: ['i32'], results: ['i32'] });
    const refuse = module.importFunction('refuse', ACCESS_SIGNATURE);
    const commit = module.importFunction('commit', { ...ACCESS_SIGNATURE, results: [] });
    const checkLimit = module.importFunction('checkLimit', DELIVER_SIGNATURE);
    const walks = { read: refuse, write: refuse };
    const deliver = module.addFunction(DELIVER_SIGNATURE, deliveryFunction(walks));
    module.exportFunction('deliver', deliver);
    handlerOf(
      module,
      { system, slowRead: refuse, slowWrite: refuse, slowCommit: commit, checkLimit, deliver: module.indexOf(deliver) },
      instruction,
    );
    const imports = {
      env: { memory, system: () => TYPESCRIPT, refuse: () => 0, checkLimit: () => 1, commit: () => 0 },
    };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()), imports);
    this.handler = exports.handler as (uop: number) => number;
    this.deliver = exports.deliver as (...parameters: number[]) => number;
    this.state = new CpuState(memory.buffer);
    this.#ram = this.state.bytes.subarray(MACHINE_OFFSET, MACHINE_OFFSET + RAM_BYTES);
    this.#fillTlbs();
    this.state.view.setUint16(UOP_ARENA + UOP.PAGE_OFFSET, PLACE.offset, true);
    this.state.bytes[UOP_ARENA + UOP.LENGTH] = PLACE.length;
    this.state.view.setUint16(UOP_ARENA + UOP.RM, GPR, true);
  }

  #fillTlbs(): void {
    const { state } = this;
    for (let mmu = 0; mmu < 3; mmu++) {
      for (const tlb of [readTlbOf(mmu), writeTlbOf(mmu)]) {
        for (let page = 0; page < RAM_BYTES / 0x1000; page++) {
          const entry = FIRST_TRANSLATION_AREA + tlb + page * TLB_ENTRY_BYTES;
          state.setU64(entry, BigInt(page * 0x1000));
          state.setU32(entry + 8, MACHINE_OFFSET);
        }
        for (let page = RAM_BYTES / 0x1000; page < 1024; page++)
          state.setU64(FIRST_TRANSLATION_AREA + tlb + page * TLB_ENTRY_BYTES, 0xffff_ffff_ffff_ffffn);
      }
    }
  }

  /** Another state, on both sides. */
  next(bits: 32 | 64): void {
    const { state } = this;
    this.#states.make(state, new DataView(this.#ram.buffer, this.#ram.byteOffset, RAM_BYTES), bits);
    updateDerivedState(state);
    this.cpu = new FakeProcessor(RAM_BYTES);
    this.cpu.state.bytes.set(state.bytes.subarray(STATE_BASE, STATE_END), STATE_BASE);
    this.cpu.state.bytes.set(this.#ram, FAKE_RAM_OFFSET);
  }

  compare(text: string): void {
    const { state, cpu } = this;
    updateDerivedState(cpu.state);
    if (Buffer.compare(architecturalBytes(state), architecturalBytes(cpu.state)) !== 0)
      expect(registerValues(state), text).toEqual(registerValues(cpu.state));
    expect(derived(state), text).toBe(derived(cpu.state));
    const ram = cpu.state.bytes.subarray(FAKE_RAM_OFFSET, FAKE_RAM_OFFSET + RAM_BYTES);
    expect(Buffer.compare(this.#ram, ram), text).toBe(0);
  }
}

const derived = (state: CpuState): string =>
  DERIVED.map(([offset, byteLength]) =>
    Buffer.from(state.bytes.subarray(offset, offset + byteLength)).toString('hex'),
  ).join(' ');

describe('generated code does what the system code does, and leaves the rest to it', () => {
  test.each<readonly [64 | 32, Instruction]>([
    [64, { mnemonic: 'SYSCALL', size: 1 }],
    [64, { mnemonic: 'SYSRET', size: 8 }],
    [32, { mnemonic: 'SYSENTER', size: 1 }],
    [32, { mnemonic: 'SYSEXIT', size: 4 }],
    [64, { mnemonic: 'SWAPGS', size: 1 }],
    [64, { mnemonic: 'INT', size: 1 }],
    [32, { mnemonic: 'INT', size: 1 }],
    [64, { mnemonic: 'IRET', size: 8 }],
    [32, { mnemonic: 'IRET', size: 4 }],
    [64, { mnemonic: 'STAC', size: 1 }],
    [32, { mnemonic: 'CLAC', size: 1 }],
    [64, { mnemonic: 'POPF', size: 8 }],
    [32, { mnemonic: 'POPF', size: 4, form: FORM.LEGACY_STACK }],
    [64, { mnemonic: 'MOV_TO_SREG', size: 4, group: SEGMENT_INDEX.DS }],
    [64, { mnemonic: 'MOV_TO_SREG', size: 4, group: SEGMENT_INDEX.GS }],
    [32, { mnemonic: 'MOV_TO_SREG', size: 4, group: SEGMENT_INDEX.ES }],
    [32, { mnemonic: 'MOV_TO_SREG', size: 4, group: SEGMENT_INDEX.FS }],
    [32, { mnemonic: 'POP_SREG', size: 4, opcode: 0x1f, form: FORM.LEGACY_STACK }],
    [32, { mnemonic: 'POP_SREG', size: 4, opcode: 0xa9, form: FORM.LEGACY_STACK }],
    [64, { mnemonic: 'POP_SREG', size: 8, opcode: 0xa1 }],
    [32, { mnemonic: 'PUSH_SREG', size: 4, opcode: 0x0e, form: FORM.LEGACY_STACK }],
  ])('%i-bit code: %o', (bits, instruction) => {
    const pair = new Pair(instruction);
    const { state } = pair;
    const { mnemonic, size, opcode = 0, group = 0 } = instruction;
    const given = {
      operandSize: size as 4 | 8,
      opcode: opcode < 0xa0 ? opcode : 0xf00 | opcode,
      modRm: 0xc0 | (group << 3),
    };
    let done = 0;
    for (let round = 0; round < ROUNDS; round++) {
      pair.next(bits);
      const { cpu } = pair;
      state.view.setInt32(UOP_ARENA + UOP.IMMEDIATE, round & 15, true);
      const next = pair.handler(UOP_ARENA);
      if (next === TYPESCRIPT || next === NEXT.LEAVE) {
        pair.compare(`refused in round ${round}`);
        continue;
      }
      done++;
      const operands = operandsOf(cpu, { ...given, immediate: BigInt(round & 15) });
      const fault = faultOf(() => INSTRUCTION_HANDLERS[mnemonic](cpu, operands));
      expect(fault, `round ${round}`).toBe('none');
      expect(next === DONE ? BEHIND : state.u64(JUMP_RIP), `round ${round}`).toBe(cpu.state.nextRip);
      state.setU64(RIP, cpu.state.u64(RIP));
      pair.compare(`round ${round}`);
    }
    expect(done).toBeGreaterThan(10);
  });

  test.each([
    ['fault', 64],
    ['external', 64],
    ['fault', 32],
    ['external', 32],
  ] as const)('delivery: %s in %i-bit code', (kind: EventKind, bits: 32 | 64) => {
    const pair = new Pair({ mnemonic: 'INT', size: 1 });
    const { state } = pair;
    let done = 0;
    for (let round = 0; round < ROUNDS; round++) {
      pair.next(bits);
      const vector = round & 15;
      const errorCode = kind === 'fault' && vector > 7 ? round & 31 : -1;
      const options = kind === 'fault' && vector !== 1 ? DELIVERY.RESUMES : 0;
      const rip = [state.u32(RIP), state.u32(RIP + 4)];
      if (pair.deliver(vector, errorCode, options, ...rip) === 0) {
        pair.compare(`refused in round ${round}`);
        continue;
      }
      done++;
      const unit = new ExceptionUnit(pair.cpu);
      expect(unit.deliver({ vector, errorCode, kind }), `round ${round}`).toBe('delivered');
      expect(unit.chain, `round ${round}`).toHaveLength(0);
      pair.compare(`round ${round}`);
    }
    expect(done).toBeGreaterThan(ROUNDS / 8);
  });
});
