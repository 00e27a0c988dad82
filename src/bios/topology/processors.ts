import { type CpuTopology, processorCount } from '../../emulator/machine/processor-topology.ts';
import { type ErrorPlace, UserError } from '../../shared/errors.ts';
import type { Located } from './description.ts';
import { nearestNames } from './nearest-names.ts';
import { parseInteger } from './numbers.ts';
import { parseOptionList } from './option-list.ts';

const MAX_CPUS = 255;
const PARTS = ['sockets', 'cores', 'threads'] as const;
/** What QEMU's `-smp` takes besides, for boards that this one is not: only the value that changes nothing is right. */
const KEYS = ['cpus', ...PARTS, 'dies', 'clusters', 'maxcpus'];

const bad = (message: string, place: ErrorPlace, mend: string): UserError =>
  new UserError('CPU_TOPOLOGY', message, { place, mend });

/**
 * How many processors there are and how they are divided, from QEMU's `-smp` syntax: `4`, `8,sockets=2`, `cores=4,threads=2`. Parts that are
 * not given follow as on QEMU 7.2, which fills cores before sockets; on a board of several NUMA nodes each processor is a socket instead, as the
 * cores of one may not stand in different nodes.
 * @throws UserError CPU_TOPOLOGY, NUMBER_SYNTAX, NUMBER_RANGE, OPTION_SYNTAX, OPTION_TWICE, OPTION_UNKNOWN
 */
export function resolveProcessors(option: Located | undefined, numaEntries: number): CpuTopology {
  if (option === undefined) return { sockets: 1, cores: 1, threads: 1 };
  const { place } = option;
  const { values } = parseOptionList(option.text, '--smp', 'cpus');
  checkKeys([...values.keys()], place);
  const given = (key: string): number | undefined => {
    const text = values.get(key);
    return text === undefined ? undefined : parseInteger(text, key === 'cpus' ? 'CPUs' : key, 1, MAX_CPUS, place);
  };
  const total = given('cpus') ?? given('maxcpus');
  const topology = complete(
    total,
    { sockets: given('sockets'), cores: given('cores'), threads: given('threads') },
    numaEntries > 1,
  );
  const product = processorCount(topology);
  if (product > MAX_CPUS || product < 1 || (total !== undefined && product !== total)) {
    const { sockets, cores, threads } = topology;
    throw bad(
      `${sockets} sockets × ${cores} cores × ${threads} threads are ${product} processors, not ${total ?? `1 to ${MAX_CPUS}`}`,
      place,
      'give cpus alone, or parts whose product it is',
    );
  }
  if ((given('dies') ?? 1) !== 1 || (given('clusters') ?? 1) !== 1)
    throw bad('sockets of this board have no dies and no clusters', place, 'leave dies and clusters out');
  if ((given('maxcpus') ?? product) !== product)
    throw bad('processors cannot be added while the machine runs', place, 'leave maxcpus out');
  return topology;
}

function checkKeys(keys: readonly string[], place: ErrorPlace): void {
  for (const key of keys) {
    if (KEYS.includes(key)) continue;
    const nearest = nearestNames(key, KEYS);
    throw new UserError('OPTION_UNKNOWN', `--smp has no option '${key}'`, {
      place,
      mend: nearest.length > 0 ? `did you mean ${nearest.join(', ')}?` : `its options are ${KEYS.join(', ')}`,
    });
  }
}

/** Fills in the parts that are not given; what does not come out even is the caller's to refuse. */
function complete(
  total: number | undefined,
  given: { readonly sockets?: number; readonly cores?: number; readonly threads?: number },
  preferSockets: boolean,
): CpuTopology {
  const { sockets, cores, threads } = given;
  if (total === undefined) return { sockets: sockets ?? 1, cores: cores ?? 1, threads: threads ?? 1 };
  const share = (...others: number[]): number =>
    Math.floor(total / others.reduce((product, each) => product * each, 1));
  if (cores === undefined && !(preferSockets && sockets === undefined))
    return { sockets: sockets ?? 1, cores: share(sockets ?? 1, threads ?? 1), threads: threads ?? 1 };
  if (sockets === undefined)
    return { sockets: share(cores ?? 1, threads ?? 1), cores: cores ?? 1, threads: threads ?? 1 };
  return { sockets, cores: cores ?? 1, threads: threads ?? share(sockets, cores ?? 1) };
}
