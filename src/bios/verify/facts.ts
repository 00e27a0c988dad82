import { viewOf } from '../../shared/bytes.ts';
import { tableEntries } from '../acpi/describe.ts';
import { FADT } from '../acpi/fadt.ts';
import { HEADER_BYTES } from '../acpi/header.ts';
import { defaultAllocator, executeScript } from '../acpi/linker/load.ts';
import { LOADER_FILE_NAME, RSDP_FILE_NAME, TABLES_FILE_NAME } from '../acpi/linker/script.ts';
import { MADT_ENTRIES } from '../acpi/madt.ts';
import { MCFG_ALLOCATION } from '../acpi/mcfg.ts';
import { RSDP, RSDP_SIGNATURE } from '../acpi/rsdp.ts';
import { decodeLayout, type LayoutValues } from '../layout.ts';
import { decodeE820, E820_FILE_NAME, E820_TYPES, type E820Entry } from '../memory/e820.ts';
import type { PciPlan } from '../pci/plan.ts';
import { SMBIOS_ANCHOR_FILE_NAME, SMBIOS_TABLES_FILE_NAME } from '../smbios/build.ts';
import { decodeStructures, type SmbiosStructure, structureFields } from '../smbios/table.ts';
import { type AcpiDevice, isHostBridge, readDevices } from './acpi-devices.ts';
import { type AcpiNamespace, readNamespace } from './acpi-namespace.ts';
import type { CheckSubject } from './subject.ts';

/** A table that was found. */
export interface FoundTable {
  readonly signature: string;
  /** From its first byte; cut to the length that the header states where there are as many. */
  readonly bytes: Uint8Array;
  /** Length that the header states, and bytes that are there from its start on. */
  readonly statedLength: number;
  readonly available: number;
  /** Guest-physical address; undefined for a file that stands alone. */
  readonly gpa?: number;
  readonly file: string;
}

export type Fadt = LayoutValues<typeof FADT>;
export type McfgAllocation = LayoutValues<typeof MCFG_ALLOCATION>;
export type MadtEntries = {
  readonly [Kind in keyof typeof MADT_ENTRIES]: readonly LayoutValues<(typeof MADT_ENTRIES)[Kind]>[];
};

/** Everything that the rules look at; parts that the files do not hold are undefined, and rules that need them say nothing. */
export interface CheckFacts {
  readonly subject: CheckSubject;
  /** Why the linker/loader script, e820 or AML could not be read, by the rule that reports it. */
  readonly unreadable: Readonly<Partial<Record<'loader' | 'e820' | 'aml', string>>>;
  readonly rsdp?: { readonly bytes: Uint8Array; readonly gpa: number };
  /** Signatures in the order of the RSDT and the XSDT, with addresses; tables that could not be found have none. */
  readonly rootLists: { readonly rsdt?: readonly number[]; readonly xsdt?: readonly number[] };
  readonly tables: readonly FoundTable[];
  readonly fadt?: Fadt;
  readonly madt?: MadtEntries;
  readonly mcfg?: readonly McfgAllocation[];
  readonly e820?: readonly E820Entry[];
  readonly namespace?: AcpiNamespace;
  readonly devices: readonly AcpiDevice[];
  readonly hostBridges: readonly AcpiDevice[];
  readonly plan?: PciPlan;
  readonly smbios?: {
    readonly anchor: Uint8Array;
    readonly table: Uint8Array;
    readonly structures: readonly SmbiosStructure[];
  };
}

/** Reads what the files hold; damage is noted for the rules, not thrown. */
export function collectFacts(subject: CheckSubject): CheckFacts {
  const unreadable: { loader?: string; e820?: string; aml?: string } = {};
  const attempt = <Result>(part: keyof typeof unreadable, read: () => Result): Result | undefined => {
    try {
      return read();
    } catch (error) {
      unreadable[part] = (error as Error).message;
      return undefined;
    }
  };
  const { files } = subject;
  const e820Bytes = files.get(E820_FILE_NAME);
  const e820 = e820Bytes && attempt('e820', () => decodeE820(e820Bytes));
  const linked = files.has(LOADER_FILE_NAME) ? attempt('loader', () => linkedTables(subject, e820 ?? [])) : undefined;
  const tables = linked?.tables ?? looseTables(subject);
  const table = (signature: string) => tables.find((found) => found.signature === signature);
  const definitions = tables.filter(({ signature }) => signature === 'DSDT' || signature === 'SSDT');
  const namespace = definitions.length > 0 ? attempt('aml', () => readNamespace(definitions)) : undefined;
  const devices = namespace ? readDevices(namespace) : [];
  const [fadt, madt, mcfg] = ['FACP', 'APIC', 'MCFG'].map(table);
  return {
    subject,
    unreadable,
    rsdp: linked?.rsdp,
    rootLists: linked?.rootLists ?? {},
    tables,
    fadt: fadt && decodeLayout(FADT, fadt.bytes),
    madt: madt && madtEntries(madt.bytes),
    mcfg: mcfg && tableEntries(mcfg.bytes).map(({ bytes }) => decodeLayout(MCFG_ALLOCATION, bytes)),
    e820,
    namespace,
    devices,
    hostBridges: devices.filter(isHostBridge),
    plan: subject.plan,
    smbios: smbiosOf(subject),
  };
}

const text = (bytes: Uint8Array, offset: number, length: number) =>
  String.fromCharCode(...bytes.subarray(offset, offset + length));

function foundTable(bytes: Uint8Array, file: string, gpa?: number): FoundTable {
  const statedLength = bytes.length >= 8 ? viewOf(bytes).getUint32(4, true) : 0;
  return {
    signature: text(bytes, 0, 4),
    bytes: bytes.subarray(0, Math.max(statedLength, Math.min(bytes.length, HEADER_BYTES))),
    statedLength,
    available: bytes.length,
    gpa,
    file,
  };
}

/** Runs the script as firmware does and walks from the RSDP. */
function linkedTables({ files }: CheckSubject, e820: readonly E820Entry[]) {
  const image = executeScript(files, defaultAllocator(topOfLowRam(e820)));
  const rsdpFile = image.files.get(RSDP_FILE_NAME);
  const tablesFile = image.files.get(TABLES_FILE_NAME);
  if (!rsdpFile || !tablesFile) throw new Error('the script allocates no etc/acpi/rsdp or no etc/acpi/tables');
  const at = (gpa: number): FoundTable | undefined => {
    const offset = gpa - tablesFile.gpa;
    if (offset < 0 || offset + 8 > tablesFile.bytes.length) return undefined;
    return foundTable(tablesFile.bytes.subarray(offset), TABLES_FILE_NAME, gpa);
  };
  const rsdp = decodeLayout(RSDP, rsdpFile.bytes);
  const rsdt = rsdp.SIGNATURE === RSDP_SIGNATURE ? at(rsdp.RSDT_ADDRESS) : undefined;
  const xsdt = rsdp.SIGNATURE === RSDP_SIGNATURE ? at(rsdp.XSDT_ADDRESS) : undefined;
  const rootLists = { rsdt: rsdt && addressesIn(rsdt, 4), xsdt: xsdt && addressesIn(xsdt, 8) };
  const listed = (rootLists.xsdt ?? rootLists.rsdt ?? []).map(at).filter((found) => found !== undefined);
  const fadt = listed.find(({ signature }) => signature === 'FACP');
  const pointed = fadt
    ? pointersOf(fadt)
        .map(at)
        .filter((found) => found !== undefined)
    : [];
  const roots = [rsdt, xsdt].filter((found) => found !== undefined);
  return { rsdp: { bytes: rsdpFile.bytes, gpa: rsdpFile.gpa }, rootLists, tables: [...roots, ...listed, ...pointed] };
}

function pointersOf(table: FoundTable): number[] {
  const { FIRMWARE_CTRL, X_FIRMWARE_CTRL, DSDT, X_DSDT } = decodeLayout(FADT, table.bytes);
  return [X_DSDT || DSDT, X_FIRMWARE_CTRL || FIRMWARE_CTRL].filter((gpa) => gpa !== 0);
}

function addressesIn({ bytes }: FoundTable, size: 4 | 8): number[] {
  const view = viewOf(bytes);
  const count = Math.max(0, Math.floor((bytes.length - HEADER_BYTES) / size));
  return Array.from({ length: count }, (_, index) => {
    const offset = HEADER_BYTES + size * index;
    return size === 4 ? view.getUint32(offset, true) : Number(view.getBigUint64(offset, true));
  });
}

const FIRST_MIB = 0x10_0000;
const FOUR_GIB = 0x1_0000_0000;

/** Where allocations end when e820 offers no RAM above 1 MiB. */
const ASSUMED_LOW_RAM = 0x1000_0000;

/** Where the firmware's allocations end: the top of the RAM below 4 GiB. */
function topOfLowRam(e820: readonly E820Entry[]): number {
  const low = e820.filter(({ base, type }) => type === E820_TYPES.RAM && base >= FIRST_MIB && base < FOUR_GIB);
  return low.length === 0 ? ASSUMED_LOW_RAM : Math.max(...low.map(({ base, size }) => base + size));
}

/** `DSDT.aml`, `facp.dat`, or as in /sys/firmware/acpi/tables `APIC` and `SSDT2`; at the top or in `tables/`. */
const TABLE_FILE = /^(?:tables\/)?(?:[^/]+\.(?:aml|dat|bin)|[A-Z]{3}[A-Z0-9]\d*)$/i;

/** True when there is something to check: linked tables, or tables as files of their own. */
export function holdsTables({ files }: CheckSubject): boolean {
  return files.has(LOADER_FILE_NAME) || [...files.keys()].some((name) => TABLE_FILE.test(name));
}

/** Tables as files of their own, as a guest or a dump shows them. */
function looseTables({ files }: CheckSubject): FoundTable[] {
  return [...files]
    .filter(([name, bytes]) => TABLE_FILE.test(name) && bytes.length >= 8)
    .map(([name, bytes]) => foundTable(bytes, name))
    .filter(({ signature }) => /^[A-Z]{3}[A-Z0-9!]$/.test(signature));
}

function madtEntries(madt: Uint8Array): MadtEntries {
  const entries = tableEntries(madt);
  return Object.fromEntries(
    Object.entries(MADT_ENTRIES).map(([kind, layout]) => [
      kind,
      entries.filter((entry) => entry.layout === layout).map(({ bytes }) => decodeLayout(layout as never, bytes)),
    ]),
  ) as unknown as MadtEntries;
}

function smbiosOf({ files }: CheckSubject): CheckFacts['smbios'] {
  const anchor = files.get(SMBIOS_ANCHOR_FILE_NAME);
  const table = files.get(SMBIOS_TABLES_FILE_NAME);
  return anchor && table ? { anchor, table, structures: decodeStructures(table) } : undefined;
}

/** The year of SMBIOS' BIOS date (mm/dd/yyyy or mm/dd/yy). */
export function biosYear({ smbios }: CheckFacts): number | undefined {
  const bios = smbios?.structures.find(({ type }) => type === 0);
  if (!bios) return undefined;
  const date = bios.strings[structureFields('BIOS', bios).RELEASE_DATE - 1] ?? '';
  const year = Number(/^\d\d\/\d\d\/(\d{2}|\d{4})$/.exec(date)?.[1] ?? Number.NaN);
  if (Number.isNaN(year)) return undefined;
  return year < 100 ? 1900 + year : year;
}

/** The first table of a signature. */
export function tableOf(facts: CheckFacts, signature: string): FoundTable | undefined {
  return facts.tables.find((table) => table.signature === signature);
}
