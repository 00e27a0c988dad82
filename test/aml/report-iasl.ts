/**
 * How much of the disassembly of golden's tables iasl compiles, and how much of it to the same bytes:
 *
 *     nice -n 10 node test/aml/report-iasl.ts [--keep DIRECTORY] [--match PATTERN] [--own]
 *
 * Errors are grouped by iasl's number, each table counted once by its first. `--keep` writes the sources that iasl refuses,
 * with what it said; `--own` measures iasl's own disassembly instead.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { disassemble } from '../../src/aml/disassemble.ts';
import { equalBytes } from '../../src/shared/bytes.ts';
import { type GoldenMachine, goldenMachines } from './golden.ts';
import { compileAsl, disassembleWithIasl } from './iasl.ts';

const HEADER = 36;
const {
  keep,
  match = '',
  own,
} = parseArgs({
  options: { keep: { type: 'string' }, match: { type: 'string' }, own: { type: 'boolean', default: false } },
}).values;

interface Tally {
  tables: number;
  compiled: number;
  identical: number;
}

const tallies = new Map<string, Tally>();
const causes = new Map<string, string[]>();
if (keep) mkdirSync(keep, { recursive: true });

function sourcesOf({ tables }: GoldenMachine): string[] {
  if (!own) return disassemble(tables, { tolerant: true }).map(({ asl }) => asl);
  return tables.map((table, index) => {
    const others = tables.filter((_, other) => other !== index).map(({ bytes }) => bytes);
    return iaslText([table.bytes, ...others]) ?? iaslText([table.bytes]) ?? '';
  });
}

/** Nothing where iasl crashes, as it does over some sets of tables. */
function iaslText(tables: readonly Uint8Array[]): string | undefined {
  try {
    return disassembleWithIasl(tables).text;
  } catch {
    return undefined;
  }
}

for (const machine of [...goldenMachines('qemu-q35'), ...goldenMachines('real-machines')]) {
  if (!machine.name.includes(match)) continue;
  const sources = sourcesOf(machine);
  machine.tables.forEach(({ file, bytes }, index) => {
    const kind = /dsdt/i.test(file.slice(file.lastIndexOf('/'))) ? 'DSDT' : 'SSDT';
    const tally = tallies.get(kind) ?? { tables: 0, compiled: 0, identical: 0 };
    tallies.set(kind, tally);
    tally.tables++;
    // As written: iasl neither folds nor shortens, and -f is left out, so that one error means no table.
    const { table, output } = compileAsl(sources[index], ['-oa']);
    if (table) {
      tally.compiled++;
      if (equalBytes(table.subarray(HEADER), bytes.subarray(HEADER))) tally.identical++;
      return;
    }
    const cause = /Error\s+(\d+)\s+-\s+(.*)/.exec(output);
    const name = cause ? `${cause[1]} ${cause[2].replace(/\^/g, '').trim().replace(/\(.*/, '').trim()}` : 'no message';
    causes.set(name, [...(causes.get(name) ?? []), file]);
    if (!keep) return;
    const path = join(keep, file.replaceAll('/', '__').replace(/\.aml$/, ''));
    writeFileSync(`${path}.dsl`, sources[index], 'latin1');
    writeFileSync(`${path}.txt`, output, 'latin1');
  });
}

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(2)} %`;
const lines = [...tallies].map(
  ([kind, { tables, compiled, identical }]) =>
    `${kind}: ${compiled} of ${tables} compile (${percent(compiled, tables)}), ${identical} to the same bytes (${percent(identical, tables)})`,
);
for (const [cause, files] of [...causes].sort((left, right) => right[1].length - left[1].length)) {
  lines.push(`${files.length}\t${cause}`, ...files.map((file) => `\t\t${file}`));
}
process.stdout.write(`${lines.join('\n')}\n`);
