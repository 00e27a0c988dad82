import { type AcpiDevice, type AcpiRange, rangesOf } from '../acpi-devices.ts';
import { overlap, overlappingPairs, rangeText } from '../ranges.ts';
import { type Rule, type Violation, violation } from '../rule.ts';
import { CHIPSET_RANGES } from './memory.ts';

/** Host bridges of the DSDT: identity, and the windows of `_CRS` against one another. */

function forEachBridge(check: (bridge: AcpiDevice) => readonly Violation[]): Rule['check'] {
  return ({ hostBridges }) => hostBridges.flatMap(check);
}

function missing(name: string): Rule['check'] {
  return forEachBridge(({ path, objects }) => (objects.has(name) ? [] : [violation(`it has no ${name}`, { path })]));
}

interface OwnedRange extends AcpiRange {
  readonly owner: string;
}

function windowsOf(bridge: AcpiDevice): OwnedRange[] {
  return rangesOf(bridge)
    .filter(({ producer }) => producer)
    .map((range) => ({ ...range, owner: bridge.path }));
}

export const HOST_BRIDGE_RULES: readonly Rule[] = [
  {
    id: 'PCI-PRESENT',
    severity: 'error',
    title: 'The DSDT declares a PCI host bridge',
    linux: 'no PCI bus is found but by the legacy probe',
    windows: 'stop 0xA5',
    mend: 'declare a Device with _HID PNP0A08 and _CID PNP0A03',
    check: ({ namespace, hostBridges }) =>
      !namespace || hostBridges.length > 0 ? [] : [violation('it declares none')],
  },
  {
    id: 'PCI-ID',
    severity: 'error',
    title: 'A host bridge has _HID PNP0A08 and _CID PNP0A03',
    linux: 'without PNP0A08 no Express features; without PNP0A03 old kernels find no bus',
    windows: 'without PNP0A08 Express devices run as conventional ones',
    mend: 'name both ids',
    check: forEachBridge(({ path, hid, cids }) =>
      hid === 'PNP0A08' && cids.includes('PNP0A03')
        ? []
        : [violation(`_HID ${hid}, _CID ${cids.join(' ') || 'none'}`, { path })],
    ),
  },
  {
    id: 'PCI-UID',
    severity: 'error',
    title: 'Every host bridge has a _UID of its own',
    linux: 'host bridges are told apart by bus number only',
    windows: 'stop 0xA5, or devices that move when a bridge is added',
    mend: 'give each a stable _UID, such as its first bus',
    check: ({ hostBridges }) => {
      const seen = new Map<string | undefined, string>();
      return hostBridges.flatMap(({ path, uid }) => {
        const other = seen.get(uid);
        seen.set(uid, path);
        if (uid === undefined) return [violation('it has no _UID', { path })];
        return other === undefined ? [] : [violation(`_UID ${uid} is that of ${other}`, { path })];
      });
    },
  },
  {
    id: 'PCI-OSC',
    severity: 'warning',
    title: 'Every host bridge has _OSC',
    linux: '"_OSC failed (AE_NOT_FOUND); disabling ASPM": no native hotplug, no AER',
    windows: 'no native hotplug, no AER',
    mend: 'add _OSC that grants what the OS may control',
    check: missing('_OSC'),
  },
  {
    id: 'PCI-PRT',
    severity: 'error',
    title: 'Every host bridge has _PRT',
    linux: '"can\'t find IRQ for PCI INT A": devices without MSI get no interrupts',
    windows: 'devices fail with Code 12',
    mend: 'add _PRT with an entry for each pin',
    check: missing('_PRT'),
  },
  {
    id: 'CRS-READABLE',
    severity: 'error',
    title: 'Every _CRS is a sound resource template',
    linux: '"AE_AML_BAD_RESOURCE_LENGTH"; the device has no resources',
    windows: 'stop 0xA5',
    mend: 'end the template with an end tag and state right lengths',
    check: ({ devices }) =>
      devices.flatMap(({ path, crsProblem }) => (crsProblem === undefined ? [] : [violation(crsProblem, { path })])),
  },
  {
    id: 'CRS-RANGE',
    severity: 'error',
    title: 'In every fixed range, length is maximum − minimum + 1',
    linux: '"invalid address space": the window is ignored',
    windows: 'stop 0xA5 with 0x02, or the window is ignored',
    mend: 'compute the length from the range',
    check: ({ devices }) =>
      devices.flatMap(({ path, crs = [] }) =>
        crs.flatMap((descriptor) => {
          if (descriptor.kind !== 'AddressSpace' || !descriptor.minFixed || !descriptor.maxFixed) return [];
          const { minimum, maximum, length } = descriptor;
          if (length === 0n || length === maximum - minimum + 1n) return [];
          return [
            violation(`0x${minimum.toString(16)}–0x${maximum.toString(16)}, length 0x${length.toString(16)}`, { path }),
          ];
        }),
      ),
  },
  {
    id: 'CRS-BUS',
    severity: 'error',
    title: "A host bridge's _CRS has a bus range, which starts at its _BBN",
    linux: '"[Firmware Bug]: no secondary bus range in _CRS": buses are guessed',
    windows: 'stop 0xA5 with 0x02',
    mend: 'add a WordBusNumber from _BBN on',
    check: forEachBridge((bridge) => {
      const { path } = bridge;
      const buses = rangesOf(bridge).filter(({ kind }) => kind === 'bus');
      if (!bridge.crs) return bridge.objects.has('_CRS') ? [] : [violation('it has no _CRS', { path })];
      if (buses.length === 0) return [violation('it has no bus range', { path })];
      // A _BBN that is not plain data says nothing.
      if (bridge.bbn === undefined && bridge.objects.has('_BBN')) return [];
      const first = Math.min(...buses.map(({ base }) => base));
      return first === (bridge.bbn ?? 0)
        ? []
        : [violation(`it starts at bus ${first}, _BBN is ${bridge.bbn ?? 0}`, { path })];
    }),
  },
  {
    id: 'CRS-OVERLAP',
    severity: 'error',
    title: 'Windows of host bridges do not overlap',
    linux: '"pci_bus: window … conflicts": the later one is dropped, its devices are not assigned',
    windows: 'Code 12, or stop 0xA5',
    mend: 'give each host bridge ranges of its own',
    check: ({ hostBridges }) => {
      const windows = hostBridges.flatMap(windowsOf);
      return (['io', 'memory', 'bus'] as const).flatMap((kind) => {
        // Segments have their own bus numbers.
        const segmentOf = new Map(hostBridges.map(({ path, seg }) => [path, seg ?? 0]));
        return overlappingPairs(windows.filter((window) => window.kind === kind))
          .filter(([left, right]) => kind !== 'bus' || segmentOf.get(left.owner) === segmentOf.get(right.owner))
          .map(([left, right]) =>
            violation(`${kind} ${rangeText(left)} and ${rangeText(right)} of ${right.owner}`, { path: left.owner }),
          );
      });
    },
  },
  {
    id: 'CRS-CHIPSET',
    severity: 'error',
    title: 'Memory windows leave the chipset ranges out',
    linux: 'a BAR may be put on top of the I/O APIC or the HPET',
    windows: 'a conflict: Code 12',
    mend: 'end the 32-bit window below 0xfec0_0000',
    check: forEachBridge((bridge) =>
      windowsOf(bridge)
        .filter(({ kind }) => kind === 'memory')
        .flatMap((window) =>
          CHIPSET_RANGES.filter((range) => overlap(window, range)).map((range) =>
            violation(`${rangeText(window)} covers ${range.name}`, { path: bridge.path }),
          ),
        ),
    ),
  },
];
