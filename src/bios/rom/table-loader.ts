import { FW_CFG_DMA } from '../../emulator/machine/fw-cfg-keys.ts';
import { LOADER_COMMANDS, LOADER_ENTRY_BYTES, LOADER_FILE_NAME, LOADER_ZONES } from '../acpi/linker/script.ts';
import type { Code } from './assembler/assembler.ts';
import { invoke, procedure, repeat, when } from './assembler/macros.ts';
import { at, byte, dword, qword, scaled, symbol, word } from './assembler/operands.ts';
import {
  al,
  dl,
  dx,
  eax,
  ebx,
  ecx,
  edi,
  edx,
  esi,
  r8b,
  r9,
  r9d,
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
import { FSEG_ZONE, LOW_MEMORY, POST_CODES } from './layout.ts';
import { fail, failWhen, logLine } from './log.ts';
import { LOADER_FILE_BYTES, LOADER_FILE_CAPACITY } from './variables.ts';

/** Entries of `etc/table-loader` (QEMU hw/acpi/bios-linker-loader.c documents them): offsets within 128 bytes. */
const ALLOCATE = { FILE: 4, ALIGN: 60, ZONE: 64 } as const;
const ADD_POINTER = { DEST: 4, SRC: 60, OFFSET: 116, SIZE: 120 } as const;
const ADD_CHECKSUM = { FILE: 4, OFFSET: 60, START: 64, LENGTH: 68 } as const;
const WRITE_POINTER = { DEST: 4, SRC: 60, DEST_OFFSET: 116, SRC_OFFSET: 120, SIZE: 124 } as const;
/** The RSDP's signature, as two halves (ACPI 6.5 §5.2.5.3). */
const RSDP_SIGNATURE = 0x2052_5450_2044_5352n;

export function emitTableLoader(code: Code): void {
  emitAllocators(code);
  emitLoadedFile(code);
  emitRun(code);
  emitAllocate(code);
  emitAddPointer(code);
  emitAddChecksum(code);
  emitWritePointer(code);
  emitFindRsdp(code);
}

/**
 * `allocateHigh(bytes, align)`, `allocateFseg(bytes, align)`: RAX = address. The high zone grows down from the end of low RAM, the FSEG
 * zone up from 0xf0000. The alignment is a power of two; 0 counts as 1.
 */
function emitAllocators(code: Code): void {
  procedure(code, 'allocateHigh', [], () => {
    code.mov(rax, qword('highZoneStart'));
    code.sub(rax, rdi);
    failWhen(code, 'b', POST_CODES.NO_MEMORY, 'no RAM is left for the tables');
    code.neg(rsi);
    when(code, 'nz', () => code.and(rax, rsi));
    code.cmp(rax, 0x40_0000);
    failWhen(code, 'b', POST_CODES.NO_MEMORY, 'no RAM is left for the tables');
    code.mov(qword('highZoneStart'), rax);
  });
  procedure(code, 'allocateFseg', [], () => {
    code.mov(rax, qword('fsegZoneEnd'));
    code.test(rsi, rsi);
    when(code, 'nz', () => {
      code.lea(rax, at(rax, rsi, -1));
      code.neg(rsi);
      code.and(rax, rsi);
    });
    code.add(rdi, rax);
    code.cmp(rdi, FSEG_ZONE.end);
    failWhen(code, 'a', POST_CODES.NO_FSEG, 'the FSEG zone of 32 KiB is full');
    code.mov(qword('fsegZoneEnd'), rdi);
  });
}

/** `loadedFile(name)`: RAX = the entry of a file that ALLOCATE has loaded; fails when there is none. */
function emitLoadedFile(code: Code): void {
  procedure(code, 'loadedFile', [], (leave) => {
    code.mov(eax, symbol('loaderFiles'));
    code.mov(rcx, qword('loaderFileCount'));
    repeat(code, ({ next, done }) => {
      code.sub(rcx, 1);
      code.branch('b', done);
      code.mov(rsi, qword(rax));
      code.xor(edx, edx);
      const same = code.localLabel('same');
      code.label(same);
      code.mov(r8b, byte(rdi, rdx));
      code.cmp(r8b, byte(rsi, rdx));
      code.mov(r9d, LOADER_FILE_BYTES);
      when(code, 'nz', () => {
        code.add(rax, r9);
        code.jump(next);
      });
      code.inc(edx);
      code.test(r8b, r8b);
      code.branch('nz', same);
      code.jump(leave);
    });
    fail(code, POST_CODES.BAD_SCRIPT, 'the table loader names a file before its ALLOCATE');
  });
}

/** Executes the script. Without one there are no tables. */
function emitRun(code: Code): void {
  procedure(code, 'runTableLoader', [rbx, r12], (leave) => {
    code.mov(qword('fsegZoneEnd'), FSEG_ZONE.base);
    findFile(code, LOADER_FILE_NAME);
    when(code, 'z', () => {
      logLine(code, 'tables: no table loader');
      code.jump(leave);
    });
    code.mov(r12, rax);
    invoke(code, 'fwCfgEntrySize', r12);
    code.cmp(eax, LOW_MEMORY.BUFFER_END - LOW_MEMORY.BUFFER);
    failWhen(code, 'a', POST_CODES.BAD_SCRIPT, 'the table loader script is too long');
    code.test(eax, LOADER_ENTRY_BYTES - 1);
    failWhen(code, 'nz', POST_CODES.BAD_SCRIPT, 'the table loader script is no whole number of entries');
    code.mov(ebx, LOW_MEMORY.BUFFER);
    code.push(rax);
    invoke(code, 'fwCfgLoad', r12, LOW_MEMORY.BUFFER);
    code.pop(r12);
    code.shr(r12, 7);
    logLine(code, 'tables: {} loader commands', r12);
    repeat(code, ({ next, done }) => {
      code.sub(r12, 1);
      code.branch('b', done);
      code.mov(rdi, rbx);
      code.add(rbx, LOADER_ENTRY_BYTES);
      code.mov(eax, dword(rdi));
      for (const [command, target] of [
        [LOADER_COMMANDS.ALLOCATE, 'loaderAllocate'],
        [LOADER_COMMANDS.ADD_POINTER, 'loaderAddPointer'],
        [LOADER_COMMANDS.ADD_CHECKSUM, 'loaderAddChecksum'],
        [LOADER_COMMANDS.WRITE_POINTER, 'loaderWritePointer'],
      ] as const) {
        code.cmp(eax, command);
        when(code, 'z', () => {
          code.call(target);
          code.jump(next);
        });
      }
      // Commands that a later version adds are skipped.
    });
  });
}

/** RDI = entry, for this and the three below. */
function emitAllocate(code: Code): void {
  procedure(code, 'loaderAllocate', [rbx, r12, r13, r14], () => {
    code.mov(rbx, rdi);
    code.lea(rdi, at(rbx, ALLOCATE.FILE));
    code.call('fwCfgFind');
    failWhen(code, 'z', POST_CODES.BAD_SCRIPT, 'the table loader names a file that fw_cfg does not have');
    code.mov(r12, rax);
    invoke(code, 'fwCfgEntrySize', r12);
    code.mov(r13, rax);
    code.mov(rdi, rax);
    code.mov(esi, dword(rbx, ALLOCATE.ALIGN));
    code.lea(rax, at(rsi, -1));
    code.test(rax, rsi);
    failWhen(code, 'nz', POST_CODES.BAD_SCRIPT, 'the table loader wants an alignment that is no power of two');
    code.cmp(byte(rbx, ALLOCATE.ZONE), LOADER_ZONES.FSEG);
    when(
      code,
      'z',
      () => code.call('allocateFseg'),
      () => code.call('allocateHigh'),
    );
    code.mov(r14, rax);
    invoke(code, 'fwCfgLoad', r12, r14);
    code.mov(rax, qword('loaderFileCount'));
    code.cmp(rax, LOADER_FILE_CAPACITY);
    failWhen(code, 'ae', POST_CODES.BAD_SCRIPT, 'the table loader has too many files');
    code.inc(qword('loaderFileCount'));
    code.lea(rax, at(rax, scaled(rax, 2)));
    code.lea(rcx, at(scaled(rax, 8), 'loaderFiles'));
    code.lea(rax, at(rbx, ALLOCATE.FILE));
    code.mov(qword(rcx), rax);
    code.mov(qword(rcx, 8), r14);
    code.mov(qword(rcx, 16), r13);
  });
}

/** Fails when RCX (offset) + RDX (bytes) is beyond the file at `file`. Changes RDX. */
function checkRange(code: Code, file: typeof rax): void {
  code.add(rdx, rcx);
  code.cmp(rdx, qword(file, 16));
  failWhen(code, 'a', POST_CODES.BAD_SCRIPT, 'the table loader reaches beyond a file');
}

function emitAddPointer(code: Code): void {
  procedure(code, 'loaderAddPointer', [rbx, r12], (leave) => {
    code.mov(rbx, rdi);
    code.lea(rdi, at(rbx, ADD_POINTER.SRC));
    code.call('loadedFile');
    code.mov(r12, rax);
    code.lea(rdi, at(rbx, ADD_POINTER.DEST));
    code.call('loadedFile');
    code.mov(ecx, dword(rbx, ADD_POINTER.OFFSET));
    code.movzx(edx, byte(rbx, ADD_POINTER.SIZE));
    code.mov(esi, edx);
    checkRange(code, rax);
    code.add(rcx, qword(rax, 8));
    code.mov(rdx, qword(r12, 8));
    emitBySize(code, esi, leave, [
      [1, () => code.add(byte(rcx), dl)],
      [2, () => code.add(word(rcx), dx)],
      [4, () => code.add(dword(rcx), edx)],
      [8, () => code.add(qword(rcx), rdx)],
    ]);
  });
}

function emitBySize(code: Code, size: typeof esi, leave: string, forms: readonly [number, () => void][]): void {
  for (const [bytes, form] of forms) {
    code.cmp(size, bytes);
    when(code, 'z', () => {
      form();
      code.jump(leave);
    });
  }
  fail(code, POST_CODES.BAD_SCRIPT, 'the table loader has a pointer of neither 1, 2, 4 nor 8 bytes');
}

function emitAddChecksum(code: Code): void {
  procedure(code, 'byteSum', [], () => {
    code.xor(eax, eax);
    code.add(rsi, rdi);
    repeat(code, ({ done }) => {
      code.cmp(rdi, rsi);
      code.branch('ae', done);
      code.add(al, byte(rdi));
      code.inc(rdi);
    });
  });
  procedure(code, 'loaderAddChecksum', [rbx, r12], () => {
    code.mov(rbx, rdi);
    code.lea(rdi, at(rbx, ADD_CHECKSUM.FILE));
    code.call('loadedFile');
    code.mov(r12, rax);
    code.mov(ecx, dword(rbx, ADD_CHECKSUM.OFFSET));
    code.mov(edx, 1);
    checkRange(code, r12);
    code.mov(ecx, dword(rbx, ADD_CHECKSUM.START));
    code.mov(edx, dword(rbx, ADD_CHECKSUM.LENGTH));
    code.mov(esi, edx);
    checkRange(code, r12);
    code.mov(rdi, qword(r12, 8));
    code.add(rdi, rcx);
    code.call('byteSum');
    code.mov(ecx, dword(rbx, ADD_CHECKSUM.OFFSET));
    code.add(rcx, qword(r12, 8));
    code.sub(byte(rcx), al);
  });
}

/** Tells the machine an address: QEMU's vmgenid and vmcoreinfo use this. A refusal is logged, no more. */
function emitWritePointer(code: Code): void {
  procedure(code, 'loaderWritePointer', [rbx, r12, r13], () => {
    code.mov(rbx, rdi);
    code.lea(rdi, at(rbx, WRITE_POINTER.SRC));
    code.call('loadedFile');
    code.mov(ecx, dword(rbx, WRITE_POINTER.SRC_OFFSET));
    code.add(rcx, qword(rax, 8));
    code.mov(qword('fwCfgScratch'), rcx);
    code.lea(rdi, at(rbx, WRITE_POINTER.DEST));
    code.call('fwCfgFind');
    failWhen(code, 'z', POST_CODES.BAD_SCRIPT, 'the table loader writes to a file that fw_cfg does not have');
    code.mov(r12, rax);
    invoke(code, 'fwCfgSelect', r12);
    code.or(eax, FW_CFG_DMA.SELECT | FW_CFG_DMA.SKIP);
    code.mov(edi, eax);
    code.mov(esi, dword(rbx, WRITE_POINTER.DEST_OFFSET));
    code.xor(edx, edx);
    code.call('fwCfgDma');
    code.movzx(esi, byte(rbx, WRITE_POINTER.SIZE));
    code.mov(edi, FW_CFG_DMA.WRITE);
    code.mov(edx, symbol('fwCfgScratch'));
    code.call('fwCfgDma');
    code.test(eax, eax);
    when(code, 'nz', () => logLine(code, 'tables: fw_cfg refused a pointer'));
  });
}

/** rsdpAddress = the RSDP in the FSEG zone, or 0. */
function emitFindRsdp(code: Code): void {
  procedure(code, 'findRsdp', [], () => {
    code.mov(rax, RSDP_SIGNATURE);
    code.mov(edi, FSEG_ZONE.base);
    repeat(code, ({ done }) => {
      code.cmp(rdi, qword('fsegZoneEnd'));
      when(code, 'ae', () => {
        code.xor(edi, edi);
        code.jump(done);
      });
      code.cmp(rax, qword(rdi));
      code.branch('z', done);
      code.add(rdi, 16);
    });
    code.mov(qword('rsdpAddress'), rdi);
    logLine(code, 'tables: RSDP at {}', rdi);
  });
}
