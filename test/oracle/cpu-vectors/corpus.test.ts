import { expect, test } from 'vitest';
import { loadVectors, vectorGroups } from './load.ts';
import { formatVectors, parseVectors } from './text.ts';

test('the recorded corpus covers the integer instructions of every mode', () => {
  const forms = { 16: new Set<string>(), 32: new Set<string>(), 64: new Set<string>() };
  let cases = 0;
  for (const vector of loadVectors()) {
    forms[vector.mode].add(vector.name);
    cases++;
  }
  expect(cases).toBeGreaterThan(28_000);
  expect(forms[64].size).toBeGreaterThan(700);
  expect(forms[32].size).toBeGreaterThan(550);
  expect(forms[16].size).toBeGreaterThan(550);
});

test('text and vectors convert both ways', () => {
  for (const group of vectorGroups()) {
    const text = formatVectors([...loadVectors(group)]);
    // By text: comparing a hundred thousand states deeply takes ten times as long.
    expect(formatVectors([...parseVectors(text)]) === text).toBe(true);
  }
});
