import { ECAM, IRQS, LOCAL_APIC, PORTS, RCBA } from '../../emulator/machine/memory-map.ts';
import type { Code } from './assembler/assembler.ts';
import { procedure, when } from './assembler/macros.ts';
import { byte, dword } from './assembler/operands.ts';
import { al, ax, cl, dx, eax, ecx, edi, edx, rbx } from './assembler/registers.ts';
import {
  CHIPSET_CONFIG,
  ELCR_VALUE,
  LPC_WRITES,
  MCH_WRITES,
  RCBA_WRITES,
  type RegisterWrite,
} from './chipset-registers.ts';
import { logLine } from './log.ts';

const PIC1 = PORTS.PIC1.base;
const PIC2 = PORTS.PIC2.base;

/** Initial values of the legacy chips: port and byte, in order. 8259: vectors 8 and 0x70, cascade on IRQ 2, all masked. */
const PORT_WRITES: readonly (readonly [port: number, value: number])[] = [
  [PIC1, 0x11],
  [PIC2, 0x11],
  [PIC1 + 1, 0x08],
  [PIC2 + 1, 0x70],
  [PIC1 + 1, 0x04],
  [PIC2 + 1, 0x02],
  [PIC1 + 1, 0x01],
  [PIC2 + 1, 0x01],
  [PIC1 + 1, 0xff],
  [PIC2 + 1, 0xff],
  [PORTS.ELCR.base, ELCR_VALUE & 0xff],
  [PORTS.ELCR.base + 1, ELCR_VALUE >> 8],
  // 8254: counter 0 in mode 2 at its slowest, 18.2 Hz.
  [PORTS.PIT.base + 3, 0x34],
  [PORTS.PIT.base, 0],
  [PORTS.PIT.base, 0],
];

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

export function emitChipset(code: Code): void {
  procedure(code, 'chipsetInit', [rbx], () => {
    for (const write of MCH_WRITES) configWrite(code, CHIPSET_CONFIG.MCH_DEVFN, write);
    for (const write of LPC_WRITES) configWrite(code, CHIPSET_CONFIG.LPC_DEVFN, write);
    code.mov(edi, RCBA.base);
    for (const { register, size, value } of RCBA_WRITES) {
      if (size === 1) code.mov(byte(edi, register), value);
      else code.mov(dword(edi, register), value);
    }
    for (const [port, value] of PORT_WRITES) outByte(code, port, value);
    emitMtrrs(code);
    code.mov(edi, LOCAL_APIC.base);
    for (const { offset, value } of LOCAL_APIC_WRITES) code.mov(dword(edi, offset), value);
    code.mov(ecx, ECAM.base);
    code.mov(edx, PORTS.PM.base);
    code.mov(eax, IRQS.SCI);
    logLine(code, 'chipset: PCIEXBAR {}, PMBASE {}, SCI on IRQ {}', ecx, edx, eax);
  });
}

function outByte(code: Code, port: number, value: number): void {
  code.mov(al, value);
  if (port < 0x100) {
    code.out(port, al);
    return;
  }
  code.mov(edx, port);
  code.out(dx, al);
}

function configWrite(code: Code, devfn: number, { register, size, value }: RegisterWrite): void {
  code.mov(edx, PORTS.CONFIG_ADDRESS.base);
  code.mov(eax, (CHIPSET_CONFIG.ENABLE | (devfn << 8) | (register & 0xfc)) >>> 0);
  code.out(dx, eax);
  code.mov(edx, PORTS.CONFIG_DATA.base + (register & 3));
  code.mov(eax, value);
  code.out(dx, size === 4 ? eax : size === 2 ? ax : al);
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

/** EDI = the high half of a mask over all physical address bits. Changes EAX, EBX, ECX and EDX. */
function emitMaskHigh(code: Code): void {
  code.mov(eax, 0x8000_0008);
  code.cpuid();
  code.mov(ecx, eax);
  code.sub(cl, 32);
  code.mov(edi, 1);
  code.shl(edi, cl);
  code.dec(edi);
}
