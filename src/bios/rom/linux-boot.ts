import { FW_CFG_KEYS } from '../../emulator/machine/fw-cfg-keys.ts';
import { MIB } from '../../shared/bytes.ts';
import type { Code } from './assembler/assembler.ts';
import { countDown, when } from './assembler/macros.ts';
import { at, byte, dword, qword, symbol, word } from './assembler/operands.ts';
import { dl, eax, ebp, ebx, ecx, edi, edx, esi, r12, rax, rbx, rcx, rdi, rdx, rsi } from './assembler/registers.ts';
import { readKey } from './fw-cfg.ts';
import { checkKernelRange } from './kernel-range.ts';
import { LOW_MEMORY, POST_CODES, SELECTORS } from './layout.ts';
import { leaveLongMode } from './leave-long-mode.ts';
import { failWhen, logLine, post } from './log.ts';

/** Setup header (Linux Documentation/arch/x86/boot.rst), offsets in the setup part as in boot_params. */
const HEADER = {
  START: 0x1f1,
  JUMP_LENGTH: 0x201,
  AFTER_JUMP: 0x202,
  VERSION: 0x206,
  TYPE_OF_LOADER: 0x210,
  CODE32_START: 0x214,
  RAMDISK_IMAGE: 0x218,
  RAMDISK_SIZE: 0x21c,
  CMD_LINE_PTR: 0x228,
  INITRD_ADDR_MAX: 0x22c,
  KERNEL_ALIGNMENT: 0x230,
  RELOCATABLE_KERNEL: 0x234,
  XLOADFLAGS: 0x236,
  PREF_ADDRESS: 0x258,
  INIT_SIZE: 0x260,
} as const;

/** boot_params around the header (zero-page.rst). */
const BOOT_PARAMS = {
  BYTES: 0x1000,
  ORIG_VIDEO_COLS: 0x07,
  ORIG_VIDEO_LINES: 0x0e,
  ACPI_RSDP_ADDR: 0x70,
  E820_ENTRIES: 0x1e8,
  E820_TABLE: 0x2d0,
  E820_ENTRY_BYTES: 20,
} as const;

const XLF_KERNEL_64 = 1;
/** Protocol 2.12 brought xloadflags. */
const LEAST_VERSION = 0x020c;
/** `undefined` loader (0xf), version 0xf. */
const LOADER_UNDEFINED = 0xff;
const ENTRY_64 = 0x200;

/** The bzImage whose setup part is in the buffer, by the 64-bit boot protocol if it knows that, else the 32-bit one. Does not return. */
export function emitLinux(code: Code): void {
  code.label('bootLinux');
  code.mov(r12, LOW_MEMORY.BUFFER);
  code.cmp(word(r12, HEADER.VERSION), LEAST_VERSION);
  failWhen(code, 'b', POST_CODES.BAD_KERNEL, 'the kernel speaks a boot protocol older than 2.12');
  chooseAddress(code);
  readKey(code, FW_CFG_KEYS.KERNEL_DATA, qword('kernelSize'), qword('kernelStart'));
  logLine(code, 'kernel: bzImage of {} bytes at {}', qword('kernelSize'), qword('kernelStart'));
  code.mov(edi, dword(r12, HEADER.INITRD_ADDR_MAX));
  code.inc(rdi);
  code.call('placeInitrd');
  buildBootParams(code);
  post(code, POST_CODES.ENTER);
  code.mov(rbx, qword('kernelStart'));
  code.test(byte(r12, HEADER.XLOADFLAGS), XLF_KERNEL_64);
  when(code, 'z', () => enter32(code));
  code.add(rbx, ENTRY_64);
  logLine(code, 'enter: 64-bit entry {}', rbx);
  code.mov(esi, LOW_MEMORY.BOOT_PARAMS);
  code.jmpIndirect(rbx);
}

/**
 * The entry of the 32-bit protocol is the load address. It wants selectors 0x10 for code and 0x18 for data, of which the first has been
 * our 64-bit code: its descriptor becomes that of our 32-bit code. Does not return.
 */
function enter32(code: Code): void {
  logLine(code, 'enter: 32-bit entry {}', rbx);
  code.mov(esi, symbol('gdt'));
  code.mov(rax, qword(rsi, SELECTORS.CODE32));
  code.mov(qword(rsi, SELECTORS.CODE64), rax);
  leaveLongMode(code, 'enterLinux32');
  code.farJump(SELECTORS.CODE64, symbol('linux32'), 32);
  code.label('linux32');
  code.mov(ecx, ebx);
  code.mov(esi, LOW_MEMORY.BOOT_PARAMS);
  for (const register of [ebx, ebp, edi]) code.xor(register, register);
  code.jmpIndirect(ecx);
  code.bits(64);
}

/** The preferred address if init_size bytes fit there, else the first aligned one above 1 MiB if the kernel is relocatable. */
function chooseAddress(code: Code): void {
  code.mov(rax, qword(r12, HEADER.PREF_ADDRESS));
  code.mov(edx, dword(r12, HEADER.INIT_SIZE));
  code.lea(rcx, at(rax, rdx));
  code.cmp(rcx, qword('highZoneStart'));
  when(code, 'a', () => {
    code.cmp(byte(r12, HEADER.RELOCATABLE_KERNEL), 0);
    when(code, 'nz', () => {
      code.mov(ecx, dword(r12, HEADER.KERNEL_ALIGNMENT));
      code.lea(rax, at(rcx, MIB - 1));
      code.neg(rcx);
      code.and(rax, rcx);
      code.lea(rcx, at(rax, rdx));
    });
  });
  checkKernelRange(code);
  code.mov(qword('kernelStart'), rax);
  code.mov(qword('kernelEnd'), rcx);
}

function buildBootParams(code: Code): void {
  const base = LOW_MEMORY.BOOT_PARAMS;
  code.mov(edi, base);
  code.xor(eax, eax);
  code.mov(ecx, BOOT_PARAMS.BYTES / 8);
  code.rep();
  code.stosq();
  // The header ends where its first instruction, a short jump over it, goes to.
  code.movzx(ecx, byte(r12, HEADER.JUMP_LENGTH));
  code.add(ecx, HEADER.AFTER_JUMP - HEADER.START);
  code.lea(rsi, at(r12, HEADER.START));
  code.mov(edi, base + HEADER.START);
  code.rep();
  code.movsb();
  code.mov(byte(base + HEADER.TYPE_OF_LOADER), LOADER_UNDEFINED);
  code.mov(byte(base + BOOT_PARAMS.ORIG_VIDEO_COLS), 80);
  code.mov(byte(base + BOOT_PARAMS.ORIG_VIDEO_LINES), 25);
  for (const [offset, variable] of [
    [HEADER.CODE32_START, 'kernelStart'],
    [HEADER.RAMDISK_IMAGE, 'initrdStart'],
    [HEADER.RAMDISK_SIZE, 'initrdSize'],
  ] as const) {
    code.mov(eax, dword(variable));
    code.mov(dword(base + offset), eax);
  }
  code.mov(dword(base + HEADER.CMD_LINE_PTR), LOW_MEMORY.COMMAND_LINE);
  code.mov(rax, qword('rsdpAddress'));
  code.mov(qword(base + BOOT_PARAMS.ACPI_RSDP_ADDR), rax);
  code.mov(rdx, qword('memoryMapCount'));
  code.mov(byte(base + BOOT_PARAMS.E820_ENTRIES), dl);
  code.mov(edi, base + BOOT_PARAMS.E820_TABLE);
  code.mov(esi, symbol('memoryMap'));
  countDown(code, rdx, () => {
    code.mov(ecx, BOOT_PARAMS.E820_ENTRY_BYTES);
    code.rep();
    code.movsb();
    code.add(rsi, 4);
  });
}
