/**
 * Random ASL: sources from the grammar, whose bytes have to be iasl's where it is installed, and mutants of them, for which only a
 * typed error or a table may come back. Ends with 1 when anything else happens, and keeps the sources in out/fuzz-asl.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../src/aml/compiler/compile.ts';
import { CompileError } from '../src/aml/compiler/diagnostics.ts';
import { equalBytes } from '../src/shared/bytes.ts';
import { mutated } from '../test/aml/random-asl/mutate.ts';
import { Random } from '../test/aml/random-asl/random.ts';
import { randomSource } from '../test/aml/random-asl/source.ts';
import { campaignArguments, FuzzCampaign } from './fuzz-campaign.ts';

const USAGE = `node bench/fuzz-asl.ts [--seed N] [--count N] [--mutants N] [--no-iasl]

  --seed N      the first source (1)
  --count N     sources (1000)
  --mutants N   mutants of each source (20)
  --no-iasl     only ours: faster
`;
const CREATOR = { creatorId: 'INTL', creatorRevision: 0x2020_0925 };

const args = campaignArguments(
  USAGE,
  { count: 1000 },
  { mutants: { type: 'string', default: '20' }, iasl: { type: 'boolean', default: true } },
);
const mutants = Number(args.mutants);
const hasIasl = args.iasl === true && spawnSync('iasl', ['-v']).status === 0;
const campaign = new FuzzCampaign('fuzz-asl', 'asl', args, {
  sources: 0,
  equal: 0,
  different: 0,
  refusedByIasl: 0,
  refusedByUs: 0,
  mutants: 0,
  compiled: 0,
});
const { totals } = campaign;

/** The table, or nothing where the source is refused with a typed error. */
const ours = (name: string, text: string): Uint8Array | undefined =>
  campaign.attempt(name, text, () => {
    try {
      return compile(`${name}.asl`, text, CREATOR).tables[0].bytes;
    } catch (error) {
      if (error instanceof CompileError) return undefined;
      throw error;
    }
  });

function theirs(text: string): Uint8Array | undefined {
  const source = join(campaign.folder, 'source.asl');
  const table = join(campaign.folder, 'source.aml');
  writeFileSync(source, text, 'latin1');
  rmSync(table, { force: true });
  spawnSync('iasl', ['-va', '-p', join(campaign.folder, 'source'), source]);
  return existsSync(table) ? new Uint8Array(readFileSync(table)) : undefined;
}

function compare(name: string, text: string, own: Uint8Array | undefined): void {
  const wanted = theirs(text);
  if (!wanted) totals.refusedByIasl++;
  else if (!own) {
    totals.refusedByUs++;
    campaign.keep(name, text, 'iasl compiles it');
  } else if (equalBytes(own, wanted)) totals.equal++;
  else {
    totals.different++;
    campaign.keep(name, text, "the bytes are not iasl's");
  }
}

for (const seed of campaign.seeds()) {
  const text = randomSource(seed);
  const own = ours(`${seed}`, text);
  totals.sources++;
  if (hasIasl) compare(`${seed}`, text, own);
  const random = new Random(seed);
  for (let mutant = 0; mutant < mutants; mutant++) {
    totals.mutants++;
    if (ours(`${seed}-${mutant}`, mutated(text, random))) totals.compiled++;
  }
}
campaign.finish();
