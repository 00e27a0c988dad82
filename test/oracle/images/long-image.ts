import { type Code, createAssembler } from '../../../src/bios/rom/assembler/assembler.ts';
import { at, dword, offsetIn, qword, symbol, word } from '../../../src/bios/rom/assembler/operands.ts';
import { ax, cr0, ds, eax, ecx, edi, edx, es, rax, rbx, rsp, ss } from '../../../src/bios/rom/assembler/registers.ts';
import {
  copy,
  emitCases,
  emitPrint,
  emitProtectedEntry,
  emitStubs,
  finish,
  GATE_VECTORS,
  newLine,
  REPORTED_FLAGS,
} from './harness.ts';
import { type OracleCase, type OracleImage, RAM, ROM_BASE, SELECTOR } from './layout.ts';

/** Page tables of the 64-bit image: the first 2 MiB in 4 KiB user-writable pages, the next 2 MiB as one page. */
export const TABLES_64 = {
  PML4: RAM.TABLES,
  PDPT: RAM.TABLES + 0x1000,
  PD: RAM.TABLES + 0x2000,
  PT: RAM.TABLES + 0x3000,
  /** With 5-level paging: entries 0 and 1 lead to the PML4. */
  PML5: RAM.TABLES + 0x4000,
};

const PAE = 0x20;
const LA57 = 0x1000;

function emitLongEntry(code: Code, cr4: number): void {
  code.mov(dword(TABLES_64.PML4), TABLES_64.PDPT | 7);
  if ((cr4 & LA57) !== 0) {
    code.mov(dword(TABLES_64.PML5), TABLES_64.PML4 | 7);
    code.mov(dword(TABLES_64.PML5 + 8), TABLES_64.PML4 | 7);
  }
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
  code.mov(eax, cr4);
  code.db(0x0f, 0x22, 0xe0); // mov cr4, eax
  code.mov(eax, (cr4 & LA57) !== 0 ? TABLES_64.PML5 : TABLES_64.PML4);
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
  options: { setUp?: (code: Code) => void; extra?: (code: Code) => void; cr4?: number } = {},
): OracleImage {
  const code = createAssembler();
  emitProtectedEntry(code, () => {
    copy(code, 'idt', RAM.IDT, GATE_VECTORS * 16);
    copy(code, 'idtUser', RAM.IDT + 0x80 * 16, 16);
    emitLongEntry(code, options.cr4 ?? PAE);
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
