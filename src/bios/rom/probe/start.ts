import { IOAPIC, LOCAL_APIC, PORTS } from '../../../emulator/machine/memory-map.ts';
import type { Code } from '../assembler/assembler.ts';
import { repeat } from '../assembler/macros.ts';
import { at, dword, qword, symbol, word } from '../assembler/operands.ts';
import {
  al,
  ax,
  cr0,
  cr2,
  cr3,
  cr4,
  ds,
  eax,
  ebx,
  ecx,
  edi,
  edx,
  es,
  esi,
  esp,
  fs,
  gs,
  r8,
  rax,
  rbx,
  rcx,
  rdx,
  rsp,
  ss,
} from '../assembler/registers.ts';
import { CR0_PE, CR0_PG, CR4_PAE, EFER_LME, IA32_EFER } from '../control-bits.ts';
import { log } from '../log.ts';
import {
  PROBE_FIRST_VECTOR,
  PROBE_PAGE_DIRECTORIES,
  PROBE_PAGE_TABLES,
  PROBE_SELECTORS,
  PROBE_SPURIOUS_VECTOR,
  PROBE_STACK_TOP,
  PROBE_VECTORS,
} from './layout.ts';

const PRESENT_WRITABLE = 3;
const LARGE_PAGE = 0x80;
const STUB_BYTES = 16;
/** Exceptions that push an error code (SDM vol. 3 table 6-1). */
const WITH_ERROR_CODE = new Set([8, 10, 11, 12, 13, 14, 17, 21]);
const FIRST_PIRQ_INPUT = 16;
const PIRQS = 8;

/** PVH entry: 32-bit, paging off, EBX = start info. Ends in long mode at `probeMain` with R8 = start info. */
export function emitStart(code: Code): void {
  code.bits(32);
  code.label('pvhEntry');
  code.cli();
  code.cld();
  code.mov(esp, PROBE_STACK_TOP);
  code.lgdt(at('gdtPointer'));
  code.farJump(PROBE_SELECTORS.CODE32, symbol('reloaded'), 32);
  code.label('reloaded');
  code.mov(eax, PROBE_SELECTORS.DATA);
  for (const register of [ds, es, ss, fs, gs]) code.mov(register, eax);
  code.mov(esi, ebx);
  emitPageTables(code);
  code.mov(eax, CR4_PAE);
  code.mov(cr4, eax);
  code.mov(eax, PROBE_PAGE_TABLES);
  code.mov(cr3, eax);
  code.mov(ecx, IA32_EFER);
  code.rdmsr();
  code.or(eax, EFER_LME);
  code.wrmsr();
  code.mov(eax, cr0);
  code.or(eax, (CR0_PG | CR0_PE) >>> 0);
  code.mov(cr0, eax);
  code.farJump(PROBE_SELECTORS.CODE64, symbol('longMode'), 32);
  code.bits(64);
  code.label('longMode');
  code.mov(rsp, PROBE_STACK_TOP);
  code.mov(eax, esi);
  code.mov(r8, rax);
  emitInterruptTable(code);
  emitInterruptControllers(code);
  code.jump('probeMain');
  emitStubs(code);
  emitGdt(code);
}

function emitPageTables(code: Code): void {
  const [pml4, pdpt, directories] = [0, 1, 3].map((page) => PROBE_PAGE_TABLES + page * 0x1000);
  code.mov(edi, pml4);
  code.xor(eax, eax);
  code.mov(ecx, 0xc00);
  code.rep();
  code.stosd();
  code.mov(dword(pml4), pdpt | PRESENT_WRITABLE);
  code.mov(dword(pml4 + 8), (pdpt + 0x1000) | PRESENT_WRITABLE);
  code.mov(edi, pdpt);
  code.mov(eax, directories | PRESENT_WRITABLE);
  repeat(code, ({ done }) => {
    code.mov(dword(edi), eax);
    code.add(edi, 8);
    code.add(eax, 0x1000);
    code.cmp(edi, pdpt + PROBE_PAGE_DIRECTORIES * 8);
    code.branch('z', done);
  });
  code.mov(edi, directories);
  code.mov(eax, LARGE_PAGE | PRESENT_WRITABLE);
  code.xor(edx, edx);
  repeat(code, ({ done }) => {
    code.mov(dword(edi), eax);
    code.mov(dword(edi, 4), edx);
    code.add(edi, 8);
    code.add(eax, 0x20_0000);
    code.adc(edx, 0);
    code.cmp(edi, directories + PROBE_PAGE_DIRECTORIES * 0x1000);
    code.branch('z', done);
  });
}

/** Gates to the stubs, which stand 16 bytes apart. */
function emitInterruptTable(code: Code): void {
  code.mov(eax, symbol('stubs'));
  code.mov(edi, symbol('idt'));
  code.mov(ecx, PROBE_VECTORS);
  repeat(code, ({ done }) => {
    code.mov(word(edi), ax);
    code.mov(word(edi, 2), PROBE_SELECTORS.CODE64);
    code.mov(word(edi, 4), 0x8e00);
    code.mov(edx, eax);
    code.shr(edx, 16);
    code.mov(dword(edi, 6), edx);
    code.add(edi, 16);
    code.add(eax, STUB_BYTES);
    code.dec(ecx);
    code.branch('z', done);
  });
  code.lidt(at('idtPointer'));
}

/** 8259s masked, local APIC on, every PIRQ's input unmasked with a vector of its own: level, active low, to APIC 0. */
function emitInterruptControllers(code: Code): void {
  code.mov(al, 0xff);
  code.out(PORTS.PIC1.base + 1, al);
  code.out(PORTS.PIC2.base + 1, al);
  code.mov(edi, LOCAL_APIC.base);
  code.mov(dword(edi, 0xf0), 0x100 | PROBE_SPURIOUS_VECTOR);
  code.mov(edi, IOAPIC.base);
  for (let pirq = 0; pirq < PIRQS; pirq++) {
    const register = 0x10 + 2 * (FIRST_PIRQ_INPUT + pirq);
    code.mov(dword(edi), register + 1);
    code.mov(dword(edi, 0x10), 0);
    code.mov(dword(edi), register);
    code.mov(dword(edi, 0x10), 0xa000 | (PROBE_FIRST_VECTOR + pirq));
  }
}

function emitStubs(code: Code): void {
  code.align(STUB_BYTES);
  code.label('stubs');
  for (let vector = 0; vector < PROBE_VECTORS; vector++) {
    if (!WITH_ERROR_CODE.has(vector)) code.push(0);
    code.push(vector);
    if (vector < 0x20) code.jump('exception');
    else if (vector === PROBE_SPURIOUS_VECTOR) code.jump('spurious');
    else code.jump('deviceInterrupt');
    code.align(STUB_BYTES);
  }
  code.label('exception');
  code.pop(rax);
  code.pop(rbx);
  code.pop(rcx);
  code.mov(rdx, cr2);
  log(code, 'probe fault vector={} error={} rip={} cr2={}\r\n', rax, rbx, rcx, rdx);
  code.jump('powerOff');
  code.label('spurious');
  code.add(rsp, 16);
  code.iretq();
  emitDeviceInterrupt(code);
}

/** Notes the vector and quiets the device, which else would interrupt again at once. */
function emitDeviceInterrupt(code: Code): void {
  code.label('deviceInterrupt');
  for (const register of [rax, rdx]) code.push(register);
  code.mov(rax, qword(rsp, 16));
  code.mov(qword('interruptVector'), rax);
  code.inc(qword('interruptCount'));
  code.mov(rdx, qword('acknowledgeAddress'));
  code.mov(dword(rdx), 1);
  code.mov(eax, LOCAL_APIC.base + 0xb0);
  code.mov(dword(rax), 0);
  for (const register of [rdx, rax]) code.pop(register);
  code.add(rsp, 16);
  code.iretq();
}

function emitGdt(code: Code): void {
  code.align(16);
  code.label('gdt');
  code.dq(0, 0x00cf_9b00_0000_ffffn, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn);
  code.label('gdtPointer');
  code.dw(31);
  code.dd(symbol('gdt'));
  code.align(16);
  code.label('idtPointer');
  code.dw(PROBE_VECTORS * 16 - 1);
  code.dq(symbol('idt'));
}
