import { FSEG, PORTS, ROM_SHADOW } from '../../emulator/machine/memory-map.ts';
import type { Code } from './assembler/assembler.ts';
import { repeat, when } from './assembler/macros.ts';
import { at, dword, offsetIn, symbol } from './assembler/operands.ts';
import { al, cr0, cr3, cr4, cs, ds, eax, ecx, edi, edx, es, esi, esp, fs, gs, ss } from './assembler/registers.ts';
import { CHIPSET_CONFIG, PAM_READ_WRITE } from './chipset-registers.ts';
import { writeConfig } from './config-access.ts';
import { CR0_ET, CR0_PE, CR0_PG, CR4_PAE, EFER_LME, IA32_EFER } from './control-bits.ts';
import { HIGH_ALIAS, LOW_MEMORY, PAGE_TABLE_PAGES, POST_CODES, ROM_BASE, ROM_BYTES, SELECTORS } from './layout.ts';

const PAGE_PRESENT_WRITABLE = 0x3;
const PAGE_LARGE = 0x80;

/** The 16 bytes at the end of the image: a far jump into the F segment, and the date and model byte that old software reads. */
export function emitResetVector(code: Code): void {
  code.bits(16);
  code.label('resetVector');
  code.farJump(FSEG.base >> 4, offsetIn(FSEG.base, 'entry16'), 16);
  code.ascii('01/01/26');
  code.db(0, 0xfc, 0);
}

/** Real mode to long mode: `entry16`, `entry32`, `main64` follow one another. */
export function emitEntry(code: Code): void {
  emitRealMode(code);
  emitShadowing(code);
  emitLongModeEntry(code);
}

/** From the ROM's own segment: no RAM is used before protected mode. */
function emitRealMode(code: Code): void {
  code.bits(16);
  code.label('entry16');
  code.cli();
  code.cld();
  code.mov(al, POST_CODES.RESET);
  code.out(PORTS.POST.base, al);
  code.lgdtd(at(cs, offsetIn(FSEG.base, 'gdtPointerHigh')));
  // PE, with caches on: CD and NW are set after reset.
  code.mov(eax, CR0_PE | CR0_ET);
  code.mov(cr0, eax);
  code.farJump(SELECTORS.CODE32, symbol('entry32', HIGH_ALIAS), 32);
}

/** Runs in the alias below 4 GiB, because opening PAM takes the ROM away below 1 MiB. */
function emitShadowing(code: Code): void {
  code.bits(32);
  code.label('entry32');
  loadFlatSegments(code);
  code.mov(esp, LOW_MEMORY.STACK_TOP);
  code.mov(al, POST_CODES.PROTECTED_MODE);
  code.out(PORTS.POST.base, al);
  // Gate A20 open, no reset.
  code.in(al, PORTS.PORT92.base);
  code.or(al, 0x02);
  code.and(al, 0xfe);
  code.out(PORTS.PORT92.base, al);
  for (const write of PAM_READ_WRITE) writeConfig(code, CHIPSET_CONFIG.MCH_DEVFN, write);
  code.mov(esi, ROM_BASE);
  code.mov(edi, ROM_SHADOW.base);
  code.mov(ecx, ROM_BYTES / 4);
  code.rep();
  code.movsd();
  code.lgdt(at('gdtPointer'));
  code.farJump(SELECTORS.CODE32, symbol('shadowed'), 32);
}

export function loadFlatSegments(code: Code): void {
  code.mov(eax, SELECTORS.DATA);
  for (const register of [ds, es, ss, fs, gs]) code.mov(register, eax);
}

function emitLongModeEntry(code: Code): void {
  code.label('shadowed');
  code.mov(al, POST_CODES.SHADOWED);
  code.out(PORTS.POST.base, al);
  emitLongModeCheck(code);
  emitPageTables(code);
  code.mov(eax, cr4);
  code.or(eax, CR4_PAE);
  code.mov(cr4, eax);
  code.mov(eax, LOW_MEMORY.PAGE_TABLES);
  code.mov(cr3, eax);
  code.mov(ecx, IA32_EFER);
  code.rdmsr();
  code.or(eax, EFER_LME);
  code.wrmsr();
  code.mov(eax, cr0);
  code.or(eax, CR0_PG);
  code.mov(cr0, eax);
  code.farJump(SELECTORS.CODE64, symbol('main64'), 32);
}

function emitLongModeCheck(code: Code): void {
  code.mov(eax, 0x8000_0000);
  code.cpuid();
  code.cmp(eax, 0x8000_0001);
  code.branch('b', 'noLongMode');
  code.mov(eax, 0x8000_0001);
  code.cpuid();
  code.test(edx, 1 << 29);
  when(code, 'z', () => {
    code.label('noLongMode');
    code.mov(al, POST_CODES.NO_LONG_MODE);
    code.out(PORTS.POST.base, al);
    code.label('halt32');
    code.cli();
    code.hlt();
    code.jump('halt32');
  });
}

/** Identity map of 4 GiB in 2 MiB pages. */
function emitPageTables(code: Code): void {
  const [pml4, pdpt, directories] = [0, 1, 2].map((page) => LOW_MEMORY.PAGE_TABLES + page * 0x1000);
  code.mov(edi, pml4);
  code.xor(eax, eax);
  code.mov(ecx, PAGE_TABLE_PAGES * 0x400);
  code.rep();
  code.stosd();
  code.mov(dword(pml4), pdpt | PAGE_PRESENT_WRITABLE);
  for (let index = 0; index < 4; index++) {
    code.mov(dword(pdpt + index * 8), (directories + index * 0x1000) | PAGE_PRESENT_WRITABLE);
  }
  code.mov(edi, directories);
  code.mov(eax, PAGE_LARGE | PAGE_PRESENT_WRITABLE);
  repeat(code, ({ done }) => {
    code.mov(dword(edi), eax);
    code.add(edi, 8);
    code.add(eax, 0x20_0000);
    code.branch('b', done);
  });
}

/** GDT with the selectors of the layout, and its pointers as seen from both aliases. */
export function emitDescriptors(code: Code): void {
  code.align(16, 0);
  code.label('gdt');
  code.dq(0);
  code.dq(0x00cf_9b00_0000_ffffn);
  code.dq(0x00af_9b00_0000_ffffn);
  code.dq(0x00cf_9300_0000_ffffn);
  // A 32-bit TSS that nobody uses: the PVH protocol wants TR to be loaded.
  code.dq(0x0000_8900_0000_0067n);
  code.label('gdtEnd');
  const limit = Object.keys(SELECTORS).length * 8 + 7;
  code.align(4, 0);
  code.dw(0);
  code.label('gdtPointer');
  code.dw(limit);
  code.dd(symbol('gdt'));
  code.dw(0);
  code.label('gdtPointerHigh');
  code.dw(limit);
  code.dd(symbol('gdt', HIGH_ALIAS));
}
