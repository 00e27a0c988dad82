import { MIB } from '../../shared/bytes.ts';
import { bytes, encodeLayout, layout, u8, u16, u64 } from '../layout.ts';
import type { Window } from '../pci/plan.ts';
import { type AcpiTable, finishTable, type OemIdentity, tableLayout } from './header.ts';

/** Memory-mapped configuration space table (PCI Firmware 3.3 §4.1.2). */
export const MCFG = tableLayout('MCFG', { RESERVED: bytes(36, 8) });

export const MCFG_ALLOCATION = layout('Configuration space base address allocation', {
  BASE_ADDRESS: u64(0),
  SEGMENT: u16(8),
  START_BUS: u8(10),
  END_BUS: u8(11),
  RESERVED: bytes(12, 4),
});

/** Bytes of ECAM for one bus: 32 devices × 8 functions × 4 KiB (PCIe 5.0 §7.2.2). */
export const ECAM_BYTES_PER_BUS = MIB;

/** One allocation: segment 0, as many buses as `ecam` holds. The base is bus 0's. */
export function buildMcfg(oem: OemIdentity, ecam: Window): AcpiTable {
  const allocation = encodeLayout(MCFG_ALLOCATION, {
    BASE_ADDRESS: ecam.base,
    SEGMENT: 0,
    START_BUS: 0,
    END_BUS: ecam.size / ECAM_BYTES_PER_BUS - 1,
  });
  return finishTable({ signature: 'MCFG', revision: 1, oem }, encodeLayout(MCFG, {}), { entries: [allocation] });
}
