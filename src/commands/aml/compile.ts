import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { type Compilation, type CompiledTable, type CompileOptions, compile } from '../../aml/compiler/compile.ts';
import { CompileError, type Diagnostic, formatDiagnostic, messageIds } from '../../aml/compiler/diagnostics.ts';
import { SourceNamespace } from '../../aml/compiler/names.ts';
import { HEX_TEXT_KINDS, hexText } from '../../aml/compiler/output/hex-text.ts';
import { listing } from '../../aml/compiler/output/listing.ts';
import { namespaceListing } from '../../aml/compiler/output/namespace-listing.ts';
import type { IncludeFiles } from '../../aml/compiler/preprocess.ts';
import { compilerSarif } from '../../aml/compiler/sarif.ts';
import { decodeTableHeader } from '../../aml/table-header.ts';
import { assembleDataTable, isDataTableSource } from '../../bios/acpi/source/assemble.ts';
import { readFileBytes, writeFileWhole } from '../../cli/files.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { UserError } from '../../shared/errors.ts';

interface CompileReport {
  readonly tables: readonly {
    readonly source: string;
    readonly out: string;
    readonly signature: string;
    readonly revision: number;
    readonly byteLength: number;
  }[];
  /** Warnings and remarks; errors as well when nothing was written. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Files that builds take besides the table. */
const EMITTED = [...HEX_TEXT_KINDS, 'listing', 'namespace'] as const;

export default class AmlCompileCommand extends Q35Command {
  static override summary = 'Compile ASL into definition blocks';
  static override description =
    'Reads ASL 1 and ASL 2.0 with the preprocessor of iasl, and writes one .aml for each DefinitionBlock. Every mistake is reported with file, line, column and the mend; with one of them nothing is written and the exit code is 2. What the disassembler marked compiles to the same bytes.';
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    file: Args.string({ description: 'an ASL source', required: true }),
  };
  static override flags = {
    out: Flags.string({ char: 'o', description: 'the .aml file; a directory when there is more than one table' }),
    include: Flags.string({ char: 'I', description: 'a directory to look for includes in', multiple: true }),
    define: Flags.string({ char: 'D', description: 'NAME or NAME=TEXT for the preprocessor', multiple: true }),
    optimize: Flags.option({
      description: 'none writes literals, expressions and paths as they stand in the source',
      options: ['default', 'none'] as const,
      default: 'default',
    })(),
    revision: Flags.integer({
      description: 'revision in the header in place of the source’s; below 2, integers have 32 bits',
      min: 0,
      max: 255,
    }),
    'creator-id': Flags.string({ description: 'up to 4 characters that name the compiler in the header' }),
    'creator-revision': Flags.integer({ description: 'its version in the header', min: 0, max: 0xffff_ffff }),
    date: Flags.integer({
      description: 'what __DATE__ gives, in seconds since 1970',
      env: 'SOURCE_DATE_EPOCH',
      min: 0,
    }),
    emit: Flags.option({
      description:
        'another file beside each table: its bytes as C, assembler or ASL (.hex), a listing (.lst), its namespace (.nsp)',
      options: EMITTED,
      multiple: true,
    })(),
    ignore: Flags.string({
      description: 'a warning or remark to leave out, by its id or by iasl’s number',
      multiple: true,
    }),
    werror: Flags.boolean({ description: 'write nothing when there are warnings' }),
    sarif: Flags.string({ description: 'file to write the diagnostics to as SARIF 2.1.0' }),
    quiet: Flags.boolean({ char: 'q', description: 'print no warnings and remarks' }),
  };
  static override examples = [
    '<%= config.bin %> aml compile dsdt.dsl',
    '<%= config.bin %> aml compile ssdt.asl --out ssdt.aml -D DEBUG=1 -I include',
    '<%= config.bin %> aml compile dsdt.dsl --optimize none --json',
    '<%= config.bin %> aml compile ssdt.asl --emit c --emit listing --werror --ignore ASL_ARGUMENT_UNUSED',
  ];

  async run(): Promise<CompileReport> {
    const { argv, flags } = await this.parse(AmlCompileCommand);
    const creatorId = flags['creator-id'];
    const creatorRevision = flags['creator-revision'];
    const options: CompileOptions = {
      includes: includeFiles(flags.include ?? []),
      defines: Object.fromEntries((flags.define ?? []).map(definition)),
      optimize: flags.optimize,
      ignore: (flags.ignore ?? []).map(knownId),
      ...(flags.date !== undefined && { dateSeconds: flags.date }),
      ...(flags.revision !== undefined && { revision: flags.revision }),
      ...(creatorId !== undefined && { creatorId }),
      ...(creatorRevision !== undefined && { creatorRevision }),
    };
    const emit = [...new Set(flags.emit ?? [])];
    if (emit.filter((kind) => SUFFIXES[kind] === '.hex').length > 1) {
      throw new UserError('ASL_EMIT', `${emit.join(', ')} would be written to the same .hex file`, {
        mend: 'compile once for each of them',
      });
    }
    const outputs: { source: string; table: CompiledTable }[] = [];
    const diagnostics: Diagnostic[] = [];
    // Every source first: nothing is written when one of them does not compile.
    for (const source of argv as string[]) {
      try {
        const compilation = compileSource(source, options);
        diagnostics.push(...compilation.diagnostics);
        for (const table of compilation.tables) outputs.push({ source, table });
      } catch (error) {
        if (!(error instanceof CompileError)) throw error;
        diagnostics.push(...error.diagnostics);
      }
    }
    this.#say(diagnostics, flags);
    if (flags.sarif !== undefined) {
      const log = compilerSarif(diagnostics, this.config.version);
      writeFileWhole(flags.sarif, `${JSON.stringify(log, undefined, 1)}\n`);
    }
    if (diagnostics.some(flags.werror ? isWarning : isError)) {
      process.exitCode = ERROR_EXIT;
      return { tables: [], diagnostics };
    }
    const tables = outputs.map(({ source, table }) => {
      const out = outputPath(source, table, flags.out, outputs.length > 1);
      if (resolve(out) === resolve(source)) {
        throw new UserError('ASL_OUT', 'the table would take the place of its source', {
          place: { file: source },
          mend: 'name another file with --out',
        });
      }
      writeFileWhole(out, table.bytes);
      for (const kind of emit) writeFileWhole(...emitted(kind, table, out));
      const { signature, revision } = table.identity;
      const byteLength = table.bytes.length;
      this.log(`${out}  ${signature} ${byteLength} bytes`);
      return { source, out, signature, revision, byteLength };
    });
    return { tables, diagnostics };
  }

  #say(diagnostics: readonly Diagnostic[], { quiet, werror }: { quiet: boolean; werror: boolean }): void {
    if (this.jsonEnabled()) return;
    const errors = diagnostics.filter(werror ? isWarning : isError);
    for (const diagnostic of quiet ? errors : diagnostics) this.logToStderr(formatDiagnostic(diagnostic));
    if (errors.length > 0) {
      const what = werror ? 'error or warning' : 'error';
      const plural = werror ? 'errors and warnings' : 'errors';
      this.logToStderr(`${errors.length} ${errors.length === 1 ? what : plural}: nothing was written`);
    }
  }
}

/** A user's mistake, as UserError has it. */
const ERROR_EXIT = 2;
const isError = ({ severity }: Diagnostic): boolean => severity === 'error';

const isWarning = ({ severity }: Diagnostic): boolean => severity !== 'remark';

const SUFFIXES = { c: '.hex', asm: '.hex', asl: '.hex', listing: '.lst', namespace: '.nsp' } as const;

/** Path and text of what is written beside the table at `out`. */
function emitted(kind: (typeof EMITTED)[number], table: CompiledTable, out: string): [string, string] {
  const path = `${out.slice(0, out.length - extname(out).length)}${SUFFIXES[kind]}`;
  if (kind === 'listing') return [path, listing(table)];
  return [path, kind === 'namespace' ? namespaceListing(table) : hexText(kind, table.bytes, out)];
}

function knownId(id: string): string {
  if (messageIds(id).length > 0) return id;
  throw new UserError('ASL_IGNORE', `"${id}" is no diagnostic of the compiler`, {
    mend: 'give an id such as ASL_ARGUMENT_UNUSED, or the number under which iasl says the same',
  });
}

function compileSource(source: string, options: CompileOptions): Compilation {
  const text = readLatin1(source);
  refuseBinary(text, source);
  if (isDataTableSource(text)) return { tables: [dataTable(text, source)], diagnostics: [] };
  return compile(source, text, options);
}

/** A table that is compiled already: its signature, and a length in which there are zeros. */
function refuseBinary(text: string, source: string): void {
  if (!/^[A-Z0-9!]{4}[\s\S]{0,3}\0/.test(text)) return;
  throw new UserError('ASL_BINARY', 'this is a compiled table, not its source', {
    place: { file: source },
    mend: `q35 aml disassemble ${source} gives the source of it`,
  });
}

/** A table of data fields, as `aml disassemble` prints it. */
function dataTable(text: string, source: string): CompiledTable {
  const bytes = assembleDataTable(text, source);
  return {
    identity: decodeTableHeader(bytes)!,
    fileName: '',
    terms: [],
    bytes,
    names: new SourceNamespace(),
    tokens: new Map(),
  };
}

/** Sources are bytes: a string of ASL keeps what it holds. */
const readLatin1 = (path: string): string => Buffer.from(readFileBytes(path)).toString('latin1');

/** Beside the file that includes, then in `directories`. */
const includeFiles = (directories: readonly string[]): IncludeFiles => ({
  read(path, from) {
    const candidates = isAbsolute(path) ? [path] : [dirname(from), ...directories].map((base) => join(base, path));
    for (const file of candidates) {
      try {
        return { file, text: readLatin1(file) };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    }
    return undefined;
  },
});

function definition(text: string): [string, string] {
  const [name, ...value] = text.split('=');
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    throw new UserError('ASL_DEFINE', `"${text}" defines no name`, { mend: 'write NAME or NAME=TEXT' });
  }
  return [name, value.length === 0 ? '1' : value.join('=')];
}

/** What the flag says, then the DefinitionBlock, then the source's name. */
function outputPath(source: string, table: CompiledTable, out: string | undefined, several: boolean): string {
  const own = table.fileName === '' ? `${basename(source, extname(source))}.aml` : basename(table.fileName);
  if (out === undefined) return join(dirname(source), own);
  return several || out.endsWith('/') ? join(out, own) : out;
}
