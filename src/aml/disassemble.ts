import { type PrintOptions, printDefinitionBlock } from './asl/print.ts';
import { type DecodedSet, type DecodedTable, decodeTables, refuseProblems, type SourceTable } from './decode.ts';
import type { TableHeader } from './table-header.ts';

export interface Disassembly {
  readonly file: string | undefined;
  readonly header: TableHeader;
  readonly asl: string;
  readonly checksumValid: boolean;
  /** Names that no given table declares but that this one uses as methods, with the argument count that their use suggests. */
  readonly guesses: ReadonlyMap<string, number>;
}

export interface DisassembleOptions extends PrintOptions {
  /** Tables that the firmware loads as well: they resolve names, and are not printed. */
  readonly context?: readonly SourceTable[];
  /** Keep bytes that are no AML, and a length that is not the table's, as annotations instead of refusing the table. */
  readonly tolerant?: boolean;
}

/**
 * ASL 2.0 of definition blocks that are loaded together.
 * Throws `AML_TABLE` for what is no table, `AML_DECODE` for a table that holds bytes that are no AML, unless `tolerant`.
 */
export function disassemble(sources: readonly SourceTable[], options: DisassembleOptions = {}): Disassembly[] {
  const set = decodeTables([...sources, ...(options.context ?? [])], options);
  return set.tables.slice(0, sources.length).map((table) => disassembleTable(table, set, options));
}

/** As `disassemble`, for a table of a set that is decoded already. */
export function disassembleTable(
  table: DecodedTable,
  set: DecodedSet,
  options: Omit<DisassembleOptions, 'context'> = {},
): Disassembly {
  if (!options.tolerant) refuseProblems(table);
  const { file, header, checksumValid } = table;
  return { file, header, asl: printDefinitionBlock(table, set, options), checksumValid, guesses: set.guesses };
}
