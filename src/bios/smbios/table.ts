import { asciiBytes, concatBytes } from '../../shared/bytes.ts';
import { checksumByte } from '../../shared/checksum.ts';
import { decodeLayout, encodeLayout, type Layout, type LayoutValues } from '../layout.ts';
import {
  ENTRY_POINT_32,
  ENTRY_POINT_64,
  INTERMEDIATE_OFFSET,
  SMBIOS_STRUCTURES,
  SMBIOS_TYPES,
  type SmbiosKind,
} from './structures.ts';

export type EntryPointForm = '64' | '32';

/**
 * One structure: the formatted area, cut to `byteLength` for an older version, then its strings, each ending in NUL, and a NUL more
 * (DSP0134 §6.1.3). `strings` names the fields that take a string's number.
 */
export function encodeStructure<Kind extends SmbiosKind>(
  kind: Kind,
  handle: number,
  values: Partial<LayoutValues<(typeof SMBIOS_STRUCTURES)[Kind]>>,
  options: { strings?: Readonly<Record<string, string>>; byteLength?: number } = {},
): Uint8Array {
  const target: Layout = SMBIOS_STRUCTURES[kind];
  const byteLength = options.byteLength ?? target.byteLength;
  const numbers: Record<string, number> = {};
  const texts: Uint8Array[] = [];
  for (const [field, text] of Object.entries(options.strings ?? {})) {
    texts.push(asciiBytes(text, text.length + 1));
    numbers[field] = texts.length;
  }
  const formatted = encodeLayout(target, {
    ...values,
    ...numbers,
    TYPE: SMBIOS_TYPES[kind],
    LENGTH: byteLength,
    HANDLE: handle,
  });
  // Without strings there are two NULs.
  const terminator = new Uint8Array(texts.length === 0 ? 2 : 1);
  return concatBytes([formatted.subarray(0, byteLength), ...texts, terminator]);
}

export interface EntryPointFacts {
  readonly form: EntryPointForm;
  readonly tableBytes: number;
  readonly structureCount: number;
  readonly largestStructure: number;
  readonly tableAddress?: number;
}

/** The anchor; the firmware fills in the table's address and the checksums again. */
export function encodeEntryPoint(facts: EntryPointFacts): Uint8Array {
  return facts.form === '64' ? encodeEntryPoint64(facts) : encodeEntryPoint32(facts);
}

function encodeEntryPoint64(facts: EntryPointFacts): Uint8Array {
  const image = encodeLayout(ENTRY_POINT_64, {
    ANCHOR: '_SM3_',
    LENGTH: ENTRY_POINT_64.byteLength,
    MAJOR: 3,
    MINOR: 0,
    REVISION: 1,
    TABLE_MAXIMUM_BYTES: facts.tableBytes,
    TABLE_ADDRESS: facts.tableAddress ?? 0,
  });
  image[ENTRY_POINT_64.fields.CHECKSUM.offset] = checksumByte(image);
  return image;
}

function encodeEntryPoint32(facts: EntryPointFacts): Uint8Array {
  const image = encodeLayout(ENTRY_POINT_32, {
    ANCHOR: '_SM_',
    LENGTH: ENTRY_POINT_32.byteLength,
    MAJOR: 2,
    MINOR: 8,
    MAXIMUM_STRUCTURE_BYTES: facts.largestStructure,
    INTERMEDIATE_ANCHOR: '_DMI_',
    TABLE_BYTES: facts.tableBytes,
    TABLE_ADDRESS: facts.tableAddress ?? 0,
    STRUCTURE_COUNT: facts.structureCount,
    BCD_REVISION: 0x28,
  });
  const { INTERMEDIATE_CHECKSUM, CHECKSUM } = ENTRY_POINT_32.fields;
  image[INTERMEDIATE_CHECKSUM.offset] = checksumByte(image.subarray(INTERMEDIATE_OFFSET));
  image[CHECKSUM.offset] = checksumByte(image);
  return image;
}

/** A structure as it stands in the table. */
export interface SmbiosStructure {
  readonly type: number;
  readonly handle: number;
  readonly offset: number;
  readonly formatted: Uint8Array;
  readonly strings: readonly string[];
}

/** Walks the table up to and including type 127; stops early where a structure is cut short. */
export function decodeStructures(table: Uint8Array): SmbiosStructure[] {
  const structures: SmbiosStructure[] = [];
  let offset = 0;
  while (offset + 4 <= table.length) {
    const length = table[offset + 1];
    if (length < 4 || offset + length > table.length) break;
    const formatted = table.subarray(offset, offset + length);
    const strings: string[] = [];
    let at = offset + length;
    while (at < table.length && table[at] !== 0) {
      const end = table.indexOf(0, at);
      if (end < 0) return structures;
      strings.push(String.fromCharCode(...table.subarray(at, end)));
      at = end + 1;
    }
    structures.push({ type: formatted[0], handle: formatted[2] | (formatted[3] << 8), offset, formatted, strings });
    if (formatted[0] === SMBIOS_TYPES.END) break;
    offset = strings.length === 0 ? at + 2 : at + 1;
  }
  return structures;
}

/** The fields of a structure of a known kind. */
export function structureFields<Kind extends SmbiosKind>(
  kind: Kind,
  found: SmbiosStructure,
): LayoutValues<(typeof SMBIOS_STRUCTURES)[Kind]> {
  const target: Layout = SMBIOS_STRUCTURES[kind];
  return decodeLayout(target, found.formatted) as LayoutValues<(typeof SMBIOS_STRUCTURES)[Kind]>;
}
