import { byteSum } from '../shared/checksum.ts';
import { UserError } from '../shared/errors.ts';
import { DeclaredNames } from './namespace.ts';
import { type DecodeProblem, TermReader } from './reader/term-reader.ts';
import { readGuessing } from './reader/undeclared-methods.ts';
import { decodeTableHeader, TABLE_HEADER_LENGTH, type TableHeader } from './table-header.ts';
import type { AmlTerm } from './tree.ts';

/** A definition block as it was read. */
export interface SourceTable {
  readonly bytes: Uint8Array;
  /** For messages. */
  readonly file?: string;
}

export interface DecodedTable {
  readonly file: string | undefined;
  readonly header: TableHeader;
  /** The whole file. */
  readonly bytes: Uint8Array;
  readonly terms: readonly AmlTerm[];
  /** Bytes behind the length that the header states. */
  readonly trailing: Uint8Array;
  /** What is no AML; empty for a sound table. */
  readonly problems: readonly DecodeProblem[];
  readonly checksumValid: boolean;
  /** What this table alone declares. */
  readonly declared: DeclaredNames;
  /** Where each term starts in the table's bytes; kept on request alone. */
  readonly offsets?: ReadonlyMap<AmlTerm, number>;
}

export interface DecodeOptions {
  /** Take a table whose header states more bytes than there are. */
  readonly tolerant?: boolean;
  /** Keep the terms' offsets. */
  readonly offsets?: boolean;
}

export interface DecodedSet {
  readonly tables: readonly DecodedTable[];
  /** What all the tables declare. */
  readonly names: DeclaredNames;
  /** Paths, as written, that no table declares, and the argument counts that their uses suggest. */
  readonly guesses: ReadonlyMap<string, number>;
}

/** Rounds until the declared methods are stable; a forward reference inside a scope-level expression needs one more. */
const MAX_ROUNDS = 5;

/**
 * Decodes definition blocks that the firmware loads together (a DSDT and its SSDTs): the argument counts of methods are known
 * across all of them. Encoding `terms` again gives the same bytes.
 *
 * Throws `AML_TABLE` when a table has no whole header, or, unless `tolerant`, states a length above what is there.
 */
export function decodeTables(sources: readonly SourceTable[], options: DecodeOptions = {}): DecodedSet {
  const headers = sources.map((source) => checkedHeader(source, options.tolerant ?? false));
  const ends = sources.map(({ bytes }, index) =>
    Math.max(Math.min(headers[index].length, bytes.length), TABLE_HEADER_LENGTH),
  );
  let known = new DeclaredNames();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const declared = new DeclaredNames();
    // The first round knows what it has read so far.
    const knownNow = round === 0 ? declared : known;
    const readers = sources.map((source, table) => {
      const reader = new TermReader(source.bytes, { table, known: knownNow, declared, skipMethodBodies: true });
      reader.readTermList(TABLE_HEADER_LENGTH, ends[table]);
      return reader;
    });
    known = declared;
    if (readers.every((reader) => reader.readsTheSameWith(known))) break;
  }
  const guesses = new Map<string, number>();
  const tables = sources.map((source, table) => {
    const header = headers[table];
    // Attempts share it: their terms are objects of their own.
    const offsets = options.offsets ? new Map<AmlTerm, number>() : undefined;
    const { reader, terms, declared } = readGuessing(guesses, known, (declared) => {
      const attempt = new TermReader(source.bytes, { table, known, declared, guesses, ...(offsets && { offsets }) });
      return { reader: attempt, terms: attempt.readTermList(TABLE_HEADER_LENGTH, ends[table]), declared };
    });
    return {
      file: source.file,
      header,
      bytes: source.bytes,
      terms,
      trailing: source.bytes.slice(ends[table]),
      problems: reader.problems,
      checksumValid: byteSum(source.bytes.subarray(0, ends[table])) === 0,
      declared,
      ...(offsets && { offsets }),
    };
  });
  return { tables, names: allNames(tables), guesses };
}

/** What all of `tables` declare. */
function allNames(tables: readonly DecodedTable[]): DeclaredNames {
  if (tables.length === 1) return tables[0].declared;
  const names = new DeclaredNames();
  for (const { declared } of tables) names.merge(declared);
  return names;
}

/** One definition block that stands alone. Throws as `decodeTables`, and `AML_DECODE` at the first byte that is no AML. */
export function decodeTable(source: SourceTable): DecodedTable {
  const [table] = decodeTables([source]).tables;
  refuseProblems(table);
  return table;
}

/** Throws `AML_DECODE` with offset and scope when `table` holds bytes that are no AML. */
export function refuseProblems(table: DecodedTable): void {
  const [problem] = table.problems;
  if (!problem) return;
  throw new UserError('AML_DECODE', problem.message, {
    place: { ...(table.file !== undefined && { file: table.file }), offset: problem.offset, path: problem.path },
    mend: 'check that the file is an undamaged DSDT or SSDT and give the SSDTs that it depends on',
  });
}

function checkedHeader({ bytes, file }: SourceTable, tolerant: boolean): TableHeader {
  const place = file === undefined ? {} : { file };
  const header = decodeTableHeader(bytes);
  if (!header) {
    throw new UserError('AML_TABLE', `${bytes.length} bytes are too few for an ACPI table, whose header has 36`, {
      place,
      mend: 'give a whole DSDT or SSDT, as /sys/firmware/acpi/tables or acpidump hold it',
    });
  }
  if (!/^[A-Z]{3}[A-Z0-9]$/.test(header.signature)) {
    throw new UserError('AML_TABLE', `${JSON.stringify(header.signature)} is not the signature of an ACPI table`, {
      place: { ...place, offset: 0 },
      mend: 'give a binary DSDT or SSDT, not text and not a dump of several tables',
    });
  }
  if (!tolerant && (header.length > bytes.length || header.length < TABLE_HEADER_LENGTH)) {
    throw new UserError('AML_TABLE', `the header states ${header.length} bytes, the file has ${bytes.length}`, {
      place: { ...place, offset: 4 },
      mend: 'the table is cut off or its length is damaged: dump it again',
    });
  }
  return header;
}
