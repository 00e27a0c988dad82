/** What a guest boots; `guest-images.ts` says what that needs. */
export type GuestName = 'cloud' | 'amd64' | '686' | 'bare';
export type EngineName = 'q35' | 'qemu' | 'v86';

/** A guest of the bench: every engine boots it once a round and runs the workloads that were asked for. */
export interface Guest {
  readonly name: GuestName;
  readonly description: string;
  readonly engines: readonly EngineName[];
}

/** One figure: the boot to init (no workload), or a workload of `guest/`. */
export interface Part {
  readonly name: string;
  readonly guest: GuestName;
  readonly workload?: string;
}

const BOTH: readonly EngineName[] = ['q35', 'qemu'];

export const GUESTS: readonly Guest[] = [
  { name: 'cloud', description: "Debian's cloud kernel, 64-bit programs", engines: BOTH },
  { name: 'amd64', description: "Debian's amd64 kernel (XZ)", engines: BOTH },
  { name: '686', description: "Debian's 686 kernel, 32-bit programs", engines: ['q35', 'qemu', 'v86'] },
  { name: 'bare', description: 'no operating system, 64-bit programs', engines: BOTH },
];

const INTEGER = ['mix', 'sha256', 'quicksort', 'gzip', 'chase'] as const;
const DOUBLES = ['matmul', 'nbody'] as const;
const SYSTEM = ['memory', 'getpid', 'forkexec'] as const;
const BARE = ['crc32', 'mix', 'sha256', 'quicksort', 'chase', 'matmul', 'nbody', 'memory'];

const workloads = (guest: GuestName, names: readonly string[], name: (workload: string) => string): Part[] =>
  names.map((workload) => ({ name: name(workload), guest, workload }));

export const PARTS: readonly Part[] = [
  { name: 'boot-cloud', guest: 'cloud' },
  { name: 'boot-amd64', guest: 'amd64' },
  { name: 'boot-686', guest: '686' },
  ...workloads('cloud', [...INTEGER, ...DOUBLES, ...SYSTEM], (workload) => workload),
  // Doubles would be x87 there, which nobody has optimised for.
  ...workloads('686', [...INTEGER, ...SYSTEM], (workload) => `${workload}-686`),
  ...workloads('bare', BARE, (workload) => `${workload}-bare`),
];

/** Several parts by one name. `all` is what the bench runs when nothing is named: `bare` repeats it in less time, for tuning. */
export const GROUPS: Readonly<Record<string, (part: Part) => boolean>> = {
  all: ({ guest }) => guest !== 'bare',
  boot: ({ workload }) => workload === undefined,
  cloud: ({ guest }) => guest === 'cloud',
  686: ({ guest }) => guest === '686',
  bare: ({ guest }) => guest === 'bare',
};

/** Bars that hold for the geometric mean of several parts, by name: ours ÷ QEMU. */
export const MEANS: Readonly<Record<string, readonly string[]>> = { integer: INTEGER, doubles: DOUBLES };

/**
 * The parts that names of parts and groups choose, in the order of the table.
 * @throws Error for a name that is neither
 */
export function chooseParts(names: readonly string[]): Part[] {
  const wanted = names.length === 0 ? ['all'] : names;
  for (const name of wanted) {
    if (GROUPS[name] === undefined && !PARTS.some((part) => part.name === name))
      throw new Error(`there is no part '${name}': --list shows them`);
  }
  return PARTS.filter((part) => wanted.some((name) => name === part.name || GROUPS[name]?.(part)));
}
