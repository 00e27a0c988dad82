import { FSEG } from '../../../emulator/machine/memory-map.ts';
import { alignDown, alignUp } from '../../../shared/bytes.ts';
import { byteSum } from '../../../shared/checksum.ts';
import { UserError } from '../../../shared/errors.ts';
import type { FirmwareFiles } from '../../artifacts.ts';
import { decodeScript, LOADER_FILE_NAME, LOADER_ZONES, type LoaderCommand, type LoaderZone } from './script.ts';

/** A file in guest memory. */
export interface LoadedFile {
  readonly file: string;
  /** Guest-physical address of the first byte. */
  readonly gpa: number;
  readonly bytes: Uint8Array;
}

export interface LoadedImage {
  readonly files: ReadonlyMap<string, LoadedFile>;
  /** What WRITE_POINTER hands back to fw_cfg, by file. */
  readonly writtenBack: ReadonlyMap<string, Uint8Array>;
}

/** Chooses the address of an allocation; the ROM's policy, or the one that a guest reported. */
export type LoaderAllocator = (file: string, byteLength: number, align: number, zone: LoaderZone) => number;

/** High allocations downwards from `topOfLowRam`, FSEG ones upwards from 0xf0000. */
export function defaultAllocator(topOfLowRam: number): LoaderAllocator {
  let high = topOfLowRam;
  let fseg = FSEG.base;
  return (_file, byteLength, align, zone) => {
    if (zone === LOADER_ZONES.FSEG) {
      const gpa = alignUp(fseg, align);
      fseg = gpa + byteLength;
      return gpa;
    }
    high = alignDown(high - byteLength, align);
    return high;
  };
}

/**
 * Executes `etc/table-loader` as firmware does, on copies of the files. Throws LOADER_FILE for a file that is missing or used before
 * its ALLOCATE, LOADER_RANGE for an offset outside its file, LOADER_LENGTH for a script that is cut short.
 */
export function executeScript(files: FirmwareFiles, allocate: LoaderAllocator): LoadedImage {
  const script = files.get(LOADER_FILE_NAME);
  if (!script) throw missing(LOADER_FILE_NAME, 'is not among the files');
  const loaded = new Map<string, LoadedFile>();
  const writtenBack = new Map<string, Uint8Array>();
  decodeScript(script).forEach((command, index) => {
    executeCommand(command, index, { files, loaded, writtenBack, allocate });
  });
  return { files: loaded, writtenBack };
}

interface LoaderState {
  readonly files: FirmwareFiles;
  readonly loaded: Map<string, LoadedFile>;
  readonly writtenBack: Map<string, Uint8Array>;
  readonly allocate: LoaderAllocator;
}

function executeCommand(command: LoaderCommand, index: number, state: LoaderState): void {
  const find = (file: string): LoadedFile => {
    const found = state.loaded.get(file);
    if (!found) throw missing(file, `is used by entry ${index} before an ALLOCATE`);
    return found;
  };
  switch (command.command) {
    case 'ALLOCATE': {
      const content = state.files.get(command.file);
      if (!content) throw missing(command.file, `is allocated by entry ${index} and not among the files`);
      const gpa = state.allocate(command.file, content.length, Math.max(1, command.align), command.zone);
      state.loaded.set(command.file, { file: command.file, gpa, bytes: content.slice() });
      return;
    }
    case 'ADD_POINTER': {
      const target = find(command.target);
      checkRange(target.bytes, target.file, command.offset, command.size, index);
      const value = readLittleEndian(target.bytes, command.offset, command.size) + BigInt(find(command.source).gpa);
      writeLittleEndian(target.bytes, command.offset, command.size, value);
      return;
    }
    case 'ADD_CHECKSUM': {
      const { bytes, file } = find(command.file);
      checkRange(bytes, file, command.start, command.length, index);
      checkRange(bytes, file, command.offset, 1, index);
      bytes[command.offset] -= byteSum(bytes.subarray(command.start, command.start + command.length));
      return;
    }
    case 'WRITE_POINTER': {
      const content = state.files.get(command.target);
      if (!content) throw missing(command.target, `is written by entry ${index} and not among the files`);
      const copy = state.writtenBack.get(command.target) ?? content.slice();
      checkRange(copy, command.target, command.targetOffset, command.size, index);
      const value = BigInt(find(command.source).gpa + command.sourceOffset);
      writeLittleEndian(copy, command.targetOffset, command.size, value);
      state.writtenBack.set(command.target, copy);
    }
  }
}

function readLittleEndian(bytes: Uint8Array, offset: number, size: number): bigint {
  let value = 0n;
  for (let index = size - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[offset + index]);
  return value;
}

function writeLittleEndian(bytes: Uint8Array, offset: number, size: number, value: bigint): void {
  for (let index = 0; index < size; index++) bytes[offset + index] = Number((value >> BigInt(8 * index)) & 0xffn);
}

function checkRange(bytes: Uint8Array, file: string, offset: number, length: number, index: number): void {
  if (offset + length <= bytes.length) return;
  throw new UserError(
    'LOADER_RANGE',
    `entry ${index} reaches to byte ${offset + length}, the file has ${bytes.length}`,
    {
      place: { file, offset },
      mend: 'build the files again: the script and the tables do not belong together',
    },
  );
}

function missing(file: string, what: string): UserError {
  return new UserError('LOADER_FILE', `${file} ${what}`, {
    place: { file },
    mend: 'hand over the directory that `q35 acpi build` wrote as a whole',
  });
}
