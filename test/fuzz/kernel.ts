import { type Code, createAssembler } from '../../src/bios/rom/assembler/assembler.ts';
import { when } from '../../src/bios/rom/assembler/macros.ts';
import { at, byte, dword, qword } from '../../src/bios/rom/assembler/operands.ts';
import { al, cr2, eax, rax, rsp } from '../../src/bios/rom/assembler/registers.ts';
import { viewOf } from '../../src/shared/bytes.ts';
import {
  CODE,
  DATA,
  DATA_PAGES,
  DEVICE_GPA,
  dataPage,
  entryOf,
  KERNEL,
  PAGE,
  PORTS,
  RAM_BYTES,
  SELECTORS,
  SLOT,
  SLOTS,
  TIMER_VECTOR,
  VARIABLES,
} from './memory-map.ts';

const VECTORS = 256;
const STUB_BYTES = 16;
const PAGE_FAULT = 14;
const DEBUG = 1;
const TRAP_FLAG = 0x100;
const WITH_ERROR_CODE = new Set([8, 10, 11, 12, 13, 14, 17]);
/** What a handler finds on its stack above the RAX that it saves. */
const FRAME = { VECTOR: 8, RIP: 24, FLAGS: 40, RSP: 48 } as const;

const PRESENT = 1;
const WRITABLE = 2;
const USER = 4;
const ACCESSED_DIRTY = 0x60;
const NO_EXECUTE = 1n << 63n;

/** RAM before any program: descriptors, page tables, and handlers that skip what faulted, map the page of retries, or acknowledge. */
export function buildKernel(): Uint8Array {
  const ram = new Uint8Array(RAM_BYTES);
  const view = viewOf(ram);
  const u64 = (offset: number, value: bigint): void => view.setBigUint64(offset, value, true);
  writeDescriptors(u64);
  u64(KERNEL.TSS + 4, BigInt(KERNEL.STACK_TOP));
  // IST1, which every gate uses: a program's stack pointer may be anything.
  u64(KERNEL.TSS + 0x24, BigInt(KERNEL.STACK_TOP));
  // I/O permission bitmap: none.
  view.setUint16(KERNEL.TSS + 0x66, 0x68, true);
  writePageTables(u64);
  const { sections } = handlers().assemble();
  for (const { base, bytes } of sections.values()) ram.set(bytes, base);
  return ram;
}

type Write64 = (offset: number, value: bigint) => void;

function writeDescriptors(u64: Write64): void {
  const based = (descriptor: bigint): bigint => {
    const base = BigInt(CODE.linear);
    return descriptor | ((base & 0xff_ffffn) << 16n) | ((base >> 24n) << 56n);
  };
  const descriptor = (selector: number, value: bigint): void => u64(KERNEL.GDT + (selector & ~7), value);
  descriptor(SELECTORS.KERNEL, 0x00af_9b00_0000_ffffn);
  descriptor(0x10, 0x00cf_9300_0000_ffffn);
  descriptor(SELECTORS.CODE_64, 0x00af_fb00_0000_ffffn);
  descriptor(SELECTORS.CODE_32, 0x00cf_fb00_0000_ffffn);
  descriptor(SELECTORS.CODE_16, based(0x0000_fb00_0000_ffffn));
  descriptor(SELECTORS.DATA_32, 0x00cf_f300_0000_ffffn);
  descriptor(SELECTORS.DATA_16, based(0x0000_f300_0000_ffffn));
  for (let vector = 0; vector < VECTORS; vector++) {
    const handler = BigInt(KERNEL.STUBS + vector * STUB_BYTES);
    // Interrupt gates on IST1 that a program may call.
    const gate = (handler & 0xffffn) | (BigInt(SELECTORS.KERNEL) << 16n) | (0xee01n << 32n) | ((handler >> 16n) << 48n);
    u64(KERNEL.IDT + vector * 16, gate);
  }
}

function writePageTables(u64: Write64): void {
  u64(KERNEL.PML4, BigInt(KERNEL.PDPT | 7));
  u64(KERNEL.PDPT, BigInt(KERNEL.DIRECTORY | 7));
  u64(KERNEL.DIRECTORY, BigInt(KERNEL.LOW_TABLE | 7));
  u64(KERNEL.DIRECTORY + (CODE.linear >>> 21) * 8, BigInt(KERNEL.TABLE | 7));
  for (let page = 0; page < KERNEL.PAGES; page++) {
    u64(KERNEL.LOW_TABLE + page * 8, BigInt((page * PAGE) | ACCESSED_DIRTY | PRESENT | WRITABLE));
  }
  const map = (linear: number, physical: number, bits: number): void => {
    // Code fetched from a device would be read as often as the engine likes.
    const high = physical === DEVICE_GPA ? NO_EXECUTE : 0n;
    u64(entryOf(linear), BigInt(physical | USER | bits) | high);
  };
  for (let page = 0; page < CODE.pages; page++) {
    map(CODE.linear + page * PAGE, CODE.physical + page * PAGE, PRESENT | WRITABLE);
  }
  for (const [page, kind] of DATA_PAGES.entries()) {
    const physical = kind === 'device' ? DEVICE_GPA : DATA.physical + page * PAGE;
    const bits = { plain: 3, device: 3, readOnly: PRESENT, retry: WRITABLE, absent: 0 }[kind];
    map(DATA.linear + page * PAGE, physical, bits);
  }
}

/** A stub for each vector, and what they have in common behind them. */
function handlers(): Code {
  const code = createAssembler();
  code.section('stubs', KERNEL.STUBS);
  code.bits(64);
  for (let vector = 0; vector < VECTORS; vector++) {
    code.align(STUB_BYTES);
    if (!WITH_ERROR_CODE.has(vector)) code.push(0);
    code.push(vector);
    code.jump('common');
  }
  code.section('handlers', KERNEL.HANDLERS);
  code.label('common');
  code.push(rax);
  code.cmp(byte(rsp, FRAME.VECTOR), PAGE_FAULT);
  when(code, 'z', () => mapPageOfRetries(code));
  code.cmp(byte(rsp, FRAME.VECTOR), TIMER_VECTOR);
  when(code, 'z', () => {
    code.inc(qword(VARIABLES.INTERRUPTS));
    code.out(PORTS.ACKNOWLEDGE, al);
    code.jump('leave');
  });
  code.cmp(byte(rsp, FRAME.VECTOR), DEBUG);
  when(code, 'z', () => {
    code.and(dword(rsp, FRAME.FLAGS), ~TRAP_FLAG);
    code.jump('leave');
  });
  skip(code);
  code.label('leave');
  code.pop(rax);
  code.add(rsp, 16);
  code.iretq();
  return code;
}

/** A fault there is mended and the instruction tried again. */
function mapPageOfRetries(code: Code): void {
  const page = dataPage('retry');
  code.mov(rax, cr2);
  code.and(rax, -PAGE);
  code.cmp(rax, page);
  when(code, 'z', () => {
    code.or(byte(entryOf(page)), PRESENT);
    code.invlpg(at(page));
    code.jump('leave');
  });
}

/** Goes on at the next slot, wherever the fault was, with a stack pointer that is one. */
function skip(code: Code): void {
  code.inc(qword(VARIABLES.FAULTS));
  code.mov(rax, qword(rsp, FRAME.RIP));
  code.or(rax, SLOT - 1);
  code.inc(rax);
  code.and(eax, SLOTS * SLOT - 1);
  code.or(rax, qword(VARIABLES.CODE_BASE));
  code.mov(qword(rsp, FRAME.RIP), rax);
  code.mov(rax, qword(VARIABLES.STACK));
  code.mov(qword(rsp, FRAME.RSP), rax);
}
