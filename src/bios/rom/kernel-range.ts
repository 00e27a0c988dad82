import { MIB } from '../../shared/bytes.ts';
import type { Code } from './assembler/assembler.ts';
import { qword } from './assembler/operands.ts';
import { rax, rcx } from './assembler/registers.ts';
import { POST_CODES } from './layout.ts';
import { failWhen } from './log.ts';

/** Fails when [start, end) in RAX and RCX is not all in the RAM that kernels may have. */
export function checkKernelRange(code: Code): void {
  code.cmp(rax, MIB);
  failWhen(code, 'b', POST_CODES.BAD_KERNEL, 'the kernel wants to be loaded below 1 MiB');
  code.cmp(rcx, qword('highZoneStart'));
  failWhen(code, 'a', POST_CODES.NO_ROOM_FOR_KERNEL, 'the kernel does not fit below the end of low RAM');
}
