import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixtureText, ORACLE_IMAGES, outputLines } from './images/all.ts';
import { runOnEngine } from './images/on-engine.ts';
import { hasRecordedQemu, runOnQemu } from './images/qemu.ts';

const qemu = hasRecordedQemu();

function recorded(name: string): Map<string, string> {
  const text = readFileSync(new URL(`../../fixtures/cpu/system/${name}.txt`, import.meta.url), 'utf8');
  const rows = text.trimEnd().split('\n');
  return new Map(rows.map((row) => row.split('\t') as [string, string]));
}

describe.each(Object.entries(ORACLE_IMAGES))('system behaviour: %s', (name, build) => {
  const image = build();

  it('is QEMU’s on the engine, and the SDM’s where QEMU differs', () => {
    const expected = recorded(name);
    const output = runOnEngine(image);
    const lines = outputLines(output);
    const differing: string[] = [];
    image.names.forEach((caseName, index) => {
      const line = lines[index] ?? 'nothing';
      const sdm = image.sdm.get(caseName);
      const right = sdm === undefined ? line === expected.get(caseName) : line.startsWith(sdm);
      if (!right) differing.push(`${caseName}: expected ${sdm ?? expected.get(caseName)}, got ${line}`);
    });
    expect(differing).toEqual([]);
    expect(lines).toHaveLength(image.names.length);
  });

  it.skipIf(!qemu)('is on record as QEMU shows it today (needs qemu-system-x86_64 7.2)', () => {
    const now = fixtureText(image, runOnQemu(image));
    const before = [...recorded(name)].map(([caseName, line]) => `${caseName}\t${line}\n`).join('');
    expect(now).toBe(before);
  });
});
