import { expect, test } from 'vitest';
import { CodeChunks } from '../../../../src/emulator/cpu/translation/code-chunks.ts';

const CHUNK = 64;
const PAGE = 0x1000;
const chunkOf = (offset: number): number => Math.floor(offset / CHUNK);

test('a range touches code when it shares a 64-byte chunk with some, at both ends and across the middle of the page', () => {
  const edges = [0, 1, 63, 64, 65, 1000, 2047, 2048, 2049, 3000, 4032, 4095];
  const ranges = edges.flatMap((start) => [...edges, PAGE].filter((end) => end > start).map((end) => [start, end]));
  for (const [start, end] of ranges) {
    const chunks = new CodeChunks();
    chunks.add(start, end);
    for (const [from, to] of ranges) {
      const wanted = chunkOf(to - 1) >= chunkOf(start) && chunkOf(from) <= chunkOf(end - 1);
      if (chunks.touches(from, to) !== wanted)
        expect(chunks.touches(from, to), `${start}-${end}, ${from}-${to}`).toBe(wanted);
    }
    chunks.clear();
    expect(chunks.touches(0, PAGE)).toBe(false);
  }
});
