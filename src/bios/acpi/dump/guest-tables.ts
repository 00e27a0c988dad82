import { TABLE_HEADER_LENGTH } from '../../../aml/table-header.ts';
import { viewOf } from '../../../shared/bytes.ts';
import { byteSum } from '../../../shared/checksum.ts';
import { UserError } from '../../../shared/errors.ts';
import type { DumpFile } from './table-set.ts';

/** A guest's physical memory, read without effect. Nothing where no RAM or ROM is. */
export type PhysicalReader = (gpa: number, byteLength: number) => Uint8Array | undefined;

/** A stretch of RAM, bytes. */
export interface MemoryRange {
  readonly base: number;
  readonly byteLength: number;
}

/** Where a BIOS puts the RSDP (ACPI 6.5 §5.2.5.1); UEFI puts it anywhere. */
const BIOS_AREA: MemoryRange = { base: 0xe0000, byteLength: 0x20000 };
const RSDP_SIGNATURE = 'RSD PTR ';
const RSDP_ALIGNMENT = 16;
const SCAN_CHUNK = 0x10_0000;
const MAX_TABLE_BYTES = 0x100_0000;

/**
 * The ACPI tables as they lie in a guest's memory, after the firmware linked and the guest changed them: found from the RSDP, in the
 * BIOS area or, with UEFI, anywhere in `ram`. Throws `GUEST_TABLES` when there is none.
 */
export function readGuestTables(read: PhysicalReader, ram: readonly MemoryRange[]): DumpFile[] {
  const rsdp = findRsdp(read, [BIOS_AREA, ...ram]);
  if (!rsdp) {
    throw new UserError('GUEST_TABLES', 'the guest has no ACPI tables in memory yet', {
      mend: 'save it later, when its firmware has put them there',
    });
  }
  const files: DumpFile[] = [];
  const add = (gpa: number): DumpFile | undefined => {
    const bytes = tableAt(read, gpa);
    const file = bytes && { file: `0x${gpa.toString(16)}`, bytes };
    if (file) files.push(file);
    return file;
  };
  for (const gpa of rootEntries(read, rsdp)) {
    const table = add(gpa);
    if (table && signatureOf(table.bytes) === 'FACP') add(dsdtAddress(table.bytes));
  }
  return files;
}

const signatureOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 4));

function findRsdp(read: PhysicalReader, ranges: readonly MemoryRange[]): Uint8Array | undefined {
  for (const { base, byteLength } of ranges) {
    for (let offset = 0; offset < byteLength; offset += SCAN_CHUNK) {
      const found = rsdpIn(read(base + offset, Math.min(SCAN_CHUNK, byteLength - offset)));
      if (found) return found;
    }
  }
  return undefined;
}

function rsdpIn(bytes: Uint8Array | undefined): Uint8Array | undefined {
  if (!bytes) return undefined;
  for (let at = 0; at + 20 <= bytes.length; at += RSDP_ALIGNMENT) {
    if (bytes[at] !== RSDP_SIGNATURE.charCodeAt(0)) continue;
    if (String.fromCharCode(...bytes.subarray(at, at + 8)) !== RSDP_SIGNATURE) continue;
    if (byteSum(bytes.subarray(at, at + 20)) === 0) return bytes.subarray(at, at + 36);
  }
  return undefined;
}

/** Addresses in the XSDT, or the RSDT where there is none. */
function rootEntries(read: PhysicalReader, rsdp: Uint8Array): number[] {
  const view = viewOf(rsdp);
  const xsdt = rsdp.length >= 36 && rsdp[15] >= 2 ? Number(view.getBigUint64(24, true)) : 0;
  const root = tableAt(read, xsdt === 0 ? view.getUint32(16, true) : xsdt);
  if (!root) return [];
  const entries = viewOf(root);
  const size = signatureOf(root) === 'XSDT' ? 8 : 4;
  const addresses: number[] = [];
  for (let at = TABLE_HEADER_LENGTH; at + size <= root.length; at += size)
    addresses.push(size === 8 ? Number(entries.getBigUint64(at, true)) : entries.getUint32(at, true));
  return addresses;
}

function dsdtAddress(fadt: Uint8Array): number {
  const view = viewOf(fadt);
  const wide = fadt.length >= 148 ? Number(view.getBigUint64(140, true)) : 0;
  return wide === 0 ? view.getUint32(40, true) : wide;
}

function tableAt(read: PhysicalReader, gpa: number): Uint8Array | undefined {
  const header = read(gpa, TABLE_HEADER_LENGTH);
  if (!header) return undefined;
  const length = viewOf(header).getUint32(4, true);
  return length < TABLE_HEADER_LENGTH || length > MAX_TABLE_BYTES ? undefined : read(gpa, length)?.slice();
}
