import type { Code } from '../../../src/bios/rom/assembler/assembler.ts';
import { at, byte, dword, offsetIn, word } from '../../../src/bios/rom/assembler/operands.ts';
import { al, ax, bx, cr0, cs, ds, eax, ebx, ecx, edx, es, sp, ss } from '../../../src/bios/rom/assembler/registers.ts';
import { type OracleCase, type OracleImage, RAM, ROM_BASE, SELECTOR } from './layout.ts';
import { realImage } from './real-image.ts';

const LIMIT_FAULT = '0000000d';

function farTo(code: Code, opcode: number, label: string): void {
  code.mov(word(ds, RAM.SCRATCH), offsetIn(ROM_BASE, label));
  code.mov(word(ds, RAM.SCRATCH + 2), ROM_BASE >>> 4);
  code.db(0xff, 0x06 | (opcode << 3));
  code.dw(RAM.SCRATCH);
}

const cases: OracleCase[] = [
  { name: 'int3', body: (code) => code.int3() },
  { name: 'int 0x21', body: (code) => code.int(0x21) },
  { name: 'ud2', body: (code) => code.ud2() },
  {
    name: 'divide error',
    body: (code) => {
      code.xor(edx, edx);
      code.xor(ecx, ecx);
      code.div(ecx);
    },
  },
  {
    name: 'into',
    body: (code) => {
      code.mov(al, 0x7f);
      code.add(al, 1);
      code.db(0xce);
    },
  },
  {
    name: 'interrupts and IF',
    body: (code) => {
      code.sti();
      code.int(0x20);
    },
  },
  {
    name: 'single step',
    body: (code) => {
      code.push(0x102);
      code.popf();
      code.nop();
      code.nop();
    },
  },
  {
    name: 'pushf and popf keep IOPL and NT',
    body: (code) => {
      code.push(0x7002);
      code.popf();
      code.pushf();
      code.pop(ax);
    },
  },
  {
    name: '32-bit flags',
    body: (code) => {
      code.db(0x66);
      code.push(0x10);
      code.db(0x00);
      code.pop(ax);
      code.xor(eax, eax);
      code.pushfd();
      code.pop(eax);
      code.and(eax, 0x3f_0000);
    },
  },
  {
    name: 'segment bases wrap above 1 MiB into high memory',
    body: (code) => {
      code.mov(ax, 0xffff);
      code.mov(es, ax);
      code.mov(dword(es, 0x20), 0x1357_9bdf);
      code.mov(eax, dword(es, 0x20));
    },
  },
  {
    name: 'word at ffff',
    body: (code) => {
      code.mov(bx, 0xffff);
      code.mov(ax, word(ds, bx));
    },
    sdm: LIMIT_FAULT,
  },
  {
    name: '32-bit offset beyond the limit',
    body: (code) => {
      code.mov(ebx, 0x1_0000);
      code.mov(al, byte(ds, ebx));
    },
    sdm: LIMIT_FAULT,
  },
  {
    name: 'far jump',
    body: (code) => farTo(code, 5, 'gateTarget'),
  },
  {
    name: 'far call pushes CS and IP',
    body: (code) => farTo(code, 3, 'gateTarget'),
  },
  {
    name: 'retf',
    body: (code) => {
      code.push(cs);
      code.mov(ax, offsetIn(ROM_BASE, 'gateTarget'));
      code.push(ax);
      code.retf();
    },
  },
  {
    name: 'iret',
    body: (code) => {
      code.push(0x3202);
      code.push(cs);
      code.mov(ax, offsetIn(ROM_BASE, 'gateTarget'));
      code.push(ax);
      code.iret();
    },
  },
  {
    name: 'les',
    body: (code) => {
      code.mov(dword(ds, RAM.SCRATCH), 0x1234_5678);
      code.db(0xc4, 0x06);
      code.dw(RAM.SCRATCH);
      code.mov(ax, es);
    },
  },
  { name: 'smsw', body: (code) => code.smsw(eax) },
  { name: 'str is undefined', body: (code) => code.str(ax) },
  { name: 'lldt is undefined', body: (code) => code.lldt(ax) },
  { name: 'lar is undefined', body: (code) => code.db(0x0f, 0x02, 0xc0) },
  { name: 'arpl is undefined', body: (code) => code.db(0x63, 0xc0) },
  { name: 'lock on a register', body: (code) => code.db(0xf0, 0x01, 0xc0) },
  {
    name: 'push at SP 0 wraps',
    body: (code) => {
      code.mov(sp, 0);
      code.push(0x1234);
      code.mov(ax, sp);
      code.mov(sp, 0x7000);
    },
  },
  {
    name: 'enter with nesting',
    body: (code) => {
      code.db(0xc8, 0x08, 0x00, 0x02);
      code.mov(ax, sp);
      code.db(0xc9);
    },
  },
  {
    name: 'bound',
    body: (code) => {
      code.mov(dword(ds, RAM.SCRATCH), 0x0005_0001);
      code.mov(ax, 9);
      code.db(0x62, 0x06);
      code.dw(RAM.SCRATCH);
    },
  },
  {
    name: 'a short IDT: #GP',
    body: (code) => {
      code.mov(word(ds, RAM.SCRATCH), 0xff);
      code.mov(dword(ds, RAM.SCRATCH + 2), 0);
      code.lidt(at(ds, RAM.SCRATCH));
      code.int(0x70);
    },
  },
  {
    name: 'sidt',
    body: (code) => {
      code.sidt(at(ds, RAM.SCRATCH + 8));
      code.mov(eax, dword(ds, RAM.SCRATCH + 8));
      code.mov(word(ds, RAM.SCRATCH), 0x3ff);
      code.lidt(at(ds, RAM.SCRATCH));
    },
  },
  {
    name: 'unreal mode keeps the limit',
    body: (code) => {
      code.lgdtd(at(cs, offsetIn(ROM_BASE, 'gdtPointerRom')));
      code.mov(eax, cr0);
      code.or(al, 1);
      code.mov(cr0, eax);
      code.mov(bx, SELECTOR.DATA);
      code.mov(es, bx);
      code.and(al, 0xfe);
      code.mov(cr0, eax);
      code.xor(eax, eax);
      code.mov(es, ax);
      code.mov(ebx, 0x10_0020);
      code.mov(dword(es, ebx), 0x2468_ace0);
      code.mov(eax, dword(es, ebx));
    },
  },
  {
    name: 'mov ss',
    body: (code) => {
      code.mov(ax, 0x100);
      code.mov(ss, ax);
      code.mov(sp, 0x500);
      code.push(0x4321);
      code.mov(ax, word(ds, 0x14fe));
    },
  },
];

/** Real mode: the IVT, limits, far transfers, flags, unreal mode. */
export function realCasesImage(): OracleImage {
  return realImage(cases);
}
