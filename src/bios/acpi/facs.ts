import { ascii, bytes, encodeLayout, layout, u8, u32, u64 } from '../layout.ts';
import type { AcpiTable } from './header.ts';

/** Firmware ACPI Control Structure: no header, no checksum, 64-byte aligned (ACPI 6.5 §5.2.10). */
export const FACS = layout('FACS', {
  SIGNATURE: ascii(0, 4),
  LENGTH: u32(4),
  HARDWARE_SIGNATURE: u32(8),
  FIRMWARE_WAKING_VECTOR: u32(12),
  GLOBAL_LOCK: u32(16, { PENDING: 0, OWNED: 1 }),
  FLAGS: u32(20, { S4BIOS_F: 0, '64BIT_WAKE_SUPPORTED_F': 1 }),
  X_FIRMWARE_WAKING_VECTOR: u64(24),
  VERSION: u8(32),
  RESERVED: bytes(33, 3),
  OSPM_FLAGS: u32(36, { '64BIT_WAKE_F': 0 }),
  RESERVED_2: bytes(40, 24),
});

export const FACS_ALIGNMENT = 64;

export function buildFacs(): AcpiTable {
  const image = encodeLayout(FACS, { SIGNATURE: 'FACS', LENGTH: FACS.byteLength, VERSION: 2 });
  return { id: 'FACS', signature: 'FACS', bytes: image, pointers: [] };
}
