import type { MachineConfig } from '../../emulator/machine/config.ts';
import {
  EBDA,
  ECAM,
  FSEG,
  HIGH_RAM_BASE,
  HPET,
  IOAPIC,
  LEGACY_VGA,
  LOCAL_APIC_PAGE,
  RCBA,
  ROM_AREA,
} from '../../emulator/machine/memory-map.ts';
import { UserError } from '../../shared/errors.ts';

/** Address range types (ACPI 6.5 §15.1, table 15.2). */
export const E820_TYPES = { RAM: 1, RESERVED: 2, ACPI: 3, NVS: 4, UNUSABLE: 5 } as const;
export type E820Type = (typeof E820_TYPES)[keyof typeof E820_TYPES];

/** One range of the guest-physical map; bytes. */
export interface E820Entry {
  readonly base: number;
  readonly size: number;
  readonly type: number;
}

/** The fw_cfg file, and the size of QEMU's packed entry in it: { u64 address, u64 length, u32 type }, little-endian. */
export const E820_FILE_NAME = 'etc/e820';
export const E820_ENTRY_BYTES = 20;

/**
 * The map as the firmware receives it: RAM below and above 4 GiB and what is reserved, sorted, without overlap. ACPI tables are not in
 * it: the ROM carves its own allocations out of the top of low RAM. `ecam` is where PCIEXBAR points (MCFG says the same); Linux wants it
 * reserved here as well as in a PNP0C02 `_CRS`.
 */
export function buildE820(config: MachineConfig, ecam: { base: number; size: number } = ECAM): E820Entry[] {
  const { RAM, RESERVED } = E820_TYPES;
  const oneMiB = FSEG.base + FSEG.size;
  const highBytes = config.ramBytes - config.lowRamBytes;
  const entries: E820Entry[] = [
    { base: 0, size: EBDA.base, type: RAM },
    { base: EBDA.base, size: LEGACY_VGA.base - EBDA.base, type: RESERVED },
    { ...FSEG, type: RESERVED },
    { base: oneMiB, size: config.lowRamBytes - oneMiB, type: RAM },
    { base: ecam.base, size: ecam.size, type: RESERVED },
    { ...IOAPIC, type: RESERVED },
    { ...HPET, type: RESERVED },
    { ...RCBA, type: RESERVED },
    { ...LOCAL_APIC_PAGE, type: RESERVED },
    { ...ROM_AREA, type: RESERVED },
  ];
  if (highBytes > 0) entries.push({ base: HIGH_RAM_BASE, size: highBytes, type: RAM });
  return entries.filter((entry) => entry.size > 0).sort((left, right) => left.base - right.base);
}

/** The entries as `etc/e820` holds them. */
export function encodeE820(entries: readonly E820Entry[]): Uint8Array {
  const bytes = new Uint8Array(entries.length * E820_ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  entries.forEach((entry, index) => {
    const offset = index * E820_ENTRY_BYTES;
    view.setBigUint64(offset, BigInt(entry.base), true);
    view.setBigUint64(offset + 8, BigInt(entry.size), true);
    view.setUint32(offset + 16, entry.type, true);
  });
  return bytes;
}

/** Reads `etc/e820`. Throws E820_LENGTH when `bytes` is not a whole number of entries. */
export function decodeE820(bytes: Uint8Array, file = E820_FILE_NAME): E820Entry[] {
  if (bytes.length % E820_ENTRY_BYTES !== 0) {
    throw new UserError('E820_LENGTH', `the e820 file has ${bytes.length} bytes, which is no multiple of 20`, {
      place: { file, offset: bytes.length - (bytes.length % E820_ENTRY_BYTES) },
      mend: 'write 20-byte entries: address (8 bytes), length (8), type (4), little-endian',
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: E820Entry[] = [];
  for (let offset = 0; offset < bytes.length; offset += E820_ENTRY_BYTES) {
    entries.push({
      base: Number(view.getBigUint64(offset, true)),
      size: Number(view.getBigUint64(offset + 8, true)),
      type: view.getUint32(offset + 16, true),
    });
  }
  return entries;
}
