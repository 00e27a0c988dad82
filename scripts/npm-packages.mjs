import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

// Runs under whatever Node the machine has, before anything is installed: plain JavaScript, Node's own modules only.

/** True when node_modules holds the versions of the lock file. Packages for other platforms may be absent. */
export function packagesAreCurrent(root) {
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed[path];
    return found === undefined ? entry.optional === true : found.version === entry.version;
  });
}

/** Runs `npm ci` when it is needed. Ends the process with npm's exit code when that fails. */
export function ensurePackages(root) {
  if (packagesAreCurrent(root)) return;
  process.stderr.write('setup: npm ci\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  // Some packages ask for a newer Node than npm may run under here; they will run under the pinned one, so npm's warnings would mislead.
  const { status, error } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** The Node that the lock file pins; the toolkit needs its version, the machine's own may be older. */
export function pinnedNode(root) {
  const pinned = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return existsSync(pinned) ? pinned : process.execPath;
}

/** Runs a file of the project under the pinned Node and gives its exit code. */
export function runPinned(root, args, options = {}) {
  const { status, error, signal } = spawnSync(pinnedNode(root), args, { cwd: root, stdio: 'inherit', ...options });
  if (error !== undefined) throw error;
  return status ?? (signal === null ? 1 : 128);
}

/** Compiles src/ to dist/, without what an earlier version left there, and generates the default processor's interpreter. */
export function build(root) {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  for (const step of [[compiler, '-p', 'tsconfig.build.json'], [join(root, 'scripts', 'build-interpreters.mjs')]]) {
    const status = runPinned(root, step);
    if (status !== 0) process.exit(status);
  }
}
