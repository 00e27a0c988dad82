import { FW_CFG_DMA, FW_CFG_KEYS } from '../../emulator/machine/fw-cfg-keys.ts';
import type { Code } from './assembler/assembler.ts';
import { invoke, repeat, when } from './assembler/macros.ts';
import { at, byte, dword, qword, symbol, word } from './assembler/operands.ts';
import {
  ax,
  eax,
  ebx,
  ecx,
  edi,
  edx,
  esi,
  r12,
  r13,
  r14d,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
} from './assembler/registers.ts';
import { readKey, readKey32 } from './fw-cfg.ts';
import { checkKernelRange } from './kernel-range.ts';
import { LOW_MEMORY, POST_CODES, SELECTORS } from './layout.ts';
import { leaveLongMode } from './leave-long-mode.ts';
import { failWhen, logLine, post } from './log.ts';
import { E820_WORK_BYTES } from './variables.ts';

/** ELF64 header and program header (System V ABI, chapters 4 and 5). */
const ELF = { CLASS: 4, CLASS_64: 2, PHOFF: 0x20, PHENTSIZE: 0x36, PHNUM: 0x38 } as const;
const PROGRAM_HEADER = { TYPE: 0, OFFSET: 8, PADDR: 0x18, FILESZ: 0x20, MEMSZ: 0x28, BYTES: 0x38 } as const;
const PT_LOAD = 1;
const PT_NOTE = 4;
/** XEN_ELFNOTE_PHYS32_ENTRY: name "Xen", type 18 (Xen public/elfnote.h). */
const NOTE = { NAME_BYTES: 0, DESC_BYTES: 4, TYPE: 8, NAME: 12, PHYS32_ENTRY: 18, XEN: 0x006e_6558 } as const;

/** hvm_start_info, version 1 (Xen public/arch-x86/hvm/start_info.h). */
const START_INFO = {
  MAGIC_VALUE: 0x336e_c578,
  VERSION: 0x04,
  NR_MODULES: 0x0c,
  MODLIST: 0x10,
  CMDLINE: 0x18,
  RSDP: 0x20,
  MEMMAP: 0x28,
  MEMMAP_ENTRIES: 0x30,
  BYTES: 0x38,
} as const;
const MODULE_LIST = LOW_MEMORY.BOOT_PARAMS + 0x80;
const MEMORY_MAP = LOW_MEMORY.BOOT_PARAMS + 0x100;

/** Headers in the first half of the buffer, notes in the second. */
const HEADER_ROOM = 0x1_0000;
const NOTES = LOW_MEMORY.BUFFER + HEADER_ROOM;
const NOTE_ROOM = LOW_MEMORY.BUFFER_END - NOTES;

export function emitPvh(code: Code): void {
  emitLoadElf(code);
  emitFindNote(code);
  emitLoadedElf(code);
  emitEnter(code);
}

/** Positions KERNEL_DATA at the file offset in RSI, from its start. */
function seek(code: Code): void {
  code.mov(edi, (FW_CFG_KEYS.KERNEL_DATA << 16) | FW_CFG_DMA.SELECT | FW_CFG_DMA.SKIP);
  code.xor(edx, edx);
  code.call('fwCfgDma');
}

/** The ELF in KERNEL_DATA: loads its segments, takes the entry from its note. */
function emitLoadElf(code: Code): void {
  code.label('bootElf');
  code.mov(rax, qword('kernelSize'));
  code.mov(ecx, HEADER_ROOM);
  code.cmp(rax, rcx);
  code.cmovb(rcx, rax);
  readKey(code, FW_CFG_KEYS.KERNEL_DATA, rcx, LOW_MEMORY.BUFFER);
  code.mov(r12, LOW_MEMORY.BUFFER);
  code.cmp(byte(r12, ELF.CLASS), ELF.CLASS_64);
  failWhen(code, 'nz', POST_CODES.BAD_KERNEL, 'the ELF kernel is not 64-bit');
  code.movzx(r14d, word(r12, ELF.PHNUM));
  code.imul(eax, r14d, PROGRAM_HEADER.BYTES);
  code.mov(rbx, qword(r12, ELF.PHOFF));
  code.add(rax, rbx);
  code.cmp(rax, HEADER_ROOM);
  failWhen(code, 'a', POST_CODES.BAD_KERNEL, "the ELF kernel's program headers stand too far from its start");
  code.add(rbx, r12);
  repeat(code, ({ next, done }) => {
    code.sub(r14d, 1);
    code.branch('b', done);
    code.mov(r13, rbx);
    code.add(rbx, PROGRAM_HEADER.BYTES);
    code.mov(eax, dword(r13, PROGRAM_HEADER.TYPE));
    code.cmp(eax, PT_LOAD);
    when(code, 'z', () => {
      loadSegment(code);
      code.jump(next);
    });
    code.cmp(eax, PT_NOTE);
    when(code, 'z', () => readNotes(code));
  });
  code.cmp(qword('kernelEntry'), 0);
  failWhen(code, 'z', POST_CODES.BAD_KERNEL, 'the ELF kernel has no PVH entry note');
  logLine(code, 'kernel: PVH ELF of {} bytes, end {}', qword('kernelSize'), qword('kernelEnd'));
  code.jump('enterPvh');
}

/** The segment whose header is at R13. */
function loadSegment(code: Code): void {
  code.mov(rax, qword(r13, PROGRAM_HEADER.PADDR));
  code.mov(rcx, qword(r13, PROGRAM_HEADER.MEMSZ));
  code.add(rcx, rax);
  checkKernelRange(code);
  code.cmp(rcx, qword('kernelEnd'));
  when(code, 'a', () => code.mov(qword('kernelEnd'), rcx));
  code.mov(rsi, qword(r13, PROGRAM_HEADER.OFFSET));
  seek(code);
  invoke(code, 'fwCfgDma', FW_CFG_DMA.READ, qword(r13, PROGRAM_HEADER.FILESZ), qword(r13, PROGRAM_HEADER.PADDR));
  code.mov(rdi, qword(r13, PROGRAM_HEADER.FILESZ));
  code.mov(rcx, qword(r13, PROGRAM_HEADER.MEMSZ));
  code.sub(rcx, rdi);
  when(code, 'a', () => {
    code.add(rdi, qword(r13, PROGRAM_HEADER.PADDR));
    code.xor(eax, eax);
    code.rep();
    code.stosb();
  });
}

/** The note segment whose header is at R13. */
function readNotes(code: Code): void {
  code.mov(rsi, qword(r13, PROGRAM_HEADER.FILESZ));
  code.cmp(rsi, NOTE_ROOM);
  when(code, 'be', () => {
    code.mov(rsi, qword(r13, PROGRAM_HEADER.OFFSET));
    seek(code);
    invoke(code, 'fwCfgDma', FW_CFG_DMA.READ, qword(r13, PROGRAM_HEADER.FILESZ), NOTES);
    invoke(code, 'findPvhNote', NOTES, qword(r13, PROGRAM_HEADER.FILESZ));
  });
}

/** `findPvhNote(notes, bytes)`: sets kernelEntry when the PVH entry is among them. */
function emitFindNote(code: Code): void {
  code.label('findPvhNote');
  code.add(rsi, rdi);
  repeat(code, ({ next, done }) => {
    code.lea(rax, at(rdi, NOTE.NAME));
    code.cmp(rax, rsi);
    code.branch('a', done);
    // Name and descriptor are padded to 4 bytes each.
    code.mov(ecx, dword(rdi, NOTE.NAME_BYTES));
    code.add(rcx, 3);
    code.and(rcx, -4);
    code.lea(rdx, at(rdi, rcx, NOTE.NAME));
    code.mov(ecx, dword(rdi, NOTE.DESC_BYTES));
    code.add(rcx, 3);
    code.and(rcx, -4);
    code.mov(rax, rdi);
    code.lea(rdi, at(rdx, rcx));
    code.cmp(rdi, rsi);
    code.branch('a', done);
    code.cmp(dword(rax, NOTE.TYPE), NOTE.PHYS32_ENTRY);
    code.branch('nz', next);
    code.cmp(dword(rax, NOTE.NAME), NOTE.XEN);
    code.branch('nz', next);
    code.mov(eax, dword(rdx));
    code.mov(qword('kernelEntry'), rax);
  });
  code.ret();
}

/** QEMU has put the segments in RAM before the ROM ran. */
function emitLoadedElf(code: Code): void {
  code.label('bootLoadedElf');
  readKey32(code, FW_CFG_KEYS.KERNEL_ENTRY);
  code.mov(qword('kernelEntry'), rax);
  code.test(eax, eax);
  failWhen(code, 'z', POST_CODES.BAD_KERNEL, 'the ELF kernel has no PVH entry');
  // Its end is not told: leave it half of the low RAM.
  code.mov(rax, qword('lowRamEnd'));
  code.shr(rax, 1);
  code.mov(qword('kernelEnd'), rax);
  code.label('enterPvh');
}

/** Start info, then protected mode without paging: EBX = start info (Xen docs/misc/pvh.pandoc). */
function emitEnter(code: Code): void {
  const base = LOW_MEMORY.BOOT_PARAMS;
  code.mov(rdi, 1n << 32n);
  code.call('placeInitrd');
  code.mov(edi, base);
  code.xor(eax, eax);
  code.mov(ecx, 0x100 / 8);
  code.rep();
  code.stosq();
  code.mov(dword(base), START_INFO.MAGIC_VALUE);
  code.mov(dword(base + START_INFO.VERSION), 1);
  code.mov(dword(base + START_INFO.CMDLINE), LOW_MEMORY.COMMAND_LINE);
  code.mov(dword(base + START_INFO.MEMMAP), MEMORY_MAP);
  code.mov(rax, qword('rsdpAddress'));
  code.mov(qword(base + START_INFO.RSDP), rax);
  code.mov(eax, dword('memoryMapCount'));
  code.mov(dword(base + START_INFO.MEMMAP_ENTRIES), eax);
  code.imul(ecx, eax, E820_WORK_BYTES);
  code.mov(esi, symbol('memoryMap'));
  code.mov(edi, MEMORY_MAP);
  code.rep();
  code.movsb();
  code.mov(rax, qword('initrdSize'));
  code.test(rax, rax);
  when(code, 'nz', () => {
    code.mov(dword(base + START_INFO.NR_MODULES), 1);
    code.mov(dword(base + START_INFO.MODLIST), MODULE_LIST);
    code.mov(qword(MODULE_LIST + 8), rax);
    code.mov(rax, qword('initrdStart'));
    code.mov(qword(MODULE_LIST), rax);
  });
  code.mov(rsi, qword('kernelEntry'));
  logLine(code, 'enter: PVH entry {}', rsi);
  post(code, POST_CODES.ENTER);
  leaveLongMode(code, 'enterPvh32');
  code.mov(eax, SELECTORS.TSS);
  code.ltr(ax);
  code.mov(ebx, LOW_MEMORY.BOOT_PARAMS);
  code.jmpIndirect(esi);
  code.bits(64);
}
