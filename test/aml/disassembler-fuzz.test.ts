import { expect, test } from 'vitest';
import { disassembledAgain } from './disassembled-again.ts';
import { corpusTables, mutatedTable } from './mutated-tables.ts';
import { Random } from './random-asl/random.ts';
import { fragmentsOf, tableOfFragments } from './table-fragments.ts';

const WHOLE = 200;
const FRAGMENTED = 2500;

/** The seeds whose table does not come back. */
function lost(count: number, sound: (random: Random) => Uint8Array): string[] {
  const bad: string[] = [];
  for (let seed = 0; seed < count; seed++) {
    const random = new Random(seed);
    const outcome = disassembledAgain(mutatedTable(sound(random), random));
    if (outcome !== 'same' && outcome !== 'refused') bad.push(`${seed}: ${outcome}`);
  }
  return bad;
}

// The long run is bench/fuzz-aml.ts.
test('damaged tables come back by way of their text, byte for byte, or are refused with a typed error', () => {
  const tables = corpusTables();
  const fragments = tables.flatMap(fragmentsOf);
  expect(lost(WHOLE, (random) => random.pick(tables))).toEqual([]);
  expect(lost(FRAGMENTED, (random) => tableOfFragments(fragments, random))).toEqual([]);
});
