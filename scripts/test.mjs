import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateManifest } from './command-manifest.mjs';
import { ensureDebianFiles, ensureTools } from './debian-packages.mjs';
import { build, ensurePackages, runPinned } from './npm-packages.mjs';

// npm test: set up what is missing, then lint, types, the command manifest, and the whole suite. Arguments go to vitest.
const root = dirname(dirname(fileURLToPath(import.meta.url)));
ensurePackages(root);
ensureDebianFiles(root, ['cloudKernel', 'kernel', 'busybox']);
ensureTools();

const tool = (path) => join(root, 'node_modules', ...path.split('/'));
const steps = [
  ['lint', [tool('@biomejs/biome/bin/biome'), 'check', '.']],
  ['types', [tool('typescript/bin/tsc'), '--noEmit']],
];
for (const [name, args] of steps) {
  process.stderr.write(`test: ${name}\n`);
  const status = runPinned(root, args);
  if (status !== 0) process.exit(status);
}
build(root);
checkManifest();
process.exitCode = runPinned(root, [tool('vitest/vitest.mjs'), 'run', ...process.argv.slice(2)]);

/** oclif.manifest.json is generated; the one in the repository must be the one that the commands give. */
function checkManifest() {
  process.stderr.write('test: manifest\n');
  if (generateManifest(root).wasCurrent) return;
  process.stderr.write('test: oclif.manifest.json was not current; it is now. Mend: commit it (npm run manifest).\n');
  process.exit(1);
}
