import type { DmaPort } from '../../machine/ports.ts';
import { bit, bits, plain, RO, RW, reg16, reg32 } from '../../registers/declaration.ts';
import type { RegisterFile } from '../../registers/register-file.ts';
import type { Capability } from '../config-space.ts';

/** Message Signalled Interrupts, 64-bit address, one vector, no mask bits (PCI 3.0 §6.8.1). */
export const MSI_CAPABILITY: Capability = {
  name: 'MSI',
  id: 0x05,
  byteLength: 14,
  registers: {
    CONTROL: reg16(2, {
      ENABLE: bit(0, RW),
      MULTIPLE_CAPABLE: bits(3, 1, RO),
      MULTIPLE_ENABLE: bits(6, 4, RO),
      ADDRESS_64: bit(7, RO, 1),
    }),
    ADDRESS: reg32(4, { ADDRESS: bits(31, 2, RW) }),
    ADDRESS_UPPER: plain(8, 4, RW),
    DATA: plain(12, 2, RW),
  },
};

/** Sends a function's MSI: a write of 4 bytes like any other bus-master access. */
export class Msi {
  readonly #registers: RegisterFile;
  readonly #dma: DmaPort;

  /** `dma` must be the function's own, which Bus Master Enable gates. */
  constructor(registers: RegisterFile, dma: DmaPort) {
    this.#registers = registers;
    this.#dma = dma;
  }

  get enabled(): boolean {
    return this.#registers.field('MSI.CONTROL', 'ENABLE') === 1;
  }

  /** Sends the message when MSI is enabled; says whether it was. */
  send(): boolean {
    if (!this.enabled) return false;
    const address = this.#registers.get('MSI.ADDRESS_UPPER') * 2 ** 32 + this.#registers.get('MSI.ADDRESS');
    const message = new Uint8Array(4);
    new DataView(message.buffer).setUint32(0, this.#registers.get('MSI.DATA'), true);
    this.#dma.write(address, message);
    return true;
  }
}
