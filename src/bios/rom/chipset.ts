import { ECAM, IRQS, PORTS, RCBA } from '../../emulator/machine/memory-map.ts';
import type { Code } from './assembler/assembler.ts';
import { procedure } from './assembler/macros.ts';
import { byte, dword } from './assembler/operands.ts';
import { al, dx, eax, ecx, edi, edx } from './assembler/registers.ts';
import { CHIPSET_CONFIG, ELCR_VALUE, LPC_WRITES, MCH_WRITES, RCBA_WRITES } from './chipset-registers.ts';
import { writeConfig } from './config-access.ts';
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
  // 8042: command byte with both interrupts, self-test passed, scan codes translated to set 1, which systems take for a PC's keyboard.
  [PORTS.I8042_COMMAND.base, 0x60],
  [PORTS.I8042_DATA.base, 0x47],
];

export function emitChipset(code: Code): void {
  procedure(code, 'chipsetInit', [], () => {
    for (const write of MCH_WRITES) writeConfig(code, CHIPSET_CONFIG.MCH_DEVFN, write);
    for (const write of LPC_WRITES) writeConfig(code, CHIPSET_CONFIG.LPC_DEVFN, write);
    code.mov(edi, RCBA.base);
    for (const { register, size, value } of RCBA_WRITES) {
      if (size === 1) code.mov(byte(edi, register), value);
      else code.mov(dword(edi, register), value);
    }
    for (const [port, value] of PORT_WRITES) outByte(code, port, value);
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
