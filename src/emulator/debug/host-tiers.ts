import { MODULE_NAMES, PAGE_WALK } from '../cpu/wasm/module-names.ts';

/** A function of the host's program as its profiler names it. */
export interface HostFunction {
  readonly functionName: string;
  /** A file, or `wasm://wasm/NAME-HASH`; empty for what is the host's own. */
  readonly url: string;
}

/** A host profile in the form that V8 gives: a tree of calls, and the nodes that were seen, with the time between two, µs. */
export interface HostProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: HostFunction;
    readonly children?: readonly number[];
  }[];
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

/** Host time of a part of the program, seconds. */
export interface TierTime {
  readonly name: string;
  readonly seconds: number;
}

const TIERS = {
  interpreter: 'interpreter',
  regions: 'compiled regions',
  compile: 'compiling regions',
  memory: 'page walks and memory beyond the TLB',
  lookup: 'finding and translating code',
  system: 'system instructions, exceptions and interrupts',
  helpers: 'x87 and SIMD helpers',
  loop: 'the loops around them: slices, alarms, budgets',
  devices: 'devices and buses',
  collection: "the host's memory: garbage collection",
  rest: 'the rest of the program',
} as const;
type Tier = keyof typeof TIERS;

/** Folders of the emulator, the innermost first. */
const FOLDERS: readonly (readonly [RegExp, Tier])[] = [
  [/\/emulator\/cpu\/(jit|wasm)\//, 'compile'],
  [/\/emulator\/cpu\/(mmu\/|translation\/(memory-path|physical-map))/, 'memory'],
  [/\/emulator\/cpu\/(translation|decode)\//, 'lookup'],
  [/\/emulator\/cpu\/(x87|simd|softfloat)\//, 'helpers'],
  [/\/emulator\/cpu\/(execution\/(run-loop|budget|round-robin|exit-request)|processor\.)/, 'loop'],
  [/\/emulator\/machine\/(machine|clock)\./, 'loop'],
  [/\/emulator\/cpu\/(local-apic)\//, 'devices'],
  [/\/emulator\/cpu\//, 'system'],
  [/\/emulator\//, 'devices'],
];

/** The tier that a function belongs to; undefined for what counts with its caller. */
function tierOf({ functionName, url }: HostFunction): Tier | undefined {
  if (functionName === '(garbage collector)') return 'collection';
  if (url.startsWith('wasm://')) {
    if (functionName === PAGE_WALK) return 'memory';
    if (url.includes(`/${MODULE_NAMES.INTERPRETER}`)) return 'interpreter';
    if (url.includes(`/${MODULE_NAMES.REGION}`)) return 'regions';
  }
  return FOLDERS.find(([pattern]) => pattern.test(url))?.[1];
}

const MICROSECONDS = 1e6;

/** Host time by tier, most first. A function of the host's own counts with the one that called it. */
export function tiersOf({ nodes, samples = [], timeDeltas = [] }: HostProfile): readonly TierTime[] {
  const tiers = new Map<number, Tier>();
  const children = new Map(nodes.map(({ id, children = [] }) => [id, children]));
  const functions = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const visit = (root: number): void => {
    const open: (readonly [number, Tier])[] = [[root, 'rest']];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [id, inherited] = next;
      const tier = tierOf(functions.get(id)!) ?? inherited;
      tiers.set(id, tier);
      for (const child of children.get(id)!) open.push([child, tier]);
    }
  };
  if (nodes.length > 0) visit(nodes[0].id);
  const microseconds = new Map<Tier, number>();
  for (const [index, id] of samples.entries()) {
    if (functions.get(id)?.functionName === '(idle)') continue;
    const tier = tiers.get(id) ?? 'rest';
    microseconds.set(tier, (microseconds.get(tier) ?? 0) + timeDeltas[index]);
  }
  return [...microseconds]
    .sort(([, left], [, right]) => right - left)
    .map(([tier, time]) => ({ name: TIERS[tier], seconds: time / MICROSECONDS }));
}
