import type { NumaNodeConfig } from '../../emulator/machine/config.ts';
import { MIB } from '../../shared/bytes.ts';
import { type ErrorPlace, UserError } from '../../shared/errors.ts';
import type { OptionList } from './description.ts';
import { nearestNames } from './nearest-names.ts';
import { parseInteger, parseSize } from './numbers.ts';

/** SLIT's distance to itself and QEMU's default to any other node (ACPI 6.5 §5.2.17). */
const LOCAL_DISTANCE = 10;
const REMOTE_DISTANCE = 20;
const NUMA_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  node: ['type', 'nodeid', 'mem', 'cpus', 'distances'],
  dist: ['type', 'src', 'dst', 'val'],
};

interface Node {
  readonly id: number;
  readonly bytes: number;
  readonly cpus: readonly number[];
  readonly option: OptionList;
}

const bad = (code: string, message: string, place: ErrorPlace, mend: string): UserError =>
  new UserError(code, message, { place, mend });

/** `0-3`, `0,2`, `0:2`: QEMU repeats `cpus=`, YAML has a list; both arrive joined by commas or colons. */
function parseCpus(text: string, cpuCount: number, place: ErrorPlace): number[] {
  const cpus: number[] = [];
  for (const part of text.split(/[,:]/).filter((piece) => piece.trim() !== '')) {
    const [first, last = first] = part.split('-');
    const from = parseInteger(first, 'cpus', 0, cpuCount - 1, place);
    const to = parseInteger(last, 'cpus', from, cpuCount - 1, place);
    for (let cpu = from; cpu <= to; cpu++) cpus.push(cpu);
  }
  return cpus;
}

function checkKeys(option: OptionList): 'node' | 'dist' {
  const type = option.values.get('type') ?? 'node';
  const known = Object.hasOwn(NUMA_OPTIONS, type) ? NUMA_OPTIONS[type] : undefined;
  if (known === undefined) {
    throw bad('NUMA_OPTION', `NUMA entry of unknown type '${type}'`, option.place, 'use node or dist');
  }
  for (const key of option.values.keys()) {
    if (known.includes(key)) continue;
    const nearest = nearestNames(key, known);
    const hint = nearest.length > 0 ? `did you mean ${nearest.join(', ')}?` : `its options are ${known.join(', ')}`;
    throw bad('NUMA_OPTION', `a NUMA ${type} has no option '${key}'`, option.place, hint);
  }
  return type as 'node' | 'dist';
}

function parseNodes(options: readonly OptionList[], ramBytes: number, cpuCount: number): Node[] {
  const nodes = options.map((option, index) => ({
    id: parseInteger(option.values.get('nodeid') ?? String(index), 'nodeid', 0, 127, option.place),
    bytes:
      option.values.has('mem') || options.length > 1
        ? parseSize(option.values.get('mem') ?? '0', option.place, 'm')
        : ramBytes,
    cpus: parseCpus(
      option.values.get('cpus') ?? (options.length === 1 ? `0-${cpuCount - 1}` : ''),
      cpuCount,
      option.place,
    ),
    option,
  }));
  nodes.sort((left, right) => left.id - right.id);
  for (const [index, node] of nodes.entries()) {
    const { place } = node.option;
    if (node.id !== index) {
      throw bad(
        'NUMA_NODES',
        `NUMA node ${index} is missing or given twice`,
        place,
        'number the nodes from 0, each once',
      );
    }
    if (node.bytes % MIB !== 0) {
      throw bad('NUMA_MEMORY', `NUMA node ${node.id}: mem is not a whole number of MiB`, place, 'round it to MiB');
    }
  }
  return nodes;
}

function checkTotals(nodes: readonly Node[], ramBytes: number, cpuCount: number): void {
  const total = nodes.reduce((sum, node) => sum + node.bytes, 0);
  if (total !== ramBytes) {
    throw bad(
      'NUMA_MEMORY',
      `the NUMA nodes have ${total / MIB} MiB together, the board has ${ramBytes / MIB} MiB`,
      nodes[0].option.place,
      'make the nodes’ mem add up to the board’s memory',
    );
  }
  const owners = new Map<number, number>();
  for (const node of nodes) {
    for (const cpu of node.cpus) {
      const owner = owners.get(cpu);
      if (owner !== undefined) {
        const message = `CPU ${cpu} is in NUMA nodes ${owner} and ${node.id}`;
        throw bad('NUMA_CPUS', message, node.option.place, 'list each CPU once');
      }
      owners.set(cpu, node.id);
    }
  }
  for (let cpu = 0; cpu < cpuCount; cpu++) {
    if (owners.has(cpu)) continue;
    throw bad('NUMA_CPUS', `CPU ${cpu} is in no NUMA node`, nodes[0].option.place, `add cpus=${cpu} to a node`);
  }
}

/** Rows of the SLIT: what `dist` entries and YAML's `distances` say, the mirror where one direction is given, else the defaults. */
function distanceRows(nodes: readonly Node[], dists: readonly OptionList[]): number[][] {
  const given = nodes.map(() => new Map<number, number>());
  for (const { id, option } of nodes) {
    const list = option.values.get('distances')?.split(/[,:]/);
    if (list === undefined) continue;
    if (list.length !== nodes.length) {
      const message = `NUMA node ${id} has ${list.length} distances, the board has ${nodes.length} nodes`;
      throw bad('NUMA_DISTANCE', message, option.place, 'give one distance for each node, 10 for itself');
    }
    for (const [to, text] of list.entries()) given[id].set(to, parseInteger(text, 'distances', 10, 255, option.place));
  }
  for (const { values, place } of dists) {
    const [from, to] = ['src', 'dst'].map((key) =>
      parseInteger(values.get(key) ?? '', key, 0, nodes.length - 1, place),
    );
    given[from].set(to, parseInteger(values.get('val') ?? '', 'val', 10, 255, place));
  }
  return nodes.map((node) =>
    nodes.map((other) => {
      const fallback = node === other ? LOCAL_DISTANCE : REMOTE_DISTANCE;
      const distance = given[node.id].get(other.id) ?? given[other.id].get(node.id) ?? fallback;
      const back = given[other.id].get(node.id) ?? distance;
      if (node === other ? distance !== LOCAL_DISTANCE : distance !== back || distance <= LOCAL_DISTANCE) {
        throw bad(
          'NUMA_DISTANCE',
          `the distance from NUMA node ${node.id} to ${other.id} is ${distance}${distance === back ? '' : `, the way back ${back}`}`,
          node.option.place,
          'a node is 10 from itself, more from every other, and both ways are the same',
        );
      }
      return distance;
    }),
  );
}

/**
 * The NUMA nodes of the board; an empty list when none are given.
 * @throws UserError NUMA_OPTION, NUMA_NODES, NUMA_MEMORY, NUMA_CPUS, NUMA_DISTANCE
 */
export function resolveNuma(options: readonly OptionList[], ramBytes: number, cpuCount: number): NumaNodeConfig[] {
  const types = options.map((option) => ({ option, type: checkKeys(option) }));
  const nodeOptions = types.filter(({ type }) => type === 'node').map(({ option }) => option);
  const dists = types.filter(({ type }) => type === 'dist').map(({ option }) => option);
  if (nodeOptions.length === 0) {
    if (dists.length === 0) return [];
    throw bad('NUMA_NODES', 'a NUMA distance is given, but no node', dists[0].place, 'add node entries');
  }
  const nodes = parseNodes(nodeOptions, ramBytes, cpuCount);
  checkTotals(nodes, ramBytes, cpuCount);
  const rows = distanceRows(nodes, dists);
  return nodes.map(({ id, bytes, cpus }) => ({ id, bytes, cpus, distances: rows[id] }));
}
