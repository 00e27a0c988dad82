import { expect, test } from 'vitest';
import { disassemble } from '../../../src/aml/disassemble.ts';
import { LINT_RULES, lintTables } from '../../../src/aml/lint/lint.ts';
import { readLintModel } from '../../../src/aml/lint/model.ts';
import { returnPaths } from '../../../src/aml/lint/returns.ts';
import { goldenDirectory, goldenMachines } from '../golden.ts';
import { compileAsl, hasIasl } from '../iasl.ts';

/** Every machine takes minutes: the suite takes one in sixteen, all with Q35_GOLDEN=all. */
const STEP = process.env.Q35_GOLDEN === 'all' ? 1 : 16;
const machines = () => goldenMachines('real-machines').filter((_, index) => index % STEP === 0);

test.skipIf(!goldenDirectory)(
  'tables of real machines are linted without an exception (needs golden)',
  { timeout: 900_000 },
  () => {
    let findings = 0;
    for (const { tables } of machines()) {
      for (const { message, rule } of lintTables(tables)) {
        findings++;
        expect(`${rule} ${message}`).not.toMatch(/undefined|NaN|\[object/);
      }
    }
    expect(findings).toBeGreaterThan(100);
  },
);

test.skipIf(!goldenDirectory)('tables of QEMU have no errors (needs golden)', () => {
  for (const { name, tables } of goldenMachines('qemu-q35')) {
    const errors = lintTables(tables).filter(({ severity }) => severity === 'error');
    expect([name, errors.map(({ rule, place }) => `${rule} ${place.path}`)]).toEqual([name, []]);
  }
});

/**
 * Rules that look at what iasl looks at, and the least share of machines on which both find the same number in the DSDT. What is
 * left: iasl sees ASL, which cannot tell `Return` from `Return (Zero)`, does not look into Else of a Switch, and follows no Alias.
 */
const OVERLAPS: readonly (readonly [string, string, number])[] = [
  ['2146', 'METHOD-UNUSED-ARGUMENT', 1],
  ['3023', 'CODE-STORE-SELF', 1],
  ['3130', 'MUTEX-TIMEOUT', 0.95],
  ['3134', 'CODE-UNREACHABLE', 0.9],
  ['3107', 'PREDEFINED-RETURN', 0.9],
  ['3144', 'METHOD-LOCAL-UNUSED', 0.9],
  ['3133', 'PREDEFINED-UNKNOWN', 0.9],
];

test.skipIf(!goldenDirectory || !hasIasl)(
  'finds as many as iasl where both look (needs golden, iasl)',
  { timeout: 900_000 },
  () => {
    const agreement = new Map<string, { same: number; machines: number; ours: number; theirs: number }>();
    const count = (key: string, ours: number, theirs: number) => {
      const entry = agreement.get(key) ?? { same: 0, machines: 0, ours: 0, theirs: 0 };
      agreement.set(key, entry);
      if (ours === 0 && theirs === 0) return;
      entry.machines++;
      entry.same += Number(ours === theirs);
      entry.ours += ours;
      entry.theirs += theirs;
    };
    for (const { tables } of machines()) {
      if (!/dsdt\.aml$/i.test(tables[0]?.file ?? '')) continue;
      const [{ asl }] = disassemble(tables.slice(0, 1), { context: tables.slice(1), tolerant: true });
      const { output } = compileAsl(asl);
      const theirs = (code: string) => output.split(`${code} -`).length - 1;
      const model = readLintModel(tables);
      const inDsdt = { own: model.set.tables[0] };
      for (const [code, id] of OVERLAPS) {
        const found = LINT_RULES.find((rule) => rule.id === id)!.check(model);
        const own = found.filter(({ place }) => place.file === inDsdt.own.file);
        count(id, own.length, theirs(code));
      }
      const partial = model.methods.filter(({ table, body }) => {
        const { returns, fallsThrough } = returnPaths(body);
        return table === inDsdt.own && fallsThrough && returns.length > 0;
      });
      count('return paths', partial.length, theirs('3115'));
    }
    for (const [, id, least] of OVERLAPS) {
      const entry = agreement.get(id)!;
      expect([id, entry, entry.same >= least * entry.machines]).toEqual([id, entry, true]);
    }
    const paths = agreement.get('return paths')!;
    expect([paths, paths.same >= 0.9 * paths.machines]).toEqual([paths, true]);
  },
);
