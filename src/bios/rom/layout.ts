/**
 * Where the ROM's parts and its working memory stand. Guest-physical byte addresses. The image is linked for its shadow below 1 MiB
 * and starts in its alias below 4 GiB.
 */
import { FSEG, ROM_END, ROM_SHADOW } from '../../emulator/machine/memory-map.ts';
import { KIB } from '../../shared/bytes.ts';

export const ROM_BYTES = 128 * KIB;
export const ROM_BASE = ROM_END - ROM_BYTES;
/** What to add to a linked address to reach the same byte below 4 GiB. */
export const HIGH_ALIAS = ROM_BASE - ROM_SHADOW.base;

/** 64-bit code, constants and variables of the phases before the kernel. */
export const MAIN_SECTION = { name: 'main', base: ROM_SHADOW.base };
/** Texts and names. */
export const CONSTANTS_SECTION = { name: 'constants', base: ROM_SHADOW.base + 0x8000 };
/** Variables: zero in the image, written in the shadow. */
export const VARIABLES_SECTION = { name: 'variables', base: ROM_SHADOW.base + 0xc000 };
/** The F segment up to here belongs to the linker/loader's FSEG zone. */
export const FSEG_ZONE = { base: FSEG.base, end: FSEG.base + 0x8000 };
/** 16 and 32-bit code, GDT, e820 table and the services that stay when the kernel runs. */
export const RESIDENT_SECTION = { name: 'resident', base: FSEG_ZONE.end };
/** The first instruction after reset: 16 bytes below 4 GiB. */
export const RESET_VECTOR = { name: 'reset', base: ROM_SHADOW.base + ROM_SHADOW.size - 16 };

/** Working memory in conventional RAM; it is ordinary RAM for the kernel afterwards. */
export const LOW_MEMORY = {
  /** PML4, PDPT and four page directories: 4 GiB identity-mapped. The kernel starts on them. */
  PAGE_TABLES: 0x1000,
  STACK_TOP: 0x1_0000,
  FW_CFG_DIRECTORY: 0x1_0000,
  /** The linker/loader's script, later the kernel's setup sectors or ELF headers. */
  BUFFER: 0x2_0000,
  BUFFER_END: 0x8_0000,
  /** boot_params (4 KiB) or hvm_start_info with its tables. */
  BOOT_PARAMS: 0x9_0000,
  COMMAND_LINE: 0x9_4000,
  COMMAND_LINE_END: 0x9_8000,
} as const;

export const PAGE_TABLE_PAGES = 6;
/** Entries of the fw_cfg directory that have room at FW_CFG_DIRECTORY. */
export const FW_CFG_DIRECTORY_CAPACITY = 1024;
export const E820_CAPACITY = 96;

/** Selectors of the ROM's GDT. The kernel's 64-bit entry wants 0x10 and 0x18 (Linux boot protocol, 64-bit). */
export const SELECTORS = { CODE32: 0x08, CODE64: 0x10, DATA: 0x18, TSS: 0x20 } as const;

/** Codes on port 0x80: a phase when it begins, 0xe0 and up when the ROM has given up. */
export const POST_CODES = {
  RESET: 0x01,
  PROTECTED_MODE: 0x02,
  SHADOWED: 0x03,
  LONG_MODE: 0x04,
  CHIPSET: 0x10,
  FW_CFG: 0x20,
  PROCESSORS: 0x28,
  PCI_PLAN: 0x30,
  MEMORY_MAP: 0x40,
  TABLES: 0x50,
  SMBIOS: 0x60,
  SERVICES: 0x70,
  KERNEL: 0x80,
  ENTER: 0x8f,
  NO_LONG_MODE: 0xe0,
  NO_FW_CFG: 0xe1,
  BAD_PLAN: 0xe2,
  NO_MEMORY: 0xe3,
  BAD_SCRIPT: 0xe4,
  NO_FSEG: 0xe5,
  BAD_KERNEL: 0xe6,
  NO_ROOM_FOR_KERNEL: 0xe7,
  NO_KERNEL: 0xe8,
  DMA_ERROR: 0xe9,
} as const;
