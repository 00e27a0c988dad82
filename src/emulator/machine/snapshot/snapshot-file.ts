import { asciiBytes, concatBytes, equalBytes, viewOf } from '../../../shared/bytes.ts';
import { UserError } from '../../../shared/errors.ts';
import type { PageSource } from '../../bus/pending-pages.ts';
import { mismatchOf } from '../component.ts';
import type { MachineConfig } from '../config.ts';
import type { Machine, MachineState } from '../machine.ts';
import { stateHash } from '../state-hash.ts';
import type { Compressor } from './compressor.ts';
import { type BoardIdentity, boardDifferences, boardIdentity, type MachineInputs } from './identity.ts';
import { gatherPages, groupRuns, type PageRun, usedPages } from './ram-pages.ts';

/**
 * A snapshot file: magic, version u32, byte length of the header u32, hash of the header (32 characters), the header as JSON, and the
 * blobs that it lists, compressed each by itself: that their bytes are right is the compression's to check. All numbers little-endian.
 */
const MAGIC = asciiBytes('Q35SNAP\n');
/** Version of the file's own form; components have theirs. */
export const SNAPSHOT_VERSION = 3;
const HASH_BYTES = 32;
const PROLOGUE_BYTES = MAGIC.length + 4 + 4 + HASH_BYTES;
/** Pages of a blob of RAM: 256 KiB, so that a guest which looks at one page waits for few others. */
const GROUP_PAGES = 64;

interface Blob {
  /** Bytes as they are and as they lie in the file. */
  readonly byteLength: number;
  readonly stored: number;
}

interface Header {
  readonly compression: string;
  readonly board: BoardIdentity;
  readonly config: MachineConfig;
  readonly startSeconds?: number;
  readonly rom: Blob;
  readonly items: readonly (readonly [number, Blob])[];
  readonly files: readonly (readonly [string, Blob])[];
  readonly ram: readonly { readonly runs: readonly PageRun[]; readonly blob: Blob; readonly checksum: number }[];
  readonly state: MachineState;
  readonly host: unknown;
}

/** A file's bytes as a port: most of a snapshot is read when its guest asks for it. */
export interface StoredBytes {
  /** A piece, shorter where the file ends; valid until the next one is read. */
  read(offset: number, byteLength: number): Uint8Array;
}

/** A file that is in memory already. */
export function bytesInMemory(bytes: Uint8Array): StoredBytes {
  return { read: (offset, byteLength) => bytes.subarray(offset, offset + byteLength) };
}

/** A snapshot as it was read. */
export interface Snapshot {
  readonly board: BoardIdentity;
  readonly inputs: MachineInputs;
  readonly state: MachineState;
  /** Whatever the host side stored beside the machine. */
  readonly host: unknown;
  /**
   * The pages of RAM that hold anything, to be read and decompressed one group after the other; all checked here.
   * @throws UserError SNAPSHOT_DAMAGED
   */
  ramSources(): readonly PageSource[];
}

function inputsOf(machine: Machine): MachineInputs {
  const { config, rom, fwCfg, startSeconds } = machine.options;
  return { config, rom, items: fwCfg?.items ?? new Map(), files: fwCfg?.files ?? new Map(), startSeconds };
}

/** Everything about a machine between two calls of `run`, as bytes. `host` is JSON for the reader's own use. */
export function encodeSnapshot(machine: Machine, compressor: Compressor, host: unknown = null): Uint8Array {
  const inputs = inputsOf(machine);
  const blobs: Uint8Array[] = [];
  const store = (bytes: Uint8Array): Blob => {
    const stored = compressor.compress(bytes);
    blobs.push(stored);
    return { byteLength: bytes.length, stored: stored.length };
  };
  const ram = machine.memory.ram();
  const header: Header = {
    compression: compressor.method,
    board: boardIdentity(inputs),
    config: inputs.config,
    startSeconds: inputs.startSeconds,
    rom: store(inputs.rom),
    items: [...inputs.items].map(([key, bytes]) => [key, store(bytes)] as const),
    files: [...inputs.files].map(([name, bytes]) => [name, store(bytes)] as const),
    ram: groupRuns(usedPages(ram), GROUP_PAGES).map((runs) => {
      const blob = store(gatherPages(ram, runs));
      return { runs, blob, checksum: compressor.checksum(blobs[blobs.length - 1]) };
    }),
    state: machine.snapshot(),
    host,
  };
  const headerBytes = new TextEncoder().encode(JSON.stringify(header));
  const prologue = new Uint8Array(PROLOGUE_BYTES);
  prologue.set(MAGIC);
  viewOf(prologue).setUint32(MAGIC.length, SNAPSHOT_VERSION, true);
  viewOf(prologue).setUint32(MAGIC.length + 4, headerBytes.length, true);
  prologue.set(asciiBytes(stateHash([headerBytes])), MAGIC.length + 8);
  return concatBytes([prologue, headerBytes, ...blobs]);
}

function damaged(file: string, what: string): UserError {
  return new UserError('SNAPSHOT_DAMAGED', `the snapshot is damaged: ${what}`, {
    place: { file },
    mend: 'save it again',
  });
}

function versionError(file: string, what: string): UserError {
  return new UserError('SNAPSHOT_VERSION', `the snapshot is of another version: ${what}`, {
    place: { file },
    mend: 'boot the guest anew and save it with this version',
  });
}

function boardError(file: string, differences: readonly string[]): UserError {
  return new UserError('SNAPSHOT_BOARD', `the snapshot is of another board: ${differences.join(', ')}`, {
    place: { file },
    mend: 'leave out the flags that state a board, a processor or a kernel, or give those of the saved run',
  });
}

/**
 * Reads a snapshot; `file` is its name for messages.
 * @throws UserError SNAPSHOT_FORMAT, SNAPSHOT_VERSION, SNAPSHOT_DAMAGED
 */
export function decodeSnapshot(stored: StoredBytes, compressor: Compressor, file: string): Snapshot {
  const prologue = stored.read(0, PROLOGUE_BYTES).slice();
  if (!equalBytes(prologue.subarray(0, MAGIC.length), MAGIC)) {
    throw new UserError('SNAPSHOT_FORMAT', 'the file is no snapshot', {
      place: { file },
      mend: 'name a file that `q35 snapshot save` wrote',
    });
  }
  if (prologue.length < PROLOGUE_BYTES) throw damaged(file, 'it ends early');
  const view = viewOf(prologue);
  const version = view.getUint32(MAGIC.length, true);
  if (version !== SNAPSHOT_VERSION) throw versionError(file, `${version} instead of ${SNAPSHOT_VERSION}`);
  const hash = new TextDecoder().decode(prologue.subarray(MAGIC.length + 8));
  const headerLength = view.getUint32(MAGIC.length + 4, true);
  const headerBytes = stored.read(PROLOGUE_BYTES, headerLength);
  let at = PROLOGUE_BYTES + headerLength;
  if (stateHash([headerBytes]) !== hash) throw damaged(file, 'the hash of its header does not match');
  const header: Header = JSON.parse(new TextDecoder().decode(headerBytes));
  if (header.compression !== compressor.method) {
    throw versionError(file, `compressed by ${header.compression} instead of ${compressor.method}`);
  }
  const decompress = (blob: Blob, from: number): Uint8Array => {
    try {
      return compressor.decompress(stored.read(from, blob.stored), blob.byteLength);
    } catch (error) {
      throw damaged(file, `its bytes from ${from} on (${(error as Error).message})`);
    }
  };
  const load = (blob: Blob): Uint8Array => {
    const from = at;
    at += blob.stored;
    return decompress(blob, from);
  };
  const inputs: MachineInputs = {
    config: header.config,
    startSeconds: header.startSeconds,
    rom: load(header.rom),
    items: new Map(header.items.map(([key, blob]) => [key, load(blob)])),
    files: new Map(header.files.map(([name, blob]) => [name, load(blob)])),
  };
  const ramStart = at;
  return {
    board: header.board,
    inputs,
    state: header.state,
    host: header.host,
    ramSources: () => {
      at = ramStart;
      return header.ram.map(({ runs, blob, checksum }) => {
        const from = at;
        at += blob.stored;
        if (compressor.checksum(stored.read(from, blob.stored)) !== checksum) {
          throw damaged(file, `its bytes from ${from} on`);
        }
        return { runs, load: () => decompress(blob, from) };
      });
    },
  };
}

/** The machine was built from what the snapshot carries: nothing to compare. */
function isSame(left: MachineInputs, right: MachineInputs): boolean {
  return (
    left.config === right.config &&
    left.rom === right.rom &&
    left.items === right.items &&
    left.files === right.files &&
    left.startSeconds === right.startSeconds
  );
}

/**
 * Makes `machine`, which must be new, the one that was saved.
 * @throws UserError SNAPSHOT_BOARD, SNAPSHOT_VERSION
 */
export function restoreSnapshot(machine: Machine, snapshot: Snapshot, file: string): void {
  const inputs = inputsOf(machine);
  const differences = isSame(inputs, snapshot.inputs)
    ? []
    : [...boardDifferences(snapshot.board, boardIdentity(inputs))];
  const features = (state: MachineState): string => state.processor.features.join();
  if (features(machine.snapshot()) !== features(snapshot.state)) differences.push('features of the processor');
  if (differences.length > 0) throw boardError(file, differences);
  const mismatch = mismatchOf(machine.components(), snapshot.state.components);
  if (mismatch !== undefined) throw versionError(file, mismatch);
  machine.restore(snapshot.state, snapshot.ramSources());
}
