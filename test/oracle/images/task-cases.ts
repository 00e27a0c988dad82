import type { Code } from '../../../src/bios/rom/assembler/assembler.ts';
import { when } from '../../../src/bios/rom/assembler/macros.ts';
import { byte, dword, symbol, word } from '../../../src/bios/rom/assembler/operands.ts';
import { al, ax, cr0, cr3, dr6, ds, eax, ebx, ecx, edx, esp } from '../../../src/bios/rom/assembler/registers.ts';
import { descriptor } from './gdt.ts';
import { type OracleCase, type OracleImage, RAM, SELECTOR } from './layout.ts';
import { protectedImage } from './protected-image.ts';

/** Offsets in a 32-bit TSS. */
const FIELD = {
  LINK: 0,
  CR3: 0x1c,
  EIP: 0x20,
  EFLAGS: 0x24,
  EAX: 0x28,
  ESP: 0x38,
  ES: 0x48,
  LDT: 0x60,
  TRAP: 0x64,
} as const;

interface Task {
  readonly entry?: string;
  readonly cs?: number;
  readonly ss?: number;
  readonly ds?: number;
  readonly ldt?: number;
  readonly flags?: number;
}

/** Fills TSS_2 and makes it available and idle. */
function prepare(code: Code, task: Task = {}): void {
  const put = (offset: number, value: number | ReturnType<typeof symbol>) => code.mov(dword(RAM.TSS_2 + offset), value);
  put(FIELD.LINK, 0);
  code.mov(eax, cr3);
  code.mov(dword(RAM.TSS_2 + FIELD.CR3), eax);
  put(FIELD.EIP, symbol(task.entry ?? 'taskTarget'));
  put(FIELD.EFLAGS, task.flags ?? 2);
  put(FIELD.EAX, 0x1357);
  put(FIELD.ESP, RAM.TASK_STACK);
  const selectors = [
    SELECTOR.DATA,
    task.cs ?? SELECTOR.CODE32,
    task.ss ?? SELECTOR.DATA,
    task.ds ?? SELECTOR.DATA,
    0,
    0,
    task.ldt ?? 0,
  ];
  selectors.forEach((selector, index) => {
    put(FIELD.ES + index * 4, selector);
  });
  code.mov(byte(RAM.GDT + SELECTOR.TSS_2 + 5), 0x89);
  code.xor(eax, eax);
}

/** Makes the first TSS the current one again, whatever happened. */
function home(code: Code): void {
  code.mov(byte(RAM.GDT + SELECTOR.TSS + 5), 0x89);
  code.mov(ax, SELECTOR.TSS);
  code.ltr(ax);
  code.clts();
  code.xor(eax, eax);
}

function far(code: Code, kind: 'jump' | 'call', selector: number): void {
  code.mov(dword(RAM.SCRATCH), 0);
  code.mov(word(RAM.SCRATCH + 4), selector);
  code.db(0xff, kind === 'jump' ? 0x2d : 0x1d);
  code.dd(RAM.SCRATCH);
}

/** EAX = types of both TSS descriptors, TR and CR0.TS. */
function showTasks(code: Code): void {
  code.mov(ebx, cr0);
  code.and(ebx, 8);
  code.str(eax);
  code.or(eax, ebx);
  code.shl(eax, 16);
  code.mov(al, byte(RAM.GDT + SELECTOR.TSS + 5));
  code.shl(ax, 8);
  code.mov(al, byte(RAM.GDT + SELECTOR.TSS_2 + 5));
}

const switches: OracleCase[] = [
  {
    name: 'jump to a TSS',
    body: (code) => {
      prepare(code);
      code.mov(ecx, 0x2468);
      far(code, 'jump', SELECTOR.TSS_2);
    },
  },
  { name: 'jump: TR, busy bits and TS', body: showTasks },
  { name: 'jump: saved ECX', body: (code) => code.mov(eax, dword(RAM.TSS + FIELD.EAX + 4)) },
  { name: 'jump: saved EIP', body: (code) => code.mov(eax, dword(RAM.TSS + FIELD.EIP)) },
  { name: 'jump: no link', body: (code) => code.mov(eax, dword(RAM.TSS_2)) },
  { name: 'jump back', body: (code) => far(code, 'jump', SELECTOR.TSS) },
  { name: 'back: TR and busy bits', body: showTasks },
  {
    name: 'call a TSS',
    body: (code) => {
      home(code);
      prepare(code);
      far(code, 'call', SELECTOR.TSS_2);
    },
  },
  { name: 'call: TR and busy bits', body: showTasks },
  { name: 'call: link', body: (code) => code.mov(eax, dword(RAM.TSS_2)) },
  {
    name: 'iret to the caller',
    body: (code) => {
      code.push(0x4002);
      code.popf();
      code.iretd();
    },
  },
  { name: 'iret: TR and busy bits', body: showTasks },
  {
    name: 'iret: NT is clear in the task that was left',
    body: (code) => code.mov(eax, dword(RAM.TSS_2 + FIELD.EFLAGS)),
  },
  {
    name: 'jump through a task gate',
    body: (code) => {
      home(code);
      prepare(code);
      far(code, 'jump', SELECTOR.TASK_GATE);
    },
  },
  {
    name: 'interrupt through a task gate',
    body: (code) => {
      home(code);
      prepare(code);
      code.mov(dword(RAM.IDT + 0x20 * 8), SELECTOR.TSS_2 << 16);
      code.mov(dword(RAM.IDT + 0x20 * 8 + 4), 0x8500);
      code.int(0x20);
    },
  },
  {
    name: 'interrupt: link and NT',
    body: (code) => {
      code.mov(eax, dword(RAM.TSS_2));
      code.shl(eax, 16);
      code.mov(ax, word(RAM.TSS + FIELD.EFLAGS));
      code.and(eax, 0xffff_7300);
    },
  },
  {
    name: 'exception through a task gate pushes its error code there',
    body: (code) => {
      home(code);
      prepare(code, { entry: 'taskWithError' });
      code.mov(dword(RAM.IDT + 13 * 8), SELECTOR.TSS_2 << 16);
      code.mov(dword(RAM.IDT + 13 * 8 + 4), 0x8500);
      code.mov(ax, 0x18);
      code.mov(ax, 0x1f0);
      code.mov(ds, ax);
    },
  },
  {
    name: 'restore the gate of #GP',
    body: (code) => {
      code.mov(eax, dword('idt', 13 * 8));
      code.mov(dword(RAM.IDT + 13 * 8), eax);
      code.mov(eax, dword('idt', 13 * 8 + 4));
      code.mov(dword(RAM.IDT + 13 * 8 + 4), eax);
      home(code);
    },
  },
  {
    name: 'to a user task',
    body: (code) => {
      prepare(code, { cs: SELECTOR.USER_CODE32, ss: SELECTOR.USER_DATA, ds: SELECTOR.USER_DATA });
      code.mov(dword(RAM.TSS_2 + 4), RAM.STACK);
      code.mov(dword(RAM.TSS_2 + 8), SELECTOR.DATA);
      far(code, 'jump', SELECTOR.TSS_2);
    },
  },
];

const faults: OracleCase[] = [
  {
    name: 'jump to a busy TSS',
    body: (code) => {
      home(code);
      prepare(code);
      code.mov(byte(RAM.GDT + SELECTOR.TSS_2 + 5), 0x8b);
      far(code, 'jump', SELECTOR.TSS_2);
    },
  },
  {
    name: 'jump to a TSS that is not present',
    body: (code) => {
      code.mov(byte(RAM.GDT + SELECTOR.TSS_2 + 5), 0x09);
      far(code, 'jump', SELECTOR.TSS_2);
    },
  },
  {
    name: 'jump to a TSS that is too short',
    body: (code) => {
      prepare(code);
      code.mov(word(RAM.GDT + SELECTOR.TSS_2), 0x66);
      far(code, 'jump', SELECTOR.TSS_2);
    },
  },
  {
    name: 'task with a bad DS',
    body: (code) => {
      code.mov(word(RAM.GDT + SELECTOR.TSS_2), 0x67);
      home(code);
      prepare(code, { ds: SELECTOR.EXECUTE_ONLY });
      far(code, 'jump', SELECTOR.TSS_2);
    },
  },
  {
    name: 'iret to a TSS that is not busy',
    body: (code) => {
      home(code);
      prepare(code);
      code.mov(dword(RAM.TSS), SELECTOR.TSS_2);
      code.push(0x4002);
      code.popf();
      code.iretd();
    },
  },
  { name: 'the end: TR and busy bits', body: showTasks },
];

const LDT_ENTRY = descriptor(RAM.SCRATCH, 0xff, 0xf3, 0x4);

const locals: OracleCase[] = [
  {
    name: 'a task brings its LDT',
    body: (code) => {
      code.mov(dword(RAM.LDT + 8), Number(LDT_ENTRY & 0xffff_ffffn));
      code.mov(dword(RAM.LDT + 12), Number(LDT_ENTRY >> 32n));
      code.mov(dword(RAM.SCRATCH + 0x20), 0x6789);
      home(code);
      prepare(code, { entry: 'taskWithLdt', ldt: SELECTOR.LDT, ds: 0x0c });
      far(code, 'jump', SELECTOR.TSS_2);
    },
  },
];

const traps: OracleCase[] = [
  {
    // QEMU does not look at T.
    name: 'the T bit: #DB in the new task',
    sdm: '00000001 00000000',
    body: (code) => {
      home(code);
      prepare(code);
      code.mov(dword(RAM.TSS_2 + FIELD.TRAP), 1);
      far(code, 'jump', SELECTOR.TSS_2);
    },
  },
  {
    name: 'the T bit: DR6.BT',
    sdm: '00000006',
    body: (code) => {
      code.mov(dword(RAM.TSS_2 + FIELD.TRAP), 0);
      home(code);
      code.mov(eax, dr6);
      code.and(eax, 0xf00f);
      code.cmp(eax, 0x8000);
      when(code, 'z', () => code.ud2());
    },
  },
];

/** Task switches by 32-bit TSSs: jumps, calls, gates, interrupts, back links, faults. */
export function taskCasesImage(): OracleImage {
  return protectedImage([...switches, ...faults, ...locals, ...traps], {
    extra: (code) => {
      code.label('taskTarget');
      code.int(0x80);
      code.label('taskWithError');
      code.mov(eax, esp);
      code.shl(eax, 16);
      code.pop(edx);
      code.mov(ax, word(esp, -4));
      code.int(0x80);
      code.label('taskWithLdt');
      code.mov(eax, dword(0x20));
      code.int(0x80);
    },
  });
}
