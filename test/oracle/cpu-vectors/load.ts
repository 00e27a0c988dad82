import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseVectors } from './text.ts';
import type { CpuVector } from './vector.ts';

export const FIXTURES = join(import.meta.dirname, '../../../fixtures/cpu');

/** Names of the recorded groups, e.g. `integer-64`. */
export function vectorGroups(): string[] {
  return readdirSync(FIXTURES)
    .filter((name) => name.endsWith('.txt.gz'))
    .map((name) => name.slice(0, -'.txt.gz'.length))
    .sort();
}

/** Recorded vectors of one group, or of all. */
export function* loadVectors(group?: string): Generator<CpuVector> {
  for (const name of group === undefined ? vectorGroups() : [group]) {
    yield* parseVectors(gunzipSync(readFileSync(join(FIXTURES, `${name}.txt.gz`))).toString('latin1'));
  }
}
