/** Where the probe guest lies. It is linked for these addresses; guest-physical bytes. */
import { MIB } from '../../../shared/bytes.ts';

export const PROBE_SECTIONS = [
  { name: 'main', base: MIB },
  { name: 'constants', base: MIB + 0x1_0000 },
  { name: 'variables', base: MIB + 0x1_8000 },
] as const;
/** End of what is loaded. */
export const PROBE_END = MIB + 0x1_c000;
export const PROBE_STACK_TOP = MIB + 0xf_0000;
/** PML4, two PDPTs, 1024 page directories: 1 TiB identity-mapped in 2 MiB pages, because BARs lie above all RAM. */
export const PROBE_PAGE_TABLES = 2 * MIB;
export const PROBE_PAGE_DIRECTORIES = 1024;

export const PROBE_SELECTORS = { CODE32: 0x08, CODE64: 0x10, DATA: 0x18 } as const;

/** I/O APIC inputs that PIRQs reach, and the vectors they get. */
export const PROBE_FIRST_VECTOR = 0x30;
export const PROBE_SPURIOUS_VECTOR = 0x3f;
export const PROBE_VECTORS = 0x40;
