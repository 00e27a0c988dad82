/**
 * Random ASL: sources from the grammar, whose bytes have to be iasl's where it is installed, and mutants of them, for which only a
 * typed error or a table may come back. Ends with 1 when anything else happens, and keeps the sources in out/fuzz-asl.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from '../src/aml/compiler/compile.ts';
import { CompileError } from '../src/aml/compiler/diagnostics.ts';
import { mutated } from '../test/aml/random-asl/mutate.ts';
import { Random } from '../test/aml/random-asl/random.ts';
import { randomSource } from '../test/aml/random-asl/source.ts';

const USAGE = `node bench/fuzz-asl.ts [--seed N] [--count N] [--mutants N] [--no-iasl]

  --seed N      the first source (1)
  --count N     sources (1000)
  --mutants N   mutants of each source (20)
  --no-iasl     only ours: faster
`;
const OUT = join(import.meta.dirname, '..', 'out', 'fuzz-asl');
const CREATOR = { creatorId: 'INTL', creatorRevision: 0x2020_0925 };
/** A compilation that takes longer is kept: no source of a few kilobytes should. */
const SLOW_SECONDS = 2;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1000' },
    mutants: { type: 'string', default: '20' },
    iasl: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const first = Number(values.seed);
const count = Number(values.count);
const mutants = Number(values.mutants);
const hasIasl = values.iasl && spawnSync('iasl', ['-v']).status === 0;
mkdirSync(OUT, { recursive: true });

const totals = { sources: 0, equal: 0, different: 0, refusedByIasl: 0, refusedByUs: 0, mutants: 0, compiled: 0 };
const failures: string[] = [];
let slowest = 0;

function keep(name: string, text: string, why: string): void {
  writeFileSync(join(OUT, `${name}.asl`), text, 'latin1');
  failures.push(`${name}: ${why}`);
}

/** The table, or nothing where the source is refused with a typed error. */
function ours(name: string, text: string): Uint8Array | undefined {
  const start = process.cpuUsage();
  try {
    return compile(`${name}.asl`, text, CREATOR).tables[0].bytes;
  } catch (error) {
    if (!(error instanceof CompileError)) keep(name, text, `${error}`);
    return undefined;
  } finally {
    const { user, system } = process.cpuUsage(start);
    const seconds = (user + system) / 1e6;
    slowest = Math.max(slowest, seconds);
    if (seconds > SLOW_SECONDS) keep(name, text, `took ${seconds.toFixed(1)} CPU seconds`);
  }
}

function theirs(text: string): Uint8Array | undefined {
  const source = join(OUT, 'source.asl');
  const table = join(OUT, 'source.aml');
  writeFileSync(source, text, 'latin1');
  rmSync(table, { force: true });
  spawnSync('iasl', ['-va', '-p', join(OUT, 'source'), source]);
  return existsSync(table) ? new Uint8Array(readFileSync(table)) : undefined;
}

function compare(name: string, text: string, own: Uint8Array | undefined): void {
  const wanted = theirs(text);
  if (!wanted) totals.refusedByIasl++;
  else if (!own) {
    totals.refusedByUs++;
    keep(name, text, 'iasl compiles it');
  } else if (Buffer.compare(own, wanted) === 0) totals.equal++;
  else {
    totals.different++;
    keep(name, text, "the bytes are not iasl's");
  }
}

for (let seed = first; seed < first + count; seed++) {
  const text = randomSource(seed);
  const name = `${seed}`;
  const own = ours(name, text);
  totals.sources++;
  if (hasIasl) compare(name, text, own);
  const random = new Random(seed);
  for (let mutant = 0; mutant < mutants; mutant++) {
    totals.mutants++;
    if (ours(`${seed}-${mutant}`, mutated(text, random))) totals.compiled++;
  }
}
const { user, system } = process.cpuUsage();
const report = {
  seed: first,
  ...totals,
  slowestCpuSeconds: Number(slowest.toFixed(3)),
  cpuSeconds: Number(((user + system) / 1e6).toFixed(1)),
  peakMib: Math.round(process.resourceUsage().maxRSS / 1024),
};
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n${failures.map((line) => `${line}\n`).join('')}`);
process.exitCode = failures.length > 0 ? 1 : 0;
