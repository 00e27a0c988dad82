import type { Code } from '../../../src/bios/rom/assembler/assembler.ts';

/** The image stands in the last 64 KiB below 1 MiB and shows again below 4 GiB. */
export const ROM_BASE = 0xf_0000;
export const ROM_BYTES = 0x1_0000;
export const DEBUGCON = 0xe9;
export const EXIT_PORT = 0x501;

/** RAM that the images use. */
export const RAM = {
  IDT: 0x1000,
  GDT: 0x3000,
  LDT: 0x3800,
  TSS: 0x4000,
  TSS_2: 0x4800,
  /** Where the running case goes on after its event. */
  RESUME: 0x5000,
  SCRATCH: 0x5100,
  STACK: 0x9000,
  STACK_1: 0x9800,
  USER_STACK: 0xa000,
  IST: 0xb000,
  TASK_STACK: 0xc000,
  TABLES: 0x1_0000,
  PAGES: 0x2_0000,
} as const;

/** Selectors of the GDT that every image begins with. */
export const SELECTOR = {
  CODE32: 0x08,
  DATA: 0x10,
  CODE16: 0x18,
  DATA16: 0x20,
  USER_CODE32: 0x2b,
  USER_DATA: 0x33,
  CODE64: 0x38,
  USER_CODE64: 0x43,
  TSS: 0x48,
  /** 64-bit TSS takes two entries. */
  TSS_HIGH: 0x50,
  CONFORMING: 0x58,
  NOT_PRESENT_DATA: 0x60,
  NOT_PRESENT_CODE: 0x68,
  READ_ONLY: 0x70,
  EXECUTE_ONLY: 0x78,
  EXPAND_DOWN: 0x80,
  SMALL_DATA: 0x88,
  LDT: 0x90,
  CALL_GATE: 0x98,
  CALL_GATE_PARAMETERS: 0xa0,
  TSS_2: 0xa8,
  TASK_GATE: 0xb0,
  CODE_DPL1: 0xb9,
  DATA_DPL1: 0xc1,
  NOT_PRESENT_STACK: 0xc8,
  CALL_GATE_USER: 0xd0,
} as const;

/** The last entry of the GDT in RAM. */
export const GDT_BYTES = 0x100;

/** A case: its name and what it does. It ends with an event, at the latest the `int 0x80` that follows its body. */
export interface OracleCase {
  readonly name: string;
  readonly body: (code: Code) => void;
  /** Vector and error code by the SDM where QEMU 7.2's TCG differs, as its line would begin: TCG checks no limits and no access rights. */
  readonly sdm?: string;
}

/** An image and the names of its cases, in the order of the lines that it prints. */
export interface OracleImage {
  readonly rom: Uint8Array;
  readonly names: readonly string[];
  /** OracleCase.sdm by name. */
  readonly sdm: ReadonlyMap<string, string>;
  /** `max`: with everything that a processor can have; otherwise a plain one. */
  readonly cpu?: 'max';
}
