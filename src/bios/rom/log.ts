import { PORTS } from '../../emulator/machine/memory-map.ts';
import type { Code } from './assembler/assembler.ts';
import { procedure, repeat, when } from './assembler/macros.ts';
import { byte, type Memory, type SymbolReference, symbol } from './assembler/operands.ts';
import {
  al,
  bl,
  cl,
  dil,
  dx,
  eax,
  ebx,
  ecx,
  edi,
  edx,
  type Gpr,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
} from './assembler/registers.ts';

/** Divisor 1: 115200 baud, 8n1 (16550 data sheet §8). */
const UART = PORTS.COM1.base;
const [UART_LCR, UART_FCR, UART_MCR, UART_LSR] = [3, 2, 4, 5];
/** Polls of the line status before a character is given up: a missing UART must not hang the boot. */
const UART_PATIENCE = 0x10000;

/** Text in the read-only constants; the same address for every use would need a pool, and there is room. */
export function literal(code: Code, text: string): SymbolReference {
  const label = code.localLabel('text');
  code.inSection('constants', () => {
    code.label(label);
    code.asciz(text);
  });
  return symbol(label);
}

/**
 * Prints `template` on the serial port and debugcon; each `{}` becomes the next value in hexadecimal. Keeps all registers. Values must
 * not be addressed through RSP.
 */
export function log(code: Code, template: string, ...values: (Gpr | Memory)[]): void {
  const texts = template.split('{}');
  for (const [index, text] of texts.entries()) {
    if (index > 0) printHex(code, values[index - 1]);
    if (text !== '') {
      code.push(rdi);
      code.mov(edi, literal(code, text));
      code.call('print');
      code.pop(rdi);
    }
  }
}

function printHex(code: Code, value: Gpr | Memory): void {
  code.push(rdi);
  if (value.size === 64) code.mov(rdi, value);
  else if (value.size === 32) code.mov(edi, value);
  else code.movzx(edi, value);
  code.call('printHex');
  code.pop(rdi);
}

/** One log line of the ROM. */
export function logLine(code: Code, template: string, ...values: (Gpr | Memory)[]): void {
  log(code, `q35: ${template}\r\n`, ...values);
}

/** Says why and halts; `postCode` stays on port 0x80. */
export function fail(code: Code, postCode: number, message: string): void {
  code.mov(edi, literal(code, message));
  code.mov(ebx, postCode);
  code.jump('fail');
}

/** Fails when the flags meet `condition`; in the fall-through all is well. */
export function failWhen(code: Code, condition: Parameters<typeof when>[1], postCode: number, message: string): void {
  when(code, condition, () => fail(code, postCode, message));
}

/** Marks the start of a phase on port 0x80. Changes AL. */
export function post(code: Code, postCode: number): void {
  code.mov(al, postCode);
  code.out(PORTS.POST.base, al);
}

export function emitLog(code: Code): void {
  emitSerialInit(code);
  emitPrintCharacter(code);
  emitPrint(code);
  emitPrintHex(code);
  emitFail(code);
}

function emitSerialInit(code: Code): void {
  procedure(code, 'serialInit', [], () => {
    const writes = [
      [UART_LCR, 0x80],
      [0, 1],
      [1, 0],
      [UART_LCR, 0x03],
      [UART_FCR, 0x07],
      [UART_MCR, 0x03],
    ];
    for (const [register, value] of writes) {
      code.mov(edx, UART + register);
      code.mov(al, value);
      code.out(dx, al);
    }
  });
}

/** DIL to debugcon and COM1. */
function emitPrintCharacter(code: Code): void {
  procedure(code, 'printCharacter', [rax, rcx, rdx], () => {
    code.mov(eax, edi);
    code.mov(edx, PORTS.DEBUGCON.base);
    code.out(dx, al);
    code.mov(ecx, UART_PATIENCE);
    code.mov(edx, UART + UART_LSR);
    repeat(code, ({ done }) => {
      code.in(al, dx);
      code.test(al, 0x20);
      code.branch('nz', done);
      code.dec(ecx);
      code.branch('z', done);
    });
    code.mov(edx, UART);
    code.mov(eax, edi);
    code.out(dx, al);
  });
}

/** The text at RDI, up to its 0. */
function emitPrint(code: Code): void {
  procedure(code, 'print', [rbx, rdi], () => {
    code.mov(rbx, rdi);
    repeat(code, ({ done }) => {
      code.movzx(edi, byte(rbx));
      code.test(edi, edi);
      code.branch('z', done);
      code.call('printCharacter');
      code.inc(rbx);
    });
  });
}

/** RDI as 0x and as many digits as it needs. */
function emitPrintHex(code: Code): void {
  procedure(code, 'printHex', [rax, rbx, rcx, rdi], () => {
    code.mov(rbx, rdi);
    code.mov(edi, literal(code, '0x'));
    code.call('print');
    code.mov(ecx, 60);
    repeat(code, ({ done }) => {
      code.test(ecx, ecx);
      code.branch('z', done);
      code.mov(rax, rbx);
      code.shr(rax, cl);
      code.branch('nz', done);
      code.sub(ecx, 4);
    });
    repeat(code, ({ done }) => {
      code.mov(rdi, rbx);
      code.shr(rdi, cl);
      code.and(edi, 0xf);
      code.add(dil, 0x30);
      code.cmp(dil, 0x3a);
      when(code, 'ae', () => code.add(dil, 0x27));
      code.call('printCharacter');
      code.sub(ecx, 4);
      code.branch('s', done);
    });
  });
}

/** The end: EDI text, BL code. */
function emitFail(code: Code): void {
  code.label('fail');
  code.mov(al, bl);
  code.out(PORTS.POST.base, al);
  code.movzx(ebx, bl);
  log(code, 'q35: FAIL {}: ', rbx);
  code.call('print');
  log(code, '\r\n');
  code.label('halt');
  code.cli();
  code.hlt();
  code.jump('halt');
}
