import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { Difference } from './acpiexec-comparison.ts';

/** Why evaluations differ from acpiexec's, and which. */
export interface Explanation {
  /** What each side does. */
  readonly cause: string;
  /** The clause of ACPI 6.5 that settles it, or the defect of acpiexec 20200925. */
  readonly clause: string;
  /** How many evaluations differ so, over all machines, by the byte that absent hardware reads as. */
  readonly count: Readonly<Record<string, number>>;
  /** `MACHINE PATH`, both with * for any text. */
  readonly where: readonly string[];
}

const FILE = fileURLToPath(new URL('../../fixtures/aml/acpiexec-differences.yaml', import.meta.url));

export const readExplanations = (): Explanation[] => parse(readFileSync(FILE, 'utf8')) as Explanation[];

/** Differences by the first explanation that names them, and those that none does. */
export function explainDifferences(
  differences: readonly Difference[],
  explanations: readonly Explanation[],
): { explained: (Explanation & { readonly found: Difference[] })[]; unexplained: Difference[] } {
  const explained = explanations.map((explanation) => ({ ...explanation, found: [] as Difference[] }));
  const unexplained = differences.filter((difference) => {
    const explanation = explained.find(({ where }) => where.some((pattern) => names(pattern, difference)));
    explanation?.found.push(difference);
    return !explanation;
  });
  return { explained, unexplained };
}

function names(pattern: string, { machine, path }: Difference): boolean {
  const source = pattern.replace(/[\\^$.+?()[\]{}|]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${source}$`).test(`${machine} ${path}`);
}
