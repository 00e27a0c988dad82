import { MESSAGES } from '../../src/aml/compiler/diagnostics.ts';

const IDS = new Map(
  (Object.entries(MESSAGES) as [string, { readonly iasl?: readonly number[] }][]).flatMap(([id, { iasl = [] }]) =>
    iasl.map((number) => [number, id] as const),
  ),
);

/** What iasl -vi said, under our ids, or as `iasl NUMBER` where we say nothing of the kind. */
export const iaslDiagnostics = (output: string): { readonly id: string; readonly line: number }[] =>
  [...output.matchAll(/^\S+\((\d+)\) : *\w+ +(\d+) -/gm)].map(([, line, number]) => ({
    id: IDS.get(Number(number)) ?? `iasl ${number}`,
    line: Number(line),
  }));
