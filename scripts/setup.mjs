import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDebianFiles, ensureTools } from './debian-packages.mjs';
import { build, ensurePackages } from './npm-packages.mjs';

// npm run setup: everything that npm start and npm test would fetch, without running anything.
const root = dirname(dirname(fileURLToPath(import.meta.url)));
ensurePackages(root);
ensureDebianFiles(root, ['cloudKernel', 'kernel', 'busybox']);
ensureTools();
build(root);
