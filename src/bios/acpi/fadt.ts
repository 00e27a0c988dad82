import { IRQS, PORTS } from '../../emulator/machine/memory-map.ts';
import { APM, PM_BLOCK, RESET_VALUE } from '../../emulator/machine/power-management.ts';
import { ADDRESS_SPACES, encodeLayout, flagBits, type GenericAddress, gas, u8, u16, u32, u64 } from '../layout.ts';
import { type AcpiTable, finishTable, type OemIdentity, tableLayout } from './header.ts';

/** Fixed feature flags (ACPI 6.5 §5.2.9, table 5.10). */
export const FADT_FLAGS = {
  WBINVD: 0,
  WBINVD_FLUSH: 1,
  PROC_C1: 2,
  P_LVL2_UP: 3,
  PWR_BUTTON: 4,
  SLP_BUTTON: 5,
  FIX_RTC: 6,
  RTC_S4: 7,
  TMR_VAL_EXT: 8,
  DCK_CAP: 9,
  RESET_REG_SUP: 10,
  SEALED_CASE: 11,
  HEADLESS: 12,
  CPU_SW_SLP: 13,
  PCI_EXP_WAK: 14,
  USE_PLATFORM_CLOCK: 15,
  S4_RTC_STS_VALID: 16,
  REMOTE_POWER_ON_CAPABLE: 17,
  FORCE_APIC_CLUSTER_MODEL: 18,
  FORCE_APIC_PHYSICAL_DESTINATION_MODE: 19,
  HW_REDUCED_ACPI: 20,
  LOW_POWER_S0_IDLE_CAPABLE: 21,
} as const;

/** IA-PC boot architecture flags (ACPI 6.5 §5.2.9.3, table 5.11). */
export const IAPC_BOOT_ARCH = {
  LEGACY_DEVICES: 0,
  '8042': 1,
  VGA_NOT_PRESENT: 2,
  MSI_NOT_SUPPORTED: 3,
  PCIE_ASPM_CONTROLS: 4,
  CMOS_RTC_NOT_PRESENT: 5,
} as const;

/** Fixed ACPI Description Table (ACPI 6.5 §5.2.9, table 5.9). */
export const FADT = tableLayout('FADT', {
  FIRMWARE_CTRL: u32(36),
  DSDT: u32(40),
  RESERVED: u8(44),
  PREFERRED_PM_PROFILE: u8(45),
  SCI_INT: u16(46),
  SMI_CMD: u32(48),
  ACPI_ENABLE: u8(52),
  ACPI_DISABLE: u8(53),
  S4BIOS_REQ: u8(54),
  PSTATE_CNT: u8(55),
  PM1A_EVT_BLK: u32(56),
  PM1B_EVT_BLK: u32(60),
  PM1A_CNT_BLK: u32(64),
  PM1B_CNT_BLK: u32(68),
  PM2_CNT_BLK: u32(72),
  PM_TMR_BLK: u32(76),
  GPE0_BLK: u32(80),
  GPE1_BLK: u32(84),
  PM1_EVT_LEN: u8(88),
  PM1_CNT_LEN: u8(89),
  PM2_CNT_LEN: u8(90),
  PM_TMR_LEN: u8(91),
  GPE0_BLK_LEN: u8(92),
  GPE1_BLK_LEN: u8(93),
  GPE1_BASE: u8(94),
  CST_CNT: u8(95),
  P_LVL2_LAT: u16(96),
  P_LVL3_LAT: u16(98),
  FLUSH_SIZE: u16(100),
  FLUSH_STRIDE: u16(102),
  DUTY_OFFSET: u8(104),
  DUTY_WIDTH: u8(105),
  DAY_ALRM: u8(106),
  MON_ALRM: u8(107),
  CENTURY: u8(108),
  IAPC_BOOT_ARCH: u16(109, IAPC_BOOT_ARCH),
  RESERVED_2: u8(111),
  FLAGS: u32(112, FADT_FLAGS),
  RESET_REG: gas(116),
  RESET_VALUE: u8(128),
  ARM_BOOT_ARCH: u16(129),
  MINOR_VERSION: u8(131),
  X_FIRMWARE_CTRL: u64(132),
  X_DSDT: u64(140),
  X_PM1A_EVT_BLK: gas(148),
  X_PM1B_EVT_BLK: gas(160),
  X_PM1A_CNT_BLK: gas(172),
  X_PM1B_CNT_BLK: gas(184),
  X_PM2_CNT_BLK: gas(196),
  X_PM_TMR_BLK: gas(208),
  X_GPE0_BLK: gas(220),
  X_GPE1_BLK: gas(232),
  SLEEP_CONTROL_REG: gas(244),
  SLEEP_STATUS_REG: gas(256),
  HYPERVISOR_VENDOR_IDENTITY: u64(268),
});

export const FADT_REVISION = 6;
const FADT_MINOR_VERSION = 5;
/** CMOS index of the century, as QEMU's machine and SeaBIOS keep it. */
const CMOS_CENTURY = 0x32;
/** Above 100 µs there is no C2, above 1000 µs no C3 (ACPI 6.5 §5.2.9). */
const NO_C_STATE = 0xfff;

/** Accessed byte by byte as far as the register is wider: 0 leaves the choice to the OS, as QEMU does. */
function port(address: number, byteLength: number, accessSize = 0): GenericAddress {
  return { space: ADDRESS_SPACES.IO, bitWidth: 8 * byteLength, bitOffset: 0, accessSize, address };
}

/** Flat logical mode addresses 8 processors; with more the OS must use clusters, as QEMU says it. */
const FLAT_MODEL_CPUS = 8;

export function buildFadt(oem: OemIdentity, cpus: number): AcpiTable {
  const base = PORTS.PM.base;
  const block = {
    event: base + PM_BLOCK.PM1_EVT.offset,
    control: base + PM_BLOCK.PM1_CNT.offset,
    timer: base + PM_BLOCK.PM_TMR.offset,
    gpe0: base + PM_BLOCK.GPE0.offset,
  };
  const body = encodeLayout(FADT, {
    SCI_INT: IRQS.SCI,
    SMI_CMD: PORTS.APM.base,
    ACPI_ENABLE: APM.ENABLE,
    ACPI_DISABLE: APM.DISABLE,
    PM1A_EVT_BLK: block.event,
    PM1A_CNT_BLK: block.control,
    PM_TMR_BLK: block.timer,
    GPE0_BLK: block.gpe0,
    PM1_EVT_LEN: PM_BLOCK.PM1_EVT.byteLength,
    PM1_CNT_LEN: PM_BLOCK.PM1_CNT.byteLength,
    PM_TMR_LEN: PM_BLOCK.PM_TMR.byteLength,
    GPE0_BLK_LEN: PM_BLOCK.GPE0.byteLength,
    P_LVL2_LAT: NO_C_STATE,
    P_LVL3_LAT: NO_C_STATE,
    CENTURY: CMOS_CENTURY,
    // The board has ISA devices (COM1, RTC …) and an 8042, and no VGA unless a card brings one: the OS must not probe for it.
    IAPC_BOOT_ARCH: flagBits(IAPC_BOOT_ARCH, ['LEGACY_DEVICES', '8042', 'VGA_NOT_PRESENT']),
    // PWR_BUTTON clear: the power button is the fixed one of PM1_STS. SLP_BUTTON set: there is no fixed sleep button.
    FLAGS: flagBits(FADT_FLAGS, [
      'WBINVD',
      'PROC_C1',
      'SLP_BUTTON',
      'RTC_S4',
      'RESET_REG_SUP',
      'USE_PLATFORM_CLOCK',
      ...(cpus > FLAT_MODEL_CPUS ? (['FORCE_APIC_CLUSTER_MODEL'] as const) : []),
    ]),
    RESET_REG: port(PORTS.RESET_CONTROL.base, 1, 1),
    RESET_VALUE: RESET_VALUE,
    MINOR_VERSION: FADT_MINOR_VERSION,
    X_PM1A_EVT_BLK: port(block.event, PM_BLOCK.PM1_EVT.byteLength),
    X_PM1A_CNT_BLK: port(block.control, PM_BLOCK.PM1_CNT.byteLength),
    X_PM_TMR_BLK: port(block.timer, PM_BLOCK.PM_TMR.byteLength),
    X_GPE0_BLK: port(block.gpe0, PM_BLOCK.GPE0.byteLength),
  });
  return finishTable({ signature: 'FACP', revision: FADT_REVISION, oem }, body, {
    pointers: [
      { offset: FADT.fields.FIRMWARE_CTRL.offset, size: 4, target: 'FACS' },
      { offset: FADT.fields.DSDT.offset, size: 4, target: 'DSDT' },
      { offset: FADT.fields.X_FIRMWARE_CTRL.offset, size: 8, target: 'FACS' },
      { offset: FADT.fields.X_DSDT.offset, size: 8, target: 'DSDT' },
    ],
  });
}
