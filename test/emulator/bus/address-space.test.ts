import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressSpace } from '../../../src/emulator/bus/address-space.ts';
import type { AccessSize, BusTarget } from '../../../src/emulator/machine/ports.ts';

/** Answers with its own number in every byte and remembers what was written. */
function marked(byte: number): BusTarget & { writes: [number, AccessSize, number][] } {
  const writes: [number, AccessSize, number][] = [];
  return {
    writes,
    read: (_offset, size) => byte * (size === 4 ? 0x0101_0101 : size === 2 ? 0x0101 : 1),
    write: (offset, size, value) => void writes.push([offset, size, value]),
  };
}

const sizes = fc.constantFrom<AccessSize>(1, 2, 4);

describe('AddressSpace', () => {
  test('unclaimed addresses read as ones and swallow writes', () => {
    const space = new AddressSpace('test');
    expect(space.read(0x1234, 4)).toBe(0xffff_ffff);
    expect(space.read(0x1234, 1)).toBe(0xff);
    space.write(0x1234, 4, 1);
    expect(space.hostOffset(0, 1, false)).toBe(-1);
  });

  test('targets see offsets from their own start', () => {
    const space = new AddressSpace('test');
    const target = marked(1);
    space.mapTarget('bar', 0x80_0000_0000, 0x1000, target);
    space.write(0x80_0000_0010, 4, 0x8000_0000);
    expect(target.writes).toEqual([[0x10, 4, 0x8000_0000]]);
  });

  test('an access across two regions splits by byte', () => {
    const space = new AddressSpace('test');
    space.mapTarget('a', 0, 2, marked(1));
    space.mapTarget('b', 2, 1, marked(2));
    expect(space.read(0, 4)).toBe(0xff02_0101);
  });

  test('reads and writes may go different ways: ROM over RAM', () => {
    const bytes = new Uint8Array(0x3000);
    const space = new AddressSpace('test', { bytes: () => bytes });
    space.mapMemory('ram', 0, 0x2000, 0);
    space.mapMemory('rom', 0x1000, 0x1000, 0x2000, { direction: 'read', priority: 1 });
    bytes[0x2004] = 0x5a;
    space.write(0x1004, 1, 0xa5);
    expect(space.read(0x1004, 1)).toBe(0x5a);
    expect(bytes[0x1004]).toBe(0xa5);
    expect(space.hostOffset(0x1000, 0x1000, false)).toBe(0x2000);
    expect(space.hostOffset(0x1000, 0x1000, true)).toBe(0x1000);
    expect(space.hostOffset(0x0, 0x1001, false)).toBe(-1);
  });

  test('the flat view equals asking every region, whatever the overlaps', () => {
    const region = fc.record({ base: fc.nat(60), size: fc.integer({ min: 1, max: 40 }), priority: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(region, { maxLength: 8 }), fc.nat(60), sizes, (regions, address, size) => {
        const space = new AddressSpace('test');
        for (const [index, { base, size: length, priority }] of regions.entries()) {
          space.mapTarget(`r${index}`, base, length, marked(index + 1), { priority });
        }
        let expected = 0;
        for (let at = address + size - 1; at >= address; at--) {
          const winner = regions
            .map((spec, index) => ({ ...spec, index }))
            .filter(({ base, size: length }) => at >= base && at < base + length)
            .sort((left, right) => right.priority - left.priority || left.index - right.index)[0];
          expected = expected * 0x100 + (winner === undefined ? 0xff : winner.index + 1);
        }
        expect(space.read(address, size)).toBe(expected);
        const flat = space.segments('read');
        for (let index = 1; index < flat.length; index++)
          expect(flat[index].start).toBeGreaterThanOrEqual(flat[index - 1].end);
      }),
    );
  });
});
