import { bit, bits, plain, type Registers, RO, RW, RW1C, reg16, reg32, WO } from '../../registers/declaration.ts';
import type { Capability } from '../config-space.ts';

/** Device/Port Type (PCIe 5.0 §7.5.3.2). */
export const EXPRESS_PORT_TYPES = {
  endpoint: 0,
  rootPort: 4,
  upstreamPort: 5,
  downstreamPort: 6,
  rootComplexEndpoint: 9,
} as const;

/** Encoded link speed (PCIe 5.0 §7.5.3.6). */
export const LINK_SPEEDS = { '2.5GT/s': 1, '5GT/s': 2, '8GT/s': 3, '16GT/s': 4 } as const;

/** Device registers, common to every kind (PCIe 5.0 §7.5.3.3–5). */
function deviceRegisters(functionLevelReset: boolean): Registers {
  return {
    DEVCAP: reg32(4, {
      ROLE_BASED_ERROR_REPORTING: bit(15, RO, 1),
      FUNCTION_LEVEL_RESET: bit(28, RO, functionLevelReset ? 1 : 0),
    }),
    DEVCTL: reg16(8, {
      CORRECTABLE: bit(0, RW),
      NON_FATAL: bit(1, RW),
      FATAL: bit(2, RW),
      UNSUPPORTED_REQUEST: bit(3, RW),
      // Reads as 0 in either case; PciFunction resets the function when 1 is written and DEVCAP offers it.
      INITIATE_FLR: bit(15, WO),
    }),
    DEVSTA: reg16(10, {
      CORRECTABLE_DETECTED: bit(0, RW1C),
      NON_FATAL_DETECTED: bit(1, RW1C),
      FATAL_DETECTED: bit(2, RW1C),
      UNSUPPORTED_DETECTED: bit(3, RW1C),
    }),
  };
}

export interface SlotOptions {
  /** Physical slot number. */
  readonly slot: number;
  /** The slot takes hotplug: indicators, surprise, power control. */
  readonly hotplug: boolean;
}

/** PCI Express capability, version 2, of a root port with a slot (PCIe 5.0 §7.5.3). */
export function rootPortExpressCapability(port: number, slot: SlotOptions): Capability {
  const hotplug = slot.hotplug ? 1 : 0;
  return {
    name: 'EXP',
    id: 0x10,
    byteLength: 0x3c,
    registers: {
      PCIECAP: reg16(2, {
        VERSION: bits(3, 0, RO, 2),
        TYPE: bits(7, 4, RO, EXPRESS_PORT_TYPES.rootPort),
        SLOT: bit(8, RO, 1),
      }),
      ...deviceRegisters(false),
      LNKCAP: reg32(0xc, {
        MAX_SPEED: bits(3, 0, RO, LINK_SPEEDS['16GT/s']),
        MAX_WIDTH: bits(9, 4, RO, 32),
        ASPM: bits(11, 10, RO, 1),
        LINK_ACTIVE_REPORTING: bit(20, RO, 1),
        BANDWIDTH_NOTIFICATION: bit(21, RO, 1),
        PORT: bits(31, 24, RO, port),
      }),
      LNKCTL: plain(0x10, 2, RO),
      LNKSTA: reg16(0x12, {
        SPEED: bits(3, 0, RO, LINK_SPEEDS['16GT/s']),
        WIDTH: bits(9, 4, RO, 32),
        LINK_ACTIVE: bit(13, RO),
      }),
      SLTCAP: reg32(0x14, {
        ATTENTION_BUTTON: bit(0, RO, 1),
        POWER_CONTROLLER: bit(1, RO, 1),
        ATTENTION_INDICATOR: bit(3, RO, 1),
        POWER_INDICATOR: bit(4, RO, 1),
        SURPRISE: bit(5, RO, hotplug),
        HOTPLUG: bit(6, RO, hotplug),
        INTERLOCK: bit(17, RO, 1),
        SLOT: bits(31, 19, RO, slot.slot),
      }),
      SLTCTL: reg16(0x18, {
        ATTENTION_BUTTON_ENABLE: bit(0, RW),
        PRESENCE_ENABLE: bit(3, RW),
        COMMAND_COMPLETED_ENABLE: bit(4, RW),
        HOTPLUG_INTERRUPT_ENABLE: bit(5, RW),
        ATTENTION_INDICATOR: bits(7, 6, RW, 3),
        POWER_INDICATOR: bits(9, 8, RW, 3),
        POWER_OFF: bit(10, RW, 1),
        INTERLOCK: bit(11, WO),
      }),
      SLTSTA: reg16(0x1a, {
        ATTENTION_BUTTON_PRESSED: bit(0, RW1C),
        PRESENCE_CHANGED: bit(3, RW1C),
        COMMAND_COMPLETED: bit(4, RW1C),
        PRESENCE: bit(6, RO),
        INTERLOCK: bit(7, RO),
        LINK_CHANGED: bit(8, RW1C),
      }),
      RTCTL: reg16(0x1c, { CORRECTABLE: bit(0, RW), NON_FATAL: bit(1, RW), FATAL: bit(2, RW) }),
      RTCAP: plain(0x1e, 2, RO),
      RTSTA: plain(0x20, 4, RO),
      DEVCAP2: reg32(0x24, {
        ARI_FORWARDING: bit(5, RO, 1),
        EXTENDED_FORMAT: bit(20, RO, 1),
        TLP_PREFIX: bit(21, RO, 1),
      }),
      DEVCTL2: reg16(0x28, { ARI_FORWARDING: bit(5, RW), TLP_PREFIX_BLOCKING: bit(15, RW) }),
      DEVSTA2: plain(0x2a, 2, RO),
      LNKCAP2: reg32(0x2c, { SPEEDS: bits(7, 1, RO, 0b1111) }),
      LNKCTL2: reg16(0x30, { TARGET_SPEED: bits(3, 0, RO, LINK_SPEEDS['16GT/s']) }),
    },
  };
}

/** PCI Express capability, version 2, of an endpoint behind a port: 2.5 GT/s × 1, function level reset when asked for. */
export function endpointExpressCapability(options: { readonly functionLevelReset: boolean }): Capability {
  return {
    name: 'EXP',
    id: 0x10,
    byteLength: 0x3c,
    registers: {
      PCIECAP: reg16(2, { VERSION: bits(3, 0, RO, 2), TYPE: bits(7, 4, RO, EXPRESS_PORT_TYPES.endpoint) }),
      ...deviceRegisters(options.functionLevelReset),
      LNKCAP: reg32(0xc, {
        MAX_SPEED: bits(3, 0, RO, LINK_SPEEDS['2.5GT/s']),
        MAX_WIDTH: bits(9, 4, RO, 1),
        ASPM: bits(11, 10, RO, 1),
      }),
      LNKCTL: reg16(0x10, { COMMON_CLOCK: bit(6, RW), EXTENDED_SYNCH: bit(7, RW) }),
      LNKSTA: reg16(0x12, { SPEED: bits(3, 0, RO, LINK_SPEEDS['2.5GT/s']), WIDTH: bits(9, 4, RO, 1) }),
      DEVCAP2: reg32(0x24, { EXTENDED_FORMAT: bit(20, RO, 1), TLP_PREFIX: bit(21, RO, 1) }),
      DEVCTL2: reg16(0x28, { TLP_PREFIX_BLOCKING: bit(15, RW) }),
      LNKCAP2: plain(0x2c, 4, RO),
      LNKCTL2: plain(0x30, 4, RO),
    },
  };
}
