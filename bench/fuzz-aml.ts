/**
 * Damaged definition blocks, disassembled and compiled again: the same file has to come back, or a typed error, in bounded time. Ends with
 * 1 when anything else happens, and keeps those tables in out/fuzz-aml.
 */
import { disassembledAgain } from '../test/aml/disassembled-again.ts';
import { goldenDirectory, goldenMachines } from '../test/aml/golden.ts';
import { corpusTables, mutatedTable, randomTable } from '../test/aml/mutated-tables.ts';
import { Random } from '../test/aml/random-asl/random.ts';
import { fragmentsOf, tableOfFragments } from '../test/aml/table-fragments.ts';
import { campaignArguments, FuzzCampaign } from './fuzz-campaign.ts';

const USAGE = `node bench/fuzz-aml.ts [--seed N] [--count N]

  --seed N    the first table (1)
  --count N   tables (10000)
`;
/** So many tables in turn take pieces of the same sources, which makes decoding those cheap. */
const TABLES_PER_SOURCE = 1000;
/** One in so many is a whole table of the corpus. */
const WHOLE_EVERY = 40;

const corpus = corpusTables();
const corpusFragments = corpus.map(fragmentsOf);
const golden = goldenDirectory
  ? [...goldenMachines('real-machines'), ...goldenMachines('qemu-q35')].flatMap(({ tables }) => tables)
  : [];

/** Lists of pieces for the tables from `seed` on: the corpus, random ASL, and a machine's table where there are any. */
function sourcesFor(seed: number): Uint8Array[][] {
  const numbers = new Random(seed);
  const random = randomTable(seed);
  const machine = golden.length > 0 ? [numbers.pick(golden).bytes] : [];
  return [...corpusFragments, ...[...(random ? [random] : []), ...machine].map(fragmentsOf)];
}

const campaign = new FuzzCampaign('fuzz-aml', 'aml', campaignArguments(USAGE, { count: 10_000 }), {
  same: 0,
  refused: 0,
  different: 0,
  uncompilable: 0,
});
let sources: Uint8Array[][] = [];
let turn = -1;
for (const seed of campaign.seeds()) {
  if (Math.floor(seed / TABLES_PER_SOURCE) !== turn) {
    turn = Math.floor(seed / TABLES_PER_SOURCE);
    sources = sourcesFor(turn);
  }
  const numbers = new Random(seed);
  const whole = seed % WHOLE_EVERY === 0 ? numbers.pick(corpus) : tableOfFragments(numbers.pick(sources), numbers);
  const table = mutatedTable(whole, numbers);
  const outcome = campaign.attempt(`${seed}`, table, () => disassembledAgain(table));
  if (outcome === undefined) continue;
  campaign.totals[outcome]++;
  if (outcome !== 'same' && outcome !== 'refused') campaign.keep(`${seed}`, table, outcome);
}
campaign.finish();
