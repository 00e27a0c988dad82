import { type AcpiTable, finishTable, HEADER_BYTES, type OemIdentity } from './header.ts';

/** Extended System Description Table: the RSDT with 64-bit addresses (ACPI 6.5 §5.2.8). */
export function buildXsdt(oem: OemIdentity, targets: readonly string[]): AcpiTable {
  return finishTable({ signature: 'XSDT', revision: 1, oem }, new Uint8Array(HEADER_BYTES + 8 * targets.length), {
    pointers: targets.map((target, index) => ({ offset: HEADER_BYTES + 8 * index, size: 8, target })),
  });
}
