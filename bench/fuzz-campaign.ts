import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';

/** An input of a few kilobytes that takes longer is kept. */
const SLOW_SECONDS = 2;
/** Seconds between two lines of progress. */
const PROGRESS_SECONDS = 30;

type Options = NonNullable<Parameters<typeof parseArgs>[0]>['options'];

/** What a long run is started with, as text. */
export interface CampaignArguments {
  readonly seed: string;
  readonly count: string;
  readonly [option: string]: unknown;
}

/** The arguments of a campaign; with `--help` the usage, and nothing else happens. */
export function campaignArguments(usage: string, defaults: { readonly count: number }, more: Options = {}) {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      seed: { type: 'string', default: '1' },
      count: { type: 'string', default: `${defaults.count}` },
      ...more,
    },
    allowNegative: true,
  });
  if (values.help) {
    process.stdout.write(usage);
    process.exit(0);
  }
  return values as unknown as CampaignArguments;
}

/** A long run over seeds: what breaks or takes too long is kept in out/, and the run ends with 1. */
export class FuzzCampaign {
  readonly folder: string;
  readonly totals: Record<string, number>;
  readonly #first: number;
  readonly #count: number;
  readonly #extension: string;
  readonly #broken: string[] = [];
  #slowest = 0;

  /** `totals` are counted up by whoever runs the campaign, and reported. */
  constructor(name: string, extension: string, { seed, count }: CampaignArguments, totals: Record<string, number>) {
    this.folder = join(import.meta.dirname, '..', 'out', name);
    this.#extension = extension;
    this.#first = Number(seed);
    this.#count = Number(count);
    this.totals = totals;
    mkdirSync(this.folder, { recursive: true });
  }

  /** Each seed in turn, with a line on stderr now and then. */
  *seeds(): Generator<number> {
    let reported = performance.now();
    for (let seed = this.#first; seed < this.#first + this.#count; seed++) {
      yield seed;
      if (performance.now() - reported < PROGRESS_SECONDS * 1000) continue;
      reported = performance.now();
      process.stderr.write(`${seed - this.#first + 1} of ${this.#count}, ${this.#broken.length} kept\n`);
    }
  }

  /** What `run` gives; `input` is kept where it throws or takes too long. `run` does the same each time it is called. */
  attempt<Result>(name: string, input: Uint8Array | string, run: () => Result): Result | undefined {
    const start = performance.now();
    try {
      return run();
    } catch (error) {
      this.keep(name, input, error instanceof Error ? `${error.stack}` : `${error}`);
      return undefined;
    } finally {
      const seconds = (performance.now() - start) / 1000;
      this.#slowest = Math.max(this.#slowest, seconds);
      if (seconds > SLOW_SECONDS) this.#confirmSlow(name, input, run);
    }
  }

  /** The clock runs on while another process has the processor: only the CPU time of a second run counts. */
  #confirmSlow(name: string, input: Uint8Array | string, run: () => unknown): void {
    const start = process.cpuUsage();
    try {
      run();
    } catch {
      // The first run has kept it.
    }
    const { user, system } = process.cpuUsage(start);
    const seconds = (user + system) / 1e6;
    if (seconds > SLOW_SECONDS) this.keep(name, input, `took ${seconds.toFixed(1)} CPU seconds`);
  }

  keep(name: string, input: Uint8Array | string, why: string): void {
    writeFileSync(join(this.folder, `${name}.${this.#extension}`), input, 'latin1');
    this.#broken.push(`${name}: ${why}`);
  }

  /** Prints the report; the process ends with 1 where anything was kept. */
  finish(): void {
    const { user, system } = process.cpuUsage();
    const report = {
      seed: this.#first,
      ...this.totals,
      kept: this.#broken.length,
      slowestSeconds: Number(this.#slowest.toFixed(3)),
      cpuSeconds: Number(((user + system) / 1e6).toFixed(1)),
      peakMib: Math.round(process.resourceUsage().maxRSS / 1024),
    };
    process.stdout.write(
      `${JSON.stringify(report, undefined, 2)}\n${this.#broken.map((line) => `${line}\n`).join('')}`,
    );
    process.exitCode = this.#broken.length > 0 ? 1 : 0;
  }
}
