import { bit, bits, plain, RO, RW, reg8 } from '../../registers/declaration.ts';
import type { Capability, ExtendedCapability } from '../config-space.ts';

/** Subsystem ids of a bridge, which has no room for them in its header (PCI-to-PCI Bridge 1.2 §3.2.6). */
export function subsystemIdCapability(subsystemVendorId: number, subsystemId: number): Capability {
  return {
    name: 'SSVID',
    id: 0x0d,
    byteLength: 8,
    registers: {
      RESERVED: plain(2, 2, RO),
      SUBSYSTEM_VENDOR_ID: plain(4, 2, RO, subsystemVendorId),
      SUBSYSTEM_ID: plain(6, 2, RO, subsystemId),
    },
  };
}

/** Slot numbering: expansion slots and chassis (PCI-to-PCI Bridge 1.2 §13). */
export function slotIdCapability(slots: number, chassis: number): Capability {
  return {
    name: 'SLOTID',
    id: 0x04,
    byteLength: 4,
    registers: {
      EXPANSION_SLOT: reg8(2, { SLOTS: bits(4, 0, RO, slots), FIRST_IN_CHASSIS: bit(5, RO, 1) }),
      CHASSIS: plain(3, 1, RW, chassis),
    },
  };
}

/** Device serial number (PCIe 5.0 §7.9.3): two halves, low first. */
export function serialNumberCapability(low: number, high: number): ExtendedCapability {
  return {
    name: 'DSN',
    id: 0x03,
    version: 1,
    byteLength: 12,
    registers: { SERIAL_LOW: plain(4, 4, RO, low), SERIAL_HIGH: plain(8, 4, RO, high) },
  };
}
