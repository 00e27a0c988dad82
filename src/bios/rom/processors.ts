import { FW_CFG_KEYS } from '../../emulator/machine/fw-cfg-keys.ts';
import { ECAM, LOCAL_APIC, PORTS } from '../../emulator/machine/memory-map.ts';
import type { Code } from './assembler/assembler.ts';
import { procedure, repeat, when } from './assembler/macros.ts';
import { dword, offsetIn, word } from './assembler/operands.ts';
import { al, cl, cs, eax, ecx, edi, edx, rbx } from './assembler/registers.ts';
import { readKey32 } from './fw-cfg.ts';
import { RESIDENT_SECTION } from './layout.ts';
import { logLine } from './log.ts';

/** MTRRs (SDM vol. 3 §11.11): RAM and high windows write-back by default, the PCI hole and legacy video uncached. */
const MSR = { MTRR_PHYSBASE0: 0x200, FIX64K_00000: 0x250, FIX16K_80000: 0x258, FIX4K_C0000: 0x268, DEF_TYPE: 0x2ff };
const MTRR_UNCACHED_RANGES = [
  { base: ECAM.base, byteLength: ECAM.size },
  { base: 0xc000_0000, byteLength: 0x4000_0000 },
];
const MEMORY_TYPES = { UC: 0, WP: 5, WB: 6 };

/** Local APIC in virtual wire mode (SDM vol. 3 §10.4.7): LINT0 takes the 8259's INTR, LINT1 NMI. */
const LOCAL_APIC_WRITES = [
  { offset: 0xf0, value: 0x1ff },
  { offset: 0x350, value: 0x8700 },
  { offset: 0x360, value: 0x8400 },
];

/** Interrupt commands to all but self (SDM vol. 3 §10.6.1): INIT, then start-up at the resident section's page. */
const ICR = { OFFSET: 0x300, INIT: 0x000c_4500, START_UP: 0x000c_4600 | (RESIDENT_SECTION.base >> 12) } as const;
/** Reads of port 0x80, a microsecond each on a real bus: 10 ms after INIT, at most a second for the processors. */
const INIT_DELAY = 10_000;
const START_DELAY = 1_000_000;

export function emitProcessors(code: Code): void {
  procedure(code, 'bootProcessorInit', [rbx], () => {
    emitMtrrs(code);
    code.mov(edi, LOCAL_APIC.base);
    for (const { offset, value } of LOCAL_APIC_WRITES) code.mov(dword(edi, offset), value);
  });
  /** The other processors get the same MTRRs, which Linux checks, and wait for the kernel's start-up. */
  procedure(code, 'startProcessors', [rbx], (leave) => {
    readKey32(code, FW_CFG_KEYS.NB_CPUS);
    code.mov(ecx, 0xffff);
    code.and(ecx, eax);
    code.cmp(ecx, 1);
    code.branch('be', leave);
    code.dec(ecx);
    code.mov(edi, LOCAL_APIC.base);
    code.mov(dword(edi, ICR.OFFSET), ICR.INIT);
    delay(code, INIT_DELAY);
    code.mov(dword(edi, ICR.OFFSET), ICR.START_UP);
    delay(code, START_DELAY, (done) => {
      code.cmp(ecx, dword('startedProcessors'));
      code.branch('be', done);
    });
    logLine(code, 'processors: {} of {} others ready', dword('startedProcessors'), ecx);
  });
}

/** Waits so many reads of the POST port, or until `poll` leaves. Changes AL and EDX. */
function delay(code: Code, count: number, poll: (done: string) => void = () => {}): void {
  code.mov(edx, count);
  repeat(code, ({ done }) => {
    poll(done);
    code.in(al, PORTS.POST.base);
    code.dec(edx);
    code.branch('z', done);
  });
}

/** Where start-up takes a processor: the first byte of the resident section, in real mode. It uses no stack. */
export function emitProcessorEntry(code: Code): void {
  code.bits(16);
  code.label('processorEntry');
  code.cli();
  emitMtrrs(code);
  code.lock();
  code.inc(word(cs, offsetIn(RESIDENT_SECTION.base, 'startedProcessors')));
  code.label('processorHalt');
  code.hlt();
  code.jump('processorHalt');
}

function writeMsr(code: Code, msr: number, low: number, high: number): void {
  code.mov(ecx, msr);
  code.mov(eax, low >>> 0);
  code.mov(edx, high >>> 0);
  code.wrmsr();
}

function fixedMtrr(code: Code, msr: number, type: number): void {
  const word = type * 0x0101_0101;
  writeMsr(code, msr, word, word);
}

/** In 16 and in 64-bit code. Changes EAX, EBX, ECX, EDX and EDI. */
function emitMtrrs(code: Code): void {
  code.mov(eax, 1);
  code.cpuid();
  code.test(edx, 1 << 12);
  when(code, 'nz', () => {
    writeMsr(code, MSR.DEF_TYPE, 0, 0);
    fixedMtrr(code, MSR.FIX64K_00000, MEMORY_TYPES.WB);
    fixedMtrr(code, MSR.FIX16K_80000, MEMORY_TYPES.WB);
    fixedMtrr(code, MSR.FIX16K_80000 + 1, MEMORY_TYPES.UC);
    for (let index = 0; index < 8; index++) fixedMtrr(code, MSR.FIX4K_C0000 + index, MEMORY_TYPES.WP);
    emitMaskHigh(code);
    for (const [index, { base, byteLength }] of MTRR_UNCACHED_RANGES.entries()) {
      writeMsr(code, MSR.MTRR_PHYSBASE0 + index * 2, base | MEMORY_TYPES.UC, 0);
      code.mov(ecx, MSR.MTRR_PHYSBASE0 + index * 2 + 1);
      code.mov(eax, (-byteLength | 0x800) >>> 0);
      code.mov(edx, edi);
      code.wrmsr();
    }
    writeMsr(code, MSR.DEF_TYPE, 0xc00 | MEMORY_TYPES.WB, 0);
  });
}

/** EDI = the high half of a mask over all physical address bits. */
function emitMaskHigh(code: Code): void {
  code.mov(eax, 0x8000_0008);
  code.cpuid();
  code.mov(ecx, eax);
  code.sub(cl, 32);
  code.mov(edi, 1);
  code.shl(edi, cl);
  code.dec(edi);
}
