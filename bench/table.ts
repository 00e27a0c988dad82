import { MIB } from '../src/shared/bytes.ts';
import type { EngineName } from './parts.ts';
import { type Figure, type PartResult, type Results, ratioTo } from './results.ts';

const COLUMNS: readonly { readonly title: string; readonly value: (result: PartResult) => string }[] = [
  { title: 'part', value: ({ part }) => part.name },
  { title: 'M instr', value: ({ figures }) => fixed((figures.q35?.instructions ?? Number.NaN) / 1e6, 0) },
  { title: 'M/s', value: ({ figures: { q35 } }) => fixed(rate(q35), 0) },
  { title: 'ours s', value: seconds('q35') },
  { title: 'QEMU s', value: seconds('qemu') },
  { title: 'v86 s', value: seconds('v86') },
  { title: '÷ QEMU', value: (result) => fixed(ratioTo(result, 'qemu'), 2) },
  { title: '÷ v86', value: (result) => fixed(ratioTo(result, 'v86'), 2) },
  { title: 'ours MiB', value: rss('q35') },
  { title: 'QEMU MiB', value: rss('qemu') },
];

/** The results for a terminal: medians of CPU seconds and of the peak resident set so far, and ratios. */
export function resultTable(results: Results): string {
  const rows = results.parts().map((result) => COLUMNS.map(({ value }) => value(result)));
  const used = COLUMNS.map((_, column) => rows.some((row) => row[column] !== ''));
  const lines = [COLUMNS.map(({ title }) => title), ...rows].map((row) => row.filter((_, column) => used[column]));
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((row) => row[column].length))) ?? [];
  const text = lines.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '),
  );
  const means = results.means().map(({ name, ratio }) => `geometric mean of ${name}, ours ÷ QEMU: ${ratio.toFixed(2)}`);
  return [...text, ...means].join('\n');
}

const fixed = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '');

/** Millions of guest instructions a second. */
function rate(figure: Figure | undefined): number {
  return (figure?.instructions ?? Number.NaN) / 1e6 / (figure?.cpuSeconds ?? Number.NaN);
}

function seconds(engine: EngineName): (result: PartResult) => string {
  return ({ figures }) => fixed(figures[engine]?.cpuSeconds ?? Number.NaN, 2);
}

function rss(engine: EngineName): (result: PartResult) => string {
  return ({ figures }) => fixed((figures[engine]?.peakRssBytes ?? Number.NaN) / MIB, 0);
}
