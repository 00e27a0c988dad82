import { DeclaredNames } from '../namespace.ts';
import type { AmlTerm } from '../tree.ts';
import type { TermReader } from './term-reader.ts';

/**
 * A method that no table at hand declares (it lives in an SSDT that is loaded later, or is not there) is invoked without a trace
 * of its argument count: read as a plain name, its arguments look like statements that compute a value and drop it. Counting these
 * suggests the argument count; reading again with the suggestion confirms or refutes it.
 */

interface Reading {
  readonly reader: TermReader;
  readonly terms: readonly AmlTerm[];
  readonly declared: DeclaredNames;
}

/** Names whose guess is tried for one table, and counts tried for one name: a bound on the work for a hostile table. */
const MAX_NAMES = 40;
const MAX_COUNTS = 4;

/** Reads with `read`, adds to `guesses` what makes the table read better. */
export function readGuessing(
  guesses: Map<string, number>,
  known: DeclaredNames,
  read: (declared: DeclaredNames) => Reading,
): Reading {
  let best = read(new DeclaredNames());
  const tried = new Set<string>();
  while (tried.size < MAX_NAMES) {
    const candidate = [...best.reader.odd.runs].find(([name]) => !tried.has(name) && !guesses.has(name));
    if (!candidate) break;
    const [name, runs] = candidate;
    tried.add(name);
    let bestCount: number | undefined;
    // A method of that name elsewhere says more than the statements around: a caret too many, or a scope that comes later.
    const namesakes = known.argumentCountsOf(name.slice(-4));
    for (const count of new Set([...namesakes, ...byFrequency(runs)])) {
      guesses.set(name, count);
      const attempt = read(new DeclaredNames());
      const isNamesake = namesakes.has(count) && bestCount === undefined;
      if (disorder(attempt) < disorder(best) || (isNamesake && disorder(attempt) === disorder(best))) {
        best = attempt;
        bestCount = count;
      }
    }
    if (bestCount === undefined) guesses.delete(name);
    else guesses.set(name, bestCount);
  }
  return best;
}

const disorder = ({ reader }: Reading): number => reader.odd.count + 20 * reader.problems.length;

function byFrequency(runs: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const run of runs) if (run <= 7) counts.set(run, (counts.get(run) ?? 0) + 1);
  return [...counts]
    .sort((left, right) => right[1] - left[1])
    .map(([run]) => run)
    .slice(0, MAX_COUNTS);
}
