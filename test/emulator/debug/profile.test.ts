import { describe, expect, test } from 'vitest';
import { flameGraph } from '../../../src/emulator/debug/flame-graph.ts';
import { GuestProfile } from '../../../src/emulator/debug/profile.ts';
import { parseSymbols } from '../../../src/emulator/debug/symbols.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const MAP = 'ffffffff81000000 T _text\nffffffff81000100 t early <x>\nffffffff82000000 D data\n';
const kernel = { privilege: 0, paging: true, halted: false };

describe('symbols', () => {
  test('of a System.map or kallsyms: functions only, the one that holds the address', () => {
    const table = parseSymbols(bytes(MAP), 'System.map');
    expect(table.count).toBe(2);
    expect(table.find(0xffffffff_810000ffn)).toBe('_text');
    expect(table.find(0xffffffff_81000100n)).toBe('early');
    expect(table.find(0xffffffff_80ffffffn)).toBeUndefined();
    expect(table.find(0xffffffff_82000000n)).toBeUndefined();
  });

  test.each([
    ['nothing', ''],
    ['hidden addresses', '0000000000000000 T _text\n'],
    ['a stub', 'ffffffffffffffff B The real System.map is in the debug package\n'],
  ])('of %s are refused', (_what, text) => {
    expect(() => parseSymbols(bytes(text), 'map')).toThrow(expect.objectContaining({ code: 'SYMBOLS_FORMAT' }));
  });
});

describe('a guest profile', () => {
  test('counts instructions by space and function, pages where there is no name', () => {
    const profile = new GuestProfile([parseSymbols(bytes(MAP), 'System.map')]);
    profile.sample({ ...kernel, rip: 0xffffffff_81000004n }, 3e6);
    profile.sample({ ...kernel, rip: 0xffffffff_81000008n }, 1e6);
    profile.sample({ ...kernel, privilege: 3, rip: 0x40_1234n }, 2e6);
    profile.sample({ ...kernel, rip: 0x40_1234n }, 0);
    expect(profile.stacks()).toEqual([
      { frames: ['kernel', '_text'], value: 4e6 },
      { frames: ['user', 'page 0x40_1000'], value: 2e6 },
    ]);
    const text = profile.text(0.5, [{ name: 'devices', seconds: 0.25 }]);
    expect(text).toContain('6 M instructions in 0.50 s of CPU time, 12 M/s');
    expect(text).toContain(' 66.7 %  kernel: _text');
  });

  test('is drawn with widths in proportion, and with names that SVG can hold', () => {
    const svg = flameGraph('title', 'instructions', [
      { frames: ['kernel', 'a<b'], value: 3 },
      { frames: ['user', 'c'], value: 1 },
    ]);
    expect(svg).toContain('a&lt;b: 3 instructions, 75.0 %');
    const widths = [...svg.matchAll(/<g>.*? width="([\d.]+)"/g)].map((match) => Number(match[1]));
    expect(widths).toEqual([1180, 885, 885, 295, 295]);
  });
});
