import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { foreignApt, isDebian, isRoot, run, say, systemApt } from './apt.mjs';

// What the toolkit takes from Debian: the kernels and busybox are downloaded and unpacked into .cache/debian, never installed; the
// cross-check tools (iasl, acpiexec, QEMU) and the bench's are installed by apt-get where that is possible.

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
  kernel686: { metaPackage: 'linux-image-686', architecture: 'i386', member: /^\.\/boot\/vmlinuz-/ },
  busybox686: { package: 'busybox-static', architecture: 'i386', member: /^\.\/bin\/busybox$/ },
};

/** What the bench boots: everything. */
export const BENCH_FILES = Object.keys(FILES);

/** acpiexec and iasl answer -v, QEMU --version: only whether the program starts counts. */
const starts = (tool) => () => run(tool, ['--version']).error === undefined;
const compilesFor32Bits = () => existsSync(run('gcc', ['-m32', '-print-libgcc-file-name']).stdout?.trim() ?? '');

/** Installed where that is possible: what is done with it, Debian's names, whether it is there. */
const TOOLS = [
  { use: 'cross-checks with iasl and acpiexec', packages: ['acpica-tools'], isThere: starts('iasl') },
  { use: 'cross-checks with qemu-system-x86_64', packages: ['qemu-system-x86'], isThere: starts('qemu-system-x86_64') },
];
const BENCH_TOOLS = [
  { use: "the bench's programs", packages: ['gcc', 'libc6-dev'], isThere: starts('gcc') },
  { use: "the bench's 32-bit programs", packages: ['gcc-multilib'], isThere: compilesFor32Bits },
  { use: 'the bench of v86', packages: ['seabios'], isThere: () => existsSync('/usr/share/seabios/bios.bin') },
];

const foreign = new Map();

/** The apt that knows a file's package. */
function aptOf(folder, { architecture }) {
  if (architecture === undefined) return systemApt;
  if (!foreign.has(architecture))
    foreign.set(architecture, foreignApt(architecture, join(folder, `apt-${architecture}`)));
  return foreign.get(architecture);
}

/** Name of the package that holds a file: of a kernel, what its meta package depends on. */
function packageOf(apt, spec) {
  if (spec.package !== undefined) return apt.look(spec.package, (shown) => (shown ? spec.package : undefined));
  return apt.look(spec.metaPackage, (shown) => /^Depends:.*?(linux-image-[^\s,]+)/m.exec(shown)?.[1]);
}

/** Downloads a package and unpacks one member of it; undefined when that is not possible here. */
function unpack(folder, spec) {
  const apt = aptOf(folder, spec);
  const name = packageOf(apt, spec);
  if (name === undefined) return undefined;
  const unpacked = spec.architecture === undefined ? name : `${name}-${spec.architecture}`;
  const work = join(folder, `${unpacked}.partial`);
  const target = join(folder, unpacked);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    const downloaded = apt.download(name, work);
    const archive = readdirSync(work).find((file) => file.endsWith('.deb'));
    if (!downloaded || archive === undefined) return undefined;
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
  install(TOOLS);
}

/** The same for what the bench compiles and compares with. */
export function ensureBenchTools() {
  install([...TOOLS, ...BENCH_TOOLS]);
}

function install(tools) {
  const missing = tools.filter(({ isThere }) => !isThere());
  if (missing.length === 0) return;
  if (isDebian() && isRoot()) systemApt.install(missing.flatMap(({ packages }) => packages));
  for (const { use, packages } of missing.filter(({ isThere }) => !isThere())) {
    say(`left out: ${use}; install ${packages.join(', ')} (Debian's names) to have it`);
  }
}
