import { describe, expect, it } from 'vitest';
import { resultChart } from '../../bench/chart.ts';
import { type Mark, MarkReader, partRun } from '../../bench/marks.ts';
import { chooseParts } from '../../bench/parts.ts';
import { Results } from '../../bench/results.ts';
import { resultTable } from '../../bench/table.ts';

const mark = (text: string, cpuSeconds: number, instructions?: number): Mark => ({
  text,
  cpuSeconds,
  peakRssBytes: 1 << 20,
  instructions,
});
const MARKS = [mark('init', 3, 100), mark('begin mix', 4, 200), mark('end mix 00ff', 6.5, 1200), mark('done', 7, 1300)];

describe('marks', () => {
  it('are the lines that the guest begins so, among other output', () => {
    const seen: string[] = [];
    const reader = new MarkReader((text) => seen.push(text));
    const output = 'kernel says\r\nQ35 bench init\r\n[1.0] noise Q35 bench end mix 00ff\r\nlast';
    for (const byte of Buffer.from(output)) reader.write(byte);
    expect(seen).toEqual(['init', 'end mix 00ff']);
    expect(reader.tail).toContain('kernel says');
    expect(reader.tail).toMatch(/last$/);
  });

  it('give the time to init, and of a workload the difference between its ends', () => {
    expect(partRun(MARKS, undefined)).toMatchObject({ cpuSeconds: 3, instructions: 100 });
    expect(partRun(MARKS, 'mix')).toMatchObject({ cpuSeconds: 2.5, instructions: 1000, checksum: '00ff' });
    expect(() => partRun(MARKS, 'chase')).toThrow("never said 'begin chase'");
  });
});

describe('parts', () => {
  it('are chosen by name and by group, in one order', () => {
    expect(chooseParts(['sha256', 'boot']).map(({ name }) => name)).toEqual([
      'boot-cloud',
      'boot-amd64',
      'boot-686',
      'sha256',
    ]);
    expect(chooseParts([]).some(({ guest }) => guest === 'bare')).toBe(false);
    expect(() => chooseParts(['sha512'])).toThrow('no part');
  });
});

describe('results', () => {
  const run = (cpuSeconds: number, checksum = 'a') => ({ cpuSeconds, checksum, peakRssBytes: 1 << 20 });
  const [part] = chooseParts(['sha256']);

  it('are medians and ratios, as a table, JSON and a chart', async () => {
    const results = new Results([part]);
    for (const seconds of [1, 9, 2]) results.add(part, 'q35', run(seconds));
    for (const seconds of [4, 4, 5]) results.add(part, 'qemu', run(seconds));
    expect(results.disagreements()).toEqual([]);
    expect(results.toJSON()).toMatchObject({ parts: [{ name: 'sha256', toQemu: 0.5 }] });
    expect(resultTable(results)).toMatch(/sha256 +2\.00 +4\.00 +0\.50/);
    expect(await resultChart(results)).toMatch(/^<svg[\s\S]*sha256[\s\S]*0\.50[\s\S]*<\/svg>\n$/);
  });

  it('say which engine computes something else', () => {
    const results = new Results([part]);
    results.add(part, 'q35', run(1));
    results.add(part, 'qemu', run(1, 'b'));
    expect(results.disagreements()).toEqual(['sha256: different results: q35 a, qemu b']);
  });
});
