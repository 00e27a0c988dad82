import type { AcpiTableInput } from '../bios/acpi/acpitable/apply.ts';
import { parseAcpiTableOption } from '../bios/acpi/acpitable/option.ts';
import { concatBytes } from '../shared/bytes.ts';
import { readSource } from './sources.ts';

/**
 * The options with the bytes of their files. All options are parsed before anything is read.
 * @throws UserError from parsing and reading
 */
export async function loadAcpiTables(texts: readonly string[] = []): Promise<AcpiTableInput[]> {
  const options = texts.map(parseAcpiTableOption);
  return Promise.all(
    options.map(async (option) => ({ option, bytes: concatBytes(await Promise.all(option.sources.map(readSource))) })),
  );
}
