import { decodeEisaId } from '../../eisa-id.ts';
import { childPath, parentPath } from '../../namespace.ts';
import type { AmlTerm } from '../../tree.ts';
import { at, type LintModel, type LintObject, lintDevices } from '../model.ts';
import type { LintRule } from '../rule.ts';
import { constantOf, elementsOf, operandOf } from '../walk.ts';

/** Devices: identification and the objects that belong together. ACPI 6.5 §6.1 to §6.3. */

/** The value of a Name, or of a method that does no more than return one. */
export function plainValue(model: LintModel, path: string): AmlTerm | undefined {
  const object = model.byPath.get(path)?.find(({ kind }) => kind !== 'External');
  if (object?.kind === 'Name') return operandOf(object.term as AmlTerm, 1);
  if (object?.kind !== 'Method') return undefined;
  const [first] = object.term!.operands[2] as readonly AmlTerm[];
  return first?.kind === 'DefReturn' ? operandOf(first, 0) : undefined;
}

/** An id as text: an EISA id, or the string. */
function idText(term: AmlTerm | undefined): string | undefined {
  if (term?.kind === 'String') return term.value;
  const value = constantOf(term);
  if (value === undefined || value > 0xffff_ffffn) return undefined;
  return decodeEisaId(Number(value)) ?? `0x${value.toString(16)}`;
}

/** ACPI 6.5 §6.1.5: PNP and EISA ids of three letters and four digits, ACPI ids of four characters and four digits. */
const ID_FORM = /^([A-Z]{3}[0-9A-F]{4}|[A-Z0-9]{4}[0-9A-F]{4})$/;

interface Device {
  readonly object: LintObject;
  readonly names: ReadonlySet<string>;
  readonly hid: string | undefined;
}

function devicesOf(model: LintModel): Device[] {
  return lintDevices(model).map(({ object, names }) => ({
    object,
    names,
    hid: idText(plainValue(model, childPath(object.path, '_HID'))),
  }));
}

const PCI_ROOTS = new Set(['PNP0A03', 'PNP0A08']);

export const DEVICE_RULES: readonly LintRule[] = [
  {
    id: 'DEVICE-ID',
    severity: 'warning',
    title: 'A device has _HID, _CLS or _ADR',
    linux: 'the device is in /sys/devices without an id: no driver finds it',
    windows: 'the device is not enumerated; stop 0xA5 (0x0d) when it is needed',
    mend: 'add _HID for a device that ACPI enumerates, _ADR for one of a bus such as PCI',
    check: (model) =>
      devicesOf(model)
        .filter(({ object, names }) => {
          if (names.has('_HID') || names.has('_ADR') || names.has('_CLS')) return false;
          // A Device that other tables only continue, or that carries nothing, is a container.
          return names.size > 0 && object.method === undefined;
        })
        .map(({ object }) => at('it has neither _HID nor _ADR', object)),
  },
  {
    id: 'DEVICE-HID-ADR',
    severity: 'warning',
    title: 'A device has _HID or _ADR, not both',
    linux: 'both are used; a device behind a PCI bus may be bound twice',
    windows: 'the HAL takes _HID; as _ADR is taken for a bus child it may show up twice or not at all',
    mend: 'drop _ADR from what ACPI enumerates, and _HID from what its bus enumerates',
    check: (model) =>
      devicesOf(model)
        .filter(({ names, hid }) => names.has('_HID') && names.has('_ADR') && !PCI_ROOTS.has(hid ?? ''))
        .map(({ object, hid }) => at(`it has _HID ${hid ?? '(computed)'} and _ADR`, object)),
  },
  {
    id: 'DEVICE-HID-FORM',
    severity: 'warning',
    title: 'Ids are three letters and four hexadecimal digits, or four characters and four digits',
    linux: 'the id is taken as it is; drivers match exact upper-case text',
    windows: 'an id of another form is no hardware id: stop 0xA5 (0x0d) in Driver Verifier, else no driver',
    mend: 'write PNP0A08 or ACPI0003: upper case, no asterisk, seven or eight characters',
    check: (model) =>
      devicesOf(model)
        .filter(({ hid }) => hid !== undefined && !ID_FORM.test(hid))
        .map(({ object, hid }) => at(`_HID is ${JSON.stringify(hid)}`, object)),
  },
  {
    id: 'DEVICE-CID-FORM',
    severity: 'warning',
    title: 'Compatible ids have the form of ids, or PCI\\…',
    linux: 'the id is never matched',
    windows: 'the id is never matched',
    mend: 'write ids as in _HID, or PCI\\CC_ccss',
    check: (model) =>
      devicesOf(model).flatMap(({ object }) => {
        const cid = plainValue(model, childPath(object.path, '_CID'));
        const ids = (elementsOf(cid) ?? [cid]).map(idText);
        return ids
          .filter((id) => id !== undefined && !ID_FORM.test(id) && !/^(PCI|USB)\\/.test(id))
          .map((id) => at(`_CID holds ${JSON.stringify(id)}`, object));
      }),
  },
  {
    id: 'DEVICE-CID-HID',
    severity: 'remark',
    title: '_CID differs from _HID',
    linux: 'nothing: the id stands twice in modalias',
    windows: 'nothing',
    mend: 'drop _CID, or name the generic device there',
    check: (model) =>
      devicesOf(model).flatMap(({ object, hid }) => {
        const cid = plainValue(model, childPath(object.path, '_CID'));
        const ids = (elementsOf(cid) ?? [cid]).map(idText);
        return hid !== undefined && ids.includes(hid) ? [at(`both are ${hid}`, object)] : [];
      }),
  },
  {
    id: 'DEVICE-UID-MISSING',
    severity: 'warning',
    title: 'Devices of the same _HID in one table have a _UID',
    linux: 'instances are numbered by order, so that names change with the firmware',
    windows: 'one of them is dropped, or settings move from one to the other; for host bridges stop 0xA5 (0x0d)',
    mend: 'give each a _UID that no other has',
    check: (model) =>
      sameHid(model).flatMap((devices) =>
        devices
          .filter(({ names }) => !names.has('_UID'))
          .map(({ object, hid }) => at(`${devices.length} devices are ${hid}, this one has no _UID`, object)),
      ),
  },
  {
    id: 'DEVICE-UID-TWICE',
    severity: 'warning',
    title: 'Two devices of the same _HID have different _UIDs',
    linux: '/sys shows one of them only; power and hotplug events may go to the wrong one',
    windows: 'stop 0xCA (duplicate PDO) or one of them is dropped',
    mend: 'number them',
    check: (model) =>
      sameHid(model).flatMap((devices) => {
        const seen = new Map<string, Device>();
        return devices.flatMap((device) => {
          const term = plainValue(model, childPath(device.object.path, '_UID'));
          const uid = term?.kind === 'String' ? term.value : constantOf(term)?.toString();
          if (uid === undefined) return [];
          const other = seen.get(uid);
          seen.set(uid, device);
          // Alternatives, of which _STA shows one, are in the field by the dozen.
          if (!other || device.names.has('_STA') || other.names.has('_STA')) return [];
          return [
            at(`_UID ${uid} of ${device.hid} is ${other.object.path.replace(/_+(?=\.|$)/g, '')}'s too`, device.object),
          ];
        });
      }),
  },
  {
    id: 'DEVICE-SRS-PRS',
    severity: 'warning',
    title: 'A device with _SRS has _PRS and _CRS, one with _PRS has _SRS',
    linux: 'resources cannot be set, or are set to what is not known to be possible',
    windows: 'stop 0xA5 (0x0d) for an interrupt link, else Code 12',
    mend: 'state _CRS, _PRS and _SRS together, or only _CRS for fixed resources',
    check: (model) =>
      devicesOf(model).flatMap(({ object, names }) => {
        const lacks = names.has('_SRS')
          ? ['_CRS', '_PRS'].filter((name) => !names.has(name))
          : names.has('_PRS') && !names.has('_SRS') && names.has('_DIS')
            ? ['_SRS']
            : [];
        return lacks.length === 0
          ? []
          : [at(`it has ${names.has('_SRS') ? '_SRS' : '_PRS'} and no ${lacks.join(' and no ')}`, object)];
      }),
  },
  {
    id: 'DEVICE-LINK',
    severity: 'error',
    title: 'An interrupt link (PNP0C0F) has _CRS, _PRS, _SRS, _DIS and a _UID',
    linux: '"ACPI: PCI: Interrupt link … has no _PRS": its devices get no interrupt',
    windows: 'stop 0xA5 (0x0d)',
    mend: 'add what is missing; a link that cannot be moved is better written as a GSI in _PRT',
    check: (model) =>
      devicesOf(model).flatMap(({ object, names, hid }) => {
        if (hid !== 'PNP0C0F') return [];
        const lacks = ['_CRS', '_PRS', '_SRS', '_DIS', '_UID'].filter((name) => !names.has(name));
        return lacks.length === 0 ? [] : [at(`it has no ${lacks.join(', ')}`, object)];
      }),
  },
  {
    id: 'DEVICE-STATUS',
    severity: 'error',
    title: '_STA as data uses bits 0 to 4, and does not say working but absent',
    linux: '"BIOS _STA bits reserved": the device counts as absent or its children are scanned in vain',
    windows: 'stop 0xA5 (0x0d) in Driver Verifier; else the device is absent',
    mend: 'use 0x0f for present and shown, 0x0b for hidden, 0 for absent',
    check: (model) =>
      devicesOf(model).flatMap(({ object }) => {
        const sta = model.byPath.get(childPath(object.path, '_STA'))?.[0];
        if (sta?.kind !== 'Name') return [];
        const value = constantOf(operandOf(sta.term as AmlTerm, 1));
        // Bit 1 (enabled) needs bit 0 (present): ACPI 6.5 §6.3.7.
        if (value === undefined || (value < 0x20n && !((value & 3n) === 2n))) return [];
        // All ones are written before a method fills them in.
        return value >= 0xffff_ffffn ? [] : [at(`_STA is 0x${value.toString(16)}`, object)];
      }),
  },
  {
    id: 'DEVICE-POWER',
    severity: 'warning',
    title: 'A power resource has _STA, _ON and _OFF',
    linux: '"Failed to evaluate _STA": the resource is not registered and its devices stay in D0',
    windows: 'stop 0xA5 (0x0d)',
    mend: 'add the methods that are missing',
    check: (model) =>
      model.objects
        .filter(({ kind, path }) => kind === 'PowerResource' && model.byPath.get(path)?.length === 1)
        .flatMap((object) => {
          const names = new Set([...(model.childrenOf.get(object.path) ?? [])].map((path) => path.slice(-4)));
          const lacks = ['_STA', '_ON_', '_OFF'].filter((name) => !names.has(name));
          return lacks.length === 0
            ? []
            : [at(`it has no ${lacks.map((name) => name.replace(/_$/, '')).join(', ')}`, object)];
        }),
  },
  {
    id: 'DEVICE-BATTERY',
    severity: 'warning',
    title: 'A battery (PNP0C0A) has _BIF or _BIX, _BST and _STA',
    linux: 'the battery is not registered',
    windows: 'the battery driver does not start: Code 10',
    mend: 'add what is missing',
    check: (model) =>
      devicesOf(model).flatMap(({ object, names, hid }) => {
        if (hid !== 'PNP0C0A') return [];
        const lacks = ['_BST', '_STA'].filter((name) => !names.has(name));
        if (!names.has('_BIF') && !names.has('_BIX')) lacks.unshift('_BIF or _BIX');
        return lacks.length === 0 ? [] : [at(`it has no ${lacks.join(', ')}`, object)];
      }),
  },
  {
    id: 'DEVICE-THERMAL',
    severity: 'warning',
    title: 'A thermal zone has _TMP and a trip point',
    linux: '"thermal zone … No trip points": the zone is ignored',
    windows: 'stop 0xA5 (0x0d) or the zone is dropped',
    mend: 'add _TMP and one of _CRT, _HOT, _PSV and _AC0',
    check: (model) =>
      model.objects
        .filter(({ kind, path }) => kind === 'ThermalZone' && model.byPath.get(path)?.[0]?.kind === 'ThermalZone')
        .flatMap((object) => {
          const names = new Set([...(model.childrenOf.get(object.path) ?? [])].map((path) => path.slice(-4)));
          const lacks = names.has('_TMP') ? [] : ['_TMP'];
          if (!['_CRT', '_HOT', '_PSV', '_AC0'].some((name) => names.has(name))) lacks.push('trip point');
          return lacks.length === 0 ? [] : [at(`it has no ${lacks.join(' and no ')}`, object)];
        }),
  },
];

/** Groups of two and more devices with the same plain _HID below the same parent's bus. */
function sameHid(model: LintModel): Device[][] {
  const groups = new Map<string, Device[]>();
  for (const device of devicesOf(model)) {
    const { hid, object } = device;
    // Which alternative is there is decided while the table is loaded.
    if (hid === undefined || object.conditional || object.method !== undefined) continue;
    const key = `${hid} ${PCI_ROOTS.has(hid) ? '' : parentPath(object.path)}`;
    groups.set(key, [...(groups.get(key) ?? []), device]);
  }
  return [...groups.values()].filter((devices) => devices.length > 1);
}
