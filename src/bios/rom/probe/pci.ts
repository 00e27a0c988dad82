import { PORTS } from '../../../emulator/machine/memory-map.ts';
import type { Code } from '../assembler/assembler.ts';
import { invoke, procedure, repeat, when } from '../assembler/macros.ts';
import { byte, dword, qword, symbol } from '../assembler/operands.ts';
import { ax, dx, eax, ecx, edi, edx, r12, r13, r13d, r14, rax, rbx, rsi } from '../assembler/registers.ts';
import { log } from '../log.ts';
import { endLine } from './report.ts';

const CONFIG_BYTES = 0x100;
const HEADER_TYPE = 0x0e;
const MULTIFUNCTION = 0x80;

/** Prints where the current function stands, as fields of a line. */
export function logAddress(code: Code): void {
  log(code, ' bus={} device={} function={}', qword('functionBus'), qword('functionDevice'), qword('functionNumber'));
}

export function emitPci(code: Code): void {
  emitConfigRead(code);
  emitScan(code);
  emitFunction(code);
}

/** `configRead(devfn, offset)`: EAX by CF8/CFC on bus R12. */
function emitConfigRead(code: Code): void {
  procedure(code, 'configRead', [], () => {
    code.mov(rax, r12);
    code.shl(eax, 8);
    code.or(eax, edi);
    code.shl(eax, 8);
    code.mov(ecx, 0x8000_0000);
    code.or(eax, ecx);
    code.add(rax, rsi);
    code.mov(edx, PORTS.CONFIG_ADDRESS.base);
    code.out(dx, eax);
    code.mov(edx, PORTS.CONFIG_DATA.base);
    code.in(eax, dx);
  });
}

/** Every bus that MCFG covers; a function counts as present when either way of access sees it. */
function emitScan(code: Code): void {
  procedure(code, 'scanBuses', [rbx, r12, r13], (leave) => {
    code.cmp(qword('ecamBase'), 0);
    code.branch('z', leave);
    log(
      code,
      'probe ecam base={} first={} last={}\r\n',
      qword('ecamBase'),
      qword('ecamFirstBus'),
      qword('ecamLastBus'),
    );
    code.mov(r12, qword('ecamFirstBus'));
    repeat(code, (bus) => {
      code.cmp(r12, qword('ecamLastBus'));
      code.branch('a', bus.done);
      code.xor(r13, r13);
      repeat(code, ({ next, done }) => {
        code.cmp(r13, 0x100);
        code.branch('ae', done);
        code.mov(rbx, r12);
        code.shl(rbx, 8);
        code.or(rbx, r13);
        code.shl(rbx, 12);
        code.add(rbx, qword('ecamBase'));
        invoke(code, 'configRead', r13, 0);
        code.mov(ecx, dword(rbx));
        code.and(eax, ecx);
        code.cmp(ax, 0xffff);
        when(code, 'z', () => {
          code.inc(r13);
          // Function 0 is absent: so is the device.
          code.mov(rax, r13);
          code.and(eax, 7);
          code.cmp(eax, 1);
          code.branch('nz', next);
          code.add(r13, 7);
          code.jump(next);
        });
        code.call('visitFunction');
        code.mov(eax, r13d);
        code.inc(r13);
        code.test(eax, 7);
        code.branch('nz', next);
        code.test(byte(rbx, HEADER_TYPE), MULTIFUNCTION);
        code.branch('nz', next);
        code.add(r13, 7);
      });
      code.inc(r12);
    });
  });
}

/** Bus R12, devfn R13, configuration space at RBX. */
function emitFunction(code: Code): void {
  procedure(code, 'visitFunction', [r14], () => {
    code.mov(qword('functionConfig'), rbx);
    code.mov(qword('functionBus'), r12);
    code.mov(rax, r13);
    code.shr(eax, 3);
    code.mov(qword('functionDevice'), rax);
    code.mov(rax, r13);
    code.and(eax, 7);
    code.mov(qword('functionNumber'), rax);
    code.inc(qword('functionCount'));
    log(code, 'probe function');
    logAddress(code);
    compareConfig(code);
    log(code, ' config=');
    invoke(code, 'printBytes', symbol('configCopy'), CONFIG_BYTES);
    endLine(code);
    code.call('reportBars');
    code.call('testInterrupt');
  });
}

/** Copies the header region by ECAM and prints the first offset where CF8/CFC differ. */
function compareConfig(code: Code): void {
  const [different, compared] = [code.localLabel('different'), code.localLabel('compared')];
  code.xor(r14, r14);
  repeat(code, ({ next, done }) => {
    code.cmp(r14, CONFIG_BYTES);
    code.branch('ae', done);
    code.mov(eax, dword(rbx, r14));
    code.mov(dword(r14, 'configCopy'), eax);
    code.add(r14, 4);
    code.jump(next);
  });
  code.xor(r14, r14);
  repeat(code, ({ done }) => {
    invoke(code, 'configRead', r13, r14);
    code.cmp(eax, dword(r14, 'configCopy'));
    code.branch('nz', different);
    code.add(r14, 4);
    code.cmp(r14, CONFIG_BYTES);
    code.branch('ae', done);
  });
  log(code, ' mismatch=none');
  code.jump(compared);
  code.label(different);
  log(code, ' mismatch={}', r14);
  code.label(compared);
}
