/** Bits of the control registers, EFER and the debug registers (SDM vol. 3 §2.5, §2.2.1, §17.2). Facts only. */

export const CR0_BITS = {
  PE: 1 << 0,
  MP: 1 << 1,
  EM: 1 << 2,
  TS: 1 << 3,
  ET: 1 << 4,
  NE: 1 << 5,
  WP: 1 << 16,
  AM: 1 << 18,
  NW: 1 << 29,
  CD: 1 << 30,
  PG: 0x8000_0000,
} as const;

export const CR4_BITS = {
  VME: 1 << 0,
  PVI: 1 << 1,
  TSD: 1 << 2,
  DE: 1 << 3,
  PSE: 1 << 4,
  PAE: 1 << 5,
  MCE: 1 << 6,
  PGE: 1 << 7,
  PCE: 1 << 8,
  OSFXSR: 1 << 9,
  OSXMMEXCPT: 1 << 10,
  UMIP: 1 << 11,
  LA57: 1 << 12,
  FSGSBASE: 1 << 16,
  PCIDE: 1 << 17,
  OSXSAVE: 1 << 18,
  SMEP: 1 << 20,
  SMAP: 1 << 21,
  PKE: 1 << 22,
} as const;

export const EFER_BITS = {
  SCE: 1 << 0,
  LME: 1 << 8,
  LMA: 1 << 10,
  NXE: 1 << 11,
} as const;

export const DR6_BITS = { B0: 1 << 0, BD: 1 << 13, BS: 1 << 14, BT: 1 << 15 } as const;
/** ENABLES: L0–G3. */
export const DR7_BITS = { ENABLES: 0xff, GD: 1 << 13 } as const;
/** DR6 and DR7 as they stand after a reset; the set bits read as 1 for ever. */
export const DR6_RESET = 0xffff_0ff0;
export const DR7_RESET = 0x0000_0400;

/** Width of a guest-physical address; CPUID 8000_0008h announces it and page tables must leave the bits above clear. */
export const PHYSICAL_ADDRESS_BITS = 40;
