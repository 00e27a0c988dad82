import type { Mode } from '../../../src/bios/rom/assembler/encoder.ts';
import type { Mnemonic } from '../../../src/bios/rom/assembler/instructions.ts';
import { at, byte, dword, type Operand, qword, scaled, word } from '../../../src/bios/rom/assembler/operands.ts';
import * as r from '../../../src/bios/rom/assembler/registers.ts';

export interface EncodingCase {
  readonly mode: Mode;
  readonly mnemonic: Mnemonic;
  readonly operands: readonly Operand[];
}

const ARITHMETIC = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'] as const;
const SHIFTS = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sar'] as const;
const PLAIN = [
  ...(['cbw', 'cwde', 'cwd', 'cdq', 'lahf', 'sahf', 'leave', 'ret', 'retf', 'iret', 'int3', 'nop', 'pause'] as const),
  ...(['hlt', 'cli', 'sti', 'cld', 'std', 'clc', 'stc', 'cmc', 'movsb', 'movsw', 'movsd', 'cmpsb', 'cmpsd'] as const),
  ...([
    'stosb',
    'stosw',
    'stosd',
    'lodsb',
    'lodsw',
    'lodsd',
    'scasb',
    'scasd',
    'insb',
    'insd',
    'outsb',
    'outsd',
  ] as const),
  ...(['clts', 'invd', 'wbinvd', 'ud2', 'rdmsr', 'wrmsr', 'rdtsc', 'rdtscp', 'cpuid', 'lfence', 'mfence'] as const),
  ...(['sfence', 'fninit', 'rep', 'repne', 'lock', 'iretd', 'xlatb', 'retfd'] as const),
];
const PLAIN_64 = ['cdqe', 'cqo', 'movsq', 'stosq', 'lodsq', 'retfq', 'iretq', 'swapgs', 'syscall', 'sysretq'] as const;
const PLAIN_NOT_64 = ['pusha', 'pushad', 'popa', 'popad', 'pushfd', 'popfd'] as const;

const ADDRESSES_16 = [
  at(0x1234),
  at(r.bx, r.si),
  at(r.bx, r.di, 5),
  at(r.bp, r.si, -5),
  at(r.bp, r.di, 0x200),
  at(r.si),
  at(r.di, 0x7f),
  at(r.bp),
  at(r.bx, 0x80),
  at(r.es, r.di),
  at(r.eax, scaled(r.ebx, 4), 8),
  at(r.cs, r.ebx),
];
const ADDRESSES_32 = [
  at(0x12345678),
  at(r.eax),
  at(r.ebp),
  at(r.esp),
  at(r.esp, 8),
  at(r.ebx, 0x7f),
  at(r.ebx, -0x81),
  at(r.ecx, scaled(r.edx, 2)),
  at(r.ebp, scaled(r.esi, 8), -1),
  at(scaled(r.edi, 4), 0x1000),
  at(r.fs, r.eax, 4),
  at(r.bx, r.si, 3),
];
const ADDRESSES_64 = [
  at(0x12345678),
  at(r.rax),
  at(r.rbp),
  at(r.r13),
  at(r.rsp),
  at(r.r12, 8),
  at(r.rbx, 0x7f),
  at(r.r15, -0x81),
  at(r.rcx, scaled(r.rdx, 2)),
  at(r.r8, scaled(r.r9, 8), 0x40),
  at(r.rbp, scaled(r.r12, 4), -1),
  at(scaled(r.rdi, 4), 0x1000),
  at(r.gs, r.rax, 4),
  at(r.eax, scaled(r.ecx, 2), 4),
];

/** One instruction in each operand form that the table has, and every kind of address, for all three modes. */
export function encodingCorpus(): readonly EncodingCase[] {
  const cases: EncodingCase[] = [];
  for (const mode of [16, 32, 64] as const) {
    const add = (mnemonic: Mnemonic, ...operands: Operand[]) => cases.push({ mode, mnemonic, operands });
    addPlain(mode, add);
    addAddresses(mode, add);
    addArithmetic(mode, add);
    addMoves(mode, add);
    addBits(mode, add);
    addSystem(mode, add);
  }
  return cases;
}

type Add = (mnemonic: Mnemonic, ...operands: Operand[]) => void;

function addPlain(mode: Mode, add: Add): void {
  for (const mnemonic of PLAIN) add(mnemonic);
  for (const mnemonic of mode === 64 ? PLAIN_64 : PLAIN_NOT_64) add(mnemonic);
}

function addAddresses(mode: Mode, add: Add): void {
  const addresses = mode === 16 ? ADDRESSES_16 : mode === 32 ? ADDRESSES_32 : ADDRESSES_64;
  for (const address of addresses) {
    add('mov', r.ecx, address);
    add('mov', address, r.dl);
    add('lea', r.edx, address);
    add('add', { ...address, size: 32 }, 0x12345);
  }
}

/** Registers and memory of every size that the mode has, with an immediate that is short and one that is not. */
function sizes(mode: Mode) {
  const base = mode === 64 ? r.rbx : r.ebx;
  const all = [
    { a: r.al, b: r.ch, c: r.dl, memory: byte(base), short: 0x12, long: 0xf0 },
    { a: r.ax, b: r.cx, c: r.si, memory: word(base, 2), short: -2, long: 0x1234 },
    { a: r.eax, b: r.ecx, c: r.edi, memory: dword(base, 4), short: 0x7f, long: 0x89abcdef },
  ];
  if (mode !== 64) return all;
  return [
    ...all,
    { a: r.rax, b: r.r9, c: r.r14, memory: qword(base, 8), short: -128, long: -0x12345678 },
    { a: r.r8d, b: r.r15d, c: r.r10d, memory: dword(r.r11), short: 1, long: 0x80 },
    { a: r.sil, b: r.r8b, c: r.r15b, memory: byte(r.r12), short: 1, long: 0x80 },
    { a: r.r8w, b: r.r9w, c: r.r13w, memory: word(r.r13), short: 1, long: 0x80 },
  ];
}

function addArithmetic(mode: Mode, add: Add): void {
  for (const { a, b, c, memory, short, long } of sizes(mode)) {
    for (const mnemonic of [...ARITHMETIC, 'test', 'xchg', 'xadd', 'cmpxchg'] as const) {
      add(mnemonic, c, b);
      add(mnemonic, memory, c);
    }
    for (const mnemonic of ARITHMETIC) {
      add(mnemonic, b, memory);
      for (const target of [a, b, memory]) for (const value of [short, long]) add(mnemonic, target, value);
    }
    for (const target of [a, b, memory]) {
      add('test', target, long);
      for (const mnemonic of ['inc', 'dec', 'not', 'neg', 'mul', 'imul', 'div', 'idiv'] as const) add(mnemonic, target);
      for (const mnemonic of SHIFTS) for (const count of [1, r.cl, 5]) add(mnemonic, target, count);
      add('setb', a.size === 8 ? target : byte(mode === 64 ? r.rdi : r.edi));
    }
    if (a.size === 8) continue;
    add('xchg', a, c);
    add('imul', c, memory);
    add('imul', c, b, short);
    add('imul', c, memory, long);
    add('cmovnz', b, memory);
    add('cmovle', c, a);
    add('movzx', b, byte(mode === 64 ? r.rdi : r.edi));
    add('movsx', b, r.cl);
    if (a.size > 16) add('movsx', c, word(mode === 64 ? r.rdi : r.edi));
  }
}

function addMoves(mode: Mode, add: Add): void {
  for (const { a, b, c, memory, short, long } of sizes(mode)) {
    add('mov', a, c);
    add('mov', b, memory);
    add('mov', memory, b);
    for (const value of [short, long]) for (const target of [a, c, memory]) add('mov', target, value);
    if (a.size === 8 || (mode === 64 && a.size === 32) || (mode !== 64 && a.size === 64)) continue;
    for (const mnemonic of ['push', 'pop'] as const) for (const target of [b, memory]) add(mnemonic, target);
  }
  add('push', 5);
  add('push', 0x1234);
  for (const register of [r.ds, r.es, r.ss]) {
    add('mov', register, r.ax);
    add('mov', register, r.eax);
    add('mov', r.cx, register);
    if (mode !== 64) for (const mnemonic of ['push', 'pop'] as const) add(mnemonic, register);
  }
  for (const mnemonic of ['push', 'pop'] as const) for (const register of [r.fs, r.gs]) add(mnemonic, register);
  for (const register of [r.al, r.ax, r.eax]) {
    for (const port of [r.dx, 0x70]) {
      add('in', register, port);
      add('out', port, register);
    }
  }
  if (mode !== 64) return;
  add('mov', r.rax, 0x1234_5678_9abc_def0n);
  add('mov', r.r11, 0xffff_fff0);
  add('mov', r.rdi, -1);
  add('movsxd', r.rax, r.ecx);
  add('movsxd', r.r9, dword(r.rbx));
}

function addBits(mode: Mode, add: Add): void {
  for (const { b, c, memory } of sizes(mode)) {
    if (b.size === 8) continue;
    for (const mnemonic of ['bt', 'bts', 'btr', 'btc'] as const) {
      add(mnemonic, memory, b);
      add(mnemonic, c, 3);
    }
    add('bsf', b, memory);
    add('bsr', c, b);
    for (const mnemonic of ['shld', 'shrd'] as const) {
      add(mnemonic, c, b, 4);
      add(mnemonic, memory, b, r.cl);
    }
    if (b.size > 16) add('bswap', c);
  }
}

function addSystem(mode: Mode, add: Add): void {
  const base = mode === 64 ? r.rbx : r.ebx;
  const wide = mode === 64 ? r.rax : r.eax;
  for (const mnemonic of ['lgdt', 'lidt', 'sgdt', 'sidt', 'invlpg'] as const) add(mnemonic, at(base));
  for (const control of [r.cr0, r.cr2, r.cr3, r.cr4]) {
    add('mov', wide, control);
    add('mov', control, wide);
  }
  if (mode === 64) add('mov', r.cr8, r.r9);
  add('mov', r.dr7, wide);
  add('mov', wide, r.dr6);
  for (const mnemonic of ['lldt', 'ltr', 'lmsw'] as const) add(mnemonic, r.cx);
  add('str', r.cx);
  add('smsw', r.eax);
  add('int', 0x15);
  add('cmpxchg8b', qword(base));
  if (mode === 64) add('cmpxchg16b', at(base));
}
