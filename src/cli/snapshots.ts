import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Board, DriveConfig, NetdevConfig } from '../bios/topology/board.ts';
import { DEFAULT_CPU_MODEL, parseCpuModel } from '../emulator/cpu/model/cpu-model.ts';
import type { Machine } from '../emulator/machine/machine.ts';
import {
  decodeSnapshot,
  encodeSnapshot,
  restoreSnapshot,
  type Snapshot,
} from '../emulator/machine/snapshot/snapshot-file.ts';
import { UserError } from '../shared/errors.ts';
import type { BootStart } from './boot-start.ts';
import { openForPieces, writeFileWhole } from './files.ts';
import { zstd } from './zstd.ts';

/** What a snapshot file says of the host's side. Drives are not part of it: they must be as they were. */
interface HostPart {
  /** The processor's model, as `--cpu` has it. */
  readonly cpu: string;
  readonly drives: readonly (Omit<DriveConfig, 'place'> & { readonly sha256: string })[];
  readonly netdevs: readonly NetdevConfig[];
}

/** A snapshot file, read and ready to be started from. */
export interface SavedGuest {
  readonly path: string;
  readonly snapshot: Snapshot;
  /** What the saved guest was started from. */
  readonly start: BootStart;
}

const CHUNK = 0x40_0000;

function fileHash(path: string): string {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(CHUNK);
  const descriptor = openSync(path, 'r');
  try {
    for (let count = readSync(descriptor, buffer); count > 0; count = readSync(descriptor, buffer)) {
      hash.update(buffer.subarray(0, count));
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest('hex');
}

/**
 * Saves a machine between two slices. Returns the size of the file, bytes.
 * @throws UserError FILE_WRITE
 */
export function saveGuest(path: string, machine: Machine, start: BootStart): number {
  const { board, cpu = DEFAULT_CPU_MODEL } = start;
  const host: HostPart = {
    cpu: cpu.name,
    drives: board.drives.map(({ id, file, readOnly }) => ({
      id,
      file: resolve(file),
      readOnly,
      sha256: fileHash(file),
    })),
    netdevs: board.netdevs,
  };
  const bytes = encodeSnapshot(machine, zstd, host);
  writeFileWhole(path, bytes);
  return bytes.length;
}

/** @throws UserError FILE_READ, SNAPSHOT_FORMAT, SNAPSHOT_VERSION, SNAPSHOT_DAMAGED */
export function loadGuest(path: string): SavedGuest {
  const snapshot = decodeSnapshot(openForPieces(path), zstd, path);
  const { drives, netdevs, cpu } = snapshot.host as HostPart;
  const board: Board = {
    machine: snapshot.inputs.config,
    drives: drives.map(({ id, file, readOnly }) => ({ id, file, readOnly, place: { file: path } })),
    netdevs,
  };
  const { rom, items, files } = snapshot.inputs;
  return { path, snapshot, start: { board, rom, items, files, cpu: parseCpuModel(cpu) } };
}

/**
 * Makes a new machine on `board` the saved one.
 * @throws UserError SNAPSHOT_BOARD, SNAPSHOT_VERSION, SNAPSHOT_DRIVE
 */
export function restoreGuest(saved: SavedGuest, machine: Machine, board: Board): void {
  for (const { id, sha256 } of (saved.snapshot.host as HostPart).drives) {
    const drive = board.drives.find((candidate) => candidate.id === id);
    if (drive === undefined || fileHash(drive.file) === sha256) continue;
    throw new UserError('SNAPSHOT_DRIVE', `drive ${id}: ${drive.file} has changed since the guest was saved`, {
      place: { file: saved.path },
      mend: 'put back the image as it was then: a guest that runs on writes to it',
    });
  }
  restoreSnapshot(machine, saved.snapshot, saved.path);
}
