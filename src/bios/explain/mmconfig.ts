import { resourcesOf } from '../../aml/interpreter/devices.ts';
import { formatPath } from '../../aml/name-string.ts';
import { childPath } from '../../aml/namespace.ts';
import { type AcpiDevice, hasUnknownResources, rangesOf } from '../verify/acpi-devices.ts';
import { contains, overlap, rangeText } from '../verify/ranges.ts';
import { ecamRange } from '../verify/rules/ecam.ts';
import { type ExplainedMachine, type Explanation, tryTo } from './machine.ts';

const MOTHERBOARD = new Set(['PNP0C01', 'PNP0C02']);

/**
 * Whether Linux uses the MCFG, by its own rules (arch/x86/pci/mmconfig-shared.c): the firmware's memory map is not in the tables, so
 * the early check stays open; the late one asks the motherboard's resources.
 */
export function explainMmconfig({ facts, interpreter }: ExplainedMachine): Explanation {
  const { mcfg, devices, hostBridges } = facts;
  const title = 'Memory-mapped PCI configuration space (MMCONFIG, ECAM)';
  if (!mcfg || mcfg.length === 0) {
    return {
      title,
      lines: [
        mcfg ? 'The MCFG lists no range.' : 'There is no MCFG.',
        'Linux: "PCI: Using configuration type 1": 256 bytes a function, no AER, no SR-IOV, no ATS. Windows: the same.',
        'Mend: add an MCFG with base, segment and buses (`q35 acpi build` makes one).',
      ],
    };
  }
  const board = devices
    .filter(({ hid, cids }) => [hid, ...cids].some((id) => MOTHERBOARD.has(id ?? '')))
    .map((device) => (hasUnknownResources(device) ? computed(device, interpreter) : device));
  const lines = mcfg.flatMap((allocation) => {
    const range = ecamRange(allocation);
    const holder = board.find((device) =>
      rangesOf(device).some((own) => own.kind === 'memory' && contains(own, range)),
    );
    const unknown = board.filter(hasUnknownResources);
    const taken = hostBridges.find((host) =>
      rangesOf(host).some((own) => own.kind === 'memory' && own.producer && overlap(own, range)),
    );
    const text = `${rangeText(range)}`;
    return [
      `Segment ${allocation.SEGMENT}, buses ${allocation.START_BUS}–${allocation.END_BUS}: ${text}.`,
      `  dmesg: "PCI: MMCONFIG for domain ${allocation.SEGMENT.toString(16).padStart(4, '0')} [bus ${hexByte(allocation.START_BUS)}-${hexByte(allocation.END_BUS)}] at [mem ${dmesgRange(range)}]"`,
      holder
        ? `  ${formatPath(holder.path)} (${holder.hid}) claims it: "reserved as ACPI motherboard resource"; Linux uses it.`
        : unknown.length > 0
          ? `  No _CRS that is plain data claims it; ${unknown.map(({ path }) => formatPath(path)).join(', ')} computes its own. Ask \`q35 acpi explain\` for that path.`
          : '  No PNP0C01 or PNP0C02 device claims it: "[Firmware Bug]: PCI: MMCONFIG … not reserved in ACPI motherboard resources"; Linux drops it unless EFI maps it as MMIO. Mend: add the range to the _CRS of a PNP0C02 device.',
      ...(taken
        ? [
            `  ${formatPath(taken.path)} hands the range on to PCI devices as well: a BAR may be put over it. Mend: leave it out of the window.`,
          ]
        : []),
    ];
  });
  return {
    title,
    lines: [
      ...lines,
      'Linux checks e820 first when the SMBIOS date is before 2016: the range must be reserved there too. One bad range drops all.',
      'Windows takes the MCFG as it is, and does not use it when the range is not reserved in the memory map.',
    ],
  };
}

const hexByte = (value: number): string => value.toString(16).padStart(2, '0');

const dmesgRange = ({ base, size }: { readonly base: number; readonly size: number }): string =>
  `0x${base.toString(16).padStart(8, '0')}-0x${(base + size - 1).toString(16).padStart(8, '0')}`;

/** The device with what its _CRS gives when hardware reads as zero. */
function computed(device: AcpiDevice, interpreter: ExplainedMachine['interpreter']): AcpiDevice {
  const read = interpreter && tryTo(() => resourcesOf(interpreter, formatPath(childPath(device.path, '_CRS'))));
  return read && 'value' in read ? { ...device, crs: read.value } : device;
}
