import { EBDA, FSEG, PORTS } from '../../emulator/machine/memory-map.ts';
import type { Code } from './assembler/assembler.ts';
import { procedure, when } from './assembler/macros.ts';
import { byte, dword, offsetIn, qword, word } from './assembler/operands.ts';
import {
  ah,
  al,
  ax,
  bh,
  bp,
  bx,
  cs,
  cx,
  di,
  dx,
  eax,
  ebx,
  ecx,
  edi,
  edx,
  es,
  rax,
  si,
  sp,
} from './assembler/registers.ts';
import { E820_WORK_BYTES } from './variables.ts';

const SEGMENT = FSEG.base >> 4;
const SMAP = 0x534d_4150;
const E820_BYTES = 20;

/** BIOS data area: what software reads there without asking INT 11h or 12h. Address, bytes, value. */
const BIOS_DATA: readonly (readonly [address: number, size: 1 | 2, value: number])[] = [
  [0x400, 2, PORTS.COM1.base],
  [0x40e, 2, EBDA.base >> 4],
  // A coprocessor and one serial port.
  [0x410, 2, 0x0202],
  [0x413, 2, EBDA.base / 1024],
  [0x449, 1, 3],
  [0x44a, 2, 80],
  [0x484, 1, 24],
  [EBDA.base, 1, EBDA.size / 1024],
];

/** Vectors that have a service; the rest return at once. */
const SERVICES: Readonly<Record<number, string>> = {
  16: 'int10',
  17: 'int11',
  18: 'int12',
  19: 'int13',
  21: 'int15',
  22: 'int16',
  24: 'int18',
  25: 'int18',
  26: 'int1a',
};

const offset = (label: string) => offsetIn(FSEG.base, label);

/** 64-bit side: interrupt vectors, BIOS data area, and the sizes that INT 15h answers with. */
export function emitInstallServices(code: Code): void {
  procedure(code, 'installServices', [], () => {
    code.xor(edi, edi);
    fillVectors(code, 8, 'interruptReturn');
    fillVectors(code, 8, 'irqReturn');
    fillVectors(code, 0x60, 'interruptReturn');
    fillVectors(code, 8, 'irq2Return');
    fillVectors(code, 0x88, 'interruptReturn');
    for (const [vector, label] of Object.entries(SERVICES)) {
      code.mov(eax, offset(label));
      code.mov(word(Number(vector) * 4), ax);
    }
    for (const [address, size, value] of BIOS_DATA) {
      if (size === 1) code.mov(byte(address), value);
      else code.mov(word(address), value);
    }
    storeSizes(code);
  });
}

function fillVectors(code: Code, count: number, label: string): void {
  code.mov(eax, offset(label));
  code.or(eax, SEGMENT * 0x1_0000);
  code.mov(ecx, count);
  code.rep();
  code.stosd();
}

function storeSizes(code: Code): void {
  code.mov(rax, qword('lowRamEnd'));
  code.shr(rax, 10);
  code.sub(eax, 0x400);
  code.mov(ecx, 0xfc00);
  code.cmp(eax, ecx);
  code.cmovb(ecx, eax);
  code.mov(word('extendedKib'), cx);
  code.mov(ecx, 0x3c00);
  code.cmp(eax, ecx);
  code.cmovb(ecx, eax);
  code.mov(word('extendedKibTo16MiB'), cx);
  code.sub(eax, ecx);
  code.shr(eax, 6);
  code.mov(word('extended64KibAbove16MiB'), ax);
}

/** 16-bit side, in the F segment. Services change their frame's carry flag to report. */
export function emitServices(code: Code): void {
  code.bits(16);
  emitReturns(code);
  emitVideo(code);
  emitEquipment(code);
  emitSystem(code);
  emitKeyboardAndTime(code);
  emitNoBoot(code);
}

function emitReturns(code: Code): void {
  code.label('irq2Return');
  code.push(ax);
  code.mov(al, 0x20);
  code.out(PORTS.PIC2.base, al);
  code.out(PORTS.PIC1.base, al);
  code.pop(ax);
  code.iret();
  code.label('irqReturn');
  code.push(ax);
  code.mov(al, 0x20);
  code.out(PORTS.PIC1.base, al);
  code.pop(ax);
  code.label('interruptReturn');
  code.iret();
  // FLAGS stand above IP, CS and the saved BP.
  code.label('returnCarry');
  code.push(bp);
  code.mov(bp, sp);
  code.or(byte(bp, 6), 0x01);
  code.pop(bp);
  code.iret();
  code.label('returnNoCarry');
  code.push(bp);
  code.mov(bp, sp);
  code.and(byte(bp, 6), 0xfe);
  code.pop(bp);
  code.iret();
}

/** INT 10h: teletype output goes to COM1 and debugcon; mode and cursor are answered as an 80-column text screen's. */
function emitVideo(code: Code): void {
  code.label('int10');
  code.cmp(ah, 0x0e);
  when(code, 'z', () => {
    code.call('teletype');
    code.iret();
  });
  code.cmp(ah, 0x0f);
  when(code, 'z', () => {
    code.mov(ax, 0x5003);
    code.mov(bh, 0);
    code.iret();
  });
  code.cmp(ah, 0x03);
  when(code, 'z', () => {
    code.xor(cx, cx);
    code.xor(dx, dx);
  });
  code.iret();
  code.label('teletype');
  code.push(ax);
  code.push(cx);
  code.push(dx);
  code.mov(dx, PORTS.DEBUGCON.base);
  code.out(dx, al);
  code.mov(ah, al);
  code.mov(cx, 0xffff);
  code.mov(dx, PORTS.COM1.base + 5);
  code.label('teletypeWait');
  code.in(al, dx);
  code.test(al, 0x20);
  code.branch('nz', 'teletypeReady');
  code.countedBranch('loop', 'teletypeWait');
  code.label('teletypeReady');
  code.mov(dx, PORTS.COM1.base);
  code.mov(al, ah);
  code.out(dx, al);
  code.pop(dx);
  code.pop(cx);
  code.pop(ax);
  code.ret();
}

/** INT 11h, 12h from the BIOS data area; INT 13h has no drive yet. */
function emitEquipment(code: Code): void {
  for (const [label, address] of [
    ['int11', 0x10],
    ['int12', 0x13],
  ] as const) {
    code.label(label);
    code.push(es);
    code.mov(ax, 0x40);
    code.mov(es, ax);
    code.mov(ax, word(es, address));
    code.pop(es);
    code.iret();
  }
  code.label('int13');
  code.mov(ah, 0x01);
  code.jump('returnCarry');
}

/** INT 15h: AX=E820h, AX=E801h, AH=88h, AX=2401h; everything else is unsupported. */
function emitSystem(code: Code): void {
  code.label('int15');
  code.cmp(ax, 0xe820);
  code.branch('z', 'int15e820');
  code.cmp(ax, 0xe801);
  code.branch('z', 'int15e801');
  code.cmp(ah, 0x88);
  code.branch('z', 'int15ah88');
  code.cmp(ax, 0x2401);
  code.branch('z', 'int15a20');
  code.label('int15unsupported');
  code.mov(ah, 0x86);
  code.jump('returnCarry');
  code.label('int15a20');
  code.mov(ah, 0);
  code.jump('returnNoCarry');
  code.label('int15ah88');
  code.mov(ax, word(cs, offset('extendedKib')));
  code.jump('returnNoCarry');
  code.label('int15e801');
  code.mov(ax, word(cs, offset('extendedKibTo16MiB')));
  code.mov(cx, ax);
  code.mov(bx, word(cs, offset('extended64KibAbove16MiB')));
  code.mov(dx, bx);
  code.jump('returnNoCarry');
  emitE820(code);
}

/** EBX is the index of the entry to hand out, 0 at the end (ACPI 6.5 §15.1). */
function emitE820(code: Code): void {
  code.label('int15e820');
  code.cmp(edx, SMAP);
  code.branch('nz', 'int15unsupported');
  code.cmp(ebx, dword(cs, offset('memoryMapCount')));
  code.branch('ae', 'int15unsupported');
  code.cmp(ecx, E820_BYTES);
  code.branch('b', 'int15unsupported');
  code.push(si);
  code.push(di);
  code.imul(si, bx, E820_WORK_BYTES);
  code.add(si, offset('memoryMap'));
  code.mov(cx, E820_BYTES / 2);
  code.label('int15e820copy');
  code.mov(ax, word(cs, si));
  code.mov(word(es, di), ax);
  code.add(si, 2);
  code.add(di, 2);
  code.countedBranch('loop', 'int15e820copy');
  code.pop(di);
  code.pop(si);
  code.inc(ebx);
  code.cmp(ebx, dword(cs, offset('memoryMapCount')));
  when(code, 'ae', () => code.xor(ebx, ebx));
  code.mov(eax, SMAP);
  code.mov(ecx, E820_BYTES);
  code.jump('returnNoCarry');
}

/** INT 16h never has a key; INT 1Ah counts no ticks (the 8259 is masked) and has no PCI BIOS. */
function emitKeyboardAndTime(code: Code): void {
  code.label('int16');
  code.test(ah, 0x01);
  when(code, 'z', () => {
    code.xor(ax, ax);
    code.iret();
  });
  // ZF in the frame: no key waits.
  code.push(bp);
  code.mov(bp, sp);
  code.or(byte(bp, 6), 0x40);
  code.pop(bp);
  code.iret();
  code.label('int1a');
  code.cmp(ah, 0);
  when(code, 'nz', () => {
    code.mov(ah, 0x86);
    code.jump('returnCarry');
  });
  code.xor(cx, cx);
  code.xor(dx, dx);
  code.mov(al, 0);
  code.jump('returnNoCarry');
}

/** INT 18h and 19h: nothing to boot from. */
function emitNoBoot(code: Code): void {
  code.label('int18');
  code.mov(si, offset('noBootText'));
  code.label('int18next');
  code.mov(al, byte(cs, si));
  code.test(al, al);
  when(code, 'nz', () => {
    code.call('teletype');
    code.inc(si);
    code.jump('int18next');
  });
  code.label('int18halt');
  code.hlt();
  code.jump('int18halt');
  code.label('noBootText');
  code.asciz('q35: no boot device\r\n');
}
