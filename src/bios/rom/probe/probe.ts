import { PORTS } from '../../../emulator/machine/memory-map.ts';
import { type Code, createAssembler } from '../assembler/assembler.ts';
import { invoke, repeat, when } from '../assembler/macros.ts';
import { byte, dword, qword } from '../assembler/operands.ts';
import { al, ax, dx, eax, ecx, edx, r8, rax, rbx } from '../assembler/registers.ts';
import { emitLog, log } from '../log.ts';
import { emitBars } from './bars.ts';
import { type ElfSegment, encodePvhElf } from './elf.ts';
import { emitInterrupts } from './interrupts.ts';
import { PROBE_END, PROBE_SECTIONS, PROBE_VECTORS } from './layout.ts';
import { emitPci } from './pci.ts';
import { PROBE_PROTOCOL_VERSION } from './protocol.ts';
import { emitReport } from './report.ts';
import { emitStart } from './start.ts';
import { emitTables } from './tables.ts';

export interface Probe {
  /** ELF with a PVH entry: give it to a machine as its kernel. */
  readonly bytes: Uint8Array;
  readonly symbols: ReadonlyMap<string, number>;
}

const QWORD_VARIABLES = [
  ...['ecamBase', 'ecamFirstBus', 'ecamLastBus', 'pm1aControl', 'dsdtAddress', 'functionCount'],
  ...['functionConfig', 'functionBus', 'functionDevice', 'functionNumber', 'firstMemoryBar'],
  ...['barIndex', 'barSlots', 'barKind', 'barBase', 'barSize', 'barDecode', 'echoOffset'],
  ...['interruptVector', 'interruptCount', 'acknowledgeAddress'],
];
/** `_S5_` in the DSDT's bytes, then PackageOp. */
const S5_NAME = 0x5f35_535f;
const AML = { PACKAGE_OP: 0x12, BYTE_PREFIX: 0x0a } as const;
const SLP_EN = 0x2000;

/** Assembles the probe guest: the same bytes every time. */
export function buildProbe(): Probe {
  const code = createAssembler();
  for (const { name, base } of PROBE_SECTIONS) code.section(name, base);
  code.section('main');
  emitStart(code);
  emitMain(code);
  for (const emit of [emitLog, emitReport, emitTables, emitPci, emitBars, emitInterrupts]) emit(code);
  emitPowerOff(code);
  code.section('variables');
  emitVariables(code);
  const { sections, symbols } = code.assemble();
  const first = PROBE_SECTIONS[0].base;
  const image = new Uint8Array(PROBE_END - first);
  for (const [index, { name, base }] of PROBE_SECTIONS.entries()) {
    const { bytes } = sections.get(name)!;
    const end = PROBE_SECTIONS[index + 1]?.base ?? PROBE_END;
    if (base + bytes.length > end) throw new Error(`probe section ${name} is ${bytes.length} bytes long`);
    image.set(bytes, base - first);
  }
  const segment: ElfSegment = { base: first, bytes: image };
  return { bytes: encodePvhElf(segment, symbols.get('pvhEntry')!), symbols };
}

function emitMain(code: Code): void {
  code.bits(64);
  code.label('probeMain');
  code.mov(rbx, r8);
  code.call('serialInit');
  code.mov(eax, PROBE_PROTOCOL_VERSION);
  log(code, '\r\nprobe begin version={}\r\n', rax);
  invoke(code, 'reportMemory', rbx);
  invoke(code, 'walkTables', rbx);
  code.call('scanBuses');
  log(code, 'probe end functions={}\r\n', qword('functionCount'));
  code.jump('powerOff');
}

/** S5 by the DSDT's `_S5_`, then isa-debug-exit, then nothing more. */
function emitPowerOff(code: Code): void {
  code.label('powerOff');
  code.mov(rbx, qword('dsdtAddress'));
  code.test(rbx, rbx);
  code.branch('z', 'debugExit');
  code.mov(ecx, dword(rbx, 4));
  repeat(code, ({ next, done }) => {
    code.sub(ecx, 1);
    code.branch('b', 'debugExit');
    code.inc(rbx);
    code.cmp(dword(rbx), S5_NAME);
    code.branch('nz', next);
    code.cmp(byte(rbx, 4), AML.PACKAGE_OP);
    code.branch('z', done);
  });
  // PackageOp, PkgLength of one byte, count; then the first element: Zero, One or a byte.
  code.movzx(eax, byte(rbx, 7));
  code.cmp(eax, AML.BYTE_PREFIX);
  when(code, 'z', () => code.movzx(eax, byte(rbx, 8)));
  code.shl(eax, 10);
  code.or(eax, SLP_EN);
  code.mov(edx, dword('pm1aControl'));
  code.out(dx, ax);
  code.label('debugExit');
  code.mov(edx, PORTS.ISA_DEBUG_EXIT.base);
  code.mov(al, 0);
  code.out(dx, al);
  code.jump('halt');
}

function emitVariables(code: Code): void {
  for (const name of QWORD_VARIABLES) {
    code.label(name);
    code.space(8);
  }
  code.align(16, 0);
  code.label('configCopy');
  code.space(0x100);
  code.label('idt');
  code.space(PROBE_VECTORS * 16);
}
