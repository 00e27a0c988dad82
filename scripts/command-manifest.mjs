import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runPinned } from './npm-packages.mjs';

/**
 * Generates oclif.manifest.json from dist/ and says whether it was current. oclif lists commands in the order in which it happens to
 * load them; here they are sorted, so that the file changes only when a command does.
 */
export function generateManifest(root) {
  const file = join(root, 'oclif.manifest.json');
  const before = sorted(readFileSync(file, 'utf8'));
  const generator = join(root, 'node_modules', 'oclif', 'bin', 'run.js');
  const status = runPinned(root, [generator, 'manifest'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) process.exit(status);
  const after = sorted(readFileSync(file, 'utf8'));
  writeFileSync(file, after);
  return { wasCurrent: before === after };
}

function sorted(text) {
  const manifest = JSON.parse(text);
  const commands = Object.entries(manifest.commands).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify({ ...manifest, commands: Object.fromEntries(commands) }, null, 2);
}
