import { type Code, createAssembler } from '../../../src/bios/rom/assembler/assembler.ts';
import { dword, offsetIn, word } from '../../../src/bios/rom/assembler/operands.ts';
import { al, ax, ds, dx, eax, ebp, es, esp, ss } from '../../../src/bios/rom/assembler/registers.ts';
import { emitPrint, finish, GATE_VECTORS, newLine, REPORTED_FLAGS } from './harness.ts';
import { EXIT_PORT, type OracleCase, type OracleImage, RAM, ROM_BASE } from './layout.ts';

const REAL_STACK = 0x7000;
/** The IVT of a real-mode image has this many entries; all of them lead to stubs. */
const IVT_ENTRIES = 0x81;

/** Line of a real-mode event: vector, IP, CS, FLAGS, EAX. */
function emitEvent16(code: Code): void {
  code.label('event');
  code.push(eax);
  code.push(ebp);
  code.mov(ebp, esp);
  // [ebp]: EBP, EAX, vector (16 bits each from here), IP, CS, FLAGS.
  for (const offset of [8, 10, 12]) {
    code.movzx(eax, word(ss, ebp, offset));
    code.call('printWord');
  }
  code.movzx(eax, word(ss, ebp, 14));
  code.and(eax, REPORTED_FLAGS);
  code.call('printWord');
  code.mov(eax, dword(ss, ebp, 4));
  code.call('printWord');
  newLine(code);
  code.xor(eax, eax);
  code.mov(ds, ax);
  code.mov(es, ax);
  code.mov(ss, ax);
  code.mov(esp, REAL_STACK);
  code.push(2);
  code.popf();
  code.jmpIndirect(word(ds, RAM.RESUME));
}

/** A real-mode image: `cases` run at F000h with the other segments 0; they end by `int 0x80`. */
export function realImage(cases: readonly OracleCase[]): OracleImage {
  const code = createAssembler();
  code.section('rom', ROM_BASE);
  code.bits(16);
  code.label('entry16');
  code.cli();
  code.xor(eax, eax);
  code.mov(ds, ax);
  code.mov(es, ax);
  code.mov(ss, ax);
  code.mov(esp, REAL_STACK);
  for (let vector = 0; vector < IVT_ENTRIES; vector++) {
    const label = vector < GATE_VECTORS ? vector : 0x80;
    code.mov(word(ds, vector * 4), offsetIn(ROM_BASE, `stub${label}`));
    code.mov(word(ds, vector * 4 + 2), ROM_BASE >>> 4);
  }
  cases.forEach(({ body }, index) => {
    code.mov(word(ds, RAM.RESUME), offsetIn(ROM_BASE, `resume${index}`));
    code.xor(eax, eax);
    body(code);
    code.bits(16);
    code.int(0x80);
    code.label(`resume${index}`);
  });
  code.mov(dx, EXIT_PORT);
  code.mov(al, 0);
  code.out(dx, al);
  code.hlt();
  emitPrint(code);
  for (const vector of [...Array(GATE_VECTORS).keys(), 0x80]) {
    code.label(`stub${vector}`);
    code.push(vector === 0x80 ? 0x7f : vector);
    code.jump('event');
  }
  emitEvent16(code);
  code.label('gateTarget');
  code.int(0x80);
  return finish(code, cases);
}
