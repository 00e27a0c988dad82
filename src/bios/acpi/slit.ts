import type { NumaNodeConfig } from '../../emulator/machine/config.ts';
import { encodeLayout, u64 } from '../layout.ts';
import { type AcpiTable, finishTable, type OemIdentity, tableLayout } from './header.ts';

/** System Locality Distance Information Table: a square matrix of bytes (ACPI 6.5 §5.2.17). */
export const SLIT = tableLayout('SLIT', { LOCALITIES: u64(36) });

/** A node's distance to itself. */
export const LOCAL_DISTANCE = 10;

export function buildSlit(oem: OemIdentity, nodes: readonly NumaNodeConfig[]): AcpiTable {
  return finishTable({ signature: 'SLIT', revision: 1, oem }, encodeLayout(SLIT, { LOCALITIES: nodes.length }), {
    entries: nodes.map((node) => Uint8Array.from(node.distances)),
  });
}
