import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// What the toolkit takes from Debian: the kernels and busybox are downloaded and unpacked into .cache/debian, never installed; the
// cross-check tools (iasl, acpiexec, QEMU) are installed by apt-get where that is possible.

/** Linux's virtio drivers and what they need, for the test that runs them on our devices. */
const VIRTIO_MODULES =
  /\/(virtio|virtio_(ring|pci|pci_legacy_dev|pci_modern_dev|blk|net|console)|virtio-rng|(net_)?failover)\.ko$/;

/** Files that are unpacked: key in the manifest, package, a pattern of the file in it, and of others that go with it. */
const FILES = {
  cloudKernel: {
    metaPackage: 'linux-image-cloud-amd64',
    member: /^\.\/boot\/vmlinuz-/,
    others: VIRTIO_MODULES,
    othersFolder: 'lib',
  },
  kernel: { metaPackage: 'linux-image-amd64', member: /^\.\/boot\/vmlinuz-/ },
  busybox: { package: 'busybox-static', member: /^\.\/bin\/busybox$/ },
};

const TOOLS = { iasl: 'acpica-tools', acpiexec: 'acpica-tools', 'qemu-system-x86_64': 'qemu-system-x86' };

const say = (line) => process.stderr.write(`setup: ${line}\n`);

function run(command, args, options = {}) {
  return spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
}

const has = (command) => !(run(command, ['--version']).error !== undefined);
const isRoot = () => process.getuid?.() === 0;
const isDebian = () => has('apt-get') && has('dpkg-deb');

function aptEnvironment() {
  return { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
}

/** Name of the package that holds a kernel: what its meta package depends on. */
function kernelPackage(metaPackage) {
  const shown = run('apt-cache', ['show', '--no-all-versions', metaPackage]).stdout ?? '';
  return /^Depends:.*?(linux-image-[^\s,]+)/m.exec(shown)?.[1];
}

let updated = false;

/** A fresh container has no package lists: they are fetched once, when we may. */
function updateLists() {
  if (updated || !isRoot()) return;
  updated = true;
  say('apt-get update');
  run('apt-get', ['-qq', 'update'], { env: aptEnvironment(), stdio: ['ignore', 2, 2] });
}

function packageOf(spec) {
  const lookUp = () =>
    spec.package !== undefined
      ? run('apt-cache', ['show', '--no-all-versions', spec.package]).stdout
        ? spec.package
        : undefined
      : kernelPackage(spec.metaPackage);
  const found = lookUp();
  if (found !== undefined) return found;
  updateLists();
  return lookUp();
}

/** Downloads a package and unpacks one member of it; undefined when that is not possible here. */
function unpack(folder, spec) {
  const name = packageOf(spec);
  if (name === undefined) return undefined;
  const work = join(folder, `${name}.partial`);
  const target = join(folder, name);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    say(`apt-get download ${name}`);
    const download = () => run('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', name], { cwd: work });
    let result = download();
    if (result.status !== 0) {
      updateLists();
      result = download();
    }
    const archive = readdirSync(work).find((file) => file.endsWith('.deb'));
    if (result.status !== 0 || archive === undefined) return undefined;
    const tar = run('dpkg-deb', ['--fsys-tarfile', archive], {
      cwd: work,
      encoding: 'buffer',
      maxBuffer: 1 << 30,
    }).stdout;
    const members = run('tar', ['-tf', '-'], { input: tar }).stdout.split('\n');
    const member = members.find((line) => spec.member.test(line));
    if (member === undefined) return undefined;
    const others = members.filter((line) => spec.others?.test(line));
    if (run('tar', ['-xf', '-', member, ...others], { cwd: work, input: tar }).status !== 0) return undefined;
    rmSync(join(work, archive));
    rmSync(target, { recursive: true, force: true });
    renameSync(work, target);
    return join(target, member);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The file is there, and so is what an earlier version of this script did not unpack with it. */
function isComplete(path, spec) {
  const others = spec.othersFolder && join(path, '..', '..', spec.othersFolder);
  return existsSync(path) && (others === undefined || existsSync(others));
}

/** What stands in the way of a package, for the line that says so. */
function whyNot() {
  if (!isDebian()) return 'this machine has no apt-get and dpkg-deb to fetch it from Debian';
  if (!isRoot()) return 'apt-get cannot fetch it; its lists may be missing, which root mends by apt-get update';
  return 'apt-get cannot fetch it';
}

/**
 * Sees to it that the wanted files are there and writes their paths to .cache/debian/manifest.json. What cannot be had is said in one
 * line each, with the way to name a local file instead.
 */
export function ensureDebianFiles(root, wanted) {
  const folder = join(root, '.cache', 'debian');
  const manifestFile = join(folder, 'manifest.json');
  mkdirSync(folder, { recursive: true });
  const manifest = existsSync(manifestFile) ? JSON.parse(readFileSync(manifestFile, 'utf8')) : {};
  for (const key of wanted) {
    const variable = `Q35_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
    const spec = FILES[key];
    if (process.env[variable] !== undefined) continue;
    if (manifest[key] !== undefined && isComplete(join(root, manifest[key]), spec)) continue;
    delete manifest[key];
    const path = isDebian() ? unpack(folder, spec) : undefined;
    if (path !== undefined) manifest[key] = path.slice(root.length + 1);
    else say(`left out: ${spec.metaPackage ?? spec.package}: ${whyNot()}; set ${variable}=FILE to use a local file`);
  }
  writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Installs the cross-check tools where that is possible; says what is left out otherwise. Tests that need them skip by name. */
export function ensureTools() {
  const missing = Object.keys(TOOLS).filter((tool) => !hasTool(tool));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => TOOLS[tool]))];
  if (isDebian() && isRoot()) {
    updateLists();
    say(`apt-get install ${packages.join(' ')}`);
    run('apt-get', ['-qq', 'install', '-y', '--no-install-recommends', ...packages], {
      env: aptEnvironment(),
      stdio: ['ignore', 2, 2],
    });
  }
  for (const tool of missing.filter((name) => !hasTool(name))) {
    say(`left out: cross-checks with ${tool}; install ${TOOLS[tool]} (Debian's name) to have them`);
  }
}

/** acpiexec and iasl answer -v, QEMU --version: only whether the program starts counts. */
const hasTool = (tool) => run(tool, ['--version']).error === undefined;
