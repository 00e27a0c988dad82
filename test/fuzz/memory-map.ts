/** Where everything stands in the fuzzer's machine: physical addresses below 1 MiB, linear ones above 256 MiB. */
export const RAM_BYTES = 0x2_0000;

/** Identity-mapped, for the supervisor only. */
export const KERNEL = {
  GDT: 0x1000,
  TSS: 0x1800,
  IDT: 0x2000,
  PML4: 0x4000,
  PDPT: 0x5000,
  DIRECTORY: 0x6000,
  /** Page table of the first 2 MiB: the kernel. */
  LOW_TABLE: 0x7000,
  /** Page table of the program's 2 MiB. */
  TABLE: 0x8000,
  STUBS: 0xa000,
  /** Counters of the handlers, and what a program tells them. */
  VARIABLES: 0xb000,
  HANDLERS: 0xc000,
  STACK_TOP: 0xe000,
  PAGES: 16,
} as const;

export const VARIABLES = {
  FAULTS: KERNEL.VARIABLES,
  INTERRUPTS: KERNEL.VARIABLES + 8,
  /** What the address to go on at is ORed with: the linear base of the code, 0 in 16-bit code. */
  CODE_BASE: KERNEL.VARIABLES + 16,
  /** RSP after a fault. */
  STACK: KERNEL.VARIABLES + 24,
} as const;

export const PAGE = 0x1000;
/** Code that a program may write to. 16-bit segments begin here. */
export const CODE = { linear: 0x1000_0000, physical: 0x1_0000, pages: 4 } as const;
const FIRST_DATA_PAGE = 8;
/** Pages behind the code, in this order. */
export const DATA_PAGES = ['plain', 'plain', 'readOnly', 'plain', 'absent', 'retry', 'device', 'plain'] as const;
export type DataPage = (typeof DATA_PAGES)[number];
export const DATA = {
  linear: CODE.linear + FIRST_DATA_PAGE * PAGE,
  physical: CODE.physical + FIRST_DATA_PAGE * PAGE,
  pages: DATA_PAGES.length,
} as const;

/** Linear address of the first page of a kind. */
export const dataPage = (kind: DataPage): number => DATA.linear + DATA_PAGES.indexOf(kind) * PAGE;
/** Page-table entry of a linear address of the program. */
export const entryOf = (linear: number): number => KERNEL.TABLE + ((linear >>> 12) & 0x1ff) * 8;
/** The page behind which a device stands: beyond RAM. */
export const DEVICE_GPA = 0x80_0000;

/** The stack is the last page. */
export const STACK_TOP = DATA.linear + DATA.pages * PAGE - 0x100;
/** Tables of code addresses for indirect jumps: in the last page too. */
export const JUMP_TABLE = DATA.linear + (DATA.pages - 1) * PAGE + 0x40;

/** Code comes in slots: a fault goes on at the next one. */
export const SLOT = 64;
export const SLOTS = (CODE.pages * PAGE) / SLOT;

export const SELECTORS = {
  KERNEL: 0x08,
  CODE_64: 0x18,
  CODE_32: 0x20,
  CODE_16: 0x28,
  DATA_32: 0x30,
  DATA_16: 0x38,
  TSS: 0x40,
};
export const TIMER_VECTOR = 0x30;

/** Ports: a read of TIME gives virtual time; a write to RAISE asserts the interrupt, one to ACKNOWLEDGE takes it back. */
export const PORTS = { ACKNOWLEDGE: 0x20, RAISE: 0x21, TIME: 0x40 } as const;
