import { hex } from '../../../shared/bytes.ts';
import { byteSum } from '../../../shared/checksum.ts';
import { HPET } from '../../acpi/hpet.ts';
import { decodeLayout } from '../../layout.ts';
import { INTERMEDIATE_OFFSET } from '../../smbios/structures.ts';
import { type AcpiDevice, type AcpiRange, hasUnknownResources, isPresent, rangesOf } from '../acpi-devices.ts';
import { biosYear, type CheckFacts, tableOf } from '../facts.ts';
import { contains, overlappingPairs, rangeText } from '../ranges.ts';
import { type Rule, type Violation, violation } from '../rule.ts';

/** AML as such, devices of the DSDT against one another, HPET and SMBIOS. */

/** SMBIOS types that an OS or its tools expect (DSP0134 §6.2). */
const REQUIRED_STRUCTURES = [0, 1, 3, 4, 16, 17, 19, 32];
const END_OF_TABLE = 127;

/** I/O ports that a device uses, when it is present. */
function portsOf(device: AcpiDevice): (AcpiRange & { readonly device: AcpiDevice })[] {
  if (!isPresent(device)) return [];
  return rangesOf(device)
    .filter(({ kind, producer }) => kind === 'io' && !producer)
    .map((range) => ({ ...range, device }));
}

export const PLATFORM_RULES: readonly Rule[] = [
  {
    id: 'AML-READABLE',
    severity: 'error',
    title: 'DSDT and SSDTs are AML to their last byte',
    linux: '"ACPI Error: … AE_AML_BAD_OPCODE"; what follows is not loaded',
    windows: 'stop 0xA5',
    mend: 'compile the table again',
    check: ({ namespace, unreadable }) => [
      ...(unreadable.aml === undefined ? [] : [violation(unreadable.aml)]),
      ...(namespace?.problems ?? []).map(({ file, message, offset }) => violation(message, { file, offset })),
    ],
  },
  {
    id: 'DEVICE-ID',
    severity: 'error',
    title: 'Every device has _HID or _ADR',
    linux: 'the device is enumerated and nothing binds to it',
    windows: 'stop 0xA5 with 0x0d: a required object is missing',
    mend: 'give it an id, or an address on the bus of its parent',
    check: ({ devices }) =>
      devices
        .filter(({ objects }) => !objects.has('_HID') && !objects.has('_ADR') && !objects.has('_CID'))
        .map(({ path }) => violation('it has neither', { path })),
  },
  {
    id: 'DEVICE-UID',
    severity: 'error',
    title: 'Devices with one _HID differ in _UID',
    linux: 'they are told apart by their order only',
    windows: 'stop 0xA5 with 0x0d: two devices are one',
    mend: 'give each a _UID of its own',
    check: ({ devices }) => {
      const seen = new Map<string, string>();
      return devices.filter(isPresent).flatMap(({ path, hid, uid, objects }) => {
        if (hid === undefined || (objects.has('_UID') && uid === undefined)) return [];
        const key = `${hid} ${uid ?? ''}`;
        const other = seen.get(key);
        seen.set(key, path);
        const same = uid === undefined ? 'no _UID' : `_UID ${uid}`;
        return other === undefined ? [] : [violation(`${hid} with ${same}, as ${other}`, { path })];
      });
    },
  },
  {
    id: 'PORT-OVERLAP',
    severity: 'error',
    title: 'No two devices use the same I/O ports',
    linux: '"resource … conflicts with": the second driver does not start',
    windows: 'Code 12 (QEMU 6.1: PCI hotplug at 0xcc4 and CPU hotplug at 0xcd8)',
    mend: 'move one of them',
    check: ({ devices }) =>
      overlappingPairs(devices.flatMap(portsOf))
        .filter(([left, right]) => left.device !== right.device)
        .map(([left, right]) =>
          violation(`${rangeText(left)} and ${rangeText(right)} of ${right.device.path}`, { path: left.device.path }),
        ),
  },
  {
    id: 'HPET-DEVICE',
    severity: 'warning',
    title: "The HPET table's block is that of the DSDT's PNP0103 device",
    linux: 'the block is used early and lost later, or not mapped',
    windows: 'the HPET is not used',
    mend: 'state 0xfed00000 in both',
    check: (facts) => {
      const table = tableOf(facts, 'HPET');
      if (!table || !facts.namespace) return [];
      const { address } = decodeLayout(HPET, table.bytes).BASE_ADDRESS;
      const devices = facts.devices.filter(({ hid }) => hid === 'PNP0103');
      const found = devices.some((device) =>
        rangesOf(device).some((range) => contains(range, { base: address, size: 1 })),
      );
      const unknown = devices.some(hasUnknownResources);
      return found || unknown ? [] : [violation(`no device has ${hex(address)}`, { path: 'HPET' })];
    },
  },
  {
    id: 'SMBIOS-CHECKSUM',
    severity: 'error',
    title: 'The SMBIOS entry point sums to 0',
    linux: '"DMI not present or invalid."',
    windows: 'no SMBIOS: activation and drivers miss their ids',
    mend: 'let the firmware compute the checksum after it has filled in the address',
    check: ({ smbios }) => {
      if (!smbios) return [];
      const { anchor } = smbios;
      const is32 = String.fromCharCode(...anchor.subarray(0, 4)) === '_SM_';
      const sums = [byteSum(anchor), is32 ? byteSum(anchor.subarray(INTERMEDIATE_OFFSET)) : 0];
      return sums.every((sum) => sum === 0)
        ? []
        : [violation(`it sums to ${sums.map((sum) => hex(sum)).join(' and ')}`)];
    },
  },
  {
    id: 'SMBIOS-STRUCTURES',
    severity: 'error',
    title: 'SMBIOS has the structures of a PC and ends with type 127',
    linux: '"DMI: " without names, or reading beyond the table',
    windows: 'System Information stays empty; WHQL tests fail',
    mend: 'keep types 0, 1, 3, 4, 16, 17, 19, 32 and 127',
    check: ({ smbios }) => {
      if (!smbios) return [];
      const types = smbios.structures.map(({ type }) => type);
      const missing = REQUIRED_STRUCTURES.filter((type) => !types.includes(type));
      return [
        ...missing.map((type) => violation(`type ${type} is missing`)),
        ...(types.at(-1) === END_OF_TABLE ? [] : [violation('type 127 does not stand at the end')]),
      ];
    },
  },
  {
    id: 'SMBIOS-DATE',
    severity: 'warning',
    title: 'The BIOS date is of 2016 or later',
    linux: 'MCFG is checked against e820 early, before the DSDT is read; an ECAM above 4 GiB needs 2010',
    windows: 'old work-arounds are switched on',
    mend: 'state a later date (--bios-date)',
    check: (facts: CheckFacts): Violation[] => {
      if (!facts.smbios) return [];
      const year = biosYear(facts);
      return year !== undefined && year >= 2016 ? [] : [violation(`the year is ${year ?? 'not readable'}`)];
    },
  },
];
