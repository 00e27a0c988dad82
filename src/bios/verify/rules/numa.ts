import { tableEntries } from '../../acpi/describe.ts';
import { LOCAL_DISTANCE, SLIT } from '../../acpi/slit.ts';
import { SRAT_CPU_FLAGS, SRAT_MEMORY, SRAT_MEMORY_FLAGS, SRAT_PROCESSOR, SRAT_X2APIC } from '../../acpi/srat.ts';
import { decodeLayout, hasFlag } from '../../layout.ts';
import type { Window } from '../../pci/plan.ts';
import { type CheckFacts, tableOf } from '../facts.ts';
import { covers, overlappingPairs, rangeText } from '../ranges.ts';
import { type Rule, type Violation, violation } from '../rule.ts';
import { enabledProcessors } from './interrupt-controllers.ts';
import { ramOf } from './memory.ts';

/** SRAT and SLIT against MADT and e820. */

interface Affinity {
  readonly processors: readonly { readonly apicId: number; readonly node: number }[];
  readonly memory: readonly (Window & { readonly node: number })[];
}

function affinityOf(facts: CheckFacts): Affinity | undefined {
  const srat = tableOf(facts, 'SRAT');
  if (!srat) return undefined;
  const entries = tableEntries(srat.bytes);
  const of = (layout: object) => entries.filter((entry) => entry.layout === layout);
  const small = of(SRAT_PROCESSOR).map(({ bytes }) => decodeLayout(SRAT_PROCESSOR, bytes));
  const large = of(SRAT_X2APIC).map(({ bytes }) => decodeLayout(SRAT_X2APIC, bytes));
  const memory = of(SRAT_MEMORY).map(({ bytes }) => decodeLayout(SRAT_MEMORY, bytes));
  return {
    processors: [
      ...small
        .filter(({ FLAGS }) => hasFlag(SRAT_CPU_FLAGS, 'ENABLED', FLAGS))
        .map((entry) => ({
          apicId: entry.APIC_ID,
          node: wideDomain(entry.PROXIMITY_DOMAIN_LOW, entry.PROXIMITY_DOMAIN_HIGH),
        })),
      ...large
        .filter(({ FLAGS }) => hasFlag(SRAT_CPU_FLAGS, 'ENABLED', FLAGS))
        .map((entry) => ({ apicId: entry.X2APIC_ID, node: entry.PROXIMITY_DOMAIN })),
    ],
    memory: memory
      .filter(({ FLAGS }) => hasFlag(SRAT_MEMORY_FLAGS, 'ENABLED', FLAGS))
      .map((entry) => ({ base: entry.BASE_ADDRESS, size: entry.BYTE_LENGTH, node: entry.PROXIMITY_DOMAIN })),
  };
}

function wideDomain(low: number, [second, third, fourth]: Uint8Array): number {
  return low + second * 0x100 + third * 0x1_0000 + fourth * 0x100_0000;
}

/** The matrix row by row; undefined when the table is shorter than it says. */
function slitOf(facts: CheckFacts): { count: number; distance: (from: number, to: number) => number } | undefined {
  const slit = tableOf(facts, 'SLIT');
  if (!slit) return undefined;
  const count = decodeLayout(SLIT, slit.bytes).LOCALITIES;
  if (slit.bytes.length !== SLIT.byteLength + count * count) return { count: -1, distance: () => 0 };
  return { count, distance: (from, to) => slit.bytes[SLIT.byteLength + from * count + to] };
}

function withAffinity(check: (affinity: Affinity, facts: CheckFacts) => readonly Violation[]): Rule['check'] {
  return (facts) => {
    const affinity = affinityOf(facts);
    return affinity ? check(affinity, facts) : [];
  };
}

function everyPair(
  facts: CheckFacts,
  check: (from: number, to: number, distance: number, back: number) => boolean,
): Violation[] {
  const slit = slitOf(facts);
  const violations: Violation[] = [];
  for (let from = 0; from < (slit?.count ?? 0); from++) {
    for (let to = from; to < slit!.count; to++) {
      const there = slit!.distance(from, to);
      const back = slit!.distance(to, from);
      if (!check(from, to, there, back))
        violations.push(violation(`${from} to ${to}: ${there}, back ${back}`, { path: 'SLIT' }));
    }
  }
  return violations;
}

export const NUMA_RULES: readonly Rule[] = [
  {
    id: 'SRAT-PROCESSORS',
    severity: 'error',
    title: 'SRAT places every processor of the MADT, and no other',
    linux: '"SRAT: … not all CPUs covered": the processor is put on node 0',
    windows: 'all nodes are ignored',
    mend: 'list each APIC id in one node',
    check: withAffinity(({ processors }, { madt }) => {
      if (!madt) return [];
      const enabled = new Set(enabledProcessors(madt).map(({ apicId }) => apicId));
      const placed = new Set(processors.map(({ apicId }) => apicId));
      return [...enabled]
        .filter((id) => !placed.has(id))
        .map((id) => violation(`APIC id ${id} is missing`, { path: 'SRAT' }));
    }),
  },
  {
    id: 'SRAT-MEMORY',
    severity: 'error',
    title: 'SRAT places all RAM of e820',
    linux: '"SRAT: PXMs only cover n MB of your m MB e820 RAM. Not used."',
    windows: 'memory without a node is not used',
    mend: 'let the sizes of the nodes add up to the RAM of the board',
    check: withAffinity(({ memory }, facts) =>
      ramOf(facts)
        .filter((entry) => !covers(memory, entry))
        .map((entry) => violation(`RAM ${rangeText(entry)} is not covered`, { path: 'SRAT' })),
    ),
  },
  {
    id: 'SRAT-OVERLAP',
    severity: 'error',
    title: 'No memory belongs to two nodes',
    linux: '"SRAT: Node n overlaps with itself/other": SRAT is not used',
    windows: 'SRAT is not used',
    mend: 'cut the ranges',
    check: withAffinity(({ memory }) =>
      overlappingPairs(memory).map(([left, right]) =>
        violation(`${rangeText(left)} of node ${left.node} and ${rangeText(right)} of node ${right.node}`, {
          path: 'SRAT',
        }),
      ),
    ),
  },
  {
    id: 'SLIT-SIZE',
    severity: 'error',
    title: 'SLIT has a row and a column for each node of SRAT',
    linux: '"SLIT table … localities": distances are guessed',
    windows: 'SLIT is not used',
    mend: 'state all distances (numa dist)',
    check: withAffinity(({ processors, memory }, facts) => {
      const slit = slitOf(facts);
      if (!slit) return [];
      const nodes = new Set([...processors, ...memory].map(({ node }) => node)).size;
      return slit.count === nodes ? [] : [violation(`${slit.count} localities, ${nodes} nodes`, { path: 'SLIT' })];
    }),
  },
  {
    id: 'SLIT-DIAGONAL',
    severity: 'error',
    title: `A node is at distance ${LOCAL_DISTANCE} from itself, and farther from others`,
    linux: '"SLIT table invalid, ignored"',
    windows: 'SLIT is not used',
    mend: 'write 10 on the diagonal and more elsewhere',
    check: (facts) =>
      everyPair(facts, (from, to, there) => (from === to ? there === LOCAL_DISTANCE : there > LOCAL_DISTANCE)),
  },
  {
    id: 'SLIT-SYMMETRY',
    severity: 'warning',
    title: 'Distances are the same both ways',
    linux: '"SLIT table invalid" on kernels that check it',
    windows: 'SLIT is not used',
    mend: 'state one distance for each pair',
    check: (facts) => everyPair(facts, (_from, _to, there, back) => there === back),
  },
];
