import { device, eisaId, name } from '../../../aml/build.ts';
import type { AmlTerm } from '../../../aml/tree.ts';
import { IOAPIC, LOCAL_APIC_PAGE, PORTS, RCBA } from '../../../emulator/machine/memory-map.ts';
import type { Window } from '../../pci/plan.ts';
import { io, memory32Fixed, qwordMemory, resourceTemplate } from './resources.ts';

const FOUR_GIB = 0x1_0000_0000;

/**
 * PNP0C02 motherboard resources in \_SB: memory that belongs to no PCI window. Linux accepts ECAM only when it stands here (or in the
 * EFI map).
 */
export function motherboardMemory(ecam: Window): AmlTerm {
  return device('MBRD', [
    name('_HID', eisaId('PNP0C02')),
    name('_UID', 0),
    name(
      '_CRS',
      resourceTemplate([
        ecam.base + ecam.size <= FOUR_GIB ? memory32Fixed(ecam, 'read-write') : qwordMemory(ecam, { consumer: true }),
        memory32Fixed(IOAPIC, 'read-write'),
        memory32Fixed(RCBA, 'read-write'),
        memory32Fixed(LOCAL_APIC_PAGE, 'read-write'),
      ]),
    ),
  ]);
}

/** Ports of the chipset that no other device declares. */
const CHIPSET_PORTS = [
  PORTS.POST,
  PORTS.PORT92,
  PORTS.APM,
  PORTS.DEBUGCON_E9,
  PORTS.DEBUGCON,
  PORTS.ELCR,
  PORTS.ISA_DEBUG_EXIT,
  PORTS.PM,
];

/** PNP0C02 for the chipset's ports; stands below the LPC bridge. */
export function motherboardPorts(): AmlTerm {
  return device('MBIO', [
    name('_HID', eisaId('PNP0C02')),
    name('_UID', 1),
    name('_CRS', resourceTemplate(CHIPSET_PORTS.map(({ base, count }) => io(base, count)))),
  ]);
}
