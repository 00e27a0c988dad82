import { device, eisaId, name, str } from '../../../aml/build.ts';
import type { AmlTerm } from '../../../aml/tree.ts';

/**
 * Processor devices (ACPI 6.5 §8.4) in a container; `_UID` is the MADT's processor UID. `nodeOf` gives the NUMA node of a processor.
 */
export function processors(cpus: number, nodeOf: (cpu: number) => number | undefined): AmlTerm {
  return device('CPUS', [
    name('_HID', str('ACPI0010')),
    name('_CID', eisaId('PNP0A05')),
    ...Array.from({ length: cpus }, (_, id) => {
      const node = nodeOf(id);
      return device(`C${id.toString(16).toUpperCase().padStart(3, '0')}`, [
        name('_HID', str('ACPI0007')),
        name('_UID', id),
        ...(node === undefined ? [] : [name('_PXM', node)]),
      ]);
    }),
  ]);
}
