import { expect, test } from 'vitest';
import { hasAcpiexec } from './acpiexec.ts';
import { compareMachine } from './acpiexec-comparison.ts';
import { explainDifferences, readExplanations } from './acpiexec-differences.ts';
import { goldenDirectory, goldenMachines } from './golden.ts';

/** A sample; scripts/compare-acpiexec.ts takes all machines, and minutes. */
const missing = !goldenDirectory || !hasAcpiexec;
const REAL_MACHINES = [
  'iMac12,2',
  'X570_Steel_Legend',
  'M5A78L-M_PLUS',
  'Slim_7_ProX',
  'MacBookPro5',
  'IdeaPad_5_15ARE05',
];

async function differencesOf(collection: 'qemu-q35' | 'real-machines', names: readonly string[], fill: number) {
  const machines = goldenMachines(collection).filter(({ name }) => names.some((part) => name.includes(part)));
  const results = await Promise.all(machines.map((machine) => compareMachine(machine, fill)));
  const { unexplained } = explainDifferences(
    results.flatMap(({ differences }) => differences),
    readExplanations(),
  );
  return { compared: results.reduce((sum, { compared }) => sum + compared, 0), unexplained };
}

test.skipIf(missing).each([0, 0xff])(
  "QEMU's devices evaluate as in acpiexec, absent hardware reads as %i (needs golden, acpiexec)",
  async (fill) => {
    const { compared, unexplained } = await differencesOf('qemu-q35', ['pxb', 'memhp', 'switch'], fill);
    expect(unexplained).toEqual([]);
    expect(compared).toBeGreaterThan(300);
  },
);

test.skipIf(missing)(
  'devices of real machines evaluate as in acpiexec (needs golden, acpiexec)',
  async () => {
    const { compared, unexplained } = await differencesOf('real-machines', REAL_MACHINES, 0);
    expect(unexplained).toEqual([]);
    expect(compared).toBeGreaterThan(1500);
  },
  60_000,
);
