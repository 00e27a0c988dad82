import { SETUP_HEADER } from '../../../src/bios/boot/bzimage.ts';
import { createAssembler } from '../../../src/bios/rom/assembler/assembler.ts';
import { countDown, repeat } from '../../../src/bios/rom/assembler/macros.ts';
import { byte, dword, symbol } from '../../../src/bios/rom/assembler/operands.ts';
import * as r from '../../../src/bios/rom/assembler/registers.ts';
import { asciiBytes, concatBytes, viewOf } from '../../../src/shared/bytes.ts';

const BASE = 0x100_0000;
const SAVED = BASE + 0x1000;
const STACK_TOP = BASE + 0x3000;
const COM1 = 0x3f8;
/** What the guest prints, in this order, 8 digits each. */
export const LINUX32_REGISTERS = ['CS', 'DS', 'ES', 'SS', 'EBX', 'EBP', 'EDI', 'EFLAGS', 'CR0', 'CR4', 'EFER'] as const;

/**
 * A bzImage without a 64-bit entry. It prints `state` and LINUX32_REGISTERS as they were at its entry, and `cmdline` with the command
 * line that boot_params point at; then it reloads CS and DS from the GDT that it was given, and ends by a reset.
 */
export function buildLinux32Guest(): Uint8Array {
  const setup = new Uint8Array(2 * 512);
  const view = viewOf(setup);
  const kernel = kernelCode();
  setup[SETUP_HEADER.SETUP_SECTS] = 1;
  view.setUint32(SETUP_HEADER.SYSSIZE, kernel.length / 16, true);
  view.setUint16(SETUP_HEADER.BOOT_FLAG, 0xaa55, true);
  // A jump over the header, which ends behind INIT_SIZE.
  setup.set([0xeb, SETUP_HEADER.INIT_SIZE + 8 - SETUP_HEADER.MAGIC], 0x200);
  setup.set(asciiBytes('HdrS'), SETUP_HEADER.MAGIC);
  view.setUint16(SETUP_HEADER.VERSION, 0x20f, true);
  setup[SETUP_HEADER.LOADFLAGS] = 1;
  view.setUint32(SETUP_HEADER.CMDLINE_SIZE, 255, true);
  view.setUint32(SETUP_HEADER.INITRD_ADDR_MAX, 0x37ff_ffff, true);
  view.setBigUint64(SETUP_HEADER.PREF_ADDRESS, BigInt(BASE), true);
  view.setUint32(SETUP_HEADER.INIT_SIZE, 0x10_0000, true);
  return concatBytes([setup, kernel]);
}

function kernelCode(): Uint8Array {
  const code = createAssembler();
  code.section('kernel', BASE);
  code.bits(32);
  const save = (name: (typeof LINUX32_REGISTERS)[number], register = r.eax): void =>
    code.mov(dword(SAVED + 4 * LINUX32_REGISTERS.indexOf(name)), register);
  for (const [name, register] of [
    ['EBX', r.ebx],
    ['EBP', r.ebp],
    ['EDI', r.edi],
  ] as const) {
    save(name, register);
  }
  for (const [name, register] of [
    ['CS', r.cs],
    ['DS', r.ds],
    ['ES', r.es],
    ['SS', r.ss],
  ] as const) {
    code.mov(r.eax, register);
    save(name);
  }
  code.mov(r.esp, STACK_TOP);
  code.pushfd();
  code.pop(r.eax);
  save('EFLAGS');
  code.mov(r.eax, r.cr0);
  save('CR0');
  code.mov(r.eax, r.cr4);
  save('CR4');
  code.mov(r.ecx, 0xc000_0080);
  code.rdmsr();
  save('EFER');
  code.mov(r.ebp, r.esi);
  print(code, 'state');
  code.mov(r.esi, SAVED);
  code.mov(r.edi, LINUX32_REGISTERS.length);
  countDown(code, r.edi, () => printDword(code));
  print(code, 'cmdline');
  code.mov(r.esi, dword(r.ebp, SETUP_HEADER.CMD_LINE_PTR));
  printText(code);
  code.mov(r.eax, 0x18);
  for (const register of [r.ds, r.es, r.ss]) code.mov(register, r.eax);
  code.farJump(0x10, symbol('reloaded'), 32);
  code.label('reloaded');
  print(code, 'done');
  code.mov(r.edx, 0xcf9);
  code.mov(r.al, 6);
  code.out(r.dx, r.al);
  code.label('stop');
  code.hlt();
  code.jump('stop');
  const { bytes } = code.assemble().sections.get('kernel')!;
  const padded = new Uint8Array(Math.ceil(bytes.length / 16) * 16);
  padded.set(bytes);
  return padded;
}

type Code = ReturnType<typeof createAssembler>;

/** The byte in AL. */
function send(code: Code): void {
  code.mov(r.edx, COM1);
  code.out(r.dx, r.al);
}

/** A new line that starts with `text`. */
function print(code: Code, text: string): void {
  for (const character of `\r\n${text} `) {
    code.mov(r.al, character.charCodeAt(0));
    send(code);
  }
}

/** The dword at ESI, and a blank; ESI goes on. */
function printDword(code: Code): void {
  code.lodsd();
  code.mov(r.ebx, r.eax);
  code.mov(r.ecx, 8);
  countDown(code, r.ecx, () => {
    code.rol(r.ebx, 4);
    code.mov(r.eax, r.ebx);
    code.and(r.al, 0xf);
    code.add(r.al, 0x30);
    code.cmp(r.al, 0x3a);
    code.branch('b', 'printed');
    code.add(r.al, 0x27);
    code.label('printed');
    send(code);
  });
  code.mov(r.al, 0x20);
  send(code);
}

/** The text at ESI up to its zero. */
function printText(code: Code): void {
  repeat(code, ({ done }) => {
    code.mov(r.al, byte(r.esi));
    code.inc(r.esi);
    code.test(r.al, r.al);
    code.branch('z', done);
    send(code);
  });
}
