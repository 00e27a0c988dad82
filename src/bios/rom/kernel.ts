import { FW_CFG_KEYS } from '../../emulator/machine/fw-cfg-keys.ts';
import type { Code } from './assembler/assembler.ts';
import { procedure, when } from './assembler/macros.ts';
import { byte, dword, qword } from './assembler/operands.ts';
import { eax, rax, rbx, rdi, rsi } from './assembler/registers.ts';
import { readKey, readKey32 } from './fw-cfg.ts';
import { LOW_MEMORY, POST_CODES } from './layout.ts';
import { emitLinux } from './linux-boot.ts';
import { fail, failWhen, logLine, post } from './log.ts';
import { emitPvh } from './pvh-boot.ts';

const ELF_MAGIC = 0x464c_457f;
/** `HdrS` at 0x202 of a bzImage (Linux boot protocol). */
const HDRS = { OFFSET: 0x202, MAGIC: 0x5372_6448 } as const;

/**
 * Starts what fw_cfg brings: a bzImage (setup and kernel apart, as QEMU's `-kernel` delivers it), an ELF with a PVH note as kernel data,
 * or an ELF that QEMU has loaded itself (then the setup data are its headers and the entry is an item of its own).
 */
export function emitKernel(code: Code): void {
  procedure(code, 'bootKernel', [], () => {
    post(code, POST_CODES.KERNEL);
    readKey32(code, FW_CFG_KEYS.KERNEL_SIZE);
    code.mov(qword('kernelSize'), rax);
    readKey32(code, FW_CFG_KEYS.SETUP_SIZE);
    code.mov(qword('setupSize'), rax);
    code.or(rax, qword('kernelSize'));
    failWhen(code, 'z', POST_CODES.NO_KERNEL, 'no kernel: fw_cfg brings none, and boot devices are not supported yet');
    loadCommandLine(code);
    code.cmp(qword('kernelSize'), 4);
    when(code, 'ae', () => {
      readKey32(code, FW_CFG_KEYS.KERNEL_DATA);
      code.cmp(eax, ELF_MAGIC);
      code.branch('z', 'bootElf');
    });
    code.mov(rsi, qword('setupSize'));
    code.cmp(rsi, LOW_MEMORY.BUFFER_END - LOW_MEMORY.BUFFER);
    failWhen(code, 'a', POST_CODES.BAD_KERNEL, "the kernel's setup part is too long");
    readKey(code, FW_CFG_KEYS.SETUP_DATA, rsi, LOW_MEMORY.BUFFER);
    code.cmp(dword(LOW_MEMORY.BUFFER), ELF_MAGIC);
    code.branch('z', 'bootLoadedElf');
    code.cmp(dword(LOW_MEMORY.BUFFER + HDRS.OFFSET), HDRS.MAGIC);
    code.branch('z', 'bootLinux');
    fail(code, POST_CODES.BAD_KERNEL, 'the kernel is neither a bzImage nor an ELF with a PVH note');
  });
  emitPlaceInitrd(code);
  emitLinux(code);
  emitPvh(code);
}

function loadCommandLine(code: Code): void {
  readKey32(code, FW_CFG_KEYS.CMDLINE_SIZE);
  code.mov(qword('commandLineSize'), rax);
  code.cmp(eax, LOW_MEMORY.COMMAND_LINE_END - LOW_MEMORY.COMMAND_LINE - 1);
  failWhen(code, 'a', POST_CODES.BAD_KERNEL, 'the command line is too long');
  code.mov(byte(LOW_MEMORY.COMMAND_LINE, rax), 0);
  readKey(code, FW_CFG_KEYS.CMDLINE_DATA, rax, LOW_MEMORY.COMMAND_LINE);
}

/**
 * `placeInitrd(limit)`: loads the initrd as high as it fits below `limit` and the tables, and above the kernel; initrdStart and
 * initrdSize are 0 without one.
 */
function emitPlaceInitrd(code: Code): void {
  procedure(code, 'placeInitrd', [rbx], (leave) => {
    code.mov(rbx, qword('highZoneStart'));
    code.cmp(rdi, rbx);
    code.cmovb(rbx, rdi);
    readKey32(code, FW_CFG_KEYS.INITRD_SIZE);
    code.mov(qword('initrdSize'), rax);
    code.test(eax, eax);
    code.branch('z', leave);
    code.sub(rbx, rax);
    code.and(rbx, -0x1000);
    code.cmp(rbx, qword('kernelEnd'));
    failWhen(
      code,
      'l',
      POST_CODES.NO_ROOM_FOR_KERNEL,
      'no room for the initrd between the kernel and the end of low RAM',
    );
    code.mov(qword('initrdStart'), rbx);
    readKey(code, FW_CFG_KEYS.INITRD_DATA, rax, rbx);
    logLine(code, 'initrd: {} bytes at {}', qword('initrdSize'), rbx);
  });
}
