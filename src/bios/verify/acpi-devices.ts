import { decodeEisaId } from '../../aml/eisa-id.ts';
import { childPath, parentPath } from '../../aml/namespace.ts';
import type { AddressSpace } from '../../aml/resources/address-space.ts';
import { decodeResources, type ResourceDescriptor } from '../../aml/resources/resource-template.ts';
import type { AmlTerm } from '../../aml/tree.ts';
import type { Window } from '../pci/plan.ts';
import {
  type AcpiNamespace,
  type Assumptions,
  bufferOf,
  elementsOf,
  evaluatePath,
  integerOf,
  interruptModelPaths,
} from './acpi-namespace.ts';

/** A Device of the namespace, its well-known objects evaluated; undefined is "not there, or not plain data". */
export interface AcpiDevice {
  readonly path: string;
  /** `_HID` and `_CID`, EISA ids as text. */
  readonly hid?: string;
  readonly cids: readonly string[];
  readonly uid?: string;
  readonly adr?: number;
  readonly seg?: number;
  readonly bbn?: number;
  readonly sta?: number;
  /** Names of its own objects: `_CRS`, `_OSC` … */
  readonly objects: ReadonlySet<string>;
  readonly crs?: readonly ResourceDescriptor[];
  /** Why `_CRS` could not be read. */
  readonly crsProblem?: string;
  /** `_PRT` as the OS reads it with the 8259s and with the I/O APIC. */
  readonly prt?: Readonly<Record<InterruptModel, readonly RoutingEntry[] | undefined>>;
}

export type InterruptModel = 'pic' | 'apic';
export const INTERRUPT_MODELS: Readonly<Record<InterruptModel, bigint>> = { pic: 0n, apic: 1n };

/** One package of `_PRT`; undefined parts are malformed. */
export interface RoutingEntry {
  readonly address?: number;
  readonly pin?: number;
  /** The link device as written, and its absolute path when it is there. */
  readonly source?: string;
  readonly link?: string;
  /** Without a link: the GSI itself. */
  readonly gsi?: number;
}

/** Every Device, in the order of the tables. */
export function readDevices(namespace: AcpiNamespace): AcpiDevice[] {
  const byParent = new Map<string, Set<string>>();
  for (const path of namespace.objects.keys()) {
    const parent = parentPath(path);
    const names = byParent.get(parent) ?? new Set();
    names.add(path.slice(-4));
    byParent.set(parent, names);
  }
  const devices = [...namespace.objects.values()].filter(({ kind }) => kind === 'Device');
  return devices.map(({ path }) => readDevice(namespace, path, byParent.get(path) ?? new Set()));
}

function readDevice(namespace: AcpiNamespace, path: string, objects: ReadonlySet<string>): AcpiDevice {
  const evaluate = (name: string) => evaluatePath(namespace, childPath(path, name))?.term;
  const number = (name: string) => {
    const value = integerOf(evaluate(name));
    return value === undefined ? undefined : Number(value);
  };
  const cid = evaluate('_CID');
  const uid = evaluate('_UID');
  return {
    path,
    hid: idOf(evaluate('_HID')),
    cids: (elementsOf(cid) ?? [cid]).map(idOf).filter((id) => id !== undefined),
    uid: uid?.kind === 'String' ? uid.value : integerOf(uid)?.toString(),
    adr: number('_ADR'),
    seg: number('_SEG'),
    bbn: number('_BBN'),
    sta: number('_STA'),
    objects,
    ...resourcesOf(evaluate('_CRS')),
    prt: objects.has('_PRT') ? routingOf(namespace, childPath(path, '_PRT')) : undefined,
  };
}

function idOf(term: AmlTerm | undefined): string | undefined {
  if (term?.kind === 'String') return term.value;
  const value = integerOf(term);
  if (value === undefined || value > 0xffff_ffffn) return undefined;
  return decodeEisaId(Number(value)) ?? `0x${value.toString(16)}`;
}

function resourcesOf(term: AmlTerm | undefined): Pick<AcpiDevice, 'crs' | 'crsProblem'> {
  const bytes = bufferOf(term);
  if (!bytes) return {};
  try {
    return { crs: decodeResources(bytes).descriptors };
  } catch (error) {
    return { crsProblem: (error as Error).message };
  }
}

function routingOf(namespace: AcpiNamespace, path: string): AcpiDevice['prt'] {
  const models = interruptModelPaths(namespace);
  const read = (value: bigint) => {
    const assumptions: Assumptions = new Map(models.map((model) => [model, value]));
    const table = evaluatePath(namespace, path, assumptions);
    return elementsOf(table?.term)?.map((entry) => routingEntry(namespace, table!.scope, entry));
  };
  return { pic: read(INTERRUPT_MODELS.pic), apic: read(INTERRUPT_MODELS.apic) };
}

function routingEntry(namespace: AcpiNamespace, scope: string, term: AmlTerm): RoutingEntry {
  const [address, pin, source, index] = elementsOf(term) ?? [];
  const number = (value: AmlTerm | undefined) => {
    const integer = integerOf(value);
    return integer === undefined ? undefined : Number(integer);
  };
  const entry = { address: number(address), pin: number(pin) };
  if (source?.kind === 'NameString') {
    return { ...entry, source: source.path, link: namespace.names.resolve(scope, source.path) };
  }
  return number(source) === 0 ? { ...entry, gsi: number(index) } : entry;
}

/** `_CRS` is there and is not plain data: what it states is not known. */
export function hasUnknownResources({ objects, crs, crsProblem }: AcpiDevice): boolean {
  return objects.has('_CRS') && crs === undefined && crsProblem === undefined;
}

/** Present for certain: without `_STA`, or with one that says so as plain data. */
export function isPresent({ objects, sta }: AcpiDevice): boolean {
  return sta === undefined ? !objects.has('_STA') : sta % 2 === 1;
}

export function isHostBridge({ hid, cids }: AcpiDevice): boolean {
  return [hid, ...cids].some((id) => id === 'PNP0A08' || id === 'PNP0A03');
}

export type RangeKind = 'bus' | 'io' | 'memory';

/** A range that `_CRS` states. */
export interface AcpiRange extends Window {
  readonly kind: RangeKind;
  /** A window that the device hands on, not one that it uses. */
  readonly producer: boolean;
  readonly prefetchable: boolean;
  readonly descriptor: ResourceDescriptor;
}

/** The fixed ranges of a `_CRS`. */
export function rangesOf({ crs = [] }: AcpiDevice): AcpiRange[] {
  return crs.flatMap((descriptor): AcpiRange[] => {
    switch (descriptor.kind) {
      case 'AddressSpace':
        return addressSpaceRange(descriptor);
      case 'IO':
        return [consumed('io', descriptor.minimum, descriptor.byteLength, descriptor)];
      case 'FixedIO':
        return [consumed('io', descriptor.base, descriptor.byteLength, descriptor)];
      case 'Memory32Fixed':
        return [consumed('memory', descriptor.base, descriptor.byteLength, descriptor)];
      default:
        return [];
    }
  });
}

function consumed(kind: RangeKind, base: number, size: number, descriptor: ResourceDescriptor): AcpiRange {
  return { kind, base, size, producer: false, prefetchable: false, descriptor };
}

const RANGE_KINDS: Readonly<Record<AddressSpace['range']['type'], RangeKind | undefined>> = {
  Memory: 'memory',
  IO: 'io',
  BusNumber: 'bus',
  Other: undefined,
};

function addressSpaceRange(descriptor: AddressSpace): AcpiRange[] {
  const { range, usage, minimum, length } = descriptor;
  const kind = RANGE_KINDS[range.type];
  if (kind === undefined || length === 0n) return [];
  return [
    {
      kind,
      base: Number(minimum),
      size: Number(length),
      producer: usage === 'ResourceProducer',
      prefetchable: range.type === 'Memory' && range.cache === 'Prefetchable',
      descriptor,
    },
  ];
}

/** The interrupts that a link device may take (`_PRS`, else `_CRS`), when that is plain data. */
export function linkInterrupts(namespace: AcpiNamespace, link: string): readonly number[] | undefined {
  for (const name of ['_PRS', '_CRS']) {
    const { crs } = resourcesOf(evaluatePath(namespace, childPath(link, name))?.term);
    const found = crs?.flatMap((descriptor) => {
      if (descriptor.kind === 'Interrupt') return descriptor.interrupts;
      return descriptor.kind === 'IRQ' ? descriptor.irqs : [];
    });
    if (found && found.length > 0) return found;
  }
  return undefined;
}
