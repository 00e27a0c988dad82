import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Path of a file that `npm run setup` unpacked, or that Q35_CLOUD_KERNEL, Q35_KERNEL or Q35_BUSYBOX name; undefined without one. */
export function debianFile(key: 'cloudKernel' | 'kernel' | 'busybox'): string | undefined {
  const variable = `Q35_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
  const named = process.env[variable];
  if (named !== undefined) return named;
  const manifest = join(ROOT, '.cache', 'debian', 'manifest.json');
  if (!existsSync(manifest)) return undefined;
  const path: string | undefined = JSON.parse(readFileSync(manifest, 'utf8'))[key];
  return path !== undefined && existsSync(join(ROOT, path)) ? join(ROOT, path) : undefined;
}
