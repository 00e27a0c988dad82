import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BENCH_FILES, ensureBenchTools, ensureDebianFiles } from './debian-packages.mjs';
import { build, ensurePackages } from './npm-packages.mjs';

// npm run setup: everything that npm start, npm test and npm run bench would fetch, without running anything.
const root = dirname(dirname(fileURLToPath(import.meta.url)));
ensurePackages(root);
ensureDebianFiles(root, BENCH_FILES);
ensureBenchTools();
build(root);
