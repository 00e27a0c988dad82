import { asciiBytes, concatBytes, viewOf } from '../shared/bytes.ts';
import { checksumByte } from '../shared/checksum.ts';
import { encodeTerms } from './encode.ts';
import type { AmlTerm } from './tree.ts';

/** Bytes of the header that every system description table but FACS and RSDP starts with (ACPI 6.5 §5.2.6). */
export const TABLE_HEADER_LENGTH = 36;

/** Offsets inside the header. */
export const TABLE_HEADER_OFFSETS = {
  signature: 0,
  length: 4,
  revision: 8,
  checksum: 9,
  oemId: 10,
  oemTableId: 16,
  oemRevision: 24,
  creatorId: 28,
  creatorRevision: 32,
} as const;

/** What the caller states of a header; length and checksum follow from the body. */
export interface TableIdentity {
  /** Four characters. */
  readonly signature: string;
  readonly revision: number;
  /** Up to 6 characters, padded with NUL as iasl pads. */
  readonly oemId: string;
  /** Up to 8 characters. */
  readonly oemTableId: string;
  readonly oemRevision?: number;
  /** Up to 4 characters; the tool that made the table. */
  readonly creatorId?: string;
  readonly creatorRevision?: number;
}

export interface TableHeader extends Required<TableIdentity> {
  readonly length: number;
  readonly checksum: number;
}

export const DEFAULT_CREATOR_ID = 'Q35T';

/** A whole table: header, `body`, the length and a checksum that makes all bytes sum to 0 (ACPI 6.5 §5.2.6). */
export function encodeTable(identity: TableIdentity, body: Uint8Array): Uint8Array {
  const header = new Uint8Array(TABLE_HEADER_LENGTH);
  const view = viewOf(header);
  header.set(asciiBytes(identity.signature, 4), TABLE_HEADER_OFFSETS.signature);
  view.setUint32(TABLE_HEADER_OFFSETS.length, TABLE_HEADER_LENGTH + body.length, true);
  header[TABLE_HEADER_OFFSETS.revision] = identity.revision;
  header.set(asciiBytes(identity.oemId, 6), TABLE_HEADER_OFFSETS.oemId);
  header.set(asciiBytes(identity.oemTableId, 8), TABLE_HEADER_OFFSETS.oemTableId);
  view.setUint32(TABLE_HEADER_OFFSETS.oemRevision, identity.oemRevision ?? 1, true);
  header.set(asciiBytes(identity.creatorId ?? DEFAULT_CREATOR_ID, 4), TABLE_HEADER_OFFSETS.creatorId);
  view.setUint32(TABLE_HEADER_OFFSETS.creatorRevision, identity.creatorRevision ?? 1, true);
  const table = concatBytes([header, body]);
  table[TABLE_HEADER_OFFSETS.checksum] = checksumByte(table);
  return table;
}

/** A DSDT or SSDT that holds `terms`. Revision 2 or more means 64-bit integers (ACPI 6.5 §5.2.11.1). */
export function encodeDefinitionBlock(identity: TableIdentity, terms: readonly AmlTerm[]): Uint8Array {
  return encodeTable(identity, encodeTerms(terms));
}

/** `table` with the length that it has and a right checksum, as a copy: after a patch. */
export function resealTable(table: Uint8Array): Uint8Array {
  const copy = table.slice();
  viewOf(copy).setUint32(TABLE_HEADER_OFFSETS.length, copy.length, true);
  copy[TABLE_HEADER_OFFSETS.checksum] = 0;
  copy[TABLE_HEADER_OFFSETS.checksum] = checksumByte(copy);
  return copy;
}

/** The header of `table`, or nothing when there are fewer than 36 bytes. Strings are cut at their first NUL. */
export function decodeTableHeader(table: Uint8Array): TableHeader | undefined {
  if (table.length < TABLE_HEADER_LENGTH) return undefined;
  const view = viewOf(table);
  const text = (offset: number, byteLength: number) =>
    String.fromCharCode(...table.subarray(offset, offset + byteLength)).replace(/\0.*$/s, '');
  return {
    signature: text(TABLE_HEADER_OFFSETS.signature, 4),
    length: view.getUint32(TABLE_HEADER_OFFSETS.length, true),
    revision: table[TABLE_HEADER_OFFSETS.revision],
    checksum: table[TABLE_HEADER_OFFSETS.checksum],
    oemId: text(TABLE_HEADER_OFFSETS.oemId, 6),
    oemTableId: text(TABLE_HEADER_OFFSETS.oemTableId, 8),
    oemRevision: view.getUint32(TABLE_HEADER_OFFSETS.oemRevision, true),
    creatorId: text(TABLE_HEADER_OFFSETS.creatorId, 4),
    creatorRevision: view.getUint32(TABLE_HEADER_OFFSETS.creatorRevision, true),
  };
}
