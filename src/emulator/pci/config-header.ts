import type { BarConfig } from '../machine/config.ts';
import {
  bit,
  bits,
  type FieldSpec,
  plain,
  type RegisterSpec,
  type Registers,
  RO,
  RW,
  RW1C,
  reg8,
  reg16,
  reg32,
  reg64,
} from '../registers/declaration.ts';

/** Who a function says it is. */
export interface PciIdentity {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly revision: number;
  /** 24 bits: base class, subclass, programming interface. */
  readonly classCode: number;
  /** Type 0 only; a bridge has a capability for it. */
  readonly subsystemVendorId?: number;
  readonly subsystemId?: number;
}

/** What varies in the part of the header that both types share. */
export interface HeaderOptions {
  readonly identity: PciIdentity;
  readonly bars: readonly BarConfig[];
  /** 0 none, 1–4 INTA–INTD. */
  readonly interruptPin: number;
  /** Header type bit 7. */
  readonly multifunction?: boolean;
  /** Status bits of conventional devices: 66 MHz capable, fast back-to-back, as a 16-bit value. */
  readonly conventionalStatus?: number;
}

/** Subsystem ids that QEMU gives its devices, so that drivers take ours for the same. */
export const QEMU_SUBSYSTEM = { subsystemVendorId: 0x1af4, subsystemId: 0x1100 } as const;

/** Status bit 5 (66 MHz), bit 7 (fast back-to-back): conventional bridges and PXBs have both (PCI 3.0 §6.2.3). */
export const CONVENTIONAL_FAST = 0x00a0;

function statusFields(conventional: number, hasCapabilities: boolean): Record<string, FieldSpec> {
  return {
    INTERRUPT: bit(3, RO),
    CAPABILITIES_LIST: bit(4, RO, hasCapabilities ? 1 : 0),
    CAPABLE_66MHZ: bit(5, RO, (conventional >> 5) & 1),
    FAST_BACK_TO_BACK: bit(7, RO, (conventional >> 7) & 1),
    MASTER_DATA_PARITY_ERROR: bit(8, RW1C),
    DEVSEL: bits(10, 9, RO),
    SIGNALED_TARGET_ABORT: bit(11, RW1C),
    RECEIVED_TARGET_ABORT: bit(12, RW1C),
    RECEIVED_MASTER_ABORT: bit(13, RW1C),
    SIGNALED_SYSTEM_ERROR: bit(14, RW1C),
    DETECTED_PARITY_ERROR: bit(15, RW1C),
  };
}

/** Offsets 0–0x0f and the interrupt bytes: the same in every header (PCI 3.0 §6.1). */
function commonHeader(options: HeaderOptions, headerType: 0 | 1, capabilitiesPointer: number): Registers {
  const { identity } = options;
  return {
    VENDOR_ID: plain(0x00, 2, RO, identity.vendorId),
    DEVICE_ID: plain(0x02, 2, RO, identity.deviceId),
    COMMAND: reg16(0x04, {
      IO_SPACE: bit(0, RW),
      MEMORY_SPACE: bit(1, RW),
      BUS_MASTER: bit(2, RW),
      SERR: bit(8, RW),
      INTERRUPT_DISABLE: bit(10, RW),
    }),
    STATUS: reg16(0x06, statusFields(options.conventionalStatus ?? 0, capabilitiesPointer !== 0)),
    REVISION_ID: plain(0x08, 1, RO, identity.revision),
    CLASS_CODE: { offset: 0x09, size: 1, fields: { VALUE: bits(7, 0, RO, identity.classCode & 0xff) } },
    CLASS: plain(0x0a, 2, RO, identity.classCode >> 8),
    CACHE_LINE_SIZE: plain(0x0c, 1, RW),
    LATENCY_TIMER: plain(0x0d, 1, RO),
    HEADER_TYPE: reg8(0x0e, {
      LAYOUT: bits(6, 0, RO, headerType),
      MULTIFUNCTION: bit(7, RO, options.multifunction ? 1 : 0),
    }),
    CAPABILITIES_POINTER: plain(0x34, 1, RO, capabilitiesPointer),
    INTERRUPT_LINE: plain(0x3c, 1, RW),
    INTERRUPT_PIN: plain(0x3d, 1, RO, options.interruptPin),
  };
}

/** The header of an endpoint (PCI 3.0 §6.1, figure 6-1). */
export function type0Header(options: HeaderOptions, capabilitiesPointer: number): Registers {
  return {
    ...commonHeader(options, 0, capabilitiesPointer),
    ...barRegisters(options.bars),
    SUBSYSTEM_VENDOR_ID: plain(0x2c, 2, RO, options.identity.subsystemVendorId ?? 0),
    SUBSYSTEM_ID: plain(0x2e, 2, RO, options.identity.subsystemId ?? 0),
  };
}

/** What varies among bridges. */
export interface BridgeHeaderOptions extends HeaderOptions {
  /** Express ports wake with closed windows, conventional bridges with base = limit = 0, as QEMU's. */
  readonly closedAtReset: boolean;
  /** Writable bits of Bridge Control. */
  readonly bridgeControlMask: number;
}

/** The header of a PCI-PCI bridge (PCI-to-PCI Bridge 1.2 §3.2): 16-bit I/O, 64-bit prefetchable windows. */
export function type1Header(options: BridgeHeaderOptions, capabilitiesPointer: number): Registers {
  const closed = options.closedAtReset;
  return {
    ...commonHeader(options, 1, capabilitiesPointer),
    ...barRegisters(options.bars),
    PRIMARY_BUS: plain(0x18, 1, RW),
    SECONDARY_BUS: plain(0x19, 1, RW),
    SUBORDINATE_BUS: plain(0x1a, 1, RW),
    SECONDARY_LATENCY_TIMER: plain(0x1b, 1, RO),
    IO_BASE: reg8(0x1c, { TYPE: bits(3, 0, RO), BASE: bits(7, 4, RW, closed ? 0xf : 0) }),
    IO_LIMIT: reg8(0x1d, { TYPE: bits(3, 0, RO), LIMIT: bits(7, 4, RW) }),
    SECONDARY_STATUS: reg16(0x1e, statusFields(options.conventionalStatus ?? 0, false)),
    MEMORY_BASE: reg16(0x20, { BASE: bits(15, 4, RW, closed ? 0xfff : 0) }),
    MEMORY_LIMIT: reg16(0x22, { LIMIT: bits(15, 4, RW) }),
    PREFETCHABLE_BASE: reg16(0x24, { TYPE: bits(3, 0, RO, 1), BASE: bits(15, 4, RW, closed ? 0xfff : 0) }),
    PREFETCHABLE_LIMIT: reg16(0x26, { TYPE: bits(3, 0, RO, 1), LIMIT: bits(15, 4, RW) }),
    PREFETCHABLE_BASE_UPPER: plain(0x28, 4, RW),
    PREFETCHABLE_LIMIT_UPPER: plain(0x2c, 4, RW),
    BRIDGE_CONTROL: reg16(0x3e, bridgeControlFields(options.bridgeControlMask)),
  };
}

/** PCI-to-PCI Bridge 1.2 §3.2.5.17. A bit outside `mask` is not implemented. */
function bridgeControlFields(mask: number): Record<string, FieldSpec> {
  const positions = {
    PARITY_ERROR_RESPONSE: 0,
    SERR_ENABLE: 1,
    ISA_ENABLE: 2,
    VGA_ENABLE: 3,
    VGA_16BIT_DECODE: 4,
    MASTER_ABORT_MODE: 5,
    SECONDARY_BUS_RESET: 6,
    FAST_BACK_TO_BACK_ENABLE: 7,
    PRIMARY_DISCARD_TIMER: 8,
    SECONDARY_DISCARD_TIMER: 9,
    DISCARD_TIMER_SERR_ENABLE: 11,
  };
  return Object.fromEntries(
    Object.entries(positions).map(([name, position]) => [name, bit(position, (mask >> position) & 1 ? RW : RO)]),
  );
}

/** Register name of BAR `index`. */
export function barName(index: number): string {
  return `BAR${index}`;
}

function barRegisters(bars: readonly BarConfig[]): Registers {
  return Object.fromEntries(bars.map((bar) => [barName(bar.index), barRegister(bar)]));
}

/** BASE starts at log2(size): what software writes below it is lost, which is all that sizing needs (PCI 3.0 §6.2.5.1). */
function barRegister({ index, kind, size }: BarConfig): RegisterSpec {
  const offset = 0x10 + 4 * index;
  const lowest = Math.log2(size);
  if (!Number.isInteger(lowest)) throw new Error(`BAR ${index}: ${size} bytes are not a power of two`);
  if (kind === 'io') return reg32(offset, { SPACE: bits(1, 0, RO, 1), BASE: bits(31, lowest, RW) });
  const prefetchable = kind.endsWith('prefetchable') ? 1 : 0;
  if (kind.startsWith('mem32')) {
    return reg32(offset, { PREFETCHABLE: bit(3, RO, prefetchable), BASE: bits(31, lowest, RW) });
  }
  return reg64(offset, { TYPE: bits(2, 1, RO, 2), PREFETCHABLE: bit(3, RO, prefetchable), BASE: bits(63, lowest, RW) });
}
