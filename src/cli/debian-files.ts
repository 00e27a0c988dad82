import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readFileText } from './files.ts';

export type DebianFile = 'cloudKernel' | 'kernel' | 'busybox' | 'kernel686' | 'busybox686';

/** Environment variables that name a local file instead. */
const VARIABLES: Readonly<Record<DebianFile, string>> = {
  cloudKernel: 'Q35_CLOUD_KERNEL',
  kernel: 'Q35_KERNEL',
  busybox: 'Q35_BUSYBOX',
  kernel686: 'Q35_KERNEL686',
  busybox686: 'Q35_BUSYBOX686',
};

/**
 * Path of a file that `npm run setup` unpacked under `root`, or that the environment names; undefined without one.
 * @throws UserError FILE_READ when the manifest cannot be read
 */
export function debianFile(root: string, key: DebianFile, environment: NodeJS.ProcessEnv): string | undefined {
  const named = environment[VARIABLES[key]];
  if (named !== undefined && named !== '') return named;
  const manifest = join(root, '.cache', 'debian', 'manifest.json');
  if (!existsSync(manifest)) return undefined;
  const path: unknown = JSON.parse(readFileText(manifest))[key];
  return typeof path === 'string' && existsSync(join(root, path)) ? join(root, path) : undefined;
}
