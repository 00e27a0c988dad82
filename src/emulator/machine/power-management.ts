/**
 * Facts of the ICH9 power-management block that the FADT and the DSDT state and the chipset obeys. Offsets from PMBASE, bytes.
 * ICH9 §13.8.3; the values written to APM_CNT are the firmware's convention, as QEMU's machine has it.
 */
export const PM_BLOCK = {
  PM1_EVT: { offset: 0x00, byteLength: 4 },
  PM1_CNT: { offset: 0x04, byteLength: 2 },
  PM_TMR: { offset: 0x08, byteLength: 4 },
  GPE0: { offset: 0x20, byteLength: 16 },
} as const;

/** What the OS writes to APM_CNT (0xb2) to enter and leave ACPI mode. */
export const APM = { ENABLE: 2, DISABLE: 3 } as const;

/** Written to RST_CNT (0xcf9) for a full reset: SYS_RST, RST_CPU and FULL_RST, with bit 0 as QEMU has it. */
export const RESET_VALUE = 0x0f;

/** SLP_TYP (PM1_CNT bits 12:10) by convention: QEMU's and real ICH9's (ICH9 §13.8.3.3). */
export const SLEEP_TYPES = {
  qemu: { S3: 1, S5: 0 },
  ich9: { S3: 5, S5: 7 },
} as const;
