import { hex } from '../../shared/bytes.ts';
import type { Fields, Layout } from '../layout.ts';
import { type PlacedField, type Section, walkTable } from './forms/walk.ts';

/** An entry that follows the fixed part of a table. */
export interface TableEntry {
  readonly layout?: Layout<Fields>;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The structures behind the fixed part of a table; ends at the first whose length is 0 or reaches beyond the table. */
export function tableEntries(table: Uint8Array): TableEntry[] {
  return walkTable(table).sections.map(({ layout, offset, byteLength }) => ({
    ...(layout && { layout }),
    offset,
    bytes: table.subarray(offset, offset + byteLength),
  }));
}

/** Every field of a table by its path, as text: `FADT.SCI_INT` → `0x9`, `MADT.I/O APIC[0].ADDRESS` → `0xfec0_0000`. */
export function describeTable(table: Uint8Array): Map<string, string> {
  const fields = new Map<string, string>();
  const root = walkTable(table);
  describeSection(root, root.name, table, fields);
  const end = endOf(root);
  if (end < table.length) fields.set(`${root.name}.rest`, hexBytes(table.subarray(end)));
  return fields;
}

/** Behind the last byte that a field or a structure describes. */
function endOf({ fields, sections }: Section): number {
  const ends = [...fields, ...sections].map(({ offset, byteLength }) => offset + byteLength);
  return Math.max(0, ...ends);
}

function describeSection(section: Section, path: string, table: Uint8Array, fields: Map<string, string>): void {
  const { layout, offset, byteLength } = section;
  if (!layout) {
    fields.set(path, hexBytes(table.subarray(offset, offset + byteLength)));
    return;
  }
  for (const field of section.fields) fields.set(`${path}.${field.name}`, fieldText(field, table));
  const counts = new Map<string, number>();
  for (const inner of section.sections) {
    const index = counts.get(inner.name) ?? 0;
    counts.set(inner.name, index + 1);
    describeSection(inner, `${path}.${inner.name}[${index}]`, table, fields);
  }
}

function fieldText({ kind, offset, byteLength, flags }: PlacedField, table: Uint8Array): string {
  const bytes = table.subarray(offset, offset + byteLength);
  switch (kind) {
    case 'number': {
      const value = numberOf(bytes);
      const names = flagNames(value, flags);
      return names.length === 0 ? hex(value) : `${hex(value)} (${names.join(' ')})`;
    }
    case 'ascii':
      return JSON.stringify(String.fromCharCode(...bytes).replace(/\0+$/, ''));
    case 'bytes':
      return hexBytes(bytes);
    case 'gas': {
      const [space, bitWidth, bitOffset, accessSize] = bytes;
      const address = hex(numberOf(bytes.subarray(4)));
      return `space ${space}, ${bitWidth} bits at bit ${bitOffset}, access ${accessSize}, ${address}`;
    }
  }
}

/** Little-endian. */
export function numberOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index]);
  return value;
}

/** Names of the bits that are set in `value`. */
export function flagNames(value: bigint, flags: Readonly<Record<string, number>> = {}): string[] {
  return Object.entries(flags)
    .filter(([, bit]) => (value >> BigInt(bit)) & 1n)
    .map(([name]) => name);
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
