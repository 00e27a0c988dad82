/**
 * The physical map of the Q35 machine, in order. Facts only: the machine, the firmware's tables and the PCI plan all derive from
 * these. Addresses are guest-physical byte addresses, sizes are bytes.
 */

/** Real-mode vectors, BDA and conventional memory end where the EBDA starts. */
export const EBDA = { base: 0x9_fc00, size: 0x400 };
/** Legacy video memory: SMRAM lies under it (MCH §3.8.38). */
export const LEGACY_VGA = { base: 0xa_0000, size: 0x2_0000 };
/** The area that PAM0–6 steer between RAM and the ROM (MCH §5.1.8). */
export const PAM_AREA = { base: 0xc_0000, size: 0x4_0000 };
/** The last 128 KiB below 1 MiB, where the ROM shows at reset. */
export const ROM_SHADOW = { base: 0xe_0000, size: 0x2_0000 };
/** The last segment below 1 MiB: the FSEG zone of the linker/loader; RSDP and SMBIOS anchors are searched here. */
export const FSEG = { base: 0xf_0000, size: 0x1_0000 };
/** RAM below 4 GiB never reaches higher than this (TOLUD's limit with PCIEXBAR at its base). */
export const MAX_LOW_RAM = 0x8000_0000;
/** Least RAM that a kernel with its initramfs starts in. */
export const MIN_RAM = 0x400_0000;
/** Most RAM of a board: one wasm32 memory holds all of it beside the engine's own tables. */
export const MAX_RAM = 0xe000_0000;
/** CPUID's MAXPHYADDR: every BAR and window ends below 2^40, as under QEMU's TCG. */
export const PHYSICAL_ADDRESS_BITS = 40;
/** ECAM window, buses 0–255 (PCIEXBAR): the firmware's policy, as SeaBIOS and coreboot have it. */
export const ECAM = { base: 0xb000_0000, size: 0x1000_0000 };
/** 32-bit PCI window: BARs and bridge windows below 4 GiB. */
export const PCI_HOLE_32 = { base: 0xc000_0000, size: 0x3eb0_0000 };
/** I/O APIC; one page is decoded. */
export const IOAPIC = { base: 0xfec0_0000, size: 0x1000 };
export const HPET = { base: 0xfed0_0000, size: 0x400 };
/** Root Complex Base Address block of ICH9 (RCBA). */
export const RCBA = { base: 0xfed1_c000, size: 0x4000 };
export const LOCAL_APIC = { base: 0xfee0_0000, size: 0x10_0000 };
/** The one page of it that holds the local APIC's registers; the rest takes MSIs. */
export const LOCAL_APIC_PAGE = { base: 0xfee0_0000, size: 0x1000 };
/** The firmware ROM ends at 4 GiB. */
export const ROM_END = 0x1_0000_0000;
/** What is reserved for it: the largest image that the toolkit builds. */
export const ROM_AREA = { base: 0xfffc_0000, size: 0x4_0000 };
/** RAM that does not fit below 4 GiB continues here. */
export const HIGH_RAM_BASE = 0x1_0000_0000;

/** I/O ports of the board, in order: inclusive base and count. */
export const PORTS = {
  DMA1: { base: 0x00, count: 0x10 },
  PIC1: { base: 0x20, count: 2 },
  PIT: { base: 0x40, count: 4 },
  I8042_DATA: { base: 0x60, count: 1 },
  NMI_STATUS: { base: 0x61, count: 1 },
  I8042_COMMAND: { base: 0x64, count: 1 },
  RTC: { base: 0x70, count: 2 },
  POST: { base: 0x80, count: 1 },
  DMA_PAGE: { base: 0x81, count: 0xf },
  PORT92: { base: 0x92, count: 1 },
  PIC2: { base: 0xa0, count: 2 },
  APM: { base: 0xb2, count: 2 },
  DMA2: { base: 0xc0, count: 0x20 },
  DEBUGCON_E9: { base: 0xe9, count: 1 },
  FPU_BUSY: { base: 0xf0, count: 2 },
  COM1: { base: 0x3f8, count: 8 },
  DEBUGCON: { base: 0x402, count: 1 },
  ELCR: { base: 0x4d0, count: 2 },
  ISA_DEBUG_EXIT: { base: 0x501, count: 4 },
  FW_CFG: { base: 0x510, count: 12 },
  PM: { base: 0x600, count: 0x80 },
  CONFIG_ADDRESS: { base: 0xcf8, count: 4 },
  RESET_CONTROL: { base: 0xcf9, count: 1 },
  CONFIG_DATA: { base: 0xcfc, count: 4 },
} as const;

/** I/O window of the PCI host bridges above the ISA ports. */
export const PCI_IO_WINDOW = { base: 0x1000, size: 0xf000 };

/** ISA interrupts (8259 lines) and the GSIs that the I/O APIC adds. */
export const IRQS = { PIT: 0, KEYBOARD: 1, COM1: 4, RTC: 8, SCI: 9, MOUSE: 12 } as const;
/** GSI 16–23 are PIRQA–PIRQH (ICH9 §5.9.3). */
export const FIRST_PIRQ_GSI = 16;
export const IOAPIC_PINS = 24;
/** 8259 lines that PIRQA–H may be routed to; they are level-sensitive. */
export const PIRQ_IRQS = [5, 10, 11] as const;

/** RAM split: half below 4 GiB, at most MAX_LOW_RAM, in whole MiB, so that 64-bit e820 is exercised at every size. */
export function lowRamBytes(ramBytes: number): number {
  const half = Math.floor(ramBytes / 2 / 0x10_0000) * 0x10_0000;
  return Math.min(half, MAX_LOW_RAM);
}
