import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Comparison } from '../test/fuzz/compare.ts';
import { minimise } from '../test/fuzz/minimise.ts';
import { assembleProgram, draftProgram } from '../test/fuzz/program.ts';

const USAGE = `node bench/fuzz.ts [options]

Random programs on the interpreter, with compiled regions, and with regions in other slices: all must come to the same state.

  --seed S           first seed (1)
  --count N          programs (10000)
  --regions-after N  entries after which a block is compiled (4)
  --report FILE      failing seeds are appended, minimised
  --stop             at the first failure
  --brief            no minimising
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '10000' },
    'regions-after': { type: 'string', default: '4' },
    report: { type: 'string' },
    stop: { type: 'boolean', default: false },
    brief: { type: 'boolean', default: false },
  },
});

/** Programs between two lines of progress. */
const PROGRESS = 1000;

if (values.help) process.stdout.write(USAGE);
else fuzz(Number(values.seed), Number(values.count));

function fuzz(first: number, count: number): void {
  const fresh = (): Comparison => new Comparison(Number(values['regions-after']));
  let comparison = fresh();
  let failures = 0;
  for (let seed = first; seed < first + count; seed++) {
    const draft = draftProgram(seed);
    const found = comparison.run(assembleProgram(draft));
    if (found !== undefined) {
      failures++;
      const text = `seed ${seed}: ${found}\n${values.brief ? '' : `${minimise(draft, fresh())}\n`}`;
      process.stdout.write(text);
      if (values.report !== undefined) appendFileSync(values.report, text);
      if (values.stop) break;
      comparison = fresh();
    }
    const done = seed - first + 1;
    if (done % PROGRESS === 0 || done === count) {
      const { user, system } = process.cpuUsage();
      const regions = comparison.regionsCompiled;
      process.stderr.write(
        `fuzz: ${done} programs, ${failures} differ, ${regions} regions, ${((user + system) / 1e6).toFixed(0)} CPU s\n`,
      );
    }
  }
  if (failures > 0) process.exitCode = 1;
}
