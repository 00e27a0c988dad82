import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BENCH_FILES, ensureBenchTools, ensureDebianFiles } from './debian-packages.mjs';
import { ensurePackages, runPinned } from './npm-packages.mjs';

// npm run bench: set up what is missing, then measure. Arguments go to bench/bench.ts.
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
ensurePackages(root);
if (!['--help', '-h', '--list'].some((flag) => args.includes(flag))) {
  ensureDebianFiles(root, BENCH_FILES);
  ensureBenchTools();
}
process.exitCode = runPinned(root, ['bench/bench.ts', ...args]);
