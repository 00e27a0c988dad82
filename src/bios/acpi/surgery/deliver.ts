import { decodeTableHeader, resealTable, TABLE_HEADER_OFFSETS } from '../../../aml/table-header.ts';
import { equalBytes, viewOf } from '../../../shared/bytes.ts';
import { directory, encodeCpio, file } from '../../boot/cpio.ts';
import { applyAcpiTables } from '../acpitable/apply.ts';
import { formatAcpidumpText } from '../dump/acpidump-text.ts';
import { type DumpTable, identityOf } from '../dump/table-set.ts';
import { DEFAULT_OEM } from '../header.ts';
import { linkTables } from '../linker/link.ts';
import { withRootTables } from '../tables.ts';

/** How tables are handed on. */
export const DELIVERIES = ['files', 'text', 'loader', 'cpio'] as const;
export type Delivery = (typeof DELIVERIES)[number];

/** Where Linux looks in an uncompressed initrd (Documentation/admin-guide/acpi/initrd_table_override.rst). */
const INITRD_FOLDER = 'kernel/firmware/acpi';

/**
 * Files by name:
 * - `files`: each table as `.aml`;
 * - `text`: one `acpidump.txt`, as acpixtract reads it;
 * - `loader`: etc/acpi/tables, etc/acpi/rsdp and etc/table-loader for fw_cfg;
 * - `cpio`: `acpi.cpio` to put in front of an initrd. Linux takes a table in place of the firmware's when its OEM revision is
 *   higher: those that are also in `original` with other bytes get the revision after the original's; unchanged ones are left out.
 */
export function deliverTables(
  tables: readonly DumpTable[],
  delivery: Delivery,
  original: readonly DumpTable[] = [],
): Map<string, Uint8Array> {
  switch (delivery) {
    case 'files':
      return new Map(tables.map(({ name, bytes }) => [`${name}.aml`, bytes]));
    case 'text':
      return new Map([
        [
          'acpidump.txt',
          formatAcpidumpText(tables.map(({ signature, address = 0n, bytes }) => ({ signature, address, bytes }))),
        ],
      ]);
    case 'loader':
      return new Map(loaderFiles(tables));
    case 'cpio':
      return new Map([['acpi.cpio', initrdOf(tables, original)]]);
  }
}

function loaderFiles(tables: readonly DumpTable[]): ReadonlyMap<string, Uint8Array> {
  const { tables: applied } = applyAcpiTables(
    [],
    tables.map(({ name, bytes }) => ({
      option: { text: name, action: { kind: 'add' }, sources: [name], hasHeader: true, header: {} },
      bytes,
    })),
  );
  const fadt = tables.find(({ signature }) => signature === 'FACP') ?? tables[0];
  const header = fadt && decodeTableHeader(fadt.bytes);
  const oem = header
    ? { ...DEFAULT_OEM, oemId: header.oemId.padEnd(6), oemTableId: header.oemTableId.padEnd(8) }
    : DEFAULT_OEM;
  // The FACS goes first, where its alignment costs nothing.
  const ordered = [...applied].sort(
    (left, right) => Number(right.signature === 'FACS') - Number(left.signature === 'FACS'),
  );
  return linkTables(withRootTables(ordered, oem), oem.oemId);
}

function initrdOf(tables: readonly DumpTable[], original: readonly DumpTable[]): Uint8Array {
  const folders = ['kernel', 'kernel/firmware', INITRD_FOLDER].map((name) => directory(name));
  const entries = tables
    // The FACS is no table that Linux upgrades.
    .filter(({ signature }) => signature !== 'FACS')
    .flatMap((table) => {
      const before = original.find((other) => identityOf(other) === identityOf(table));
      if (before && equalBytes(before.bytes, table.bytes)) return [];
      const bytes = before ? withRevisionAfter(table.bytes, before.bytes) : table.bytes;
      return [file(`${INITRD_FOLDER}/${table.name}.aml`, bytes)];
    });
  return encodeCpio([...folders, ...entries]);
}

function withRevisionAfter(table: Uint8Array, before: Uint8Array): Uint8Array {
  const offset = TABLE_HEADER_OFFSETS.oemRevision;
  const old = viewOf(before).getUint32(offset, true);
  if (viewOf(table).getUint32(offset, true) > old) return table;
  const copy = table.slice();
  viewOf(copy).setUint32(offset, Math.min(old + 1, 0xffff_ffff), true);
  return resealTable(copy);
}
