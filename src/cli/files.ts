import { mkdirSync, openSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../shared/errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a directory',
  EACCES: 'may not be opened',
  EPERM: 'may not be opened',
  ENOTDIR: 'lies below something that is no directory',
  ENOSPC: 'does not fit on the disk',
  EROFS: 'lies on a read-only disk',
};

function fileError(code: string, path: string, cause: unknown, mend: string): UserError {
  const reason = REASONS[(cause as NodeJS.ErrnoException).code ?? ''] ?? `failed: ${(cause as Error).message}`;
  const isDirectory = (cause as NodeJS.ErrnoException).code === 'EISDIR';
  return new UserError(code, `${path} ${reason}`, {
    place: { file: path },
    mend: isDirectory ? 'name a file in it' : mend,
    cause,
  });
}

/** @throws UserError FILE_READ */
export function readFileBytes(path: string): Uint8Array {
  try {
    const buffer = readFileSync(path);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
  } catch (error) {
    throw fileError('FILE_READ', path, error, 'check the path and the permissions');
  }
}

/**
 * Opens a file that is read piece by piece while the process lives: each piece into the same buffer.
 * @throws UserError FILE_READ
 */
export function openForPieces(path: string): { read(offset: number, byteLength: number): Uint8Array } {
  const mend = 'check the path and the permissions';
  let buffer = new Uint8Array(0);
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw fileError('FILE_READ', path, error, mend);
    }
  };
  const descriptor = attempt(() => openSync(path, 'r'));
  return {
    read: (offset, byteLength) => {
      if (buffer.length < byteLength) buffer = new Uint8Array(byteLength);
      const count = attempt(() => readSync(descriptor, buffer, 0, byteLength, offset));
      return buffer.subarray(0, count);
    },
  };
}

/** @throws UserError FILE_READ */
export function readFileText(path: string): string {
  return new TextDecoder().decode(readFileBytes(path));
}

/**
 * Writes a file whole or not at all: first beside its place, then renamed into it.
 * @throws UserError FILE_WRITE
 */
export function writeFileWhole(path: string, bytes: Uint8Array | string): void {
  const partial = `${path}.partial`;
  let started = false;
  try {
    mkdirSync(dirname(path), { recursive: true });
    started = true;
    writeFileSync(partial, bytes);
    renameSync(partial, path);
  } catch (error) {
    if (started) rmSync(partial, { force: true });
    throw fileError('FILE_WRITE', path, error, 'choose a place that can be written');
  }
}
