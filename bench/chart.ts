import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { EngineName } from './parts.ts';
import type { Results } from './results.ts';

/** Engines beside QEMU, as the legend names them. */
const SERIES: readonly (readonly [EngineName, string])[] = [
  ['q35', 'q35'],
  ['v86', 'v86'],
];
const COLOURS = ['#2a6f97', '#c9a227'];
const WIDTH = 520;
const STEP = 14;

/** One bar. */
interface Bar {
  readonly part: string;
  readonly engine: string;
  /** CPU seconds ÷ QEMU's. */
  readonly ratio: number;
  /** Where its label goes: behind the bar, or behind the line at 1. */
  readonly end: number;
}

/** A bar chart of CPU seconds relative to QEMU TCG, as SVG: one row a part, on a logarithmic scale around 1. */
export async function resultChart(results: Results): Promise<string> {
  const { parts, bars } = barsOf(results);
  const view = new View(parse(compile(specification(parts, bars)).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}

function barsOf(results: Results): { parts: string[]; bars: Bar[] } {
  const compared = results.parts().filter(({ figures }) => figures.qemu !== undefined);
  const bars = compared.flatMap(({ part, figures }) =>
    SERIES.flatMap(([engine, name]) => {
      const figure = figures[engine];
      if (figure === undefined) return [];
      const ratio = figure.cpuSeconds / figures.qemu!.cpuSeconds;
      return [{ part: part.name, engine: name, ratio, end: Math.max(ratio, 1) }];
    }),
  );
  return { parts: compared.map(({ part }) => part.name), bars };
}

function specification(parts: readonly string[], bars: readonly Bar[]): TopLevelSpec {
  const engines = SERIES.map(([, name]) => name).filter((name) => bars.some(({ engine }) => engine === name));
  const row = { field: 'part', type: 'nominal', sort: [...parts], axis: { title: null } } as const;
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: 'CPU seconds, relative to QEMU TCG (less is better)', anchor: 'start' },
    background: 'white',
    width: WIDTH,
    height: { step: STEP },
    data: { values: [...bars] },
    layer: [
      {
        mark: { type: 'bar' },
        encoding: {
          y: row,
          yOffset: { field: 'engine', sort: engines },
          x: { field: 'ratio', type: 'quantitative', scale: { type: 'log' }, axis: { title: null, format: '~g' } },
          x2: { datum: 1 },
          color: {
            field: 'engine',
            type: 'nominal',
            scale: { domain: engines, range: COLOURS },
            legend: { title: null },
          },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 3, fontSize: 9 },
        encoding: {
          y: row,
          yOffset: { field: 'engine', sort: engines },
          x: { field: 'end', type: 'quantitative' },
          text: { field: 'ratio', format: '.2f' },
        },
      },
      { mark: { type: 'rule', color: '#555555' }, encoding: { x: { datum: 1 } } },
    ],
  };
}
