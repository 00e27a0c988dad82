import { basename, extname, join } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { type Disassembly, disassemble } from '../../aml/disassemble.ts';
import { decodeTableHeader } from '../../aml/table-header.ts';
import { printDataTable } from '../../bios/acpi/source/print.ts';
import { readFileBytes, writeFileWhole } from '../../cli/files.ts';
import { Q35Command } from '../../cli/q35-command.ts';
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

function describeDataTable({ file, bytes }: { file: string; bytes: Uint8Array }): Printed {
  const header = decodeTableHeader(bytes)!;
  // FACS has no checksum (§5.2.10).
  const checksumValid = header.signature === 'FACS' || byteSum(bytes) === 0;
  return { file, header, asl: printDataTable(bytes, file), checksumValid };
}

export default class AmlDisassembleCommand extends Q35Command {
  static override summary = 'Turn ACPI tables into text that compiles back';
  static override description =
    'The tables are read together, as a machine loads them: name the DSDT and its SSDTs at once, or the others with --external, so that the argument counts of methods are known. What ASL cannot say stands in comments that begin with /*@. Tables of data are printed one field a line.';
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    file: Args.string({ description: 'a table, as /sys/firmware/acpi/tables holds it', required: true }),
  };
  static override flags = {
    external: Flags.string({
      char: 'e',
      description: 'a table that resolves names and is not printed',
      multiple: true,
    }),
    out: Flags.string({ char: 'o', description: 'directory for one .dsl a table; without it the text is printed' }),
    tolerant: Flags.boolean({ description: 'keep bytes that are no AML as annotations instead of refusing the table' }),
  };
  static override examples = [
    '<%= config.bin %> aml disassemble dsdt.aml',
    '<%= config.bin %> aml disassemble dsdt.aml ssdt1.aml ssdt2.aml --out asl',
    '<%= config.bin %> aml disassemble ssdt1.aml --external dsdt.aml --json',
  ];

  async run(): Promise<DisassembleReport> {
    const { argv, flags } = await this.parse(AmlDisassembleCommand);
    const source = (file: string) => ({ file, bytes: readFileBytes(file) });
    const sources = (argv as string[]).map(source);
    const disassemblies = disassemble(
      sources.filter(({ bytes }) => !isDataTable(bytes)),
      { context: (flags.external ?? []).map(source), tolerant: flags.tolerant },
    );
    for (const { file, checksumValid } of disassemblies) {
      if (!checksumValid) this.logger().warn(`${file}: the checksum is wrong`);
    }
    const dataTables = sources.filter(({ bytes }) => isDataTable(bytes)).map(describeDataTable);
    return { tables: [...disassemblies, ...dataTables].map((printed) => this.#deliver(printed, flags.out)) };
  }

  #deliver({ file, header, asl, checksumValid }: Printed, directory: string | undefined) {
    const { signature, revision, length } = header;
    const table = { file, signature, revision, byteLength: length, checksumValid };
    if (directory === undefined) {
      this.log(asl.trimEnd());
      return { ...table, asl };
    }
    const out = join(directory, `${basename(file ?? signature, extname(file ?? ''))}.dsl`);
    // Strings of a table are bytes, not UTF-8.
    writeFileWhole(out, asciiBytes(asl));
    this.log(`${out}  ${signature} ${length} bytes`);
    return { ...table, out };
  }
}
