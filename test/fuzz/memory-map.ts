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
  STUB_BYTES: 16,
  STACK_TOP: 0xe000,
  /** The stack that gates bring. */
  IST_TOP: 0xf000,
  PAGES: 16,
} as const;

export const VARIABLES = {
  FAULTS: KERNEL.VARIABLES,
  INTERRUPTS: KERNEL.VARIABLES + 8,
  /** What the address to go on at is ORed with: the linear base of the code, 0 in 16-bit code. */
  CODE_BASE: KERNEL.VARIABLES + 16,
  /** RSP after a fault. */
  STACK: KERNEL.VARIABLES + 24,
  /** Counts SYSCALL and SYSENTER: they return in one way or the other. */
  SYSTEM_CALLS: KERNEL.VARIABLES + 32,
  /** Where the system call keeps the program's RSP. */
  CALLER_STACK: KERNEL.VARIABLES + 40,
} as const;

/** Page tables of four levels; of the three of PAE; of two. The last two are for 32-bit kernels. */
export type Paging = 'long' | 'pae' | 'two-level';
/** Whether the gates of a 64-bit kernel bring a stack of their own; without, those for faults of CPL 0 use the program's. */
export type Gates = 'own-stack' | 'same-stack';

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

/** The second page of code once more. */
export const ALIAS = { linear: CODE.linear + 5 * PAGE, physical: CODE.physical + PAGE } as const;

/** Linear address of the first page of a kind. */
export const dataPage = (kind: DataPage): number => DATA.linear + DATA_PAGES.indexOf(kind) * PAGE;
/** Page-table entry of a linear address of the program. */
export const entryOf = (linear: number, paging: Paging): number =>
  KERNEL.TABLE + ((linear >>> 12) & 0x1ff) * (paging === 'two-level' ? 4 : 8);
/** The page behind which a device stands: beyond RAM. */
export const DEVICE_GPA = 0x80_0000;

/** The stack is the last page. */
export const STACK_TOP = DATA.linear + DATA.pages * PAGE - 0x100;
/** Tables of code addresses for indirect jumps: in the last page too. */
export const JUMP_TABLE = DATA.linear + (DATA.pages - 1) * PAGE + 0x40;

/** Numbers for floating-point units, 8 bytes each: behind the jump tables. */
export const DOUBLES = { linear: JUMP_TABLE + 0x100, count: 32 } as const;

/** Code comes in slots: a fault goes on at the next one. */
export const SLOT = 64;
export const SLOTS = (CODE.pages * PAGE) / SLOT;

/** In the order that SYSRET and SYSEXIT to 32-bit code ask for. */
export const SELECTORS = {
  KERNEL: 0x08,
  KERNEL_DATA: 0x10,
  CODE_32: 0x18,
  DATA_32: 0x20,
  CODE_64: 0x28,
  CODE_16: 0x30,
  DATA_16: 0x38,
  TSS: 0x40,
} as const;
/** What an INT of the program asks the kernel for, besides a skip: the other ring, the other code size. */
export const VECTORS = { TIMER: 0x30, OTHER_RING: 0x31, OTHER_WIDTH: 0x32 } as const;

/** Ports: a read of TIME gives virtual time; a write to RAISE asserts the interrupt, one to ACKNOWLEDGE takes it back. */
export const PORTS = { ACKNOWLEDGE: 0x20, RAISE: 0x21, TIME: 0x40 } as const;
