import { type Code, createAssembler } from '../../../src/bios/rom/assembler/assembler.ts';
import { at, dword, offsetIn, symbol } from '../../../src/bios/rom/assembler/operands.ts';
import { ax, cr2, ds, eax, esp } from '../../../src/bios/rom/assembler/registers.ts';
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
  reloadSegments,
} from './harness.ts';
import { type OracleCase, type OracleImage, RAM, ROM_BASE, SELECTOR } from './layout.ts';

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
