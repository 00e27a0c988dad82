import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Flags } from '@oclif/core';
import { type DumpFile, type DumpTable, readTableSet } from '../bios/acpi/dump/table-set.ts';
import { DELIVERIES, type Delivery, deliverTables } from '../bios/acpi/surgery/deliver.ts';
import { UserError } from '../shared/errors.ts';
import { readDirectoryFiles, writeDirectoryWhole } from './directories.ts';
import { readSource } from './sources.ts';

/** What a command that takes tables says of its argument. */
export const DUMP_WORDS = 'directory, text of acpidump, initrd with tables, or raw table (file or URL)';

/**
 * The tables in `paths`, one set.
 * @throws UserError FILE_READ, DIRECTORY_READ, URL_…, DUMP_EMPTY
 */
export async function readDump(paths: readonly string[]): Promise<DumpTable[]> {
  const files = (await Promise.all(paths.map(filesAt))).flat();
  const tables = readTableSet(files);
  if (tables.length > 0) return tables;
  throw new UserError('DUMP_EMPTY', 'there is no ACPI table', {
    place: { file: paths.join(' ') },
    mend: 'name binary tables, a directory with them (/sys/firmware/acpi/tables), or the text that acpidump writes',
  });
}

async function filesAt(path: string): Promise<DumpFile[]> {
  if (!existsSync(path) || !statSync(path).isDirectory()) return [{ file: path, bytes: await readSource(path) }];
  const files = [...readDirectoryFiles(path)];
  // What `acpi build` writes holds every table twice: linked for the firmware, and by itself.
  const own = files.filter(([name]) => name.startsWith('tables/'));
  return (own.length > 0 ? own : files).map(([name, bytes]) => ({ file: join(path, name), bytes }));
}

export const deliveryFlags = {
  out: Flags.string({ char: 'o', description: 'directory to write', required: true }),
  format: Flags.option({
    options: DELIVERIES,
    default: 'files',
    description:
      'tables as files, as text of acpidump, as linker/loader script with its files, or as initrd (cpio) that Linux takes tables from',
  })(),
};

/** Writes tables as `format` says; gives the names of the files. */
export function writeTables(
  out: string,
  tables: readonly DumpTable[],
  format: Delivery,
  original?: readonly DumpTable[],
): string[] {
  const files = deliverTables(tables, format, original);
  writeDirectoryWhole(out, files);
  return [...files.keys()];
}
