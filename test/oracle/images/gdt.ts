import type { Code } from '../../../src/bios/rom/assembler/assembler.ts';
import { offsetIn, symbol } from '../../../src/bios/rom/assembler/operands.ts';
import { GDT_BYTES, RAM, ROM_BASE, SELECTOR } from './layout.ts';

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

export function emitGdt(code: Code): void {
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
