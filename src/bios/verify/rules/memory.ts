import { HPET, IOAPIC, LOCAL_APIC_PAGE, RCBA, ROM_AREA } from '../../../emulator/machine/memory-map.ts';
import { E820_TYPES, type E820Entry } from '../../memory/e820.ts';
import type { Window } from '../../pci/plan.ts';
import { rangesOf } from '../acpi-devices.ts';
import type { CheckFacts } from '../facts.ts';
import { overlap, overlappingPairs, rangeText } from '../ranges.ts';
import { type Rule, type Violation, violation } from '../rule.ts';

/** e820 against itself and against everything that decodes addresses. */

export const CHIPSET_RANGES: readonly (Window & { readonly name: string })[] = [
  { name: 'the I/O APIC', ...IOAPIC },
  { name: 'the HPET', ...HPET },
  { name: 'RCBA', ...RCBA },
  { name: 'the local APIC', ...LOCAL_APIC_PAGE },
  { name: 'the ROM', ...ROM_AREA },
];

const LEGACY_AREA = { base: 0xa_0000, size: 0x6_0000 };
const FIRST_MIB = 0x10_0000;

function withE820(check: (e820: readonly E820Entry[], facts: CheckFacts) => readonly Violation[]): Rule['check'] {
  return (facts) => (facts.e820 ? check(facts.e820, facts) : []);
}

export function ramOf({ e820 }: CheckFacts): E820Entry[] {
  return e820?.filter(({ type }) => type === E820_TYPES.RAM) ?? [];
}

const place = { file: 'etc/e820' };

export const MEMORY_RULES: readonly Rule[] = [
  {
    id: 'E820-READABLE',
    severity: 'error',
    title: 'e820 is a whole number of 20-byte entries',
    linux: 'a memory map without the last entries, or none: the kernel does not start',
    windows: 'does not start',
    mend: 'write { address u64, length u64, type u32 } for each range',
    check: ({ unreadable }) => (unreadable.e820 === undefined ? [] : [violation(unreadable.e820, place)]),
  },
  {
    id: 'E820-OVERLAP',
    severity: 'error',
    title: 'No two ranges of e820 overlap',
    linux: 'the less usable type wins; RAM disappears',
    windows: 'refuses the map',
    mend: 'cut the ranges so that each byte is in one',
    check: withE820((e820) =>
      overlappingPairs(e820).map(([left, right]) => violation(`${rangeText(left)} and ${rangeText(right)}`, place)),
    ),
  },
  {
    id: 'E820-LEGACY',
    severity: 'error',
    title: 'No RAM is offered from 640 KiB to 1 MiB',
    linux: 'the kernel removes it by itself; other loaders do not',
    windows: 'video memory and ROM are used as RAM',
    mend: 'end the first range at the EBDA and begin the next at 1 MiB',
    check: withE820((_, facts) =>
      ramOf(facts)
        .filter((entry) => overlap(entry, LEGACY_AREA))
        .map((entry) => violation(`${rangeText(entry)} reaches into it`, place)),
    ),
  },
  {
    id: 'E820-RAM',
    severity: 'error',
    title: 'There is RAM below 640 KiB and from 1 MiB on',
    linux: 'no place for the real-mode trampoline or for the kernel itself',
    windows: 'does not start',
    mend: 'list the RAM that the board has',
    check: withE820((_, facts) => {
      const ram = ramOf(facts);
      const missing = [
        { what: 'from 0', has: ram.some(({ base }) => base === 0) },
        { what: 'from 1 MiB', has: ram.some(({ base }) => base === FIRST_MIB) },
      ].filter(({ has }) => !has);
      return missing.map(({ what }) => violation(`there is none ${what}`, place));
    }),
  },
  {
    id: 'E820-CHIPSET',
    severity: 'error',
    title: 'No RAM is offered where the chipset decodes',
    linux: 'memory that does not hold its contents: random faults',
    windows: 'the same',
    mend: 'end low RAM below the first of these ranges; the rest goes above 4 GiB',
    check: withE820((_, facts) =>
      ramOf(facts).flatMap((entry) =>
        CHIPSET_RANGES.filter((range) => overlap(entry, range)).map((range) =>
          violation(`${rangeText(entry)} covers ${range.name}`, place),
        ),
      ),
    ),
  },
  {
    id: 'E820-WINDOWS',
    severity: 'error',
    title: "No RAM is offered inside a host bridge's memory windows",
    linux: '"PCI: host bridge window … conflicts with System RAM"; devices are not assigned',
    windows: 'Code 12, or corruption',
    mend: 'start the window above the RAM, or lower the RAM below 4 GiB',
    check: withE820((_, facts) =>
      facts.hostBridges.flatMap((bridge) =>
        rangesOf(bridge)
          .filter(({ kind, producer }) => kind === 'memory' && producer)
          .flatMap((window) =>
            ramOf(facts)
              .filter((entry) => overlap(entry, window))
              .map((entry) => violation(`${rangeText(window)} and RAM ${rangeText(entry)}`, { path: bridge.path })),
          ),
      ),
    ),
  },
];
