/** Layouts of tables that this toolkit does not build but that machines have: for readers of their text. */
import { bytes, type Fields, gas, type Layout, u8, u16, u32, u64 } from '../../layout.ts';
import { tableLayout } from '../header.ts';

/** By signature; entries behind the fixed part stay hexadecimal. */
export const EXTRA_FORMS: Readonly<Record<string, { readonly fixed: Layout<Fields> }>> = {
  // ACPI 6.5 §5.2.23
  BGRT: {
    fixed: tableLayout('BGRT', {
      VERSION: u16(36),
      STATUS: u8(38),
      IMAGE_TYPE: u8(39),
      IMAGE_ADDRESS: u64(40),
      IMAGE_OFFSET_X: u32(48),
      IMAGE_OFFSET_Y: u32(52),
    }),
  },
  // ACPI 6.5 §18.3.1
  BERT: { fixed: tableLayout('BERT', { REGION_LENGTH: u32(36), REGION_ADDRESS: u64(40) }) },
  // Simple Boot Flag specification 2.1
  BOOT: { fixed: tableLayout('BOOT', { CMOS_INDEX: u8(36), RESERVED: bytes(37, 3) }) },
  // Debug Port specification 1.0
  DBGP: { fixed: tableLayout('DBGP', { INTERFACE_TYPE: u8(36), RESERVED: bytes(37, 3), BASE_ADDRESS: gas(40) }) },
  // Debug Port Table 2
  DBG2: { fixed: tableLayout('DBG2', { INFO_OFFSET: u32(36), INFO_COUNT: u32(40) }) },
  // VT-d 4.1 §8.1
  DMAR: {
    fixed: tableLayout('DMAR', {
      HOST_ADDRESS_WIDTH: u8(36),
      FLAGS: u8(37, { INTR_REMAP: 0, X2APIC_OPT_OUT: 1, DMA_CTRL_PLATFORM_OPT_IN: 2 }),
      RESERVED: bytes(38, 10),
    }),
  },
  // ACPI 6.5 §5.2.16
  ECDT: { fixed: tableLayout('ECDT', { EC_CONTROL: gas(36), EC_DATA: gas(48), UID: u32(60), GPE_BIT: u8(64) }) },
  // AMD IOMMU 48882 §5.2
  IVRS: { fixed: tableLayout('IVRS', { IVINFO: u32(36), RESERVED: bytes(40, 8) }) },
  // Serial Port Console Redirection
  SPCR: {
    fixed: tableLayout('SPCR', {
      INTERFACE_TYPE: u8(36),
      RESERVED: bytes(37, 3),
      BASE_ADDRESS: gas(40),
      INTERRUPT_TYPE: u8(52),
      IRQ: u8(53),
      GSI: u32(54),
      BAUD_RATE: u8(58),
      PARITY: u8(59),
      STOP_BITS: u8(60),
      FLOW_CONTROL: u8(61),
      TERMINAL_TYPE: u8(62),
      LANGUAGE: u8(63),
      PCI_DEVICE_ID: u16(64),
      PCI_VENDOR_ID: u16(66),
      PCI_BUS: u8(68),
      PCI_DEVICE: u8(69),
      PCI_FUNCTION: u8(70),
      PCI_FLAGS: u32(71),
      PCI_SEGMENT: u8(75),
    }),
  },
  // TCG ACPI specification 1.2
  TPM2: {
    fixed: tableLayout('TPM2', {
      PLATFORM_CLASS: u16(36),
      RESERVED: u16(38),
      CONTROL_AREA: u64(40),
      START_METHOD: u32(48),
    }),
  },
  TCPA: {
    fixed: tableLayout('TCPA', { PLATFORM_CLASS: u16(36), LOG_AREA_MINIMUM_LENGTH: u32(38), LOG_AREA_START: u64(42) }),
  },
  // Windows SMM Security Mitigations Table
  WSMT: {
    fixed: tableLayout('WSMT', {
      PROTECTION_FLAGS: u32(36, {
        FIXED_COMM_BUFFERS: 0,
        COMM_BUFFER_NESTED_PTR_PROTECTION: 1,
        SYSTEM_RESOURCE_PROTECTION: 2,
      }),
    }),
  },
  // UEFI 2.10 appendix O
  UEFI: { fixed: tableLayout('UEFI', { IDENTIFIER: bytes(36, 16), DATA_OFFSET: u16(52) }) },
  // ACPI 6.5 §5.2.19
  MSCT: {
    fixed: tableLayout('MSCT', {
      PROXIMITY_OFFSET: u32(36),
      MAX_PROXIMITY_DOMAINS: u32(40),
      MAX_CLOCK_DOMAINS: u32(44),
      MAX_PHYSICAL_ADDRESS: u64(48),
    }),
  },
};
