/** Numbers of the model-specific registers (SDM vol. 4 chapter 2). Facts only. */
export const MSR = {
  P5_MC_ADDR: 0x0,
  P5_MC_TYPE: 0x1,
  TSC: 0x10,
  PLATFORM_ID: 0x17,
  APIC_BASE: 0x1b,
  EBL_CR_POWERON: 0x2a,
  FEATURE_CONTROL: 0x3a,
  TSC_ADJUST: 0x3b,
  BIOS_UPDT_TRIG: 0x79,
  BIOS_SIGN_ID: 0x8b,
  FSB_FREQ: 0xcd,
  PLATFORM_INFO: 0xce,
  MTRRCAP: 0xfe,
  BBL_CR_CTL3: 0x11e,
  MISC_FEATURES_ENABLES: 0x140,
  SYSENTER_CS: 0x174,
  SYSENTER_ESP: 0x175,
  SYSENTER_EIP: 0x176,
  MCG_CAP: 0x179,
  MCG_STATUS: 0x17a,
  MCG_CTL: 0x17b,
  PERF_STATUS: 0x198,
  PERF_CTL: 0x199,
  CLOCK_MODULATION: 0x19a,
  THERM_INTERRUPT: 0x19b,
  THERM_STATUS: 0x19c,
  MISC_ENABLE: 0x1a0,
  DEBUGCTL: 0x1d9,
  LASTBRANCHFROMIP: 0x1db,
  LASTBRANCHTOIP: 0x1dc,
  LASTINTFROMIP: 0x1dd,
  LASTINTTOIP: 0x1de,
  MTRR_PHYSBASE0: 0x200,
  MTRR_FIX64K_00000: 0x250,
  MTRR_FIX16K_80000: 0x258,
  MTRR_FIX16K_A0000: 0x259,
  MTRR_FIX4K_C0000: 0x268,
  PAT: 0x277,
  MTRR_DEF_TYPE: 0x2ff,
  MC0_CTL: 0x400,
  TSC_DEADLINE: 0x6e0,
  X2APIC: 0x800,
  XSS: 0xda0,
  EFER: 0xc000_0080,
  STAR: 0xc000_0081,
  LSTAR: 0xc000_0082,
  CSTAR: 0xc000_0083,
  SFMASK: 0xc000_0084,
  FS_BASE: 0xc000_0100,
  GS_BASE: 0xc000_0101,
  KERNEL_GS_BASE: 0xc000_0102,
  TSC_AUX: 0xc000_0103,
} as const;

export const X2APIC_REGISTERS = 0x100;
export const VARIABLE_MTRRS = 8;
export const MACHINE_CHECK_BANKS = 4;
/** MTRRCAP: eight variable ranges, fixed ranges, write-combining. */
export const MTRRCAP_VALUE = 0x508n;
/** MCG_CAP: four banks and MCG_CTL. */
export const MCG_CAP_VALUE = 0x104n;
/** IA32_PAT at reset: WB WT UC− UC, twice. */
export const PAT_RESET = 0x0007_0406_0007_0406n;
/** MISC_ENABLE at reset: fast strings; no branch trace store, no precise sampling. */
export const MISC_ENABLE_RESET = 0x1801n;
/** FEATURE_CONTROL at reset: locked, nothing enabled (no VMX, no SGX). */
export const FEATURE_CONTROL_RESET = 1n;
