import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The folder with golden data of QEMU and real machines, beside the repository; tests that need it skip by name where it is missing.
 */
export const GOLDEN = ['../../../shared/golden', '../../../../shared/golden']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path));
