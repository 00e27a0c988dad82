import { fileURLToPath } from 'node:url';
import { type DebianFile, debianFile as debianFileBelow } from '../../src/cli/debian-files.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Path of a file from Debian, or undefined: tests that need one skip by name without it. */
export const debianFile = (key: DebianFile): string | undefined => debianFileBelow(ROOT, key, process.env);
