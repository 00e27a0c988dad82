import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Tables of real machines and of QEMU, kept beside the repository; tests that need them skip by name where they are absent. */
export const goldenDirectory = ['../shared/golden', '../../shared/golden'].find((path) => existsSync(path));

export interface GoldenMachine {
  readonly name: string;
  /** DSDT first, then the SSDTs, as the firmware loads them. */
  readonly tables: readonly { readonly file: string; readonly bytes: Uint8Array }[];
}

/** The definition blocks of each machine of `collection`, in the order of the machines' names. */
export function goldenMachines(collection: 'qemu-q35' | 'real-machines'): GoldenMachine[] {
  const root = join(goldenDirectory!, collection);
  return readdirSync(root)
    .sort()
    .map((name) => ({
      name,
      tables: readdirSync(join(root, name))
        .filter((file) => /^(dsdt|ssdt\d*)\.aml$/i.test(file))
        .sort((left, right) => left.localeCompare(right, 'en', { numeric: true }))
        .map((file) => ({ file: `${name}/${file}`, bytes: new Uint8Array(readFileSync(join(root, name, file))) })),
    }));
}
