import { basename, dirname, extname, isAbsolute, join } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { type Compilation, type CompiledTable, type CompileOptions, compile } from '../../aml/compiler/compile.ts';
import { CompileError, type Diagnostic, formatDiagnostic } from '../../aml/compiler/diagnostics.ts';
import type { IncludeFiles } from '../../aml/compiler/preprocess.ts';
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
    quiet: Flags.boolean({ char: 'q', description: 'print no warnings and remarks' }),
  };
  static override examples = [
    '<%= config.bin %> aml compile dsdt.dsl',
    '<%= config.bin %> aml compile ssdt.asl --out ssdt.aml -D DEBUG=1 -I include',
    '<%= config.bin %> aml compile dsdt.dsl --optimize none --json',
  ];

  async run(): Promise<CompileReport> {
    const { argv, flags } = await this.parse(AmlCompileCommand);
    const creatorId = flags['creator-id'];
    const creatorRevision = flags['creator-revision'];
    const options: CompileOptions = {
      includes: includeFiles(flags.include ?? []),
      defines: Object.fromEntries((flags.define ?? []).map(definition)),
      optimize: flags.optimize,
      ...(flags.revision !== undefined && { revision: flags.revision }),
      ...(creatorId !== undefined && { creatorId }),
      ...(creatorRevision !== undefined && { creatorRevision }),
    };
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
    this.#say(diagnostics, flags.quiet);
    if (diagnostics.some(isError)) {
      process.exitCode = ERROR_EXIT;
      return { tables: [], diagnostics };
    }
    const tables = outputs.map(({ source, table }) => {
      const out = outputPath(source, table, flags.out, outputs.length > 1);
      writeFileWhole(out, table.bytes);
      const { signature, revision } = table.identity;
      const byteLength = table.bytes.length;
      this.log(`${out}  ${signature} ${byteLength} bytes`);
      return { source, out, signature, revision, byteLength };
    });
    return { tables, diagnostics };
  }

  #say(diagnostics: readonly Diagnostic[], quiet: boolean): void {
    if (this.jsonEnabled()) return;
    const errors = diagnostics.filter(isError);
    for (const diagnostic of quiet ? errors : diagnostics) this.logToStderr(formatDiagnostic(diagnostic));
    if (errors.length > 0) {
      this.logToStderr(`${errors.length} ${errors.length === 1 ? 'error' : 'errors'}: nothing was written`);
    }
  }
}

/** A user's mistake, as UserError has it. */
const ERROR_EXIT = 2;
const isError = ({ severity }: Diagnostic): boolean => severity === 'error';

function compileSource(source: string, options: CompileOptions): Compilation {
  const text = readLatin1(source);
  if (isDataTableSource(text)) return { tables: [dataTable(text, source)], diagnostics: [] };
  return compile(source, text, options);
}

/** A table of data fields, as `aml disassemble` prints it. */
function dataTable(text: string, source: string): CompiledTable {
  const bytes = assembleDataTable(text, source);
  return { identity: decodeTableHeader(bytes)!, fileName: '', terms: [], bytes };
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
