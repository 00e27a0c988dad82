import { basename, extname, join } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { type Disassembly, disassemble } from '../../aml/disassemble.ts';
import { readFileBytes, writeFileWhole } from '../../cli/files.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { asciiBytes } from '../../shared/bytes.ts';

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

export default class AmlDisassembleCommand extends Q35Command {
  static override summary = 'Turn compiled DSDTs and SSDTs into ASL';
  static override description =
    'The tables are read together, as a machine loads them: name the DSDT and its SSDTs at once, or the others with --external, so that the argument counts of methods are known. What ASL cannot say stands in comments that begin with /*@.';
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
    const disassemblies = disassemble((argv as string[]).map(source), {
      context: (flags.external ?? []).map(source),
      tolerant: flags.tolerant,
    });
    for (const { file, checksumValid } of disassemblies) {
      if (!checksumValid) this.logger().warn(`${file}: the checksum is wrong`);
    }
    return { tables: disassemblies.map((disassembly) => this.#deliver(disassembly, flags.out)) };
  }

  #deliver({ file, header, asl, checksumValid }: Disassembly, directory: string | undefined) {
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
