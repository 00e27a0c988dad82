import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import type { Board, DriveConfig } from '../bios/topology/board.ts';
import { UserNet } from '../emulator/devices/user-net/user-net.ts';
import type { Backends } from '../emulator/machine/device-models.ts';
import type { BlockBackend, EntropySource } from '../emulator/machine/ports.ts';
import { UserError } from '../shared/errors.ts';

/** A disk image in a file, read and written in place. */
class FileDrive implements BlockBackend {
  readonly byteLength: number;
  readonly readOnly: boolean;
  readonly #descriptor: number;

  constructor({ file, readOnly }: DriveConfig) {
    this.#descriptor = openSync(file, readOnly ? 'r' : 'r+');
    this.byteLength = fstatSync(this.#descriptor).size;
    this.readOnly = readOnly;
  }

  read(offset: number, target: Uint8Array): void {
    for (let done = 0; done < target.length; ) {
      const count = readSync(this.#descriptor, target, done, target.length - done, offset + done);
      if (count === 0) {
        target.fill(0, done);
        return;
      }
      done += count;
    }
  }

  write(offset: number, source: Uint8Array): void {
    for (let done = 0; done < source.length; ) {
      done += writeSync(this.#descriptor, source, done, source.length - done, offset + done);
    }
  }

  flush(): void {
    fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function openDrive(drive: DriveConfig): FileDrive {
  try {
    return new FileDrive(drive);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : (error as Error).message;
    throw new UserError('DRIVE_OPEN', `drive ${drive.id}: ${drive.file} ${reason}`, {
      place: drive.place,
      mend: drive.readOnly ? 'check the path' : 'check the path, or add readonly=on',
      cause: error,
    });
  }
}

/** Bytes from a counter that is mixed (SplitMix64's finisher on 32 bits): the same on every run, as everything in the machine. */
class SeededEntropy implements EntropySource {
  #state = 0x5135_2021;

  snapshot(): number {
    return this.#state;
  }

  restore(state: number): void {
    this.#state = state;
  }

  fill(target: Uint8Array): void {
    for (let index = 0; index < target.length; index++) {
      this.#state = (this.#state + 0x9e37_79b9) | 0;
      let mixed = this.#state;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
      target[index] = (mixed ^ (mixed >>> 16)) & 0xff;
    }
  }
}

/** The host-side ends of a board's devices, opened. */
export interface OpenBackends extends Backends {
  close(): void;
}

/** @throws UserError DRIVE_OPEN */
export function openBackends(board: Board): OpenBackends {
  const drives = new Map(board.drives.map((drive) => [drive.id, openDrive(drive)]));
  const networks = new Map(board.netdevs.map(({ id }) => [id, new UserNet()]));
  const entropy = new SeededEntropy();
  return {
    drive: (id) => drives.get(id),
    network: (id) => networks.get(id),
    entropy: () => entropy,
    character: () => undefined,
    close: () => {
      for (const drive of drives.values()) drive.close();
    },
  };
}
