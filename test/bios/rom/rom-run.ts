import type { FirmwareFiles } from '../../../src/bios/artifacts.ts';

/** A boot of the ROM, on QEMU or on our machine. */
export interface RomRun {
  readonly rom?: Uint8Array;
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly append?: string;
  readonly files?: FirmwareFiles;
  /** QEMU only: arguments of the board; without them a bare q35 with 128 MiB. */
  readonly board?: readonly string[];
  /** QEMU only: ends the run as soon as the serial output has it; without it the guest ends itself. */
  readonly until?: RegExp;
}
