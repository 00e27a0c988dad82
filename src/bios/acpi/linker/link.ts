import { alignUp, viewOf } from '../../../shared/bytes.ts';
import type { FirmwareFiles } from '../../artifacts.ts';
import { FACS_ALIGNMENT } from '../facs.ts';
import { type AcpiTable, CHECKSUM_OFFSET } from '../header.ts';
import { encodeRsdp, RSDP, RSDP_V1_BYTES } from '../rsdp.ts';
import {
  encodeScript,
  LOADER_FILE_NAME,
  LOADER_ZONES,
  type LoaderCommand,
  RSDP_FILE_NAME,
  TABLES_FILE_NAME,
} from './script.ts';

/** Tables start at multiples of this; the FACS, first in the file, at a multiple of 64. */
const TABLE_ALIGNMENT = 16;
const RSDP_ALIGNMENT = 16;

/**
 * Lays `tables` out in one file and writes the script that gives them addresses. The FACS comes first; `RSDT` and `XSDT` must be
 * among them. A pointer field holds the target's offset in the file, to which the firmware adds the file's address.
 */
export function linkTables(tables: readonly AcpiTable[], oemId: string): FirmwareFiles {
  const offsets = placeTables(tables);
  const last = tables[tables.length - 1];
  const image = new Uint8Array(last ? offsets.get(last.id)! + last.bytes.length : 0);
  const script: LoaderCommand[] = [
    { command: 'ALLOCATE', file: TABLES_FILE_NAME, align: FACS_ALIGNMENT, zone: LOADER_ZONES.HIGH },
    { command: 'ALLOCATE', file: RSDP_FILE_NAME, align: RSDP_ALIGNMENT, zone: LOADER_ZONES.FSEG },
  ];
  const pointer = (target: string, offset: number, size: number): LoaderCommand => {
    return { command: 'ADD_POINTER', target, source: TABLES_FILE_NAME, offset, size };
  };
  const checksum = (file: string, offset: number, start: number, length: number): LoaderCommand => {
    return { command: 'ADD_CHECKSUM', file, offset, start, length };
  };
  for (const table of tables) {
    const start = offsets.get(table.id)!;
    image.set(table.bytes, start);
    for (const { offset, size, target } of table.pointers) {
      writePointer(image.subarray(start), offset, size, offsets.get(target)!);
      script.push(pointer(TABLES_FILE_NAME, start + offset, size));
    }
    if (table.pointers.length > 0) {
      // OVMF computes the checksum over the byte as it stands: it must be 0 before.
      image[start + CHECKSUM_OFFSET] = 0;
      script.push(checksum(TABLES_FILE_NAME, start + CHECKSUM_OFFSET, start, table.bytes.length));
    }
  }
  const rsdp = encodeRsdp(oemId, offsets.get('RSDT'), offsets.get('XSDT'));
  const { fields } = RSDP;
  for (const field of [fields.CHECKSUM, fields.EXTENDED_CHECKSUM]) rsdp[field.offset] = 0;
  script.push(
    pointer(RSDP_FILE_NAME, fields.RSDT_ADDRESS.offset, fields.RSDT_ADDRESS.byteLength),
    pointer(RSDP_FILE_NAME, fields.XSDT_ADDRESS.offset, fields.XSDT_ADDRESS.byteLength),
    checksum(RSDP_FILE_NAME, fields.CHECKSUM.offset, 0, RSDP_V1_BYTES),
    checksum(RSDP_FILE_NAME, fields.EXTENDED_CHECKSUM.offset, 0, rsdp.length),
  );
  return new Map([
    [LOADER_FILE_NAME, encodeScript(script)],
    [RSDP_FILE_NAME, rsdp],
    [TABLES_FILE_NAME, image],
  ]);
}

function placeTables(tables: readonly AcpiTable[]): Map<string, number> {
  const offsets = new Map<string, number>();
  let end = 0;
  for (const table of tables) {
    const offset = alignUp(end, table.signature === 'FACS' ? FACS_ALIGNMENT : TABLE_ALIGNMENT);
    offsets.set(table.id, offset);
    end = offset + table.bytes.length;
  }
  return offsets;
}

function writePointer(table: Uint8Array, offset: number, size: 4 | 8, value: number): void {
  if (size === 4) viewOf(table).setUint32(offset, value, true);
  else viewOf(table).setBigUint64(offset, BigInt(value), true);
}
