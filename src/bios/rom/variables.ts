import type { Code } from './assembler/assembler.ts';
import { E820_CAPACITY } from './layout.ts';

/** Working form of a memory map entry: { base u64, end u64, type u64 }; finished, the second is the size. */
export const E820_WORK_BYTES = 24;
/** Linker/loader files: { name, address, size }, each u64. */
export const LOADER_FILE_BYTES = 24;
export const LOADER_FILE_CAPACITY = 64;

/** Variables of the 64-bit phases: name and bytes. All are zero when the ROM starts. */
const VARIABLES = {
  /** fw_cfg DMA descriptor (big-endian): control u32, length u32, address u64. */
  fwCfgDescriptor: 16,
  /** Scratch for small fw_cfg items and plan entries. */
  fwCfgScratch: 32,
  fwCfgFileCount: 8,
  /** End of RAM below 4 GiB, and the lowest byte of it that the ROM has handed out. */
  lowRamEnd: 8,
  highZoneStart: 8,
  /** End of what is used in the FSEG zone. */
  fsegZoneEnd: 8,
  rsdpAddress: 8,
  loaderFileCount: 8,
  loaderFiles: LOADER_FILE_BYTES * LOADER_FILE_CAPACITY,
  /** The kernel's parts. */
  setupSize: 8,
  kernelSize: 8,
  kernelEntry: 8,
  kernelStart: 8,
  kernelEnd: 8,
  initrdSize: 8,
  initrdStart: 8,
  commandLineSize: 8,
} as const;

/** What 16-bit code shares: the map stays for INT 15h. */
const RESIDENT_VARIABLES = {
  /** Counted by the processors themselves. */
  startedProcessors: 4,
  /** INT 15h AH=88h and AX=E801h: KiB above 1 MiB (at most 63 MiB), up to 16 MiB, and units of 64 KiB above it. */
  extendedKib: 2,
  extendedKibTo16MiB: 2,
  extended64KibAbove16MiB: 2,
  memoryMapCount: 8,
  memoryMap: E820_WORK_BYTES * E820_CAPACITY,
} as const;

export function emitVariables(code: Code): void {
  emitAll(code, VARIABLES);
}

export function emitResidentVariables(code: Code): void {
  emitAll(code, RESIDENT_VARIABLES);
}

function emitAll(code: Code, variables: Readonly<Record<string, number>>): void {
  for (const [name, byteLength] of Object.entries(variables)) {
    code.align(16, 0);
    code.label(name);
    code.space(byteLength);
  }
}
