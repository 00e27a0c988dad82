import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildE820, decodeE820, E820_TYPES, encodeE820 } from '../../../src/bios/memory/e820.ts';
import { lowRamBytes } from '../../../src/emulator/machine/memory-map.ts';
import { GIB, MIB } from '../../../src/shared/bytes.ts';
import { smallBoard } from '../board.ts';

describe('e820', () => {
  it('splits RAM below and above 4 GiB and reserves ECAM', () => {
    const entries = buildE820(smallBoard());
    expect(entries).toContainEqual({ base: 0x10_0000, size: 255 * MIB, type: E820_TYPES.RAM });
    expect(entries).toContainEqual({ base: 4 * GIB, size: 256 * MIB, type: E820_TYPES.RAM });
    expect(entries).toContainEqual({ base: 0xb000_0000, size: 256 * MIB, type: E820_TYPES.RESERVED });
  });

  it('is sorted, without overlap, and holds all RAM at every size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 64, max: 16384 }), (mebibytes) => {
        const ramBytes = mebibytes * MIB;
        const entries = buildE820(smallBoard({ ramBytes, lowRamBytes: lowRamBytes(ramBytes) }));
        let end = 0;
        let ram = 0;
        for (const { base, size, type } of entries) {
          expect(base).toBeGreaterThanOrEqual(end);
          end = base + size;
          if (type === E820_TYPES.RAM) ram += size;
        }
        // The 1 KiB of EBDA and the legacy area from 640 KiB to 1 MiB are RAM that no entry offers.
        expect(ram).toBe(ramBytes - 0x400 - 0x6_0000);
        expect(decodeE820(encodeE820(entries))).toEqual(entries);
      }),
    );
  });

  it('refuses a file that is cut short', () => {
    expect(() => decodeE820(new Uint8Array(30))).toThrow(/no multiple of 20/);
  });
});
