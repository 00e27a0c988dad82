import { PORTS } from '../../emulator/machine/memory-map.ts';
import type { Code } from './assembler/assembler.ts';
import { al, ax, dx, eax, edx } from './assembler/registers.ts';
import { CHIPSET_CONFIG, type RegisterWrite } from './chipset-registers.ts';

/** A write to a function of bus 0 by CF8/CFC, in 32 and 64-bit code: needs no memory. Changes EAX and EDX. */
export function writeConfig(code: Code, devfn: number, { register, size, value }: RegisterWrite): void {
  code.mov(edx, PORTS.CONFIG_ADDRESS.base);
  code.mov(eax, (CHIPSET_CONFIG.ENABLE | (devfn << 8) | (register & 0xfc)) >>> 0);
  code.out(dx, eax);
  code.mov(edx, PORTS.CONFIG_DATA.base + (register & 3));
  code.mov(eax, value);
  code.out(dx, size === 4 ? eax : size === 2 ? ax : al);
}
