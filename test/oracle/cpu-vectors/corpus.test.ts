import { expect, test } from 'vitest';
import { loadVectors, vectorGroups } from './load.ts';
import { formatVectors, parseVectors } from './text.ts';

test('the recorded corpus covers the integer instructions of every mode', () => {
  const forms = new Map<number, Set<string>>();
  let cases = 0;
  for (const vector of loadVectors()) {
    let names = forms.get(vector.mode);
    if (!names) forms.set(vector.mode, (names = new Set()));
    names.add(vector.name);
    cases++;
  }
  expect(cases).toBeGreaterThan(28_000);
  expect(forms.get(64)!.size).toBeGreaterThan(700);
  expect(forms.get(32)!.size).toBeGreaterThan(550);
  expect(forms.get(16)!.size).toBeGreaterThan(550);
});

test('text and vectors convert both ways', () => {
  for (const group of vectorGroups()) {
    const vectors = [...loadVectors(group)];
    expect([...parseVectors(formatVectors(vectors))]).toEqual(vectors);
  }
});
