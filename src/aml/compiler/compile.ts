/** The ASL compiler: ACPI 6.5 §19, ASL 1 and 2.0. */
import { encodeTerms } from '../encode.ts';
import { ROOT } from '../namespace.ts';
import { OPCODES } from '../opcodes.ts';
import { encodeTable, type TableIdentity } from '../table-header.ts';
import type { AmlTerm } from '../tree.ts';
import { checkSource } from './checks/check-source.ts';
import { Cursor, describe, type Notes, SyntaxFailure } from './cursor.ts';
import { declareNames } from './declare.ts';
import { CompileError, type Diagnostic, Diagnostics } from './diagnostics.ts';
import { type HeaderNotes, noHeaderNotes, readHeaderNote, withHeaderNotes } from './header-notes.ts';
import type { SourceNamespace } from './names.ts';
import { parseTerm } from './parse-expressions.ts';
import { parseBlock } from './parse-statements.ts';
import { type PreprocessOptions, preprocess } from './preprocess.ts';
import { type Optimizations, Resolver } from './resolve.ts';
import { SourceText, type Token } from './source.ts';

export interface CompileOptions extends PreprocessOptions {
  /**
   * `default` as iasl does: Zero, One and Ones for their values, constant expressions computed, and in a DSDT paths shortened.
   * `none` writes what the source says (iasl -oa). A source that the disassembler marked is always written as it stands.
   */
  readonly optimize?: 'default' | 'none';
  /** In the header in place of what DefinitionBlock says, 0 to 255 (iasl -r); below 2 integers have 32 bits. */
  readonly revision?: number;
  /** What `__DATE__` gives, in seconds since 1970: a build is a function of its input. */
  readonly dateSeconds?: number;
  /** Up to 4 characters in the header's creator field. */
  readonly creatorId?: string;
  readonly creatorRevision?: number;
}

export interface CompiledTable {
  readonly identity: TableIdentity;
  /** File name that the DefinitionBlock states; often empty. */
  readonly fileName: string;
  readonly terms: readonly AmlTerm[];
  /** The whole table with its header. */
  readonly bytes: Uint8Array;
  /** What it declares, its Externals and the names of every system included. */
  readonly names: SourceNamespace;
  /** The token that each term and field of the tree begins with. */
  readonly tokens: ReadonlyMap<object, Token>;
}

export interface Compilation {
  /** One for each DefinitionBlock. */
  readonly tables: readonly CompiledTable[];
  /** Warnings and remarks. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles ASL; each character of `text` is one byte of the file.
 * Throws CompileError with every mistake that was found: nothing half-done comes out.
 */
export function compile(file: string, text: string, options: CompileOptions = {}): Compilation {
  const diagnostics = new Diagnostics();
  for (const id of options.ignore ?? []) diagnostics.ignore(id);
  const tokens = preprocess(new SourceText(file, text), options, diagnostics);
  const tables: CompiledTable[] = [];
  const cursor = new Cursor(tokens, diagnostics);
  cursor.dateSeconds = options.dateSeconds;
  cursor.operators = OPERATOR_WORDS;
  try {
    for (let notes = readAnnotations(cursor); !cursor.atEnd; ) {
      const table = compileBlock(cursor, options);
      // What follows the block may belong to it, or to the next one.
      const next = readAnnotations(cursor);
      if (table) tables.push(withNotes(table, { ...notes, trailing: next.trailing }, options));
      notes = next;
    }
    if (tables.length === 0 && diagnostics.errorCount === 0) {
      diagnostics.add('ASL_SYNTAX', cursor.token, 'the source holds no DefinitionBlock');
    }
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error;
  }
  const found = diagnostics.sorted();
  if (diagnostics.errorCount > 0) throw new CompileError(found);
  return { tables, diagnostics: found };
}

/** What stands before parentheses. */
const OPERATOR_WORDS = [
  ...Object.keys(OPCODES),
  ...['ElseIf', 'EisaId', 'For', 'Fprintf', 'Function', 'Printf', 'ResourceTemplate', 'Switch'],
  ...['ToPLD', 'ToUUID', 'Unicode'],
];

function readAnnotations(cursor: Cursor): HeaderNotes {
  const notes = noHeaderNotes();
  while (cursor.token.kind === 'annotation') {
    const { text } = cursor.next();
    if (text === 'as-written') cursor.asWritten = true;
    else readHeaderNote(text, notes);
  }
  return notes;
}

function withNotes(
  table: CompiledTable,
  notes: HeaderNotes,
  { creatorId, creatorRevision }: CompileOptions,
): CompiledTable {
  if (notes.header.size === 0 && notes.trailing.length === 0) return table;
  const namesCreator = creatorId !== undefined || creatorRevision !== undefined;
  return { ...table, bytes: withHeaderNotes(table.bytes, notes, namesCreator) };
}

function compileBlock(cursor: Cursor, options: CompileOptions): CompiledTable | undefined {
  const start = cursor.next();
  if (start.text.toUpperCase() !== 'DEFINITIONBLOCK') {
    cursor.fail('ASL_SYNTAX', start, `DefinitionBlock is due before ${describe(start)}`);
  }
  const { fileName, identity } = parseHeader(cursor, options);
  cursor.dropsIdle = !cursor.asWritten && options.optimize !== 'none';
  cursor.temporaries = { declarations: [], next: 0 };
  const statements = parseBlock(cursor);
  const terms = [...cursor.temporaries.declarations, ...statements];
  const { diagnostics, notes, asWritten, integerBytes } = cursor;
  const { names, externalPaths } = declareNames(terms, notes, diagnostics, asWritten);
  if (!asWritten && diagnostics.errorCount === 0) checkSource(terms, { names, notes, diagnostics });
  const optimizations = chosenOptimizations(options, asWritten, identity.signature);
  const resolver = new Resolver({ names, notes, diagnostics, integerBytes, optimizations, asWritten });
  const resolved = resolver.list(terms, ROOT, '');
  const body = asWritten
    ? placeEmittedExternals(terms, resolved, cursor)
    : gatherExternals(terms, resolved, cursor, { paths: externalPaths, invoked: resolver.invoked });
  if (diagnostics.errorCount > 0) return undefined;
  const bytes = encodeTable(identity, encodeTerms(body));
  return { identity, fileName, terms: body, bytes, names, tokens: notes.tokens };
}

/** iasl shortens the paths of a DSDT only: other tables may be loaded below something. */
function chosenOptimizations(options: CompileOptions, asWritten: boolean, signature: string): Optimizations {
  const wanted = !asWritten && (options.optimize ?? 'default') === 'default';
  return { integers: wanted, constants: wanted, paths: wanted && signature === 'DSDT' };
}

const HEADER_LENGTHS = { signature: 4, oemId: 6, oemTableId: 8 } as const;

/** DefinitionBlock ("file", "DSDT", revision, "OEM", "TABLE", OEM revision) */
function parseHeader(cursor: Cursor, options: CompileOptions): { fileName: string; identity: TableIdentity } {
  const text = (maximum: number): string => {
    const at = cursor.token;
    const value = cursor.string();
    if (value.length > maximum) cursor.report('ASL_HEADER', at, `"${value}" has more than ${maximum} characters`);
    cursor.expect(',');
    return value;
  };
  cursor.expect('(');
  const fileName = cursor.string();
  cursor.expect(',');
  const at = cursor.token;
  const signature = text(HEADER_LENGTHS.signature);
  if (!/^[A-Za-z0-9]{4}$/.test(signature)) {
    cursor.report(
      'ASL_HEADER',
      at,
      `"${signature}" is no signature`,
      'write four letters and digits, such as DSDT or SSDT',
    );
  }
  const stated = number(cursor, 0xffn);
  const revision = options.revision ?? stated;
  cursor.expect(',');
  // ACPI 6.5 §5.2.11.1: a DSDT of revision 1 has 32-bit integers.
  cursor.integerBytes = revision < 2 ? 4 : 8;
  const oemId = text(HEADER_LENGTHS.oemId);
  const oemTableId = text(HEADER_LENGTHS.oemTableId);
  const oemRevision = number(cursor, 0xffff_ffffn);
  cursor.expect(')');
  const { creatorId, creatorRevision } = options;
  return {
    fileName,
    identity: {
      signature,
      revision,
      oemId,
      oemTableId,
      oemRevision,
      ...(creatorId !== undefined && { creatorId }),
      ...(creatorRevision !== undefined && { creatorRevision }),
    },
  };
}

const number = (cursor: Cursor, max: bigint): number => Number(cursor.constant(parseTerm(cursor), max));

/** Externals as the disassembled table has them; the others only told names. */
function placeEmittedExternals(sources: readonly AmlTerm[], resolved: readonly AmlTerm[], cursor: Cursor): AmlTerm[] {
  const { externals, tokens } = cursor.notes;
  const emittedBy = (source: AmlTerm): AmlTerm[] => {
    const emitted = externals.get(source)?.emitted;
    return emitted ? [emitted] : [];
  };
  return withoutExternals(sources, resolved, emittedBy, tokens);
}

/** `resolved` with `replace` in the place of each External of `sources`, which has the same shape. */
function withoutExternals(
  sources: readonly AmlTerm[],
  resolved: readonly AmlTerm[],
  replace: (source: AmlTerm) => readonly AmlTerm[],
  tokens: Notes['tokens'],
): AmlTerm[] {
  return resolved.flatMap((term, index): readonly AmlTerm[] => {
    const source = sources[index];
    if (source.kind === 'DefExternal') return replace(source);
    const body = bodyOf(term);
    const sourceBody = bodyOf(source);
    if (!body || !sourceBody || term.kind !== source.kind) return [term];
    const operands = (term as AmlTerm & { operands: readonly unknown[] }).operands;
    const inner = withoutExternals(sourceBody, body, replace, tokens);
    const changed = { ...term, operands: [...operands.slice(0, -1), inner] } as unknown as AmlTerm;
    const token = tokens.get(term);
    if (token) tokens.set(changed, token);
    return [changed];
  });
}

function bodyOf(term: AmlTerm): readonly AmlTerm[] | undefined {
  switch (term.kind) {
    case 'DefScope':
    case 'DefDevice':
    case 'DefMethod':
    case 'DefProcessor':
    case 'DefPowerRes':
    case 'DefThermalZone':
    case 'DefIf':
    case 'DefElse':
    case 'DefWhile':
      return term.operands.at(-1) as readonly AmlTerm[];
    default:
      return undefined;
  }
}

const METHOD_OBJECT = 8;

/**
 * Externals stand in `If (Zero)` at the start of the AML, as iasl has them: interpreters without the opcode skip it. A method that
 * is never invoked is left out.
 */
function gatherExternals(
  sources: readonly AmlTerm[],
  resolved: readonly AmlTerm[],
  cursor: Cursor,
  { paths, invoked }: { readonly paths: ReadonlyMap<AmlTerm, string>; readonly invoked: ReadonlyMap<string, number> },
): AmlTerm[] {
  const gathered: AmlTerm[] = [];
  const gather = (source: AmlTerm): readonly AmlTerm[] => {
    if (source.kind !== 'DefExternal') return [];
    const [name, type] = source.operands;
    const path = paths.get(source) ?? name.path;
    const count = invoked.get(path);
    if (type === METHOD_OBJECT && count === undefined) return [];
    const known = count ?? cursor.notes.externals.get(source)?.argumentCount ?? 0;
    gathered.push({ kind: 'DefExternal', operands: [{ kind: 'NameString', path }, type, known] });
    return [];
  };
  const rest = withoutExternals(sources, resolved, gather, cursor.notes.tokens);
  if (gathered.length === 0) return rest;
  return [{ kind: 'DefIf', operands: [{ kind: 'Integer', value: 0n }, gathered] }, ...rest];
}
