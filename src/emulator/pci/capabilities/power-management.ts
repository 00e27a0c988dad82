import { bit, bits, plain, RO, RW, reg16 } from '../../registers/declaration.ts';
import type { Capability } from '../config-space.ts';

/** Power management, version 3, no PME (PCI PM 1.2 §3.2). A function that has it decodes nothing outside D0. */
export const POWER_MANAGEMENT_CAPABILITY: Capability = {
  name: 'PM',
  id: 0x01,
  byteLength: 8,
  registers: {
    CAPABILITIES: reg16(2, { VERSION: bits(2, 0, RO, 3), PME_CLOCK: bit(3, RO) }),
    CONTROL: reg16(4, { POWER_STATE: bits(1, 0, RW), NO_SOFT_RESET: bit(3, RO) }),
    DATA: plain(6, 2, RO),
  },
};
