#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

// The engine needs Node 24 (docs/decisions/0002). Under an older one the command starts again in the Node that the lock file pins.
const MINIMUM_MAJOR = 24;

function pinnedNode() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'));
    const file = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

if (Number(process.versions.node.split('.')[0]) < MINIMUM_MAJOR) {
  const node = pinnedNode();
  if (node === undefined) {
    process.stderr.write(
      `q35 needs Node ${MINIMUM_MAJOR} or later; this is ${process.version}. Mend: npm install, or a newer Node.\n`,
    );
    process.exit(2);
  }
  const { status, signal } = spawnSync(node, process.argv.slice(1), { stdio: 'inherit' });
  process.exit(signal === null ? (status ?? 1) : 128);
}

// `q35 … | head` closes the pipe early: end as other programs do, by the number of SIGPIPE, instead of waiting for a reader.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(128 + 13);
  });
}

// Most of a short command's time is its modules' loading: their code is kept compiled (in the folder for temporary files, or NODE_COMPILE_CACHE).
const { enableCompileCache } = await import('node:module');
enableCompileCache();
// The version was checked above; oclif would load a whole package to do it again.
process.env.OCLIF_DISABLE_ENGINE_WARNING ??= '1';
const { execute } = await import('@oclif/core');
await execute({ dir: import.meta.url });
