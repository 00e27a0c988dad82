import { existsSync, statSync } from 'node:fs';
import { Args } from '@oclif/core';
import { TABLE_HEADER_OFFSETS } from '../../aml/table-header.ts';
import { describeTable } from '../../bios/acpi/describe.ts';
import { isDefinitionBlock } from '../../bios/acpi/dump/table-set.ts';
import { TABLE_FORMS } from '../../bios/acpi/forms/table-forms.ts';
import { Q35Command } from '../../cli/q35-command.ts';
import { readSource } from '../../cli/sources.ts';
import { readDump } from '../../cli/table-dump.ts';
import { viewOf } from '../../shared/bytes.ts';
import { UserError } from '../../shared/errors.ts';

interface ShownTable {
  readonly file: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Signature and length: all that a FACS has of the common header. */
const SMALLEST_TABLE = 8;
const SIGNATURE = /^[A-Z0-9_!]{4}$/;

export default class AcpiShowCommand extends Q35Command {
  static override summary = 'Print every field of ACPI data tables';
  static override description =
    `Knows ${Object.keys(TABLE_FORMS).join(', ')}; of other tables it prints the header. For DSDT and SSDT see aml disassemble.`;
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    file: Args.string({ description: 'tables (files or URLs), or a directory of them', required: true }),
  };
  static override examples = ['<%= config.bin %> acpi show firmware/tables/FACP.aml /sys/firmware/acpi/tables/APIC'];

  async run(): Promise<readonly ShownTable[]> {
    const { argv } = await this.parse(AcpiShowCommand);
    const shown = (await Promise.all((argv as string[]).map(showTables))).flat();
    for (const { file, fields } of shown) {
      const lines = Object.entries(fields).map(([name, value]) => `  ${name.padEnd(52)} ${value}`);
      this.log([file, ...lines].join('\n'));
    }
    return shown;
  }
}

/** The table of a file, or the data tables of a directory. */
async function showTables(path: string): Promise<ShownTable[]> {
  if (!existsSync(path) || !statSync(path).isDirectory()) return [await showTable(path)];
  const tables = (await readDump([path])).filter((table) => !isDefinitionBlock(table));
  return tables.map(({ file, bytes }) => ({ file, fields: Object.fromEntries(describeTable(bytes)) }));
}

/** @throws UserError FILE_READ, URL_…, TABLE_TOO_SHORT, TABLE_SIGNATURE, TABLE_LENGTH */
async function showTable(file: string): Promise<ShownTable> {
  const bytes = await readSource(file);
  checkTable(bytes, file);
  return { file, fields: Object.fromEntries(describeTable(bytes)) };
}

function checkTable(bytes: Uint8Array, file: string): void {
  const fail = (code: string, message: string): never => {
    throw new UserError(code, message, { place: { file }, mend: 'name a whole binary table' });
  };
  if (bytes.length < SMALLEST_TABLE) fail('TABLE_TOO_SHORT', `${bytes.length} bytes are too few for an ACPI table`);
  const signature = String.fromCharCode(...bytes.subarray(0, 4));
  if (!SIGNATURE.test(signature)) {
    fail('TABLE_SIGNATURE', `${JSON.stringify(signature)} is not the signature of an ACPI table`);
  }
  const stated = viewOf(bytes).getUint32(TABLE_HEADER_OFFSETS.length, true);
  if (stated > bytes.length) fail('TABLE_LENGTH', `${signature} states ${stated} bytes, the file has ${bytes.length}`);
}
