import type { MachineConfig } from '../../emulator/machine/config.ts';
import { HIGH_RAM_BASE, ROM_AREA, ROM_SHADOW } from '../../emulator/machine/memory-map.ts';
import { type CpuTopology, topologyOf } from '../../emulator/machine/processor-topology.ts';
import { concatBytes, GIB, KIB, MIB } from '../../shared/bytes.ts';
import { UserError } from '../../shared/errors.ts';
import type { FirmwareFiles } from '../artifacts.ts';
import { flagBits } from '../layout.ts';
import { BIOS_CHARACTERISTICS, BIOS_EXTENSION_1, BIOS_EXTENSION_2, PROCESSOR_BYTES_2_8 } from './structures.ts';
import { type EntryPointForm, encodeEntryPoint, encodeStructure } from './table.ts';

export const SMBIOS_ANCHOR_FILE_NAME = 'etc/smbios/smbios-anchor';
export const SMBIOS_TABLES_FILE_NAME = 'etc/smbios/smbios-tables';

export interface SmbiosOptions {
  /** 3.0 with a 64-bit entry point, or 2.8 with a 32-bit one. */
  readonly entryPoint?: EntryPointForm;
  /** mm/dd/yyyy. From 2016 on Linux leaves out its early check of MCFG against e820. */
  readonly biosDate?: string;
  /** 16 bytes in SMBIOS order; zeros say that there is none. */
  readonly uuid?: Uint8Array;
}

export const DEFAULT_BIOS_DATE = '01/01/2024';
export const MANUFACTURER = 'Q35 toolkit';
const PRODUCT = 'Q35 + ICH9 reference board';
const VERSION = '0.1';

/** A handle block a type, so that handles stay put when a structure is added. */
const HANDLES = {
  BIOS: 0x0000,
  SYSTEM: 0x0100,
  CHASSIS: 0x0300,
  PROCESSOR: 0x0400,
  MEMORY_ARRAY: 0x1000,
  MEMORY_DEVICE: 0x1100,
  MEMORY_MAPPED_ADDRESS: 0x1300,
  BOOT: 0x2000,
  END: 0x7f00,
};
const NO_HANDLE = 0xffff;
/** Error information is not provided (DSP0134 §7.17). */
const NO_ERROR_HANDLE = 0xfffe;
const LARGEST_DIMM = 16 * GIB;
/** The virtual clock: one instruction a nanosecond. */
const PROCESSOR_MHZ = 1000;

/**
 * `etc/smbios/smbios-anchor` and `-tables`: types 0, 1, 3, 4, 16, 17, 19, 32 and 127.
 * @throws UserError BIOS_DATE
 */
export function buildSmbios(config: MachineConfig, options: SmbiosOptions = {}): FirmwareFiles {
  const form = options.entryPoint ?? '64';
  const structures = [
    biosInformation(checkedDate(options.biosDate ?? DEFAULT_BIOS_DATE)),
    systemInformation(options.uuid),
    chassis(),
    ...processorSockets(topologyOf(config), form),
    ...memory(config),
    encodeStructure('BOOT', HANDLES.BOOT, {}),
    encodeStructure('END', HANDLES.END, {}),
  ];
  const table = concatBytes(structures);
  const anchor = encodeEntryPoint({
    form,
    tableBytes: table.length,
    structureCount: structures.length,
    largestStructure: Math.max(...structures.map((structure) => structure.length)),
  });
  return new Map([
    [SMBIOS_ANCHOR_FILE_NAME, anchor],
    [SMBIOS_TABLES_FILE_NAME, table],
  ]);
}

/** Linux reads the year from it (DSP0134 §7.1: mm/dd/yyyy). */
function checkedDate(date: string): string {
  const [, month, day] = /^(\d\d)\/(\d\d)\/\d{4}$/.exec(date)?.map(Number) ?? [];
  if (month >= 1 && month <= 12 && day >= 1 && day <= 31) return date;
  throw new UserError('BIOS_DATE', `'${date}' is no date`, {
    place: { file: `--bios-date ${date}` },
    mend: 'write month, day and year as mm/dd/yyyy, such as 01/31/2024',
  });
}

function biosInformation(date: string): Uint8Array {
  const values = {
    STARTING_SEGMENT: ROM_SHADOW.base / 16,
    ROM_SIZE: ROM_AREA.size / (64 * KIB) - 1,
    CHARACTERISTICS: flagBits(BIOS_CHARACTERISTICS, ['PCI', 'SHADOWING']),
    EXTENSION_1: flagBits(BIOS_EXTENSION_1, ['ACPI']),
    EXTENSION_2: flagBits(BIOS_EXTENSION_2, ['TARGETED_CONTENT', 'VIRTUAL_MACHINE']),
    MAJOR_RELEASE: 0,
    MINOR_RELEASE: 1,
    EC_MAJOR_RELEASE: 0xff,
    EC_MINOR_RELEASE: 0xff,
  };
  return encodeStructure('BIOS', HANDLES.BIOS, values, {
    strings: { VENDOR: MANUFACTURER, VERSION, RELEASE_DATE: date },
  });
}

function systemInformation(uuid: Uint8Array = new Uint8Array(16)): Uint8Array {
  const powerSwitch = 6;
  return encodeStructure(
    'SYSTEM',
    HANDLES.SYSTEM,
    { UUID: uuid, WAKE_UP_TYPE: powerSwitch },
    { strings: { MANUFACTURER, PRODUCT, VERSION } },
  );
}

function chassis(): Uint8Array {
  const other = 1;
  const safe = 3;
  const unknown = 2;
  const values = {
    CHASSIS_TYPE: other,
    BOOT_UP_STATE: safe,
    POWER_SUPPLY_STATE: safe,
    THERMAL_STATE: safe,
    SECURITY_STATUS: unknown,
  };
  return encodeStructure('CHASSIS', HANDLES.CHASSIS, values, { strings: { MANUFACTURER, VERSION } });
}

function processorSockets(topology: CpuTopology, form: EntryPointForm): Uint8Array[] {
  return Array.from({ length: topology.sockets }, (_, socket) => processorInformation(socket, topology, form));
}

function processorInformation(socket: number, topology: CpuTopology, form: EntryPointForm): Uint8Array {
  const { cores } = topology;
  const threads = cores * topology.threads;
  const values = {
    // Central processor; family and upgrade "other"; populated and enabled.
    PROCESSOR_TYPE: 3,
    FAMILY: 1,
    UPGRADE: 1,
    STATUS: 0x41,
    MAX_SPEED: PROCESSOR_MHZ,
    CURRENT_SPEED: PROCESSOR_MHZ,
    L1_HANDLE: NO_HANDLE,
    L2_HANDLE: NO_HANDLE,
    L3_HANDLE: NO_HANDLE,
    CORE_COUNT: cores,
    CORE_ENABLED: cores,
    THREAD_COUNT: threads,
    // 64-bit capable.
    CHARACTERISTICS: 1 << 2,
    FAMILY_2: 1,
    CORE_COUNT_2: cores,
    CORE_ENABLED_2: cores,
    THREAD_COUNT_2: threads,
  };
  return encodeStructure('PROCESSOR', HANDLES.PROCESSOR + socket, values, {
    strings: { SOCKET: `CPU ${socket}`, MANUFACTURER, VERSION },
    byteLength: form === '32' ? PROCESSOR_BYTES_2_8 : undefined,
  });
}

function memory(config: MachineConfig): Uint8Array[] {
  const dimms = Math.ceil(config.ramBytes / LARGEST_DIMM);
  const highBytes = config.ramBytes - config.lowRamBytes;
  const array = encodeStructure('MEMORY_ARRAY', HANDLES.MEMORY_ARRAY, {
    // Location "other", use system memory, no error correction.
    LOCATION: 1,
    USE: 3,
    ERROR_CORRECTION: 3,
    // 2 TiB and more would need the extended field; the machine stays below.
    MAXIMUM_CAPACITY: config.ramBytes / KIB,
    ERROR_HANDLE: NO_ERROR_HANDLE,
    DEVICE_COUNT: dimms,
  });
  const devices = Array.from({ length: dimms }, (_, index) => {
    return memoryDevice(index, Math.min(LARGEST_DIMM, config.ramBytes - index * LARGEST_DIMM));
  });
  const ranges = [{ base: 0, size: config.lowRamBytes }];
  if (highBytes > 0) ranges.push({ base: HIGH_RAM_BASE, size: highBytes });
  return [array, ...devices, ...ranges.map((range, index) => mappedAddress(index, range))];
}

function memoryDevice(index: number, byteLength: number): Uint8Array {
  const values = {
    ARRAY_HANDLE: HANDLES.MEMORY_ARRAY,
    ERROR_HANDLE: NO_ERROR_HANDLE,
    TOTAL_WIDTH: 64,
    DATA_WIDTH: 64,
    // 16 GiB, the largest, still fits the 15 bits of MiB.
    SIZE: byteLength / MIB,
    // DIMM, RAM, detail "other".
    FORM_FACTOR: 9,
    MEMORY_TYPE: 7,
    TYPE_DETAIL: 1 << 1,
  };
  return encodeStructure('MEMORY_DEVICE', HANDLES.MEMORY_DEVICE + index, values, {
    strings: { DEVICE_LOCATOR: `DIMM ${index}`, MANUFACTURER },
  });
}

/** Addresses count in KiB, the end is the last one that belongs to the range. */
function mappedAddress(index: number, range: { base: number; size: number }): Uint8Array {
  return encodeStructure('MEMORY_MAPPED_ADDRESS', HANDLES.MEMORY_MAPPED_ADDRESS + index, {
    STARTING_ADDRESS: range.base / KIB,
    ENDING_ADDRESS: (range.base + range.size) / KIB - 1,
    ARRAY_HANDLE: HANDLES.MEMORY_ARRAY,
    PARTITION_WIDTH: 1,
  });
}
