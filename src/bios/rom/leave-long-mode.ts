import type { Code } from './assembler/assembler.ts';
import { symbol } from './assembler/operands.ts';
import { cr0, cr4, eax, ecx } from './assembler/registers.ts';
import { CR0_PG, EFER_LME, IA32_EFER } from './control-bits.ts';
import { SELECTORS } from './layout.ts';
import { loadFlatSegments } from './reset.ts';

/**
 * From 64-bit code to protected mode without paging, with flat segments; `label` names the place in the image. Changes EAX, ECX and EDX.
 * The code after it is 32-bit code.
 */
export function leaveLongMode(code: Code, label: string): void {
  code.push(SELECTORS.CODE32);
  code.push(symbol(label));
  code.retfq();
  code.bits(32);
  code.label(label);
  code.mov(eax, cr0);
  code.and(eax, ~CR0_PG);
  code.mov(cr0, eax);
  code.mov(ecx, IA32_EFER);
  code.rdmsr();
  code.and(eax, ~EFER_LME);
  code.wrmsr();
  code.xor(eax, eax);
  code.mov(cr4, eax);
  loadFlatSegments(code);
}
