import { ascii, bytes, type Fields, type Layout, layout, u8, u16, u32, u64 } from '../layout.ts';

/** SMBIOS structures (DSP0134 3.x §7), as far as this board has them. A string field holds the number of a string behind the structure. */
const HEADER = { TYPE: u8(0), LENGTH: u8(1), HANDLE: u16(2) };

function structure<F extends Fields>(name: string, fields: F, byteLength?: number): Layout<typeof HEADER & F> {
  return layout(name, { ...HEADER, ...fields }, byteLength);
}

/** Bit 7 of the first: PCI. */
export const BIOS_CHARACTERISTICS = {
  PCI: 7,
  PLUG_AND_PLAY: 9,
  UPGRADEABLE: 11,
  SHADOWING: 12,
  SELECTABLE_BOOT: 16,
} as const;
export const BIOS_EXTENSION_1 = { ACPI: 0 } as const;
export const BIOS_EXTENSION_2 = { TARGETED_CONTENT: 2, VIRTUAL_MACHINE: 4 } as const;

export const SMBIOS_STRUCTURES = {
  /** §7.1 */
  BIOS: structure('BIOS Information', {
    VENDOR: u8(4),
    VERSION: u8(5),
    STARTING_SEGMENT: u16(6),
    RELEASE_DATE: u8(8),
    ROM_SIZE: u8(9),
    CHARACTERISTICS: u64(0x0a),
    EXTENSION_1: u8(0x12, BIOS_EXTENSION_1),
    EXTENSION_2: u8(0x13, BIOS_EXTENSION_2),
    MAJOR_RELEASE: u8(0x14),
    MINOR_RELEASE: u8(0x15),
    EC_MAJOR_RELEASE: u8(0x16),
    EC_MINOR_RELEASE: u8(0x17),
  }),
  /** §7.2 */
  SYSTEM: structure('System Information', {
    MANUFACTURER: u8(4),
    PRODUCT: u8(5),
    VERSION: u8(6),
    SERIAL: u8(7),
    UUID: bytes(8, 16),
    WAKE_UP_TYPE: u8(0x18),
    SKU: u8(0x19),
    FAMILY: u8(0x1a),
  }),
  /** §7.4 */
  CHASSIS: structure('System Enclosure', {
    MANUFACTURER: u8(4),
    CHASSIS_TYPE: u8(5),
    VERSION: u8(6),
    SERIAL: u8(7),
    ASSET_TAG: u8(8),
    BOOT_UP_STATE: u8(9),
    POWER_SUPPLY_STATE: u8(0x0a),
    THERMAL_STATE: u8(0x0b),
    SECURITY_STATUS: u8(0x0c),
    OEM: u32(0x0d),
    HEIGHT: u8(0x11),
    POWER_CORDS: u8(0x12),
    CONTAINED_COUNT: u8(0x13),
    CONTAINED_LENGTH: u8(0x14),
    SKU: u8(0x15),
  }),
  /** §7.5; the fields from 0x2a on came with 3.0. */
  PROCESSOR: structure('Processor Information', {
    SOCKET: u8(4),
    PROCESSOR_TYPE: u8(5),
    FAMILY: u8(6),
    MANUFACTURER: u8(7),
    PROCESSOR_ID: u64(8),
    VERSION: u8(0x10),
    VOLTAGE: u8(0x11),
    EXTERNAL_CLOCK: u16(0x12),
    MAX_SPEED: u16(0x14),
    CURRENT_SPEED: u16(0x16),
    STATUS: u8(0x18),
    UPGRADE: u8(0x19),
    L1_HANDLE: u16(0x1a),
    L2_HANDLE: u16(0x1c),
    L3_HANDLE: u16(0x1e),
    SERIAL: u8(0x20),
    ASSET_TAG: u8(0x21),
    PART: u8(0x22),
    CORE_COUNT: u8(0x23),
    CORE_ENABLED: u8(0x24),
    THREAD_COUNT: u8(0x25),
    CHARACTERISTICS: u16(0x26),
    FAMILY_2: u16(0x28),
    CORE_COUNT_2: u16(0x2a),
    CORE_ENABLED_2: u16(0x2c),
    THREAD_COUNT_2: u16(0x2e),
  }),
  /** §7.17 */
  MEMORY_ARRAY: structure('Physical Memory Array', {
    LOCATION: u8(4),
    USE: u8(5),
    ERROR_CORRECTION: u8(6),
    MAXIMUM_CAPACITY: u32(7),
    ERROR_HANDLE: u16(0x0b),
    DEVICE_COUNT: u16(0x0d),
    EXTENDED_MAXIMUM_CAPACITY: u64(0x0f),
  }),
  /** §7.18 */
  MEMORY_DEVICE: structure('Memory Device', {
    ARRAY_HANDLE: u16(4),
    ERROR_HANDLE: u16(6),
    TOTAL_WIDTH: u16(8),
    DATA_WIDTH: u16(0x0a),
    SIZE: u16(0x0c),
    FORM_FACTOR: u8(0x0e),
    DEVICE_SET: u8(0x0f),
    DEVICE_LOCATOR: u8(0x10),
    BANK_LOCATOR: u8(0x11),
    MEMORY_TYPE: u8(0x12),
    TYPE_DETAIL: u16(0x13),
    SPEED: u16(0x15),
    MANUFACTURER: u8(0x17),
    SERIAL: u8(0x18),
    ASSET_TAG: u8(0x19),
    PART: u8(0x1a),
    ATTRIBUTES: u8(0x1b),
    EXTENDED_SIZE: u32(0x1c),
    CONFIGURED_SPEED: u16(0x20),
    MINIMUM_VOLTAGE: u16(0x22),
    MAXIMUM_VOLTAGE: u16(0x24),
    CONFIGURED_VOLTAGE: u16(0x26),
  }),
  /** §7.20 */
  MEMORY_MAPPED_ADDRESS: structure('Memory Array Mapped Address', {
    STARTING_ADDRESS: u32(4),
    ENDING_ADDRESS: u32(8),
    ARRAY_HANDLE: u16(0x0c),
    PARTITION_WIDTH: u8(0x0e),
    EXTENDED_STARTING_ADDRESS: u64(0x0f),
    EXTENDED_ENDING_ADDRESS: u64(0x17),
  }),
  /** §7.33 */
  BOOT: structure('System Boot Information', { RESERVED: bytes(4, 6), STATUS: u8(0x0a) }),
  /** §7.45 */
  END: structure('End-of-Table', {}),
};

export type SmbiosKind = keyof typeof SMBIOS_STRUCTURES;

export const SMBIOS_TYPES: Readonly<Record<SmbiosKind, number>> = {
  BIOS: 0,
  SYSTEM: 1,
  CHASSIS: 3,
  PROCESSOR: 4,
  MEMORY_ARRAY: 16,
  MEMORY_DEVICE: 17,
  MEMORY_MAPPED_ADDRESS: 19,
  BOOT: 32,
  END: 127,
};

/** Length of the processor structure before 3.0. */
export const PROCESSOR_BYTES_2_8 = 0x2a;

/** The 64-bit entry point (§5.2.2). */
export const ENTRY_POINT_64 = layout('SMBIOS 3.0 entry point', {
  ANCHOR: ascii(0, 5),
  CHECKSUM: u8(5),
  LENGTH: u8(6),
  MAJOR: u8(7),
  MINOR: u8(8),
  DOCREV: u8(9),
  REVISION: u8(0x0a),
  RESERVED: u8(0x0b),
  TABLE_MAXIMUM_BYTES: u32(0x0c),
  TABLE_ADDRESS: u64(0x10),
});

/** The 32-bit entry point (§5.2.1). The second checksum covers the bytes from 0x10 on. */
export const ENTRY_POINT_32 = layout('SMBIOS 2.1 entry point', {
  ANCHOR: ascii(0, 4),
  CHECKSUM: u8(4),
  LENGTH: u8(5),
  MAJOR: u8(6),
  MINOR: u8(7),
  MAXIMUM_STRUCTURE_BYTES: u16(8),
  REVISION: u8(0x0a),
  FORMATTED_AREA: bytes(0x0b, 5),
  INTERMEDIATE_ANCHOR: ascii(0x10, 5),
  INTERMEDIATE_CHECKSUM: u8(0x15),
  TABLE_BYTES: u16(0x16),
  TABLE_ADDRESS: u32(0x18),
  STRUCTURE_COUNT: u16(0x1c),
  BCD_REVISION: u8(0x1e),
});
export const INTERMEDIATE_OFFSET = 0x10;
