/** How the logical processors of a board hang together, as CPUID tells it. */
export interface CpuTopology {
  readonly sockets: number;
  /** Cores of a socket. */
  readonly cores: number;
  /** Threads of a core. */
  readonly threads: number;
}

export const SINGLE_PROCESSOR: CpuTopology = { sockets: 1, cores: 1, threads: 1 };

/** The division of a board's processors. */
export function topologyOf(config: { readonly cpus: number; readonly topology?: CpuTopology }): CpuTopology {
  return config.topology ?? { sockets: 1, cores: config.cpus, threads: 1 };
}

/** Bits that number `count` things. */
function widthOf(count: number): number {
  return 32 - Math.clz32(count - 1);
}

/** Low bits of an APIC id that number the threads of a core, and the logical processors of a socket (SDM vol. 3 §9.9.1). */
export function apicIdWidths({ cores, threads }: CpuTopology): { readonly core: number; readonly socket: number } {
  const core = widthOf(threads);
  return { core, socket: core + widthOf(cores) };
}

export function processorCount({ sockets, cores, threads }: CpuTopology): number {
  return sockets * cores * threads;
}

/** APIC ids by processor number, ascending: thread, core and socket each have a field of bits, so that ids may leave gaps. */
export function apicIds(topology: CpuTopology): readonly number[] {
  const { cores, threads } = topology;
  const { core, socket } = apicIdWidths(topology);
  return Array.from({ length: processorCount(topology) }, (_, index) => {
    const coreNumber = Math.floor(index / threads);
    return ((Math.floor(coreNumber / cores) << socket) | ((coreNumber % cores) << core) | (index % threads)) >>> 0;
  });
}
