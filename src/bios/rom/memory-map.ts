import { EBDA, ECAM, FSEG, HIGH_RAM_BASE, LEGACY_VGA, PORTS, ROM_AREA } from '../../emulator/machine/memory-map.ts';
import { MIB } from '../../shared/bytes.ts';
import { E820_ENTRY_BYTES, E820_FILE_NAME, E820_TYPES } from '../memory/e820.ts';
import type { Code } from './assembler/assembler.ts';
import { invoke, procedure, repeat, when } from './assembler/macros.ts';
import { at, dword, qword, symbol } from './assembler/operands.ts';
import {
  al,
  cx,
  eax,
  ecx,
  edx,
  r8,
  r9,
  r10,
  r11,
  r12,
  r13,
  r14,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
} from './assembler/registers.ts';
import { findFile } from './fw-cfg.ts';
import { E820_CAPACITY, LOW_MEMORY, POST_CODES } from './layout.ts';
import { failWhen, logLine } from './log.ts';
import { E820_WORK_BYTES } from './variables.ts';

/** Type that only removes: what the range held before is gone. */
const HOLE = 0;
/** The ROM's own allocations in high RAM: tables with a FACS among them must not be reclaimed (ACPI 6.5 §5.2.10). */
export const LOADER_E820_TYPE = E820_TYPES.NVS;
/** Less RAM than this cannot hold the tables and a kernel. */
const LEAST_RAM = 16 * MIB;
/** CMOS bytes with RAM above 16 MiB in units of 64 KiB, as QEMU and real firmware keep it. */
const CMOS_EXTENDED_RAM = 0x34;

export function emitMemoryMap(code: Code): void {
  emitSetRange(code);
  emitAppend(code);
  emitBuild(code);
  emitFinish(code);
}

function setRange(code: Code, base: number, end: number, type: number): void {
  invoke(code, 'memoryMapSet', base, end, type);
}

/**
 * `memoryMapSet(base, end, type)`: the range becomes `type`, whatever stood there. Entries are kept with their ends, unsorted; an empty
 * one has base = end.
 */
function emitSetRange(code: Code): void {
  procedure(code, 'memoryMapSet', [rbx, r12, r13, r14], () => {
    code.mov(r12, rdi);
    code.mov(r13, rsi);
    code.mov(r14, rdx);
    code.mov(rbx, symbol('memoryMap'));
    code.mov(rcx, qword('memoryMapCount'));
    repeat(code, ({ next, done }) => {
      code.sub(rcx, 1);
      code.branch('b', done);
      code.mov(r8, qword(rbx));
      code.mov(r9, qword(rbx, 8));
      code.lea(r10, at(rbx));
      code.add(rbx, E820_WORK_BYTES);
      code.cmp(r8, r13);
      code.branch('ae', next);
      code.cmp(r9, r12);
      code.branch('be', next);
      trimEntry(code);
    });
    code.test(r14, r14);
    when(code, 'nz', () => {
      code.mov(rdi, r12);
      code.mov(rsi, r13);
      code.mov(rdx, r14);
      code.call('memoryMapAppend');
    });
  });
}

/** The entry at R10, [R8, R9), loses [R12, R13): what is left of it below stays, what is left above is a new entry if both are. */
function trimEntry(code: Code): void {
  const end = code.localLabel('trimmed');
  const noLeft = code.localLabel('noLeft');
  const cutLeft = code.localLabel('cutLeft');
  code.cmp(r8, r12);
  code.branch('ae', noLeft);
  code.cmp(r9, r13);
  code.branch('be', cutLeft);
  code.push(rcx);
  code.mov(rdi, r13);
  code.mov(rsi, r9);
  code.mov(rdx, qword(r10, 16));
  code.call('memoryMapAppend');
  code.pop(rcx);
  code.label(cutLeft);
  code.mov(qword(r10, 8), r12);
  code.jump(end);
  code.label(noLeft);
  // Nothing left below: the rest above, which is empty when the range covers all.
  code.mov(r11, r13);
  code.cmp(r11, r9);
  code.cmova(r11, r9);
  code.mov(qword(r10), r11);
  code.label(end);
}

/** `memoryMapAppend(base, end, type)`. Keeps R8–R14. */
function emitAppend(code: Code): void {
  procedure(code, 'memoryMapAppend', [], () => {
    code.mov(rax, qword('memoryMapCount'));
    code.cmp(rax, E820_CAPACITY);
    failWhen(code, 'ae', POST_CODES.NO_MEMORY, 'the memory map has too many entries');
    code.inc(qword('memoryMapCount'));
    code.lea(rax, at(rax, rax));
    code.mov(rcx, rax);
    code.shr(rcx, 1);
    code.add(rax, rcx);
    code.shl(rax, 3);
    code.add(rax, symbol('memoryMap'));
    code.mov(qword(rax), rdi);
    code.mov(qword(rax, 8), rsi);
    code.mov(qword(rax, 16), rdx);
  });
}

/** The map from `etc/e820` (or CMOS), with what is the ROM's and the chipset's cut out of it, and the end of low RAM. */
function emitBuild(code: Code): void {
  procedure(code, 'memoryMapBuild', [rbx, r12, r13], () => {
    findFile(code, E820_FILE_NAME);
    when(
      code,
      'nz',
      () => emitFromFile(code),
      () => emitFromCmos(code),
    );
    emitLowRamEnd(code);
    setRange(code, EBDA.base, LEGACY_VGA.base, E820_TYPES.RESERVED);
    setRange(code, LEGACY_VGA.base, FSEG.base, HOLE);
    setRange(code, FSEG.base, FSEG.base + FSEG.size, E820_TYPES.RESERVED);
    setRange(code, ECAM.base, ECAM.base + ECAM.size, E820_TYPES.RESERVED);
    setRange(code, ROM_AREA.base, ROM_AREA.base + ROM_AREA.size, E820_TYPES.RESERVED);
  });
}

function emitFromFile(code: Code): void {
  code.mov(r12, rax);
  invoke(code, 'fwCfgEntrySize', r12);
  code.cmp(eax, LOW_MEMORY.BUFFER_END - LOW_MEMORY.BUFFER);
  failWhen(code, 'a', POST_CODES.NO_MEMORY, 'etc/e820 is too long');
  code.mov(ecx, LOW_MEMORY.BUFFER);
  code.lea(r13, at(rcx, rax));
  invoke(code, 'fwCfgLoad', r12, LOW_MEMORY.BUFFER);
  code.mov(rbx, LOW_MEMORY.BUFFER);
  repeat(code, ({ done }) => {
    code.lea(rax, at(rbx, E820_ENTRY_BYTES));
    code.cmp(rax, r13);
    code.branch('a', done);
    code.mov(rdi, qword(rbx));
    code.mov(rsi, qword(rbx, 8));
    code.add(rsi, rdi);
    code.mov(edx, dword(rbx, 16));
    code.call('memoryMapSet');
    code.add(rbx, E820_ENTRY_BYTES);
  });
}

/** Without the file: 16 MiB and what CMOS says is above it. */
function emitFromCmos(code: Code): void {
  for (const register of [CMOS_EXTENDED_RAM + 1, CMOS_EXTENDED_RAM]) {
    code.mov(al, register);
    code.out(PORTS.RTC.base, al);
    code.in(al, PORTS.RTC.base + 1);
    code.shl(ecx, 8);
    code.movzx(eax, al);
    code.or(ecx, eax);
  }
  code.movzx(ecx, cx);
  code.shl(rcx, 16);
  code.lea(rsi, at(rcx, LEAST_RAM));
  code.xor(eax, eax);
  code.mov(rdi, rax);
  code.mov(edx, E820_TYPES.RAM);
  code.call('memoryMapSet');
}

/** lowRamEnd = the highest end of RAM below 4 GiB, in whole pages. */
function emitLowRamEnd(code: Code): void {
  code.mov(rbx, symbol('memoryMap'));
  code.mov(rcx, qword('memoryMapCount'));
  code.xor(eax, eax);
  code.mov(r8, HIGH_RAM_BASE);
  repeat(code, ({ next, done }) => {
    code.sub(rcx, 1);
    code.branch('b', done);
    code.lea(r9, at(rbx));
    code.add(rbx, E820_WORK_BYTES);
    code.cmp(dword(r9, 16), E820_TYPES.RAM);
    code.branch('nz', next);
    code.mov(rdx, qword(r9, 8));
    code.cmp(rdx, r8);
    code.branch('a', next);
    code.cmp(rdx, rax);
    code.cmova(rax, rdx);
  });
  code.and(rax, -0x1000);
  code.cmp(rax, LEAST_RAM);
  failWhen(code, 'b', POST_CODES.NO_MEMORY, 'less than 16 MiB of RAM below 4 GiB');
  code.mov(qword('lowRamEnd'), rax);
  code.mov(qword('highZoneStart'), rax);
  logLine(code, 'memory: RAM below 4 GiB ends at {}', rax);
}

/**
 * Carves the high zone out, sorts, joins neighbours of one type, and turns ends into sizes. Empty entries go. After it the map is what
 * INT 15h and the kernels get.
 */
function emitFinish(code: Code): void {
  procedure(code, 'memoryMapFinish', [rbx, r12, r13], () => {
    code.mov(rdi, qword('highZoneStart'));
    code.and(rdi, -0x1000);
    code.mov(rsi, qword('lowRamEnd'));
    code.cmp(rdi, rsi);
    when(code, 'b', () => {
      code.mov(edx, LOADER_E820_TYPE);
      code.call('memoryMapSet');
    });
    emitSort(code);
    emitJoin(code);
    logLine(code, 'memory: {} ranges, tables at {}', qword('memoryMapCount'), qword('highZoneStart'));
  });
}

/** Bubble sort by base: at most a hundred entries, once. */
function emitSort(code: Code): void {
  repeat(code, (pass) => {
    code.xor(r13, r13);
    code.mov(rbx, symbol('memoryMap'));
    code.mov(rcx, qword('memoryMapCount'));
    repeat(code, ({ next, done }) => {
      code.cmp(rcx, 2);
      code.branch('b', done);
      code.dec(rcx);
      code.lea(rdi, at(rbx));
      code.add(rbx, E820_WORK_BYTES);
      code.mov(rax, qword(rdi));
      code.cmp(rax, qword(rbx));
      code.branch('be', next);
      for (let offset = 0; offset < E820_WORK_BYTES; offset += 8) {
        code.mov(rax, qword(rdi, offset));
        code.xchg(rax, qword(rbx, offset));
        code.mov(qword(rdi, offset), rax);
      }
      code.inc(r13);
    });
    code.test(r13, r13);
    code.branch('z', pass.done);
  });
}

function emitJoin(code: Code): void {
  code.mov(rbx, symbol('memoryMap'));
  code.mov(r12, symbol('memoryMap'));
  code.mov(rcx, qword('memoryMapCount'));
  code.mov(qword('memoryMapCount'), 0);
  repeat(code, ({ next, done }) => {
    code.sub(rcx, 1);
    code.branch('b', done);
    code.mov(r8, qword(rbx));
    code.mov(r9, qword(rbx, 8));
    code.mov(r10, qword(rbx, 16));
    code.add(rbx, E820_WORK_BYTES);
    code.sub(r9, r8);
    code.branch('be', next);
    const separate = code.localLabel('separate');
    code.cmp(qword('memoryMapCount'), 0);
    code.branch('z', separate);
    code.mov(rax, qword(r12, -E820_WORK_BYTES));
    code.add(rax, qword(r12, 8 - E820_WORK_BYTES));
    code.cmp(rax, r8);
    code.branch('nz', separate);
    code.cmp(r10, qword(r12, 16 - E820_WORK_BYTES));
    code.branch('nz', separate);
    code.add(qword(r12, 8 - E820_WORK_BYTES), r9);
    code.jump(next);
    code.label(separate);
    code.mov(qword(r12), r8);
    code.mov(qword(r12, 8), r9);
    code.mov(qword(r12, 16), r10);
    code.add(r12, E820_WORK_BYTES);
    code.inc(qword('memoryMapCount'));
  });
}
