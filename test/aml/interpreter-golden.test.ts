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

/** Machines that fixtures/aml/acpiexec-differences.yaml names. */
const EXPLAINED_MACHINES = ['ROG_Strix_G713PV', 'OMEN_Laptop_15-en0xxx', 'Latitude_E5420'];

async function comparisonOf(collection: 'qemu-q35' | 'real-machines', names: readonly string[], fill: number) {
  const machines = goldenMachines(collection).filter(({ name }) => names.some((part) => name.includes(part)));
  const results = await Promise.all(machines.map((machine) => compareMachine(machine, fill)));
  const differences = results.flatMap((result) => result.differences);
  return {
    compared: results.reduce((sum, { compared }) => sum + compared, 0),
    ...explainDifferences(differences, readExplanations()),
  };
}

test.skipIf(missing).each([0, 0xff])(
  "QEMU's devices evaluate as in acpiexec, absent hardware reads as %i (needs golden, acpiexec)",
  async (fill) => {
    const { compared, unexplained } = await comparisonOf('qemu-q35', ['pxb', 'memhp', 'switch'], fill);
    expect(unexplained).toEqual([]);
    expect(compared).toBeGreaterThan(300);
  },
  60_000,
);

test.skipIf(missing)(
  'devices of real machines evaluate as in acpiexec (needs golden, acpiexec)',
  async () => {
    const { compared, unexplained } = await comparisonOf('real-machines', REAL_MACHINES, 0);
    expect(unexplained).toEqual([]);
    expect(compared).toBeGreaterThan(1500);
  },
  60_000,
);

test.skipIf(missing)(
  'the differences that are explained are as many as the list says (needs golden, acpiexec)',
  async () => {
    const { explained, unexplained } = await comparisonOf('real-machines', EXPLAINED_MACHINES, 0);
    expect(unexplained).toEqual([]);
    expect(explained.map(({ found }) => found.length)).toEqual(explained.map(({ count }) => count[0]));
  },
  60_000,
);
