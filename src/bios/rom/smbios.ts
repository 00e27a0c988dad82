import type { Code } from './assembler/assembler.ts';
import { invoke, procedure, when } from './assembler/macros.ts';
import { at, byte, dword, qword } from './assembler/operands.ts';
import { al, r12, r13, r14, r14d, rax, rbx, rdi, rsi } from './assembler/registers.ts';
import { findFile } from './fw-cfg.ts';
import { logLine } from './log.ts';

const ANCHOR_FILE = 'etc/smbios/smbios-anchor';
const TABLES_FILE = 'etc/smbios/smbios-tables';
/** `_SM3`: the 64-bit entry point (SMBIOS 3.7 §5.2.2); anything else is the 32-bit one (§5.2.1). */
const SM3 = 0x334d_535f;
const ENTRY32 = {
  CHECKSUM: 0x04,
  LENGTH: 0x05,
  INTERMEDIATE: 0x10,
  INTERMEDIATE_CHECKSUM: 0x15,
  ADDRESS: 0x18,
  BYTES: 0x1f,
} as const;
const ENTRY64 = { CHECKSUM: 0x05, LENGTH: 0x06, ADDRESS: 0x10 } as const;

/** Puts the structures in the high zone and the entry point in the F segment, with its address and checksums right. */
export function emitSmbios(code: Code): void {
  procedure(code, 'installSmbios', [rbx, r12, r13, r14], (leave) => {
    findFile(code, TABLES_FILE);
    code.mov(r12, rax);
    findFile(code, ANCHOR_FILE);
    code.mov(r13, rax);
    when(code, 'z', () => code.jump(leave));
    code.test(r12, r12);
    when(code, 'z', () => code.jump(leave));
    invoke(code, 'fwCfgEntrySize', r12);
    invoke(code, 'allocateHigh', rax, 16);
    code.mov(r14, rax);
    invoke(code, 'fwCfgLoad', r12, r14);
    invoke(code, 'fwCfgEntrySize', r13);
    invoke(code, 'allocateFseg', rax, 16);
    code.mov(rbx, rax);
    invoke(code, 'fwCfgLoad', r13, rbx);
    code.cmp(dword(rbx), SM3);
    when(
      code,
      'z',
      () => {
        code.mov(qword(rbx, ENTRY64.ADDRESS), r14);
        fixChecksum(code, ENTRY64.CHECKSUM, 0, ENTRY64.LENGTH);
      },
      () => {
        code.mov(dword(rbx, ENTRY32.ADDRESS), r14d);
        fixChecksum(code, ENTRY32.INTERMEDIATE_CHECKSUM, ENTRY32.INTERMEDIATE, undefined);
        fixChecksum(code, ENTRY32.CHECKSUM, 0, ENTRY32.LENGTH);
      },
    );
    logLine(code, 'smbios: entry point at {}, structures at {}', rbx, r14);
  });
}

/** Makes the bytes from `start` (for as many as the byte at `lengthAt` says, or the rest of the 32-bit entry point) sum to 0. */
function fixChecksum(code: Code, checksumAt: number, start: number, lengthAt: number | undefined): void {
  code.mov(byte(rbx, checksumAt), 0);
  code.lea(rdi, at(rbx, start));
  if (lengthAt === undefined) code.mov(rsi, ENTRY32.BYTES - start);
  else code.movzx(rsi, byte(rbx, lengthAt));
  code.call('byteSum');
  code.sub(byte(rbx, checksumAt), al);
}
