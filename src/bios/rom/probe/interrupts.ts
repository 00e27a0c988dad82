import type { Code } from '../assembler/assembler.ts';
import { procedure, repeat, when } from '../assembler/macros.ts';
import { byte, dword, qword, symbol } from '../assembler/operands.ts';
import { eax, ecx, r13, rax, rbx, rcx } from '../assembler/registers.ts';
import { log } from '../log.ts';
import { PROBE_FIRST_VECTOR } from './layout.ts';
import { logAddress } from './pci.ts';

/** Devices that interrupt on demand: offsets in their first memory BAR; 1 is written to both. */
const RAISERS = [
  { id: 0x11e8_1234, raise: 0x60, acknowledge: 0x64 },
  { id: 0x35ed_1b36, raise: 0x20, acknowledge: 0x28 },
] as const;
const ROW = { ID: 0, RAISE: 4, ACKNOWLEDGE: 8, BYTES: 12 } as const;
const INTERRUPT_LINE = 0x3c;
/** Polls until an interrupt is taken for lost. */
const PATIENCE = 0x4_0000;
/** Polls after it, in which it must not come again. */
const AFTERMATH = 0x100;

/** Raises one interrupt by INTx and reports at which I/O APIC input it arrived. */
export function emitInterrupts(code: Code): void {
  code.inSection('constants', () => {
    code.align(4, 0);
    code.label('raisers');
    for (const { id, raise, acknowledge } of RAISERS) code.dd(id, raise, acknowledge);
    code.dd(0);
  });
  procedure(code, 'testInterrupt', [rbx, r13], (leave) => {
    code.cmp(qword('firstMemoryBar'), 0);
    code.branch('z', leave);
    code.mov(rbx, qword('functionConfig'));
    code.mov(eax, dword(rbx));
    code.mov(r13, symbol('raisers', -ROW.BYTES));
    repeat(code, ({ done }) => {
      code.add(r13, ROW.BYTES);
      code.cmp(dword(r13, ROW.ID), 0);
      code.branch('z', leave);
      code.cmp(eax, dword(r13, ROW.ID));
      code.branch('z', done);
    });
    raiseAndWait(code);
    report(code);
  });
}

function raiseAndWait(code: Code): void {
  code.mov(eax, dword(r13, ROW.ACKNOWLEDGE));
  code.add(rax, qword('firstMemoryBar'));
  code.mov(qword('acknowledgeAddress'), rax);
  code.mov(qword('interruptVector'), 0);
  code.mov(qword('interruptCount'), 0);
  code.mov(ecx, dword(r13, ROW.RAISE));
  code.add(rcx, qword('firstMemoryBar'));
  code.mov(dword(rcx), 1);
  code.sti();
  poll(code, PATIENCE);
  poll(code, AFTERMATH);
  code.cli();
  // A device whose interrupt was lost must not disturb the next one's.
  code.mov(dword(rax), 1);
}

/** Waits `count` rounds, or until there has been an interrupt when the round starts. Keeps RAX. */
function poll(code: Code, count: number): void {
  code.mov(ecx, count);
  repeat(code, ({ done }) => {
    code.pause();
    code.dec(ecx);
    code.branch('z', done);
    if (count !== PATIENCE) return;
    code.cmp(qword('interruptCount'), 0);
    code.branch('nz', done);
  });
}

function report(code: Code): void {
  log(code, 'probe interrupt');
  logAddress(code);
  log(code, ' line={}', byte(rbx, INTERRUPT_LINE));
  code.mov(rax, qword('interruptVector'));
  code.sub(rax, PROBE_FIRST_VECTOR - 16);
  when(
    code,
    'b',
    () => log(code, ' gsi=none'),
    () => log(code, ' gsi={}', rax),
  );
  log(code, ' count={}\r\n', qword('interruptCount'));
}
