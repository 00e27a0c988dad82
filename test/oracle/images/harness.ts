import { type Code, createAssembler } from '../../../src/bios/rom/assembler/assembler.ts';
import { at, dword, offsetIn, qword, symbol, word } from '../../../src/bios/rom/assembler/operands.ts';
import {
  al,
  ax,
  cr0,
  cr2,
  cs,
  ds,
  dx,
  eax,
  ebp,
  ebx,
  ecx,
  edi,
  edx,
  es,
  esi,
  esp,
  fs,
  gs,
  rax,
  rbx,
  rcx,
  rsp,
  ss,
} from '../../../src/bios/rom/assembler/registers.ts';

/** The image stands in the last 64 KiB below 1 MiB and shows again below 4 GiB. */
export const ROM_BASE = 0xf_0000;
export const ROM_BYTES = 0x1_0000;
export const DEBUGCON = 0xe9;
export const EXIT_PORT = 0x501;

/** RAM that the images use. */
export const RAM = {
  IDT: 0x1000,
  GDT: 0x3000,
  LDT: 0x3800,
  TSS: 0x4000,
  TSS_2: 0x4800,
  /** Where the running case goes on after its event. */
  RESUME: 0x5000,
  SCRATCH: 0x5100,
  STACK: 0x9000,
  STACK_1: 0x9800,
  USER_STACK: 0xa000,
  IST: 0xb000,
  TASK_STACK: 0xc000,
  TABLES: 0x1_0000,
  PAGES: 0x2_0000,
} as const;

/** Selectors of the GDT that every image begins with. */
export const SELECTOR = {
  CODE32: 0x08,
  DATA: 0x10,
  CODE16: 0x18,
  DATA16: 0x20,
  USER_CODE32: 0x2b,
  USER_DATA: 0x33,
  CODE64: 0x38,
  USER_CODE64: 0x43,
  TSS: 0x48,
  /** 64-bit TSS takes two entries. */
  TSS_HIGH: 0x50,
  CONFORMING: 0x58,
  NOT_PRESENT_DATA: 0x60,
  NOT_PRESENT_CODE: 0x68,
  READ_ONLY: 0x70,
  EXECUTE_ONLY: 0x78,
  EXPAND_DOWN: 0x80,
  SMALL_DATA: 0x88,
  LDT: 0x90,
  CALL_GATE: 0x98,
  CALL_GATE_PARAMETERS: 0xa0,
  TSS_2: 0xa8,
  TASK_GATE: 0xb0,
  CODE_DPL1: 0xb9,
  DATA_DPL1: 0xc1,
  NOT_PRESENT_STACK: 0xc8,
  CALL_GATE_USER: 0xd0,
} as const;

/** The last entry of the GDT in RAM. */
export const GDT_BYTES = 0x100;

/** A case: its name and what it does. It ends with an event, at the latest the `int 0x80` that follows its body. */
export interface OracleCase {
  readonly name: string;
  readonly body: (code: Code) => void;
  /** Vector and error code by the SDM where QEMU 7.2's TCG differs, as its line would begin: TCG checks no limits and no access rights. */
  readonly sdm?: string;
}

/** An image and the names of its cases, in the order of the lines that it prints. */
export interface OracleImage {
  readonly rom: Uint8Array;
  readonly names: readonly string[];
  /** OracleCase.sdm by name. */
  readonly sdm: ReadonlyMap<string, string>;
}

const ERROR_CODE_VECTORS: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17]);
const GATE_VECTORS = 0x22;

/** 8-byte descriptor. */
export function descriptor(base: number, limit: number, access: number, flags: number): bigint {
  const value =
    BigInt(limit & 0xffff) |
    (BigInt(base & 0xff_ffff) << 16n) |
    (BigInt(access) << 40n) |
    (BigInt(((limit >>> 16) & 0xf) | (flags << 4)) << 48n) |
    (BigInt((base >>> 24) & 0xff) << 56n);
  return value;
}

const FLAT = 0xf_ffff;

function emitGdt(code: Code): void {
  code.align(16);
  code.label('gdt');
  const gate = (selector: number, type: number, parameters: number) => {
    code.dw(offsetIn(ROM_BASE, 'gateTarget'), selector, (type << 8) | parameters, ROM_BASE >>> 16);
  };
  code.dq(0);
  code.dq(descriptor(0, FLAT, 0x9b, 0xc));
  code.dq(descriptor(0, FLAT, 0x93, 0xc));
  code.dq(descriptor(ROM_BASE, 0xffff, 0x9b, 0));
  code.dq(descriptor(0, 0xffff, 0x93, 0));
  code.dq(descriptor(0, FLAT, 0xfb, 0xc));
  code.dq(descriptor(0, FLAT, 0xf3, 0xc));
  code.dq(descriptor(0, FLAT, 0x9b, 0xa));
  code.dq(descriptor(0, FLAT, 0xfb, 0xa));
  code.dq(descriptor(RAM.TSS, 0x7ff, 0x89, 0));
  code.dq(0);
  code.dq(descriptor(0, FLAT, 0x9e, 0xc));
  code.dq(descriptor(0, FLAT, 0x12, 0xc));
  code.dq(descriptor(0, FLAT, 0x1a, 0xc));
  code.dq(descriptor(0, FLAT, 0x90, 0xc));
  code.dq(descriptor(0, FLAT, 0x98, 0xc));
  code.dq(descriptor(0, 0xfff, 0x96, 0x4));
  code.dq(descriptor(RAM.SCRATCH, 0xf, 0x92, 0x4));
  code.dq(descriptor(RAM.LDT, 0x1f, 0x82, 0));
  gate(SELECTOR.CODE32, 0x8c, 0);
  gate(SELECTOR.CODE32, 0xec, 2);
  code.dq(descriptor(RAM.TSS_2, 0x67, 0x89, 0));
  code.dw(0, SELECTOR.TSS_2, 0x8500, 0);
  code.dq(descriptor(0, FLAT, 0xba, 0xc));
  code.dq(descriptor(0, FLAT, 0xb2, 0xc));
  code.dq(descriptor(0, FLAT, 0x12, 0xc));
  gate(SELECTOR.CODE32, 0xec, 0);
  code.label('gdtEnd');
  code.label('gdtPointerRom');
  code.dw(GDT_BYTES - 1);
  code.dd(symbol('gdt'));
  code.label('gdtPointer');
  code.dw(GDT_BYTES - 1);
  code.dq(RAM.GDT);
}

/** Reset vector, entry to 32-bit protected mode with GDT, IDT, TSS and LDT in RAM, then `body`. */
function emitProtectedEntry(code: Code, body: () => void): void {
  code.section('rom', ROM_BASE);
  code.bits(16);
  code.label('entry16');
  code.cli();
  code.lgdtd(at(cs, offsetIn(ROM_BASE, 'gdtPointerRom')));
  code.mov(eax, 0x11);
  code.mov(cr0, eax);
  code.farJump(SELECTOR.CODE32, symbol('entry32'), 32);
  code.bits(32);
  code.label('entry32');
  reloadSegments(code);
  code.mov(esp, RAM.STACK);
  code.cld();
  copy(code, 'gdt', RAM.GDT, GDT_BYTES);
  code.lgdt(at('gdtPointer'));
  emitTaskState32(code);
  body();
  code.label('finish');
  code.mov(dx, EXIT_PORT);
  code.mov(al, 0);
  code.out(dx, al);
  code.hlt();
}

function copy(code: Code, from: string, to: number, byteLength: number): void {
  code.mov(esi, symbol(from));
  code.mov(edi, to);
  code.mov(ecx, byteLength);
  code.rep();
  code.movsb();
}

function reloadSegments(code: Code): void {
  code.mov(ax, SELECTOR.DATA);
  code.mov(ds, ax);
  code.mov(es, ax);
  code.mov(ss, ax);
  code.xor(eax, eax);
  code.mov(fs, ax);
  code.mov(gs, ax);
}

/** Stacks for CPL 0 and 1, an I/O bitmap that allows ports 0–7 and 0xe9 only. */
function emitTaskState32(code: Code): void {
  code.mov(dword(RAM.TSS + 4), RAM.STACK);
  code.mov(dword(RAM.TSS + 8), SELECTOR.DATA);
  code.mov(dword(RAM.TSS + 12), RAM.STACK_1);
  code.mov(dword(RAM.TSS + 16), SELECTOR.DATA_DPL1);
  code.mov(word(RAM.TSS + 102), 0x68);
  code.mov(edi, RAM.TSS + 0x68);
  code.mov(ecx, 0x100);
  code.mov(al, 0xff);
  code.rep();
  code.stosb();
  code.mov(dword(RAM.TSS + 0x68), 0xffff_ff00);
  code.mov(dword(RAM.TSS + 0x68 + 0x1c), 0xffff_fdff);
  code.mov(ax, SELECTOR.TSS);
  code.ltr(ax);
}

/** Prints EAX as eight digits and a blank: clobbers nothing but flags. */
function emitPrint(code: Code): void {
  code.label('printWord');
  code.push(code.mode === 64 ? rax : eax);
  code.push(code.mode === 64 ? rcx : ecx);
  code.push(code.mode === 64 ? rbx : ebx);
  code.mov(ebx, eax);
  code.mov(ecx, 8);
  code.label('printDigit');
  code.rol(ebx, 4);
  code.mov(eax, ebx);
  code.and(al, 0xf);
  code.add(al, 0x30);
  code.cmp(al, 0x3a);
  code.branch('b', 'printOut');
  code.add(al, 0x27);
  code.label('printOut');
  code.out(DEBUGCON, al);
  code.dec(ecx);
  code.branch('nz', 'printDigit');
  code.mov(al, 0x20);
  code.out(DEBUGCON, al);
  code.pop(code.mode === 64 ? rbx : ebx);
  code.pop(code.mode === 64 ? rcx : ecx);
  code.pop(code.mode === 64 ? rax : eax);
  code.ret();
}

/** RFLAGS bits that are reported: TF IF IOPL NT VM AC VIF VIP ID; status flags and RF vary. */
const REPORTED_FLAGS = 0x003e_7300;

/** Entry points of all vectors: each leaves (vector, error code) on the stack and goes to `event`. */
function emitStubs(code: Code): void {
  for (let vector = 0; vector < GATE_VECTORS; vector++) emitStub(code, vector);
  emitStub(code, 0x80);
}

function emitStub(code: Code, vector: number): void {
  code.label(`stub${vector}`);
  if (!ERROR_CODE_VECTORS.has(vector)) code.push(0);
  code.push(vector === 0x80 ? 0x7f : vector);
  code.jump('event');
}

/** Line of a 32-bit event: vector, error code, EIP, CS, EFLAGS, EAX, then CR2 of a #PF and SS:ESP of an outer level. */
function emitEvent32(code: Code): void {
  code.label('event');
  code.push(eax);
  code.push(ds);
  code.mov(ax, SELECTOR.DATA);
  code.mov(ds, ax);
  // [esp]: DS, EAX, vector, error code, EIP, CS, EFLAGS, (ESP, SS).
  for (const offset of [8, 12, 16, 20]) printStack32(code, offset);
  code.mov(eax, dword(esp, 24));
  code.and(eax, REPORTED_FLAGS);
  code.call('printWord');
  printStack32(code, 4);
  code.cmp(dword(esp, 8), 14);
  code.branch('nz', 'noCr2');
  code.mov(eax, cr2);
  code.call('printWord');
  code.label('noCr2');
  code.mov(eax, dword(esp, 24));
  code.and(eax, 0x2_0000);
  code.branch('nz', 'outer');
  code.test(dword(esp, 20), 3);
  code.branch('z', 'sameLevel');
  code.label('outer');
  printStack32(code, 28);
  printStack32(code, 32);
  code.label('sameLevel');
  newLine(code);
  reloadSegments(code);
  code.mov(esp, RAM.STACK);
  code.push(2);
  code.popf();
  code.jmpIndirect(dword(RAM.RESUME));
}

function printStack32(code: Code, offset: number): void {
  code.mov(eax, dword(esp, offset));
  code.call('printWord');
}

function newLine(code: Code): void {
  code.mov(al, 10);
  code.out(DEBUGCON, al);
}

function emitIdt32(code: Code): void {
  code.align(16);
  code.label('idt');
  for (let vector = 0; vector < GATE_VECTORS; vector++) gate32(code, `stub${vector}`, vector === 0x21 ? 0xef : 0x8e);
  code.label('idtUser');
  gate32(code, 'stub128', 0xee);
  code.label('idtPointer');
  code.dw(0x7ff);
  code.dq(RAM.IDT);
}

function gate32(code: Code, label: string, access: number): void {
  code.dw(offsetIn(ROM_BASE, label), SELECTOR.CODE32, access << 8, ROM_BASE >>> 16);
}

/** A 32-bit image: `cases` run at CPL 0 in flat segments, interrupts off, no paging. `extra` emits subroutines that they use. */
export function protectedImage(
  cases: readonly OracleCase[],
  options: { setUp?: (code: Code) => void; extra?: (code: Code) => void } = {},
): OracleImage {
  const code = createAssembler();
  emitProtectedEntry(code, () => {
    copy(code, 'idt', RAM.IDT, GATE_VECTORS * 8);
    copy(code, 'idtUser', RAM.IDT + 0x80 * 8, 8);
    code.lidt(at('idtPointer'));
    options.setUp?.(code);
    emitCases(code, cases);
  });
  emitPrint(code);
  emitStubs(code);
  emitEvent32(code);
  code.label('gateTarget');
  code.mov(eax, symbol('gateTarget'));
  code.int(0x80);
  options.extra?.(code);
  emitIdt32(code);
  return finish(code, cases);
}

function emitCases(code: Code, cases: readonly OracleCase[]): void {
  const wide = code.mode === 64;
  cases.forEach(({ body }, index) => {
    if (wide) code.mov(qword(RAM.RESUME), symbol(`resume${index}`));
    else code.mov(dword(RAM.RESUME), symbol(`resume${index}`));
    code.xor(eax, eax);
    body(code);
    code.bits(wide ? 64 : 32);
    code.int(0x80);
    code.label(`resume${index}`);
  });
}

function finish(code: Code, cases: readonly OracleCase[]): OracleImage {
  emitGdt(code);
  code.org(ROM_BASE + 0xfff0);
  code.bits(16);
  code.farJump(ROM_BASE >>> 4, offsetIn(ROM_BASE, 'entry16'), 16);
  code.org(ROM_BASE + ROM_BYTES);
  const section = code.assemble().sections.get('rom');
  if (section === undefined || section.bytes.length !== ROM_BYTES) throw new Error('the image must be 64 KiB');
  const sdm = new Map(cases.flatMap((one) => (one.sdm === undefined ? [] : [[one.name, one.sdm] as const])));
  return { rom: section.bytes, names: cases.map(({ name }) => name), sdm };
}

/** Line of a real-mode event: vector, IP, CS, FLAGS, EAX. */
function emitEvent16(code: Code): void {
  code.label('event');
  code.push(eax);
  code.push(ebp);
  code.mov(ebp, esp);
  // [ebp]: EBP, EAX, vector (16 bits each from here), IP, CS, FLAGS.
  for (const offset of [8, 10, 12]) {
    code.movzx(eax, word(ss, ebp, offset));
    code.call('printWord');
  }
  code.movzx(eax, word(ss, ebp, 14));
  code.and(eax, REPORTED_FLAGS);
  code.call('printWord');
  code.mov(eax, dword(ss, ebp, 4));
  code.call('printWord');
  newLine(code);
  code.xor(eax, eax);
  code.mov(ds, ax);
  code.mov(es, ax);
  code.mov(ss, ax);
  code.mov(esp, REAL_STACK);
  code.push(2);
  code.popf();
  code.jmpIndirect(word(ds, RAM.RESUME));
}

const REAL_STACK = 0x7000;
/** The IVT of a real-mode image has this many entries; all of them lead to stubs. */
const IVT_ENTRIES = 0x81;

/** A real-mode image: `cases` run at F000h with the other segments 0; they end by `int 0x80`. */
export function realImage(cases: readonly OracleCase[]): OracleImage {
  const code = createAssembler();
  code.section('rom', ROM_BASE);
  code.bits(16);
  code.label('entry16');
  code.cli();
  code.xor(eax, eax);
  code.mov(ds, ax);
  code.mov(es, ax);
  code.mov(ss, ax);
  code.mov(esp, REAL_STACK);
  for (let vector = 0; vector < IVT_ENTRIES; vector++) {
    const label = vector < GATE_VECTORS ? vector : 0x80;
    code.mov(word(ds, vector * 4), offsetIn(ROM_BASE, `stub${label}`));
    code.mov(word(ds, vector * 4 + 2), ROM_BASE >>> 4);
  }
  cases.forEach(({ body }, index) => {
    code.mov(word(ds, RAM.RESUME), offsetIn(ROM_BASE, `resume${index}`));
    code.xor(eax, eax);
    body(code);
    code.bits(16);
    code.int(0x80);
    code.label(`resume${index}`);
  });
  code.mov(dx, EXIT_PORT);
  code.mov(al, 0);
  code.out(dx, al);
  code.hlt();
  emitPrint(code);
  for (const vector of [...Array(GATE_VECTORS).keys(), 0x80]) {
    code.label(`stub${vector}`);
    code.push(vector === 0x80 ? 0x7f : vector);
    code.jump('event');
  }
  emitEvent16(code);
  code.label('gateTarget');
  code.int(0x80);
  return finish(code, cases);
}

/** Page tables of the 64-bit image: the first 2 MiB in 4 KiB user-writable pages, the next 2 MiB as one page. */
export const TABLES_64 = {
  PML4: RAM.TABLES,
  PDPT: RAM.TABLES + 0x1000,
  PD: RAM.TABLES + 0x2000,
  PT: RAM.TABLES + 0x3000,
};

function emitLongEntry(code: Code): void {
  code.mov(dword(TABLES_64.PML4), TABLES_64.PDPT | 7);
  code.mov(dword(TABLES_64.PDPT), TABLES_64.PD | 7);
  code.mov(dword(TABLES_64.PD), TABLES_64.PT | 7);
  code.mov(dword(TABLES_64.PD + 8), 0x20_0000 | 0x87);
  code.mov(edi, TABLES_64.PT);
  code.mov(eax, 7);
  code.mov(ecx, 512);
  code.label('fillTable');
  code.mov(dword(edi), eax);
  code.add(edi, 8);
  code.add(eax, 0x1000);
  code.dec(ecx);
  code.branch('nz', 'fillTable');
  code.mov(eax, 0x20);
  code.db(0x0f, 0x22, 0xe0); // mov cr4, eax
  code.mov(eax, TABLES_64.PML4);
  code.db(0x0f, 0x22, 0xd8); // mov cr3, eax
  code.mov(ecx, 0xc000_0080);
  code.mov(eax, 0x901);
  code.xor(edx, edx);
  code.wrmsr();
  code.mov(eax, 0x8001_0011);
  code.mov(cr0, eax);
  code.farJump(SELECTOR.CODE64, symbol('entry64'), 32);
  code.bits(64);
  code.label('entry64');
  code.mov(rsp, RAM.STACK);
  // A 64-bit TSS over the old one.
  code.mov(qword(RAM.TSS + 4), RAM.STACK);
  code.mov(qword(RAM.TSS + 12), RAM.STACK_1);
  code.mov(qword(RAM.TSS + 0x24), RAM.IST);
  code.mov(word(RAM.GDT + SELECTOR.TSS + 5), 0x89);
  code.mov(ax, SELECTOR.TSS);
  code.ltr(ax);
}

function gate64(code: Code, label: string, access: number, ist = 0): void {
  code.dw(offsetIn(ROM_BASE, label), SELECTOR.CODE64, (access << 8) | ist, ROM_BASE >>> 16);
  code.dq(0);
}

/** Line of a 64-bit event: vector, error code, RIP, CS, RFLAGS, RAX, SS, RSP, CR2 of a #PF. */
function emitEvent64(code: Code): void {
  code.label('event');
  code.push(rax);
  // [rsp]: RAX, vector, error code, RIP, CS, RFLAGS, RSP, SS.
  for (const offset of [8, 16]) printStack64(code, offset, false);
  printStack64(code, 24, true);
  printStack64(code, 32, false);
  code.mov(eax, dword(rsp, 40));
  code.and(eax, REPORTED_FLAGS);
  code.call('printWord');
  printStack64(code, 0, true);
  printStack64(code, 56, false);
  printStack64(code, 48, true);
  // The stack that the handler got.
  code.mov(rax, rsp);
  code.call('printWord');
  code.cmp(dword(rsp, 8), 14);
  code.branch('nz', 'noCr2');
  code.db(0x0f, 0x20, 0xd0); // mov rax, cr2
  code.mov(rbx, rax);
  code.shr(rax, 32);
  code.call('printWord');
  code.mov(rax, rbx);
  code.call('printWord');
  code.label('noCr2');
  newLine(code);
  code.mov(ax, SELECTOR.DATA);
  code.mov(ds, ax);
  code.mov(es, ax);
  code.mov(ss, ax);
  code.mov(rsp, RAM.STACK);
  code.push(2);
  code.popf();
  code.jmpIndirect(qword(RAM.RESUME));
}

function printStack64(code: Code, offset: number, wide: boolean): void {
  if (wide) {
    code.mov(rax, qword(rsp, offset));
    code.shr(rax, 32);
    code.call('printWord');
  }
  code.mov(rax, qword(rsp, offset));
  code.call('printWord');
}

/** A 64-bit image: `cases` run at CPL 0 in 64-bit code; see TABLES_64. */
export function longImage(
  cases: readonly OracleCase[],
  options: { setUp?: (code: Code) => void; extra?: (code: Code) => void } = {},
): OracleImage {
  const code = createAssembler();
  emitProtectedEntry(code, () => {
    copy(code, 'idt', RAM.IDT, GATE_VECTORS * 16);
    copy(code, 'idtUser', RAM.IDT + 0x80 * 16, 16);
    emitLongEntry(code);
    code.lidt(at('idtPointer'));
    code.lgdt(at('gdtPointer'));
    options.setUp?.(code);
    emitCases(code, cases);
  });
  emitPrint(code);
  emitStubs(code);
  emitEvent64(code);
  code.label('gateTarget');
  code.int(0x80);
  options.extra?.(code);
  code.align(16);
  code.label('idt');
  for (let vector = 0; vector < GATE_VECTORS; vector++) {
    gate64(code, `stub${vector}`, vector === 0x21 ? 0xef : 0x8e, vector === 8 ? 1 : 0);
  }
  code.label('idtUser');
  gate64(code, 'stub128', 0xee);
  code.label('idtPointer');
  code.dw(0xfff);
  code.dq(RAM.IDT);
  return finish(code, cases);
}
