import type { MachineConfig } from '../../emulator/machine/config.ts';
import { FSEG, HIGH_RAM_BASE, LEGACY_VGA } from '../../emulator/machine/memory-map.ts';
import { apicIds, topologyOf } from '../../emulator/machine/processor-topology.ts';
import { bytes, encodeLayout, flagBits, layout, u8, u16, u32, u64 } from '../layout.ts';
import { type AcpiTable, finishTable, type OemIdentity, tableLayout } from './header.ts';

export const SRAT_CPU_FLAGS = { ENABLED: 0 } as const;
export const SRAT_MEMORY_FLAGS = { ENABLED: 0, HOT_PLUGGABLE: 1, NON_VOLATILE: 2 } as const;

/** System Resource Affinity Table (ACPI 6.5 §5.2.16). The dword at 36 must be 1 for old readers. */
export const SRAT = tableLayout('SRAT', { TABLE_REVISION: u32(36), RESERVED: bytes(40, 8) });

/** §5.2.16.1 */
export const SRAT_PROCESSOR = layout('Processor Local APIC Affinity', {
  TYPE: u8(0),
  LENGTH: u8(1),
  PROXIMITY_DOMAIN_LOW: u8(2),
  APIC_ID: u8(3),
  FLAGS: u32(4, SRAT_CPU_FLAGS),
  LOCAL_SAPIC_EID: u8(8),
  PROXIMITY_DOMAIN_HIGH: bytes(9, 3),
  CLOCK_DOMAIN: u32(12),
});

/** §5.2.16.2 */
export const SRAT_MEMORY = layout('Memory Affinity', {
  TYPE: u8(0),
  LENGTH: u8(1),
  PROXIMITY_DOMAIN: u32(2),
  RESERVED: u16(6),
  BASE_ADDRESS: u64(8),
  BYTE_LENGTH: u64(16),
  RESERVED_2: u32(24),
  FLAGS: u32(28, SRAT_MEMORY_FLAGS),
  RESERVED_3: u64(32),
});

/** §5.2.16.3 */
export const SRAT_X2APIC = layout('Processor Local x2APIC Affinity', {
  TYPE: u8(0),
  LENGTH: u8(1),
  RESERVED: u16(2),
  PROXIMITY_DOMAIN: u32(4),
  X2APIC_ID: u32(8),
  FLAGS: u32(12, SRAT_CPU_FLAGS),
  CLOCK_DOMAIN: u32(16),
  RESERVED_2: u32(20),
});

export const SRAT_ENTRY_TYPES = { PROCESSOR: 0, MEMORY: 1, X2APIC: 2 } as const;
/** From revision 2 on the proximity domain has 32 bits. */
const SRAT_REVISION = 3;
const FIRST_X2APIC_ID = 255;

/** A node's share of one RAM range. */
export interface NodeRange {
  readonly node: number;
  readonly base: number;
  readonly size: number;
}

/** Where each node's RAM lies: nodes take it in order, first below 4 GiB (without the hole at 640 KiB), then above. */
export function nodeRanges(config: MachineConfig): NodeRange[] {
  const oneMiB = FSEG.base + FSEG.size;
  const highBytes = config.ramBytes - config.lowRamBytes;
  // The hole counts as the node's RAM when RAM is dealt out, as it does in QEMU.
  const spaces = [
    { base: 0, size: config.lowRamBytes },
    { base: HIGH_RAM_BASE, size: highBytes },
  ];
  const ranges: NodeRange[] = [];
  let space = 0;
  let used = 0;
  for (const node of config.numaNodes) {
    let left = node.bytes;
    while (left > 0 && space < spaces.length) {
      const { base, size } = spaces[space];
      const taken = Math.min(left, size - used);
      if (taken > 0) ranges.push({ node: node.id, base: base + used, size: taken });
      used += taken;
      left -= taken;
      if (used === size) {
        space++;
        used = 0;
      }
    }
  }
  return ranges.flatMap((range) => splitAtHole(range, LEGACY_VGA.base, oneMiB));
}

function splitAtHole(range: NodeRange, holeStart: number, holeEnd: number): NodeRange[] {
  const end = range.base + range.size;
  if (end <= holeStart || range.base >= holeEnd) return [range];
  const parts = [
    { node: range.node, base: range.base, size: holeStart - range.base },
    { node: range.node, base: holeEnd, size: end - holeEnd },
  ];
  return parts.filter((part) => part.size > 0);
}

/** Needs at least one NUMA node. */
export function buildSrat(oem: OemIdentity, config: MachineConfig): AcpiTable {
  const ids = apicIds(topologyOf(config));
  const processors = config.numaNodes.flatMap((node) => node.cpus.map((cpu) => ({ apicId: ids[cpu], node: node.id })));
  const entries = [
    ...processors
      .sort((left, right) => left.apicId - right.apicId)
      .map(({ apicId, node }) => processorAffinity(apicId, node)),
    ...nodeRanges(config).map((range) =>
      encodeLayout(SRAT_MEMORY, {
        TYPE: SRAT_ENTRY_TYPES.MEMORY,
        LENGTH: SRAT_MEMORY.byteLength,
        PROXIMITY_DOMAIN: range.node,
        BASE_ADDRESS: range.base,
        BYTE_LENGTH: range.size,
        FLAGS: flagBits(SRAT_MEMORY_FLAGS, ['ENABLED']),
      }),
    ),
  ];
  return finishTable({ signature: 'SRAT', revision: SRAT_REVISION, oem }, encodeLayout(SRAT, { TABLE_REVISION: 1 }), {
    entries,
  });
}

function processorAffinity(apicId: number, node: number): Uint8Array {
  const FLAGS = flagBits(SRAT_CPU_FLAGS, ['ENABLED']);
  if (apicId >= FIRST_X2APIC_ID) {
    return encodeLayout(SRAT_X2APIC, {
      TYPE: SRAT_ENTRY_TYPES.X2APIC,
      LENGTH: SRAT_X2APIC.byteLength,
      PROXIMITY_DOMAIN: node,
      X2APIC_ID: apicId,
      FLAGS,
    });
  }
  return encodeLayout(SRAT_PROCESSOR, {
    TYPE: SRAT_ENTRY_TYPES.PROCESSOR,
    LENGTH: SRAT_PROCESSOR.byteLength,
    PROXIMITY_DOMAIN_LOW: node & 0xff,
    PROXIMITY_DOMAIN_HIGH: Uint8Array.of((node >>> 8) & 0xff, (node >>> 16) & 0xff, node >>> 24),
    APIC_ID: apicId,
    FLAGS,
  });
}
