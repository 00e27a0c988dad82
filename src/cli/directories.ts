import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../shared/errors.ts';

/** Marks a directory that this toolkit wrote and may therefore replace; lists its files, one a line. */
export const MANIFEST_NAME = 'q35-files.txt';

/**
 * Writes `files` (names with `/`) below `path`, whole or not at all: into a directory beside it, which is then renamed. A directory
 * that an earlier run wrote is replaced, one with other content is left alone.
 * @throws UserError OUT_OCCUPIED, FILE_WRITE
 */
export function writeDirectoryWhole(path: string, files: ReadonlyMap<string, Uint8Array | string>): void {
  const target = resolve(path);
  const partial = `${target}.partial`;
  const old = `${target}.old`;
  if (!mayBeReplaced(target)) {
    throw new UserError('OUT_OCCUPIED', 'the directory holds files that this toolkit did not write', {
      place: { file: path },
      mend: 'name a new or an empty directory',
    });
  }
  try {
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true });
    for (const [name, content] of files) {
      mkdirSync(dirname(join(partial, name)), { recursive: true });
      writeFileSync(join(partial, name), content);
    }
    writeFileSync(join(partial, MANIFEST_NAME), `${[...files.keys()].sort().join('\n')}\n`);
    rmSync(old, { recursive: true, force: true });
    if (existsSync(target)) renameSync(target, old);
    renameSync(partial, target);
    rmSync(old, { recursive: true, force: true });
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(target) && existsSync(old)) renameSync(old, target);
    throw new UserError('FILE_WRITE', `the directory cannot be written: ${(error as Error).message}`, {
      place: { file: path },
      mend: 'choose a place that can be written',
      cause: error,
    });
  }
}

function mayBeReplaced(target: string): boolean {
  if (!existsSync(target)) return true;
  try {
    return existsSync(join(target, MANIFEST_NAME)) || readdirSync(target).length === 0;
  } catch {
    // A file, or a directory that may not be read.
    return false;
  }
}

/**
 * Every file below `path` by its name relative to it, with `/`.
 * @throws UserError DIRECTORY_READ
 */
export function readDirectoryFiles(path: string): Map<string, Uint8Array> {
  try {
    const names = readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(path, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
    return new Map(names.sort().map((name) => [name, new Uint8Array(readFileSync(join(path, name)))]));
  } catch (error) {
    throw new UserError('DIRECTORY_READ', `the directory cannot be read: ${(error as Error).message}`, {
      place: { file: path },
      mend: 'name a directory that `q35 acpi build` wrote, or one with tables as *.aml',
      cause: error,
    });
  }
}
