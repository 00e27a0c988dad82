import type { Code } from '../../../src/bios/rom/assembler/assembler.ts';
import { at, dword, offsetIn, qword, symbol, word } from '../../../src/bios/rom/assembler/operands.ts';
import {
  al,
  ax,
  cr0,
  cs,
  ds,
  dx,
  eax,
  ebx,
  ecx,
  edi,
  es,
  esi,
  esp,
  fs,
  gs,
  rax,
  rbx,
  rcx,
  ss,
} from '../../../src/bios/rom/assembler/registers.ts';
import { emitGdt } from './gdt.ts';
import {
  DEBUGCON,
  EXIT_PORT,
  GDT_BYTES,
  type OracleCase,
  type OracleImage,
  RAM,
  ROM_BASE,
  ROM_BYTES,
  SELECTOR,
} from './layout.ts';

const ERROR_CODE_VECTORS: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17]);
export const GATE_VECTORS = 0x22;

/** Reset vector, entry to 32-bit protected mode with GDT, IDT, TSS and LDT in RAM, then `body`. */
export function emitProtectedEntry(code: Code, body: () => void): void {
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

export function copy(code: Code, from: string, to: number, byteLength: number): void {
  code.mov(esi, symbol(from));
  code.mov(edi, to);
  code.mov(ecx, byteLength);
  code.rep();
  code.movsb();
}

export function reloadSegments(code: Code): void {
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
export function emitPrint(code: Code): void {
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
export const REPORTED_FLAGS = 0x003e_7300;

/** Entry points of all vectors: each leaves (vector, error code) on the stack and goes to `event`. */
export function emitStubs(code: Code): void {
  for (let vector = 0; vector < GATE_VECTORS; vector++) emitStub(code, vector);
  emitStub(code, 0x80);
}

function emitStub(code: Code, vector: number): void {
  code.label(`stub${vector}`);
  if (!ERROR_CODE_VECTORS.has(vector)) code.push(0);
  code.push(vector === 0x80 ? 0x7f : vector);
  code.jump('event');
}

export function newLine(code: Code): void {
  code.mov(al, 10);
  code.out(DEBUGCON, al);
}

export function emitCases(code: Code, cases: readonly OracleCase[]): void {
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

export function finish(code: Code, cases: readonly OracleCase[]): OracleImage {
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
