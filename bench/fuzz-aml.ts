/**
 * Damaged definition blocks, disassembled and compiled again: the same file has to come back, or a typed error, in bounded time. Ends with
 * 1 when anything else happens, and keeps those tables in out/fuzz-aml.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { disassembledAgain } from '../test/aml/disassembled-again.ts';
import { corpusTables, mutatedTable, randomTable } from '../test/aml/mutated-tables.ts';
import { Random } from '../test/aml/random-asl/random.ts';

const USAGE = `node bench/fuzz-aml.ts [--seed N] [--count N]

  --seed N    the first table (1)
  --count N   tables (10000)
`;
const OUT = join(import.meta.dirname, '..', 'out', 'fuzz-aml');
/** A table of a few kilobytes that takes longer is kept. */
const SLOW_SECONDS = 2;
/** Every so many mutants a fresh table from random ASL joins the corpus. */
const RANDOM_TABLE_EVERY = 50;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '10000' },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const first = Number(values.seed);
const count = Number(values.count);
const corpus = corpusTables();
let random = randomTable(first);
mkdirSync(OUT, { recursive: true });

const outcomes: Record<string, number> = { same: 0, refused: 0, different: 0, uncompilable: 0 };
const broken: string[] = [];
let slowest = 0;

function keep(seed: number, table: Uint8Array, why: string): void {
  writeFileSync(join(OUT, `${seed}.aml`), table);
  broken.push(`${seed}: ${why}`);
}

for (let seed = first; seed < first + count; seed++) {
  if (seed % RANDOM_TABLE_EVERY === 0) random = randomTable(seed) ?? random;
  const numbers = new Random(seed);
  const table = mutatedTable(numbers.pick(random ? [...corpus, random] : corpus), numbers);
  const start = process.cpuUsage();
  try {
    const outcome = disassembledAgain(table);
    outcomes[outcome]++;
    if (outcome !== 'same' && outcome !== 'refused') keep(seed, table, outcome);
  } catch (error) {
    keep(seed, table, error instanceof Error ? `${error.stack}` : `${error}`);
  }
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  slowest = Math.max(slowest, seconds);
  if (seconds > SLOW_SECONDS) keep(seed, table, `took ${seconds.toFixed(1)} CPU seconds`);
}

const { user, system } = process.cpuUsage();
const report = {
  seed: first,
  tables: count,
  ...outcomes,
  slowestCpuSeconds: Number(slowest.toFixed(3)),
  cpuSeconds: Number(((user + system) / 1e6).toFixed(1)),
  peakMib: Math.round(process.resourceUsage().maxRSS / 1024),
};
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n${broken.map((line) => `${line}\n`).join('')}`);
process.exitCode = broken.length > 0 ? 1 : 0;
