/** Bits of control registers and EFER that the ROM and its guests set (SDM vol. 3 §2.5, §2.2.1). */
export const CR0_PE = 1;
export const CR0_ET = 0x10;
export const CR0_PG = 0x8000_0000;
export const CR4_PAE = 1 << 5;
export const IA32_EFER = 0xc000_0080;
export const EFER_LME = 1 << 8;
