/**
 * Mutated tables, run: loaded, started as an OS does, everything evaluated, by either semantics. Only typed errors may come out, in
 * bounded time and memory. Ends with 1 when anything else happens, and keeps the tables in out/fuzz-aml-interpreter.
 */
import { runEverything } from '../test/aml/mutated-tables.ts';
import { Random } from '../test/aml/random-asl/random.ts';
import { DamagedTables } from './damaged-tables.ts';
import { campaignArguments, FuzzCampaign } from './fuzz-campaign.ts';

const USAGE = `node bench/fuzz-aml-interpreter.ts [--seed N] [--count N]

  --seed N    the first table (1)
  --count N   tables (10000)
`;

const args = campaignArguments(USAGE, { count: 10_000 });
const campaign = new FuzzCampaign('fuzz-aml-interpreter', 'aml', args, { tables: 0, evaluations: 0, failures: 0 });
const tables = new DamagedTables();
for (const seed of campaign.seeds()) {
  const table = tables.at(seed);
  const counts = campaign.attempt(`${seed}`, table, () => runEverything(table, new Random(seed)));
  campaign.totals.tables++;
  campaign.totals.evaluations += counts?.evaluations ?? 0;
  campaign.totals.failures += counts?.failures ?? 0;
}
campaign.finish();
