import { UserError } from '../../shared/errors.ts';
import { type DecodedSet, type DecodedTable, type DecodeOptions, decodeTables, type SourceTable } from '../decode.ts';
import { decodeTableHeader, TABLE_HEADER_LENGTH } from '../table-header.ts';
import { evaluationError } from './evaluation-error.ts';
import type { NamespaceNode } from './namespace-tree.ts';
import type { DdbHandleObject } from './objects.ts';
import type { TableLoader } from './run.ts';

/** Tables that AML may load into one interpreter, as ACPICA's owner ids bound them. */
const MAX_LOADED = 64;

/** The definition blocks of an interpreter, and the tables that LoadTable and DataTableRegion find by identity. */
export class LoadedTables implements TableLoader {
  readonly #sources: SourceTable[];
  readonly #installed: readonly SourceTable[];
  readonly #decode: DecodeOptions;
  readonly #run: (table: DecodedTable, scope: NamespaceNode) => readonly NamespaceNode[];
  #set: DecodedSet;
  #loaded = 0;

  /** `run` puts the terms of a table into the namespace below a scope and tells what they declared. Throws as `decodeTables`. */
  constructor(
    sources: readonly SourceTable[],
    { installed = [], offsets = false }: { readonly installed?: readonly SourceTable[]; readonly offsets?: boolean },
    run: (table: DecodedTable, scope: NamespaceNode) => readonly NamespaceNode[],
  ) {
    this.#sources = [...sources];
    this.#installed = installed;
    this.#decode = { offsets };
    this.#run = run;
    this.#set = decodeTables(sources, this.#decode);
  }

  /** What was given and what AML loaded since. */
  get set(): DecodedSet {
    return this.#set;
  }

  load(bytes: Uint8Array, scope: NamespaceNode): DdbHandleObject {
    const header = decodeTableHeader(bytes);
    if (!header || header.length > bytes.length || header.length < TABLE_HEADER_LENGTH)
      throw evaluationError('AE_BAD_HEADER', `${bytes.length} bytes hold no whole table`, scope.displayPath);
    if (!/^(SSDT|PSDT|OEM.)$/.test(header.signature))
      throw evaluationError('AE_BAD_HEADER', `"${header.signature}" is no table of AML`, scope.displayPath);
    if (++this.#loaded > MAX_LOADED)
      throw evaluationError('AE_LIMIT', `more than ${MAX_LOADED} tables are loaded`, scope.displayPath);
    const sources = [...this.#sources, { bytes: bytes.slice(0, header.length), file: 'Load' }];
    this.#set = decodeAgain(sources, this.#decode, scope);
    this.#sources.push(sources.at(-1)!);
    return { type: 'DdbHandle', created: this.#run(this.#set.tables.at(-1)!, scope) };
  }

  unload({ created }: DdbHandleObject): void {
    for (const node of created.toReversed()) node.parent?.children.delete(node.segment);
  }

  find(signature: string, oemId: string, oemTableId: string): Uint8Array | undefined {
    const wanted: readonly (readonly [string, string])[] = [
      ['signature', signature],
      ['oemId', oemId],
      ['oemTableId', oemTableId],
    ];
    return [...this.#installed, ...this.#sources].find(({ bytes }) => {
      const header = decodeTableHeader(bytes);
      return (
        header !== undefined &&
        wanted.every(([key, text]) => text === '' || header[key as 'oemId'].trimEnd() === text.trimEnd())
      );
    })?.bytes;
  }
}

/** A table from AML that does not decode is a fault of the AML. */
function decodeAgain(sources: readonly SourceTable[], options: DecodeOptions, scope: NamespaceNode): DecodedSet {
  try {
    return decodeTables(sources, options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw evaluationError('AE_BAD_HEADER', error.message, scope.displayPath);
  }
}
