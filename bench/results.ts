import type { PartRun } from './marks.ts';
import { type EngineName, MEANS, type Part } from './parts.ts';
import { geometricMean, median } from './statistics.ts';

/** One engine's medians for a part. */
export interface Figure {
  readonly cpuSeconds: number;
  /** All rounds, in order. */
  readonly samples: readonly number[];
  readonly peakRssBytes: number;
  /** Retired guest instructions, of an engine that counts them. */
  readonly instructions?: number;
}

/** A part with the figures of the engines that ran it. */
export interface PartResult {
  readonly part: Part;
  readonly figures: Partial<Record<EngineName, Figure>>;
}

/** Everything that a run of the bench measured. */
export class Results {
  readonly #runs: ReadonlyMap<Part, Map<EngineName, PartRun[]>>;

  constructor(parts: readonly Part[]) {
    this.#runs = new Map(parts.map((part) => [part, new Map()]));
  }

  add(part: Part, engine: EngineName, run: PartRun): void {
    const runs = this.#runs.get(part)!;
    runs.set(engine, [...(runs.get(engine) ?? []), run]);
  }

  /** The parts that ran. */
  parts(): PartResult[] {
    return [...this.#runs]
      .filter(([, engines]) => engines.size > 0)
      .map(([part, engines]) => ({
        part,
        figures: Object.fromEntries([...engines].map(([engine, runs]) => [engine, figure(runs)])),
      }));
  }

  /** Geometric means of ours ÷ QEMU over groups of parts of which all ran. */
  means(): { readonly name: string; readonly ratio: number }[] {
    const ratios = new Map(this.parts().map((result) => [result.part.name, ratioTo(result, 'qemu')]));
    return Object.entries(MEANS).flatMap(([name, parts]) => {
      const found = parts.map((part) => ratios.get(part) ?? Number.NaN);
      return found.some(Number.isNaN) ? [] : [{ name, ratio: geometricMean(found) }];
    });
  }

  /** A line for each part whose checksums are not all the same: one of the engines computes wrongly. */
  disagreements(): string[] {
    return [...this.#runs].flatMap(([part, engines]) => {
      const seen = [...engines].map(([engine, runs]) => [
        engine,
        [...new Set(runs.map((run) => run.checksum))].join(' '),
      ]);
      return new Set(seen.map(([, checksum]) => checksum)).size < 2
        ? []
        : [`${part.name}: different results: ${seen.map(([engine, checksum]) => `${engine} ${checksum}`).join(', ')}`];
    });
  }

  toJSON(): object {
    return {
      parts: this.parts().map((result) => ({
        ...result.part,
        ...result.figures,
        toQemu: finite(ratioTo(result, 'qemu')),
        toV86: finite(ratioTo(result, 'v86')),
      })),
      means: this.means(),
    };
  }
}

/** CPU seconds ours ÷ theirs; NaN when one did not run. */
export function ratioTo({ figures }: PartResult, other: EngineName): number {
  return (figures.q35?.cpuSeconds ?? Number.NaN) / (figures[other]?.cpuSeconds ?? Number.NaN);
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

function figure(runs: readonly PartRun[]): Figure {
  const samples = runs.map((run) => run.cpuSeconds);
  return {
    cpuSeconds: median(samples),
    samples,
    peakRssBytes: median(runs.map((run) => run.peakRssBytes)),
    ...(runs[0].instructions !== undefined && { instructions: runs[0].instructions }),
  };
}
