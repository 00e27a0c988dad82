import { createAssembler } from '../../../src/bios/rom/assembler/assembler.ts';
import { repeat } from '../../../src/bios/rom/assembler/macros.ts';
import { at, byte, symbol } from '../../../src/bios/rom/assembler/operands.ts';
import * as r from '../../../src/bios/rom/assembler/registers.ts';
import { encodePvhElf } from '../../../src/bios/rom/probe/elf.ts';

const LOW = 0x8000;
const BUFFER = 0x7000;
const HIGH = 0x10_0000;

/**
 * A guest that goes back to real mode and asks INT 15h for the memory map, as boot loaders do. It prints by INT 10h: `e820` and the 20
 * bytes of each entry, `e801 AX BX`, `88 AX`, `12 AX`, all in hexadecimal, then `done` and a reset.
 */
export function buildRealModeGuest(): Uint8Array {
  const code = createAssembler();
  code.section('high', HIGH);
  code.bits(32);
  code.mov(r.esi, symbol('image'));
  code.mov(r.edi, LOW);
  code.mov(r.ecx, 0x400);
  code.rep();
  code.movsb();
  code.lgdt(at('gdtPointer'));
  code.farJump(0x08, LOW, 16);
  code.label('gdtPointer');
  code.dw(23);
  code.dd(symbol('gdt'));
  code.align(8);
  code.label('gdt');
  code.dq(0, 0x0000_9b00_0000_ffffn, 0x0000_9300_0000_ffffn);
  code.label('image');
  const image = realModeImage();
  code.bytes(image);
  const { sections } = code.assemble();
  const bytes = new Uint8Array(0x1000);
  bytes.set(sections.get('high')!.bytes);
  return encodePvhElf({ base: HIGH, bytes }, HIGH);
}

function realModeImage(): Uint8Array {
  const code = createAssembler();
  code.section('low', LOW);
  code.bits(16);
  code.mov(r.ax, 0x10);
  for (const register of [r.ds, r.es, r.ss]) code.mov(register, r.ax);
  code.mov(r.eax, r.cr0);
  code.and(r.al, 0xfe);
  code.mov(r.cr0, r.eax);
  code.farJump(0, symbol('real'), 16);
  code.label('real');
  code.xor(r.ax, r.ax);
  for (const register of [r.ds, r.es, r.ss]) code.mov(register, r.ax);
  code.mov(r.sp, BUFFER);
  code.lidt(at(symbol('idtPointer')));
  printE820(code);
  for (const [name, function_, registers] of [
    ['e801', 0xe801, [r.ax, r.bx]],
    ['88', 0x8800, [r.ax]],
  ] as const) {
    print(code, name);
    code.mov(r.ax, function_);
    code.int(0x15);
    code.mov(r.dx, r.bx);
    printWord(code);
    code.mov(r.ax, r.dx);
    if (registers.length > 1) printWord(code);
  }
  print(code, '12');
  code.int(0x12);
  printWord(code);
  print(code, 'done');
  code.mov(r.dx, 0xcf9);
  code.mov(r.al, 6);
  code.out(r.dx, r.al);
  code.label('stop');
  code.hlt();
  code.jump('stop');
  routines(code);
  return code.assemble().sections.get('low')!.bytes;
}

type Code = ReturnType<typeof createAssembler>;

function printE820(code: Code): void {
  code.xor(r.ebx, r.ebx);
  repeat(code, ({ done }) => {
    code.mov(r.eax, 0xe820);
    code.mov(r.edx, 0x534d_4150);
    code.mov(r.ecx, 20);
    code.mov(r.di, BUFFER);
    code.int(0x15);
    code.branch('b', done);
    code.push(r.bx);
    print(code, 'e820');
    code.mov(r.si, BUFFER);
    code.mov(r.cx, 20);
    code.label('e820byte');
    code.mov(r.al, byte(r.si));
    code.call('printByte');
    code.inc(r.si);
    code.countedBranch('loop', 'e820byte');
    code.pop(r.bx);
    code.test(r.ebx, r.ebx);
    code.branch('z', done);
  });
}

/** A new line that starts with `text`. */
function print(code: Code, text: string): void {
  for (const character of `\r\n${text} `) {
    code.mov(r.ax, 0x0e00 | character.charCodeAt(0));
    code.int(0x10);
  }
}

/** AX and a blank. */
function printWord(code: Code): void {
  code.push(r.ax);
  code.mov(r.al, r.ah);
  code.call('printByte');
  code.pop(r.ax);
  code.call('printByte');
  code.mov(r.ax, 0x0e20);
  code.int(0x10);
}

function routines(code: Code): void {
  code.label('printByte');
  code.push(r.ax);
  code.shr(r.al, 4);
  code.call('printDigit');
  code.pop(r.ax);
  code.label('printDigit');
  code.and(r.al, 0xf);
  code.add(r.al, 0x30);
  code.cmp(r.al, 0x3a);
  code.branch('b', 'digit');
  code.add(r.al, 0x27);
  code.label('digit');
  code.mov(r.ah, 0x0e);
  code.int(0x10);
  code.ret();
  code.label('idtPointer');
  code.dw(0x3ff);
  code.dd(0);
}
