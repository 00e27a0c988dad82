import { hex } from '../../shared/bytes.ts';
import { decodeLayout, type Field, type Fields, type Layout } from '../layout.ts';
import { FACS } from './facs.ts';
import { FADT } from './fadt.ts';
import { HEADER_BYTES, TABLE_HEADER } from './header.ts';
import { HPET } from './hpet.ts';
import { MADT, MADT_ENTRIES, MADT_ENTRY_TYPES } from './madt.ts';
import { MCFG, MCFG_ALLOCATION } from './mcfg.ts';
import { SLIT } from './slit.ts';
import { SRAT, SRAT_ENTRY_TYPES, SRAT_MEMORY, SRAT_PROCESSOR, SRAT_X2APIC } from './srat.ts';
import { WAET } from './waet.ts';

/** A table as this toolkit knows it: its fixed part, and what follows. */
interface TableForm {
  readonly fixed: Layout<Fields>;
  /** Entries that follow: all of one layout, or by the type in their first byte. */
  readonly entries?: Layout<Fields> | ReadonlyMap<number, Layout<Fields>>;
}

/** Layouts by signature, for readers: the checks, comparisons and people. */
export const TABLE_FORMS: Readonly<Record<string, TableForm>> = {
  FACP: { fixed: FADT },
  FACS: { fixed: FACS },
  APIC: {
    fixed: MADT,
    entries: new Map(
      Object.entries(MADT_ENTRY_TYPES).map(([kind, type]) => [type, MADT_ENTRIES[kind as keyof typeof MADT_ENTRIES]]),
    ),
  },
  MCFG: { fixed: MCFG, entries: MCFG_ALLOCATION },
  HPET: { fixed: HPET },
  WAET: { fixed: WAET },
  SRAT: {
    fixed: SRAT,
    entries: new Map<number, Layout<Fields>>([
      [SRAT_ENTRY_TYPES.PROCESSOR, SRAT_PROCESSOR],
      [SRAT_ENTRY_TYPES.MEMORY, SRAT_MEMORY],
      [SRAT_ENTRY_TYPES.X2APIC, SRAT_X2APIC],
    ]),
  },
  SLIT: { fixed: SLIT },
};

/** An entry that follows the fixed part of a table. */
export interface TableEntry {
  readonly layout?: Layout<Fields>;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Walks the entries; ends at the first whose length is 0 or reaches beyond the table. */
export function tableEntries(signature: string, table: Uint8Array): TableEntry[] {
  const form = TABLE_FORMS[signature];
  const entries: TableEntry[] = [];
  if (!form?.entries) return entries;
  const ofOneLayout = form.entries instanceof Map ? undefined : (form.entries as Layout<Fields>);
  for (let offset = form.fixed.byteLength; offset + 2 <= table.length; ) {
    const byteLength = ofOneLayout?.byteLength ?? table[offset + 1];
    if (byteLength < 2 || offset + byteLength > table.length) break;
    const layout = ofOneLayout ?? (form.entries as ReadonlyMap<number, Layout<Fields>>).get(table[offset]);
    entries.push({ layout, offset, bytes: table.subarray(offset, offset + byteLength) });
    offset += byteLength;
  }
  return entries;
}

/** Every field of a table by its path, as text: `FADT.SCI_INT` → `0x9`, `MADT.I/O APIC[0].ADDRESS` → `0xfec0_0000`. */
export function describeTable(table: Uint8Array): Map<string, string> {
  const signature = String.fromCharCode(...table.subarray(0, 4));
  const form = TABLE_FORMS[signature] ?? { fixed: TABLE_HEADER };
  const name = form.fixed === TABLE_HEADER ? signature : form.fixed.name;
  const fields = new Map<string, string>();
  describeFields(form.fixed, table, name, fields);
  const counts = new Map<string, number>();
  for (const entry of tableEntries(signature, table)) {
    const kind = entry.layout?.name ?? `type ${entry.bytes[0]}`;
    const index = counts.get(kind) ?? 0;
    counts.set(kind, index + 1);
    const path = `${name}.${kind}[${index}]`;
    if (entry.layout) describeFields(entry.layout, entry.bytes, path, fields);
    else fields.set(path, hexBytes(entry.bytes));
  }
  const hasRest = !form.entries && table.length > Math.max(form.fixed.byteLength, HEADER_BYTES);
  if (hasRest) fields.set(`${name}.rest`, hexBytes(table.subarray(form.fixed.byteLength)));
  return fields;
}

function describeFields(layout: Layout<Fields>, image: Uint8Array, path: string, fields: Map<string, string>): void {
  for (const [name, field] of Object.entries(layout.fields)) {
    if (field.offset + field.byteLength > image.length) continue;
    const value = decodeLayout({ ...layout, fields: { [name]: field } }, image)[name];
    fields.set(`${path}.${name}`, fieldText(field, value));
  }
}

function fieldText(field: Field, value: unknown): string {
  if (field.kind === 'number') return numberText(field, value as number);
  if (field.kind === 'ascii') return JSON.stringify(value);
  if (field.kind === 'bytes') return hexBytes(value as Uint8Array);
  const { space, bitWidth, bitOffset, accessSize, address } = value as Record<string, number>;
  return `space ${space}, ${bitWidth} bits at bit ${bitOffset}, access ${accessSize}, ${hex(address)}`;
}

/** The number, and the names of the bits that are set where they have names. */
function numberText(field: Field, value: number): string {
  const names = Object.entries(field.flags ?? {}).filter(([, bit]) => Math.floor(value / 2 ** bit) % 2 === 1);
  return names.length === 0 ? hex(value) : `${hex(value)} (${names.map(([name]) => name).join(' ')})`;
}

function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
