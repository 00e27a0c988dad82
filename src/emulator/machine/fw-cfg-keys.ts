/** Selector keys of fw_cfg, facts of QEMU's docs/specs/fw_cfg.rst and standard-headers/linux/qemu_fw_cfg.h. */
export const FW_CFG_KEYS = {
  SIGNATURE: 0x00,
  ID: 0x01,
  UUID: 0x02,
  RAM_SIZE: 0x03,
  NOGRAPHIC: 0x04,
  NB_CPUS: 0x05,
  MACHINE_ID: 0x06,
  KERNEL_ADDR: 0x07,
  KERNEL_SIZE: 0x08,
  KERNEL_CMDLINE: 0x09,
  INITRD_ADDR: 0x0a,
  INITRD_SIZE: 0x0b,
  BOOT_DEVICE: 0x0c,
  NUMA: 0x0d,
  BOOT_MENU: 0x0e,
  MAX_CPUS: 0x0f,
  KERNEL_ENTRY: 0x10,
  KERNEL_DATA: 0x11,
  INITRD_DATA: 0x12,
  CMDLINE_ADDR: 0x13,
  CMDLINE_SIZE: 0x14,
  CMDLINE_DATA: 0x15,
  SETUP_ADDR: 0x16,
  SETUP_SIZE: 0x17,
  SETUP_DATA: 0x18,
  FILE_DIR: 0x19,
  FILE_FIRST: 0x20,
  ACPI_TABLES: 0x8000,
  SMBIOS_ENTRIES: 0x8001,
  IRQ0_OVERRIDE: 0x8002,
  E820_TABLE: 0x8003,
} as const;

/** Bits of the ID item. */
export const FW_CFG_ID = { PORT_IO: 1, DMA: 2 } as const;

/** Control word of a DMA access; with SELECT, the key stands in bits 31:16. */
export const FW_CFG_DMA = { ERROR: 1, READ: 2, SKIP: 4, SELECT: 8, WRITE: 16 } as const;

/** Bytes of a name in the directory, its final NUL included. */
export const FW_CFG_NAME_BYTES = 56;
/** Bytes of a directory entry: size u32, select u16, reserved u16, name. */
export const FW_CFG_ENTRY_BYTES = 64;
