import { existsSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { decodeTables, type SourceTable } from '../../aml/decode.ts';
import { type DisassembleOptions, type Disassembly, disassembleTable } from '../../aml/disassemble.ts';
import { decodeTableHeader } from '../../aml/table-header.ts';
import { colouredAsl, wantsColours } from '../../cli/asl-colours.ts';
import { writeFileWhole } from '../../cli/files.ts';
import { ProgressLine } from '../../cli/progress.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { expectShortRun } from '../../cli/short-run.ts';
import { readSource } from '../../cli/sources.ts';
import { asciiBytes } from '../../shared/bytes.ts';
import { byteSum } from '../../shared/checksum.ts';

interface DisassembleReport {
  readonly tables: readonly {
    readonly file: string | undefined;
    readonly signature: string;
    readonly revision: number;
    readonly byteLength: number;
    readonly checksumValid: boolean;
    /** The file that was written, or the text itself. */
    readonly out?: string;
    readonly asl?: string;
  }[];
}

type Printed = Pick<Disassembly, 'file' | 'header' | 'asl' | 'checksumValid'>;

/** Tables that hold AML (ACPI 6.5 §5.2.11); every other one holds fields. */
const DEFINITION_BLOCKS = new Set(['DSDT', 'SSDT', 'PSDT']);

function isDataTable(bytes: Uint8Array): boolean {
  const signature = decodeTableHeader(bytes)?.signature ?? '';
  return /^[A-Z]{3}[A-Z0-9!]$/.test(signature) && !DEFINITION_BLOCKS.has(signature);
}

type NamedTable = SourceTable & { readonly file: string };

/** The tables of a directory, or the one in a file. */
async function tablesAt(path: string): Promise<NamedTable[]> {
  const isDirectory = existsSync(path) && statSync(path).isDirectory();
  if (!isDirectory) return [{ file: path, bytes: await readSource(path) }];
  // Only when it is needed: a definition block alone starts sooner without it.
  const { readDump } = await import('../../cli/table-dump.ts');
  return readDump([path]);
}

async function describeDataTable({ file, bytes }: NamedTable): Promise<Printed> {
  const { printDataTable } = await import('../../bios/acpi/source/print.ts');
  const header = decodeTableHeader(bytes)!;
  // FACS has no checksum (§5.2.10).
  const checksumValid = header.signature === 'FACS' || byteSum(bytes) === 0;
  return { file, header, asl: printDataTable(bytes, file), checksumValid };
}

export default class AmlDisassembleCommand extends Q35Command {
  static override summary = 'Turn ACPI tables into text that compiles back';
  static override description =
    'The tables are read together, as a machine loads them: name the DSDT and its SSDTs at once, their directory, or the others with --external, so that the argument counts of methods are known. What ASL cannot say stands in comments that begin with /*@. Tables of data are printed one field a line.';
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    file: Args.string({
      description: 'a table, or a directory of them, such as /sys/firmware/acpi/tables',
      required: true,
    }),
  };
  static override flags = {
    external: Flags.string({
      char: 'e',
      description: 'a table that resolves names and is not printed',
      multiple: true,
    }),
    out: Flags.string({ char: 'o', description: 'directory for one .dsl a table; without it the text is printed' }),
    legacy: Flags.boolean({ description: 'ASL 1: operators as calls, for compilers before ACPI 6.1' }),
    tolerant: Flags.boolean({ description: 'keep bytes that are no AML as annotations instead of refusing the table' }),
  };
  static override examples = [
    '<%= config.bin %> aml disassemble dsdt.aml',
    '<%= config.bin %> aml disassemble dsdt.aml ssdt1.aml ssdt2.aml --out asl',
    '<%= config.bin %> aml disassemble ssdt1.aml --external dsdt.aml --json',
    '<%= config.bin %> aml disassemble /sys/firmware/acpi/tables --out asl',
  ];

  async run(): Promise<DisassembleReport> {
    const { argv, flags } = await this.parse(AmlDisassembleCommand);
    expectShortRun();
    const sources = (await Promise.all((argv as string[]).map(tablesAt))).flat();
    const context = (await Promise.all((flags.external ?? []).map(tablesAt))).flat();
    const isAml = ({ bytes }: SourceTable) => !isDataTable(bytes);
    const definitions = sources.filter(isAml);
    const { legacy, tolerant } = flags;
    const printed = [
      ...this.#print(definitions, context.filter(isAml), { legacy, tolerant }),
      ...(await Promise.all(sources.filter(({ bytes }) => isDataTable(bytes)).map(describeDataTable))),
    ];
    return { tables: printed.map((table) => this.#deliver(table, flags.out)) };
  }

  /** The text of every definition block: nothing is written when one of them cannot be read. */
  #print(sources: readonly NamedTable[], context: readonly NamedTable[], options: DisassembleOptions): Printed[] {
    const progress = new ProgressLine(process.stderr);
    try {
      progress.show(`reading ${sources.length + context.length} tables`);
      const set = decodeTables([...sources, ...context], options);
      return sources.map(({ file }, index) => {
        progress.show(`${index + 1} of ${sources.length}  ${file}`);
        const printed = disassembleTable(set.tables[index], set, options);
        if (!printed.checksumValid) this.logger().warn(`${file}: the checksum is wrong`);
        return printed;
      });
    } finally {
      progress.clear();
    }
  }

  #deliver({ file, header, asl, checksumValid }: Printed, directory: string | undefined) {
    const { signature, revision, length } = header;
    const table = { file, signature, revision, byteLength: length, checksumValid };
    if (directory === undefined) {
      this.log(wantsColours(process.stdout) ? colouredAsl(asl.trimEnd()) : asl.trimEnd());
      return { ...table, asl };
    }
    const out = join(directory, `${basename(file ?? signature, extname(file ?? ''))}.dsl`);
    // Strings of a table are bytes, not UTF-8.
    writeFileWhole(out, asciiBytes(asl));
    this.log(`${out}  ${signature} ${length} bytes`);
    return { ...table, out };
  }
}
