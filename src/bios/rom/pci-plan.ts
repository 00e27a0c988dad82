import { FW_CFG_DMA } from '../../emulator/machine/fw-cfg-keys.ts';
import { ECAM } from '../../emulator/machine/memory-map.ts';
import { PLAN_FILE_NAME, PLAN_MAGIC } from '../pci/plan.ts';
import type { Code } from './assembler/assembler.ts';
import { countDown, invoke, procedure, when } from './assembler/macros.ts';
import { byte, dword, symbol, word } from './assembler/operands.ts';
import { al, ax, eax, ebx, ecx, edi, edx, r12, r13, rax, rbx, rdi } from './assembler/registers.ts';
import { findFile } from './fw-cfg.ts';
import { POST_CODES } from './layout.ts';
import { fail, failWhen, logLine } from './log.ts';

/** Layout of the plan file: see bios/pci/plan.ts. */
const HEADER = { MAGIC: 0, VERSION: 4, COUNT: 8, BYTES: 16 } as const;
const ENTRY = { BUS: 0, DEVFN: 1, OFFSET: 2, SIZE: 4, VALUE: 8, BYTES: 16 } as const;

/**
 * Replays the plan's writes through ECAM, in order. The file is read piece by piece, so that a plan of any length needs no memory.
 * Without a plan nothing is written: on QEMU with QEMU's own tables the kernel assigns what it finds.
 */
export function emitPciPlan(code: Code): void {
  procedure(code, 'replayPciPlan', [rbx, r12, r13], (leave) => {
    findFile(code, PLAN_FILE_NAME);
    when(code, 'z', () => {
      logLine(code, 'pci: no plan, buses stay as they are');
      code.jump(leave);
    });
    code.mov(r12, rax);
    invoke(code, 'fwCfgEntrySize', r12);
    code.mov(r13, rax);
    invoke(code, 'fwCfgSelect', r12);
    code.cmp(r13, HEADER.BYTES);
    failWhen(code, 'b', POST_CODES.BAD_PLAN, 'the PCI plan has no header');
    code.or(eax, FW_CFG_DMA.SELECT | FW_CFG_DMA.READ);
    invoke(code, 'fwCfgDma', rax, HEADER.BYTES, symbol('fwCfgScratch'));
    code.cmp(dword('fwCfgScratch', HEADER.MAGIC), PLAN_MAGIC);
    failWhen(code, 'nz', POST_CODES.BAD_PLAN, 'the PCI plan has no Q35P magic');
    code.cmp(dword('fwCfgScratch', HEADER.VERSION), 1);
    failWhen(code, 'nz', POST_CODES.BAD_PLAN, 'the PCI plan has an unknown version');
    code.mov(ebx, dword('fwCfgScratch', HEADER.COUNT));
    code.mov(rax, rbx);
    code.shl(rax, 4);
    code.add(rax, HEADER.BYTES);
    code.cmp(rax, r13);
    failWhen(code, 'a', POST_CODES.BAD_PLAN, 'the PCI plan is cut short');
    logLine(code, 'pci: {} config writes', ebx);
    countDown(code, rbx, () => {
      invoke(code, 'fwCfgDma', FW_CFG_DMA.READ, ENTRY.BYTES, symbol('fwCfgScratch'));
      emitWrite(code);
    });
  });
}

/** Executes the entry in the scratch buffer. */
function emitWrite(code: Code): void {
  code.movzx(edi, byte('fwCfgScratch', ENTRY.BUS));
  code.shl(edi, 20);
  code.movzx(ecx, byte('fwCfgScratch', ENTRY.DEVFN));
  code.shl(ecx, 12);
  code.or(edi, ecx);
  code.movzx(ecx, word('fwCfgScratch', ENTRY.OFFSET));
  code.or(edi, ecx);
  code.mov(ecx, ECAM.base);
  code.add(edi, ecx);
  code.mov(eax, dword('fwCfgScratch', ENTRY.VALUE));
  code.movzx(edx, byte('fwCfgScratch', ENTRY.SIZE));
  const [done, two, four] = ['written', 'two', 'four'].map((stem) => code.localLabel(stem));
  code.cmp(edx, 2);
  code.branch('z', two);
  code.cmp(edx, 4);
  code.branch('z', four);
  code.cmp(edx, 1);
  when(code, 'nz', () => fail(code, POST_CODES.BAD_PLAN, 'the PCI plan has a write of neither 1, 2 nor 4 bytes'));
  code.mov(byte(rdi), al);
  code.jump(done);
  code.label(two);
  code.mov(word(rdi), ax);
  code.jump(done);
  code.label(four);
  code.mov(dword(rdi), eax);
  code.label(done);
}
