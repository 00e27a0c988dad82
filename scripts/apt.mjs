import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Plain JavaScript, Node's own modules only: it runs before anything is installed.

export const say = (line) => process.stderr.write(`setup: ${line}\n`);

export function run(command, args, options = {}) {
  return spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
}

const has = (command) => run(command, ['--version']).error === undefined;
export const isRoot = () => process.getuid?.() === 0;
export const isDebian = () => has('apt-get') && has('dpkg-deb');

/** apt-get with its package lists: the machine's own, or those of another architecture in a folder, which leave the machine as it is. */
class Apt {
  #options;
  #mayUpdate;
  #updated = false;
  #name;

  constructor(name, options, mayUpdate) {
    this.#name = name;
    this.#options = ['-o', 'APT::Sandbox::User=root', ...options];
    this.#mayUpdate = mayUpdate;
  }

  /** A fresh container has no package lists: they are fetched once, when we may. */
  update() {
    if (this.#updated || !this.#mayUpdate()) return;
    this.#updated = true;
    say(`apt-get update${this.#name}`);
    this.#get(['update'], { stdio: ['ignore', 2, 2] });
  }

  /** What `find` takes from a package's description; the lists are fetched when it takes nothing. */
  look(packageName, find) {
    const once = () => find(this.#run('apt-cache', ['show', '--no-all-versions', packageName]).stdout ?? '');
    const found = once();
    if (found !== undefined) return found;
    this.update();
    return once();
  }

  /** Downloads a package's archive into `folder`; true when that worked. */
  download(packageName, folder) {
    say(`apt-get download ${packageName}${this.#name}`);
    const once = () => this.#get(['download', packageName], { cwd: folder }).status === 0;
    if (once()) return true;
    this.update();
    return once();
  }

  install(packageNames) {
    this.update();
    say(`apt-get install ${packageNames.join(' ')}`);
    this.#get(['install', '-y', '--no-install-recommends', ...packageNames], { stdio: ['ignore', 2, 2] });
  }

  #get(args, options) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    return this.#run('apt-get', ['-qq', ...args], { env, ...options });
  }

  #run(command, args, options) {
    return run(command, [...this.#options, ...args], options);
  }
}

export const systemApt = new Apt('', [], isRoot);

/** The same sources for another architecture; state and lists stand in `folder`, so that neither root nor dpkg takes part. */
export function foreignApt(architecture, folder) {
  mkdirSync(join(folder, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(folder, 'cache', 'archives', 'partial'), { recursive: true });
  writeFileSync(join(folder, 'status'), '');
  const settings = {
    'APT::Architecture': architecture,
    'APT::Architectures::': architecture,
    'Dir::State': folder,
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return new Apt(` (${architecture})`, options, () => true);
}
