import { type AcpiTable, finishTable, HEADER_BYTES, type OemIdentity } from './header.ts';

/** Root System Description Table: 32-bit addresses of the tables (ACPI 6.5 §5.2.7). The DSDT and the FACS hang off the FADT. */
export function buildRsdt(oem: OemIdentity, targets: readonly string[]): AcpiTable {
  return finishTable({ signature: 'RSDT', revision: 1, oem }, new Uint8Array(HEADER_BYTES + 4 * targets.length), {
    pointers: targets.map((target, index) => ({ offset: HEADER_BYTES + 4 * index, size: 4, target })),
  });
}
