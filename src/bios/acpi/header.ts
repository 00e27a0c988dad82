import { encodeTable, TABLE_HEADER_LENGTH, TABLE_HEADER_OFFSETS } from '../../aml/table-header.ts';
import { concatBytes } from '../../shared/bytes.ts';
import { ascii, type Fields, type Layout, layout, u8, u32 } from '../layout.ts';

/** The fields that every system description table starts with (ACPI 6.5 §5.2.6, table 5.4). */
const HEADER_FIELDS = {
  SIGNATURE: ascii(0, 4),
  LENGTH: u32(4),
  REVISION: u8(8),
  CHECKSUM: u8(9),
  OEM_ID: ascii(10, 6),
  OEM_TABLE_ID: ascii(16, 8),
  OEM_REVISION: u32(24),
  CREATOR_ID: ascii(28, 4),
  CREATOR_REVISION: u32(32),
};
export const HEADER_BYTES = TABLE_HEADER_LENGTH;
export const TABLE_HEADER = layout('Table header', HEADER_FIELDS);
export const CHECKSUM_OFFSET = TABLE_HEADER_OFFSETS.checksum;

/** Declares a table: the header's fields and its own, offsets from the start of the table. */
export function tableLayout<F extends Fields>(name: string, fields: F): Layout<typeof HEADER_FIELDS & F> {
  return layout(name, { ...HEADER_FIELDS, ...fields });
}

/** Who made the tables: goes into every header. */
export interface OemIdentity {
  /** 6 characters. */
  readonly oemId: string;
  /** 8 characters. */
  readonly oemTableId: string;
  readonly oemRevision: number;
  /** 4 characters. */
  readonly creatorId: string;
  readonly creatorRevision: number;
}

export const DEFAULT_OEM: OemIdentity = {
  oemId: 'Q35FW ',
  oemTableId: 'Q35BOARD',
  oemRevision: 1,
  creatorId: 'Q35T',
  creatorRevision: 1,
};

/** A pointer field that the linker/loader fills with the final address of another table. */
export interface TablePointer {
  readonly offset: number;
  readonly size: 4 | 8;
  /** The target's id. */
  readonly target: string;
}

/** A table before it has an address. */
export interface AcpiTable {
  /** Unique in a set of tables: the signature, with `.2`, `.3` … for further tables of the same one. */
  readonly id: string;
  readonly signature: string;
  readonly bytes: Uint8Array;
  readonly pointers: readonly TablePointer[];
}

/**
 * A table with length, OEM fields and checksum filled in. `body` starts with room for the header (as `encodeLayout` of a `tableLayout`
 * gives it); `entries` follow it.
 */
export function finishTable(
  identity: { signature: string; revision: number; oem: OemIdentity },
  body: Uint8Array,
  options: { entries?: readonly Uint8Array[]; pointers?: readonly TablePointer[] } = {},
): AcpiTable {
  const { signature, revision, oem } = identity;
  const content = concatBytes([body.subarray(HEADER_BYTES), ...(options.entries ?? [])]);
  return {
    id: signature,
    signature,
    bytes: encodeTable({ signature, revision, ...paddedOem(oem) }, content),
    pointers: options.pointers ?? [],
  };
}

/** The OEM fields padded with spaces, as tables in the field have them. */
export function paddedOem(oem: OemIdentity): OemIdentity {
  return { ...oem, oemId: oem.oemId.padEnd(6, ' '), oemTableId: oem.oemTableId.padEnd(8, ' ') };
}
