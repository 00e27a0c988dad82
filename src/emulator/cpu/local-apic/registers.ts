/** Registers of the local APIC as 16-byte slots of its page, or as MSR 0x800 + slot in x2APIC mode (SDM Vol. 3 §11.4.1, §11.12.1). */
export const APIC = {
  ID: 0x02,
  VERSION: 0x03,
  TPR: 0x08,
  APR: 0x09,
  PPR: 0x0a,
  EOI: 0x0b,
  RRD: 0x0c,
  LDR: 0x0d,
  DFR: 0x0e,
  SVR: 0x0f,
  ISR: 0x10,
  TMR: 0x18,
  IRR: 0x20,
  ESR: 0x28,
  ICR_LOW: 0x30,
  ICR_HIGH: 0x31,
  LVT_TIMER: 0x32,
  LVT_THERMAL: 0x33,
  LVT_PMC: 0x34,
  LVT_LINT0: 0x35,
  LVT_LINT1: 0x36,
  LVT_ERROR: 0x37,
  INITIAL_COUNT: 0x38,
  CURRENT_COUNT: 0x39,
  DIVIDE: 0x3e,
  SELF_IPI: 0x3f,
} as const;

/** Registers that x2APIC mode does not let MSR reads or writes reach: they raise #GP (SDM Vol. 3 table 11-6). */
export const X2APIC_UNREADABLE: ReadonlySet<number> = new Set([
  ...[APIC.APR, APIC.RRD, APIC.DFR, APIC.EOI, APIC.ICR_HIGH, APIC.SELF_IPI],
]);
export const X2APIC_UNWRITABLE: ReadonlySet<number> = new Set([APIC.ID, APIC.LDR, APIC.DFR, APIC.ICR_HIGH]);
/** Writes of anything but 0 raise #GP. */
export const X2APIC_ZERO_ONLY: ReadonlySet<number> = new Set([APIC.EOI, APIC.ESR]);

/** Integrated APIC (0x14) with six LVT entries (SDM Vol. 3 §11.4.8). */
export const APIC_VERSION = 0x0005_0014;

/** The six LVT entries from slot LVT_TIMER on: the bits that software can change (SDM Vol. 3 figure 11-8). */
export const LVT_WRITABLE: readonly number[] = [0x7_00ff, 0x1_07ff, 0x1_07ff, 0x1_a7ff, 0x1_a7ff, 0x1_00ff];
export const LVT_MASKED = 0x1_0000;
export const LVT_POLARITY_LOW = 0x2000;
export const LVT_REMOTE_IRR = 0x4000;
export const LVT_LEVEL = 0x8000;

export const SVR_ENABLE = 0x100;
export const SVR_WRITABLE = 0x1ff;

/** Bits 10:8 of ICR, LVT entries, redirection entries and MSI data. */
export const DELIVERY = { FIXED: 0, LOWEST: 1, SMI: 2, NMI: 4, INIT: 5, STARTUP: 6, EXTINT: 7 } as const;
export type DeliveryMode = (typeof DELIVERY)[keyof typeof DELIVERY];

export const ICR = { LOGICAL: 0x800, ASSERT: 0x4000, LEVEL: 0x8000, WRITABLE: 0xc_cfff } as const;
/** ICR bits 19:18. */
export const SHORTHAND = { NONE: 0, SELF: 1, ALL: 2, OTHERS: 3 } as const;

/** Error Status Register (SDM Vol. 3 §11.5.3). */
export const ESR = { SEND_ILLEGAL_VECTOR: 0x20, RECEIVE_ILLEGAL_VECTOR: 0x40, ILLEGAL_REGISTER: 0x80 } as const;

/** IA32_APIC_BASE (SDM Vol. 3 §11.4.4). */
export const APIC_BASE = { BSP: 1n << 8n, EXTD: 1n << 10n, EN: 1n << 11n, ADDRESS: 0xf_ffff_ffff_f000n } as const;
/** Where the page of every local APIC lies after reset. */
export const APIC_DEFAULT_BASE = 0xfee0_0000n;
