import { type Code, createAssembler } from '../../src/bios/rom/assembler/assembler.ts';
import { when } from '../../src/bios/rom/assembler/macros.ts';
import { at, byte, dword, type Memory, qword } from '../../src/bios/rom/assembler/operands.ts';
import { al, cr2, eax, ebx, esp, type Gpr, r11, rax, rbx, rcx, rsp } from '../../src/bios/rom/assembler/registers.ts';
import {
  dataPage,
  entryOf,
  KERNEL,
  PAGE,
  type Paging,
  PORTS,
  SELECTORS,
  SLOT,
  SLOTS,
  VARIABLES,
  VECTORS,
} from './memory-map.ts';

const GATES = 256;
const PAGE_FAULT = 14;
const DEBUG = 1;
const TRAP_FLAG = 0x100;
const WITH_ERROR_CODE = new Set([8, 10, 11, 12, 13, 14, 17]);
const USER = 3;

/** Where system calls enter. */
export interface Entries {
  readonly syscall: number;
  readonly sysenter: number;
}

/** The kernel's registers by its code size, and what a handler finds on its stack above the accumulator that it saves. */
interface Handlers {
  readonly code: Code;
  readonly paging: Paging;
  readonly accumulator: Gpr;
  readonly base: Gpr;
  readonly stack: Gpr;
  readonly cell: (...parts: (Gpr | number)[]) => Memory;
  readonly frame: {
    readonly vector: number;
    readonly rip: number;
    readonly cs: number;
    readonly flags: number;
    readonly rsp: number;
    readonly ss: number;
  };
}

/** A stub for each vector, what they have in common behind them, and the system calls. */
export function assembleHandlers(paging: Paging): {
  sections: readonly { readonly base: number; readonly bytes: Uint8Array }[];
  entries: Entries;
} {
  const code = createAssembler();
  const isLong = paging === 'long';
  const word = isLong ? 8 : 4;
  const handlers: Handlers = {
    code,
    paging,
    accumulator: isLong ? rax : eax,
    base: isLong ? rbx : ebx,
    stack: isLong ? rsp : esp,
    cell: isLong ? qword : dword,
    frame: { vector: word, rip: 3 * word, cs: 4 * word, flags: 5 * word, rsp: 6 * word, ss: 7 * word },
  };
  code.section('stubs', KERNEL.STUBS);
  code.bits(isLong ? 64 : 32);
  for (let vector = 0; vector < GATES; vector++) {
    code.align(KERNEL.STUB_BYTES, 0x90);
    if (!WITH_ERROR_CODE.has(vector)) code.push(0);
    code.push(vector);
    code.jump('common');
  }
  code.section('handlers', KERNEL.HANDLERS);
  common(handlers);
  systemCalls(handlers);
  const program = code.assemble();
  const entries = { syscall: program.symbols.get('syscall')!, sysenter: program.symbols.get('sysenter')! };
  return { sections: [...program.sections.values()], entries };
}

function common(handlers: Handlers): void {
  const { code, accumulator, stack, cell, frame, paging } = handlers;
  const onVector = (vector: number, then: () => void): void => {
    code.cmp(byte(stack, frame.vector), vector);
    when(code, 'z', then);
  };
  code.label('common');
  code.push(accumulator);
  onVector(PAGE_FAULT, () => mapPageOfRetries(handlers));
  onVector(VECTORS.TIMER, () => {
    code.inc(cell(VARIABLES.INTERRUPTS));
    code.out(PORTS.ACKNOWLEDGE, al);
    code.jump('leave');
  });
  onVector(DEBUG, () => {
    code.and(dword(stack, frame.flags), ~TRAP_FLAG);
    code.jump('leave');
  });
  if (paging === 'long') {
    onVector(VECTORS.OTHER_RING, () => {
      exchange(
        handlers,
        [SELECTORS.CODE_64 | USER, SELECTORS.DATA_32 | USER],
        [SELECTORS.KERNEL, SELECTORS.KERNEL_DATA],
      );
      code.jump('leave');
    });
    onVector(VECTORS.OTHER_WIDTH, () => {
      const data = SELECTORS.DATA_32 | USER;
      exchange(handlers, [SELECTORS.CODE_64 | USER, data], [SELECTORS.CODE_32 | USER, data]);
      code.jump('leave');
    });
  }
  skip(handlers);
  code.label('leave');
  code.pop(accumulator);
  code.add(stack, frame.rip - frame.vector);
  if (paging === 'long') code.iretq();
  else code.iretd();
}

/** A fault there is mended and the instruction tried again. */
function mapPageOfRetries({ code, accumulator, paging }: Handlers): void {
  const page = dataPage('retry');
  code.mov(accumulator, cr2);
  code.and(accumulator, -PAGE);
  code.cmp(accumulator, page);
  when(code, 'z', () => {
    code.or(byte(entryOf(page, paging)), 1);
    code.invlpg(at(page));
    code.jump('leave');
  });
}

type CodeAndStack = readonly [number, number];

/** Returns with the other one's CS and SS, if it came with one's. */
function exchange({ code, accumulator, stack, cell, frame }: Handlers, one: CodeAndStack, other: CodeAndStack): void {
  for (const [[from], [cs, ss]] of [
    [one, other],
    [other, one],
  ]) {
    code.cmp(cell(stack, frame.cs), from);
    when(code, 'z', () => {
      code.mov(accumulator, cs);
      code.mov(cell(stack, frame.cs), accumulator);
      code.mov(accumulator, ss);
      code.mov(cell(stack, frame.ss), accumulator);
      code.jump('leave');
    });
  }
}

/** Goes on at the next slot, wherever the fault was, with a stack pointer that is one. */
function skip({ code, accumulator, base, stack, cell, frame, paging }: Handlers): void {
  code.inc(cell(VARIABLES.FAULTS));
  code.mov(accumulator, cell(stack, frame.rip));
  code.or(accumulator, SLOT - 1);
  code.inc(accumulator);
  code.and(eax, SLOTS * SLOT - 1);
  code.or(accumulator, cell(VARIABLES.CODE_BASE));
  code.mov(cell(stack, frame.rip), accumulator);
  code.mov(accumulator, cell(VARIABLES.STACK));
  if (paging === 'long') {
    code.mov(cell(stack, frame.rsp), accumulator);
    return;
  }
  code.test(byte(stack, frame.cs), USER);
  when(code, 'nz', () => {
    code.mov(cell(stack, frame.rsp), accumulator);
    code.jump('leave');
  });
  // A return within CPL 0 takes no stack pointer: the frame moves to the good stack, and the accumulator below it.
  const moved = [frame.flags, frame.cs, frame.rip, 0];
  const word = frame.vector;
  code.push(base);
  for (const [index, offset] of moved.entries()) {
    code.mov(base, cell(stack, word + offset));
    code.mov(cell(accumulator, -word * (index + 1)), base);
  }
  code.pop(base);
  code.sub(accumulator, word * moved.length);
  code.mov(stack, accumulator);
  code.pop(accumulator);
  code.iretd();
}

/** Every second SYSCALL returns by SYSRET, the others by IRET; SYSENTER found where to return in EDX and ECX. */
function systemCalls({ code, cell, paging }: Handlers): void {
  code.label('syscall');
  if (paging === 'long') {
    code.inc(cell(VARIABLES.SYSTEM_CALLS));
    code.test(byte(VARIABLES.SYSTEM_CALLS), 1);
    when(code, 'z', () => code.bytes(SYSRETQ));
    code.mov(qword(VARIABLES.CALLER_STACK), rsp);
    code.mov(esp, KERNEL.STACK_TOP);
    code.push(SELECTORS.DATA_32 | USER);
    code.push(qword(VARIABLES.CALLER_STACK));
    code.push(r11);
    code.push(SELECTORS.CODE_64 | USER);
    code.push(rcx);
    code.iretq();
  }
  code.label('sysenter');
  code.inc(cell(VARIABLES.SYSTEM_CALLS));
  code.sti();
  code.bytes(SYSEXIT);
}

const SYSRETQ = Uint8Array.of(0x48, 0x0f, 0x07);
const SYSEXIT = Uint8Array.of(0x0f, 0x35);
