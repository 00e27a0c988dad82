import { basename, dirname, extname, isAbsolute, join } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { type CompiledTable, compile } from '../../aml/compiler/compile.ts';
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
    const sources = argv as string[];
    const includes = includeFiles(flags.include ?? []);
    const defines = Object.fromEntries((flags.define ?? []).map(definition));
    const creatorId = flags['creator-id'];
    const creatorRevision = flags['creator-revision'];
    const diagnostics: Diagnostic[] = [];
    const outputs: { source: string; table: CompiledTable; out: string }[] = [];
    for (const source of sources) {
      const options = {
        includes,
        defines,
        optimize: flags.optimize,
        ...(creatorId !== undefined && { creatorId }),
        ...(creatorRevision !== undefined && { creatorRevision }),
      };
      const compilation = this.#compile(source, options, flags.quiet);
      diagnostics.push(...compilation.diagnostics);
      for (const table of compilation.tables) outputs.push({ source, table, out: '' });
    }
    const several = outputs.length > 1;
    for (const output of outputs) output.out = outputPath(output, flags.out, several);
    for (const { table, out } of outputs) {
      writeFileWhole(out, table.bytes);
      this.log(`${out}  ${table.identity.signature} ${table.bytes.length} bytes`);
    }
    const tables = outputs.map(({ source, table, out }) => {
      const { signature, revision } = table.identity;
      return { source, out, signature, revision, byteLength: table.bytes.length };
    });
    return { tables, diagnostics };
  }

  #compile(source: string, options: Parameters<typeof compile>[2], quiet: boolean) {
    try {
      const text = readLatin1(source);
      if (isDataTableSource(text)) return { tables: [dataTable(text, source)], diagnostics: [] };
      const compilation = compile(source, text, options);
      if (!quiet) for (const diagnostic of compilation.diagnostics) this.logToStderr(formatDiagnostic(diagnostic));
      return compilation;
    } catch (error) {
      if (error instanceof CompileError) this.#refuse(error, quiet);
      throw error;
    }
  }

  /** All that was found, then the exit code of a user's mistake. */
  #refuse({ diagnostics, exitCode }: CompileError, quiet: boolean): never {
    const shown = diagnostics.filter(({ severity }) => severity === 'error' || !quiet);
    if (this.jsonEnabled()) this.logJson({ tables: [], diagnostics } satisfies CompileReport);
    else {
      for (const diagnostic of shown) this.logToStderr(formatDiagnostic(diagnostic));
      const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
      this.logToStderr(`${errors} ${errors === 1 ? 'error' : 'errors'}: nothing was written`);
    }
    return this.exit(exitCode);
  }
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
function outputPath(
  { source, table }: { source: string; table: CompiledTable },
  out: string | undefined,
  several: boolean,
) {
  const own = table.fileName === '' ? `${basename(source, extname(source))}.aml` : basename(table.fileName);
  if (out === undefined) return join(dirname(source), own);
  return several || out.endsWith('/') ? join(out, own) : out;
}
