import { hex, MIB } from '../../../shared/bytes.ts';
import { E820_TYPES } from '../../memory/e820.ts';
import type { Window } from '../../pci/plan.ts';
import { hasUnknownResources, rangesOf } from '../acpi-devices.ts';
import { biosYear, type CheckFacts, type McfgAllocation, tableOf } from '../facts.ts';
import { contains, covers, overlap, rangeText } from '../ranges.ts';
import { type Rule, type Violation, violation } from '../rule.ts';

/** MCFG against e820, the DSDT and the plan. Linux' rules are those of arch/x86/pci/mmconfig-shared.c. */

const FOUR_GIB = 0x1_0000_0000;
/** Sizes that PCIEXBAR knows (MCH §5.1.15), bytes. */
const PCIEXBAR_SIZES = [64 * MIB, 128 * MIB, 256 * MIB];

/** What an allocation covers: bus 0's address is the base even when the first bus is another. */
export function ecamRange({ BASE_ADDRESS, START_BUS, END_BUS }: McfgAllocation): Window {
  return { base: BASE_ADDRESS + START_BUS * MIB, size: (END_BUS - START_BUS + 1) * MIB };
}

function forEachAllocation(
  check: (range: Window, allocation: McfgAllocation, facts: CheckFacts) => readonly Violation[],
): Rule['check'] {
  return (facts) => (facts.mcfg ?? []).flatMap((allocation) => check(ecamRange(allocation), allocation, facts));
}

const path = 'MCFG';

export const ECAM_RULES: readonly Rule[] = [
  {
    id: 'MCFG-ENTRY',
    severity: 'error',
    title: 'MCFG has an allocation, with buses in order',
    linux: '"PCI: MMCONFIG … invalid"; one bad region drops all: no extended config space',
    windows: 'no extended config space; Express devices run as conventional ones',
    mend: 'state base, segment, first and last bus',
    check: ({ mcfg }) => {
      if (!mcfg) return [];
      if (mcfg.length === 0) return [violation('it has none', { path })];
      return mcfg
        .filter(({ START_BUS, END_BUS }) => START_BUS > END_BUS)
        .map(({ START_BUS, END_BUS }) => violation(`buses ${START_BUS} to ${END_BUS}`, { path }));
    },
  },
  {
    id: 'MCFG-E820',
    severity: 'error',
    title: 'ECAM is reserved in e820',
    linux: '"PCI: MMCONFIG at … not reserved in E820": with a BIOS before 2016 it is dropped',
    windows: 'may put devices there',
    mend: 'add the range to e820 with type 2',
    check: forEachAllocation((range, _, { e820 }) => {
      const reserved = e820?.filter(({ type }) => type === E820_TYPES.RESERVED);
      return !reserved || covers(reserved, range) ? [] : [violation(`${rangeText(range)} is not`, { path })];
    }),
  },
  {
    id: 'MCFG-MOTHERBOARD',
    severity: 'error',
    title: 'ECAM stands in the _CRS of a PNP0C01 or PNP0C02 device',
    linux: '"[Firmware Bug]: PCI: MMCONFIG at … not reserved in ACPI motherboard resources": it is dropped',
    windows: 'no extended config space',
    mend: 'add the range to a PNP0C02 device outside of PCI0',
    check: forEachAllocation((range, _, { devices, namespace }) => {
      if (!namespace) return [];
      const boards = devices.filter(({ hid }) => hid === 'PNP0C01' || hid === 'PNP0C02');
      if (boards.some(hasUnknownResources)) return [];
      const board = boards.flatMap(rangesOf);
      const reserved = board.some((found) => found.kind === 'memory' && contains(found, range));
      return reserved ? [] : [violation(`${rangeText(range)} does not`, { path })];
    }),
  },
  {
    id: 'MCFG-WINDOW',
    severity: 'error',
    title: "ECAM stays out of every host bridge's _CRS",
    linux: 'devices may be assigned on top of config space',
    windows: 'a resource conflict: stop 0xA5 with 0x0d, or Code 12',
    mend: 'cut the window around ECAM',
    check: forEachAllocation((range, _, { hostBridges }) =>
      hostBridges.flatMap((bridge) =>
        rangesOf(bridge)
          .filter((window) => window.kind === 'memory' && overlap(window, range))
          .map((window) => violation(`${rangeText(window)} covers ${rangeText(range)}`, { path: bridge.path })),
      ),
    ),
  },
  {
    id: 'MCFG-PLAN',
    severity: 'error',
    title: 'MCFG states where the plan puts PCIEXBAR',
    linux: 'config space reads as 0xff, or as something else',
    windows: 'the same',
    mend: 'build tables and plan together',
    check: forEachAllocation((range, { SEGMENT }, { plan }) => {
      if (!plan || SEGMENT !== 0) return [];
      const same = range.base === plan.ecam.base && range.size === plan.ecam.size;
      return same ? [] : [violation(`MCFG ${rangeText(range)}, plan ${rangeText(plan.ecam)}`, { path })];
    }),
  },
  {
    id: 'MCFG-SIZE',
    severity: 'error',
    title: 'ECAM has a size and a base that PCIEXBAR can hold',
    linux: 'MCFG is accepted and config space is somewhere else',
    windows: 'the same',
    mend: 'use 64, 128 or 256 MiB at a multiple of the size',
    check: forEachAllocation((range, { BASE_ADDRESS, START_BUS }) => {
      const possible = START_BUS === 0 && PCIEXBAR_SIZES.includes(range.size) && BASE_ADDRESS % range.size === 0;
      return possible ? [] : [violation(`${range.size / MIB} MiB at ${hex(BASE_ADDRESS)}`, { path })];
    }),
  },
  {
    id: 'MCFG-HIGH',
    severity: 'error',
    title: 'ECAM above 4 GiB needs table revision 1 and a BIOS date from 2010 on',
    linux: '"PCI: MCFG entry … above 4GB, ignored"',
    windows: '32-bit versions cannot reach it',
    mend: 'set the BIOS date, or move ECAM below 4 GiB',
    check: forEachAllocation((range, _, facts) => {
      if (range.base + range.size <= FOUR_GIB) return [];
      const revision = tableOf(facts, 'MCFG')?.bytes[8] ?? 0;
      const year = biosYear(facts);
      if (revision >= 1 && (year === undefined || year >= 2010)) return [];
      return [violation(`revision ${revision}, BIOS of ${year}`, { path })];
    }),
  },
  {
    id: 'MCFG-BUSES',
    severity: 'error',
    title: 'MCFG covers the segment and all buses of every host bridge',
    linux: 'buses beyond it have 256 bytes of config space, in other segments none',
    windows: 'the same',
    mend: 'extend the allocation, or lower the last bus of the host bridge',
    check: ({ hostBridges, mcfg }) =>
      mcfg === undefined
        ? []
        : hostBridges.flatMap((bridge) => {
            const buses = rangesOf(bridge).find(({ kind }) => kind === 'bus');
            if (!buses) return [];
            const covered = mcfg.some(({ SEGMENT, START_BUS, END_BUS }) => {
              const allocated = { base: START_BUS, size: END_BUS - START_BUS + 1 };
              return SEGMENT === (bridge.seg ?? 0) && contains(allocated, buses);
            });
            return covered ? [] : [violation(`buses ${rangeText(buses)} are not covered`, { path: bridge.path })];
          }),
  },
];
