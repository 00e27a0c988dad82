/**
 * Damaged definition blocks, disassembled and compiled again: the same file has to come back, or a typed error, in bounded time. Ends with
 * 1 when anything else happens, and keeps those tables in out/fuzz-aml.
 */
import { disassembledAgain } from '../test/aml/disassembled-again.ts';
import { DamagedTables } from './damaged-tables.ts';
import { campaignArguments, FuzzCampaign } from './fuzz-campaign.ts';

const USAGE = `node bench/fuzz-aml.ts [--seed N] [--count N]

  --seed N    the first table (1)
  --count N   tables (10000)
`;

const campaign = new FuzzCampaign('fuzz-aml', 'aml', campaignArguments(USAGE, { count: 10_000 }), {
  same: 0,
  refused: 0,
  different: 0,
  uncompilable: 0,
});
const tables = new DamagedTables();
for (const seed of campaign.seeds()) {
  const table = tables.at(seed);
  const outcome = campaign.attempt(`${seed}`, table, () => disassembledAgain(table));
  if (outcome === undefined) continue;
  campaign.totals[outcome]++;
  if (outcome !== 'same' && outcome !== 'refused') campaign.keep(`${seed}`, table, outcome);
}
campaign.finish();
