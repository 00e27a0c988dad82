/**
 * Compares the interpreter with ACPICA's acpiexec on every golden machine and reports each difference with its explanation from
 * fixtures/aml/acpiexec-differences.yaml. acpiexec sleeps in real time: minutes, most of it waiting.
 *
 *   node scripts/compare-acpiexec.ts [--fill 0] [--machine TEXT] [--jobs 4] [--answers DIRECTORY] [--json]
 *
 * `--answers` keeps what acpiexec said, so that the next run asks only what is new. Exit code 1 when a difference is unexplained.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { askAcpiexec } from '../test/aml/acpiexec.ts';
import { type Ask, type Comparison, compareMachine } from '../test/aml/acpiexec-comparison.ts';
import { explainDifferences, readExplanations } from '../test/aml/acpiexec-differences.ts';
import { goldenMachines } from '../test/aml/golden.ts';

const { values } = parseArgs({
  options: {
    fill: { type: 'string', default: '0' },
    machine: { type: 'string', default: '' },
    jobs: { type: 'string', default: '4' },
    answers: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

/** Asks once for the same tables and commands. */
function remembering(directory: string): Ask {
  mkdirSync(directory, { recursive: true });
  return async (tables, commands, options) => {
    const hash = createHash('sha256').update(JSON.stringify([commands, options]));
    for (const table of tables) hash.update(table);
    const file = join(directory, `${hash.digest('hex').slice(0, 24)}.txt`);
    if (existsSync(file)) return readFileSync(file, 'latin1');
    const answer = await askAcpiexec(tables, commands, options);
    writeFileSync(file, answer, 'latin1');
    return answer;
  };
}

const ask = values.answers === undefined ? askAcpiexec : remembering(values.answers);
const waiting = [...goldenMachines('real-machines'), ...goldenMachines('qemu-q35')].filter(({ name }) =>
  name.includes(values.machine),
);
const machines = waiting.length;
const results: Comparison[] = [];
await Promise.all(
  Array.from({ length: Number(values.jobs) }, async () => {
    for (let machine = waiting.shift(); machine; machine = waiting.shift())
      results.push(await compareMachine(machine, Number(values.fill), ask));
  }),
);

const differences = results.flatMap((result) => result.differences);
const { explained, unexplained } = explainDifferences(differences, readExplanations());
const sum = (count: (result: Comparison) => number): number =>
  results.reduce((total, result) => total + count(result), 0);
const report = {
  machines,
  compared: sum(({ compared }) => compared),
  equal: sum(({ compared, differences: found }) => compared - found.length),
  unanswered: sum(({ unanswered }) => unanswered),
  explained: explained.map(({ cause, clause, found }) => ({ cause, clause, count: found.length })),
  unexplained,
};
if (values.json) process.stdout.write(`${JSON.stringify(report, undefined, 1)}\n`);
else {
  process.stdout.write(
    `${report.machines} machines, fill ${values.fill}: ${report.equal} of ${report.compared} evaluations equal, ${report.unanswered} too large for acpiexec\n`,
  );
  for (const { cause, clause, count } of report.explained)
    process.stdout.write(`${count} explained: ${cause} (${clause})\n`);
  for (const { machine, path, here, there } of unexplained)
    process.stdout.write(`UNEXPLAINED ${machine} ${path}: ${here.slice(0, 200)} / ${there.slice(0, 200)}\n`);
}
process.exitCode = unexplained.length > 0 ? 1 : 0;
