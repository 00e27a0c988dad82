import { device, eisaId, name } from '../../../aml/build.ts';
import { io, memory32Fixed, qwordMemory } from '../../../aml/resources/build-resources.ts';
import { type ResourceDescriptor, resourceTemplate } from '../../../aml/resources/resource-template.ts';
import type { AmlTerm } from '../../../aml/tree.ts';
import { LOCAL_APIC_PAGE, PORTS, RCBA } from '../../../emulator/machine/memory-map.ts';
import type { Window } from '../../pci/plan.ts';

const FOUR_GIB = 0x1_0000_0000;

/**
 * PNP0C02 motherboard resources in \_SB: memory that belongs to no PCI window. Linux accepts ECAM only when it stands here (or in the
 * EFI map). The I/O APIC stays out: Linux has taken it by then and would say that it "could not be reserved".
 */
export function motherboardMemory(ecam: Window): AmlTerm {
  return device('MBRD', [
    name('_HID', eisaId('PNP0C02')),
    name('_UID', 0),
    name('_CRS', resourceTemplate([...[ecam, RCBA, LOCAL_APIC_PAGE].map(fixedMemory)])),
  ]);
}

function fixedMemory({ base, size }: Window): ResourceDescriptor {
  if (base + size <= FOUR_GIB) return memory32Fixed(base, size);
  return qwordMemory({ minimum: base, maximum: base + size - 1, usage: 'ResourceConsumer' });
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
