import { REGION_SPACES } from '../../aml/opcodes.ts';
import { TABLE_HEADER_LENGTH } from '../../aml/table-header.ts';
import { hex } from '../../shared/bytes.ts';
import { flagNames, numberOf } from '../acpi/describe.ts';
import { type PlacedField, type Section, walkTable } from '../acpi/forms/walk.ts';
import { FIELD_MEANINGS, FIELD_VALUES } from './field-meanings.ts';

/** Longer data is cut. */
const MAX_BYTES = 16;
/** Numbers from here on are counts and addresses that read better in hexadecimal alone. */
const LARGEST_DECIMAL = 0xffffn;

/** MPS INTI flags (ACPI 6.5 table 5.26). */
export function intiWords(flags: number): string {
  const polarity = ['polarity of the bus', 'active high', 'reserved polarity', 'active low'][flags & 3];
  const trigger = ['trigger mode of the bus', 'edge-triggered', 'reserved trigger mode', 'level-triggered'][
    (flags >> 2) & 3
  ];
  return `${trigger}, ${polarity}`;
}

/** Values that say several things at once; keys as in FIELD_MEANINGS. */
const WORDS: Readonly<Record<string, (value: number) => string>> = {
  'Interrupt Source Override.FLAGS': intiWords,
  'NMI Source.FLAGS': intiWords,
  'Local APIC NMI.FLAGS': intiWords,
  'Local x2APIC NMI.FLAGS': intiWords,
  'HPET.EVENT_TIMER_BLOCK_ID': (value) =>
    `${((value >>> 8) & 0x1f) + 1} comparators of ${value & 0x2000 ? 64 : 32} bits, vendor ${hex(value >>> 16)}`,
  'DMAR.HOST_ADDRESS_WIDTH': (value) => `${value + 1} bits`,
};

/** Every field of a data table with its value in words and its meaning; the common header and what is reserved are left out. */
export function fieldLines(table: Uint8Array): string[] {
  const root = walkTable(table);
  const own = root.fields.filter(({ offset }) => offset >= TABLE_HEADER_LENGTH || root.name === 'FACS');
  return sectionLines({ ...root, fields: own }, root.name, table);
}

function sectionLines(section: Section, tableName: string, table: Uint8Array): string[] {
  const fields = section.fields
    .filter(({ name, offset, byteLength }) => !isIdle(name, table.subarray(offset, offset + byteLength)))
    // Its name says which structure it is.
    .filter(({ name }) => name !== 'TYPE' || !section.layout || FIELD_VALUES[`${section.name}.TYPE`] !== undefined)
    .map((field) => fieldLine(field, section.name, tableName, table));
  const inner = section.sections.flatMap((part) => {
    const lines = sectionLines(part, tableName, table);
    const unknown = part.layout ? [] : [`${part.byteLength} bytes of a structure that this toolkit does not know`];
    return [`${part.name} at ${hex(part.offset)}:`, ...[...unknown, ...lines].map((line) => `  ${line}`)];
  });
  return [...fields, ...inner];
}

/** Reserved bytes that are 0, and what only frames a structure. */
const isIdle = (name: string, bytes: Uint8Array): boolean =>
  name === 'LENGTH' || (/^RESERVED/.test(name) && bytes.every((byte) => byte === 0));

function fieldLine(field: PlacedField, section: string, tableName: string, table: Uint8Array): string {
  const find = <Found>(from: Readonly<Record<string, Found>>): Found | undefined =>
    from[`${section}.${field.name}`] ??
    from[`${tableName}.${field.name}`] ??
    from[`${tableName}.${field.name.replace(/^X_/, '')}`] ??
    from[field.name];
  const bytes = table.subarray(field.offset, field.offset + field.byteLength);
  const meaning = find(FIELD_MEANINGS);
  const words = valueWords(field, bytes, find(FIELD_VALUES), find(WORDS));
  return `${field.name} ${words}${meaning === undefined ? '' : `: ${meaning}`}`;
}

function valueWords(
  { kind, flags }: PlacedField,
  bytes: Uint8Array,
  values: Readonly<Record<number, string>> | undefined,
  inWords: ((value: number) => string) | undefined,
): string {
  switch (kind) {
    case 'number': {
      const value = numberOf(bytes);
      const set = flagNames(value, flags);
      if (flags) return `${hex(value)} (${set.length === 0 ? 'none set' : set.join(', ')})`;
      const word = values?.[Number(value)] ?? inWords?.(Number(value));
      if (word !== undefined) return `${hex(value)} (${word})`;
      return value > 9n && value < LARGEST_DECIMAL ? `${hex(value)} (${value})` : hex(value);
    }
    case 'ascii':
      return JSON.stringify(String.fromCharCode(...bytes).replace(/\0+$/, ''));
    case 'bytes':
      return bytesWords(bytes);
    case 'gas':
      return addressWords(bytes);
  }
}

function bytesWords(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, MAX_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return bytes.length > MAX_BYTES ? `${shown} … (${bytes.length} bytes)` : shown;
}

/** A Generic Address (ACPI 6.5 §5.2.3.2). */
function addressWords(bytes: Uint8Array): string {
  const [space, bitWidth, bitOffset] = bytes;
  const address = numberOf(bytes.subarray(4));
  if (address === 0n && bitWidth === 0) return 'none';
  const name = Object.entries(REGION_SPACES).find(([, value]) => value === space)?.[0] ?? `space ${hex(space)}`;
  return `${bitWidth} bits${bitOffset === 0 ? '' : ` from bit ${bitOffset}`} at ${hex(address)} of ${name}`;
}
