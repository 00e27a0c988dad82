import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDebianFiles } from './debian-packages.mjs';
import { build, ensurePackages, runPinned } from './npm-packages.mjs';

// npm start: set up what is missing, build, then verify the default board with the probe guest and Debian's cloud kernel.
const root = dirname(dirname(fileURLToPath(import.meta.url)));
ensurePackages(root);
ensureDebianFiles(root, ['cloudKernel', 'busybox']);
build(root);
process.exitCode = runPinned(root, ['bin/run.js', 'verify', ...process.argv.slice(2)]);
