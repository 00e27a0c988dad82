import type { Code } from '../assembler/assembler.ts';
import { procedure, repeat, when } from '../assembler/macros.ts';
import { byte } from '../assembler/operands.ts';
import { al, dil, eax, edi, r12, rbx, rdi, rsi } from '../assembler/registers.ts';
import { log } from '../log.ts';

/** Printing that the ROM's log does not have. */
export function emitReport(code: Code): void {
  /** `printBytes(address, count)`: two digits each. */
  procedure(code, 'printBytes', [rbx, r12], (leave) => {
    code.mov(rbx, rdi);
    code.mov(r12, rsi);
    repeat(code, () => {
      code.sub(r12, 1);
      code.branch('b', leave);
      for (const shift of [4, 0]) {
        code.movzx(edi, byte(rbx));
        if (shift !== 0) code.shr(edi, shift);
        code.and(edi, 0xf);
        code.add(dil, 0x30);
        code.cmp(dil, 0x3a);
        when(code, 'ae', () => code.add(dil, 0x27));
        code.call('printCharacter');
      }
      code.inc(rbx);
    });
  });
  /** `printSignature(address, count)`: characters, blanks as `_`. */
  procedure(code, 'printSignature', [rbx, r12], (leave) => {
    code.mov(rbx, rdi);
    code.mov(r12, rsi);
    repeat(code, () => {
      code.sub(r12, 1);
      code.branch('b', leave);
      code.movzx(edi, byte(rbx));
      code.cmp(edi, 0x20);
      when(code, 'be', () => code.mov(edi, 0x5f));
      code.call('printCharacter');
      code.inc(rbx);
    });
  });
  /** `sumBytes(address, count)`: EAX = sum modulo 256. */
  procedure(code, 'sumBytes', [], () => {
    code.xor(eax, eax);
    code.add(rsi, rdi);
    repeat(code, ({ done }) => {
      code.cmp(rdi, rsi);
      code.branch('ae', done);
      code.add(al, byte(rdi));
      code.inc(rdi);
    });
  });
}

/** Ends a line of the protocol. */
export function endLine(code: Code): void {
  log(code, '\r\n');
}
