import type { BarAssignment, Bdf, ConfigWrite, PlannedBridge, Window } from '../../../src/bios/pci/plan.ts';
import { viewOf } from '../../../src/shared/bytes.ts';

/** A function's registers as PCI 3.0 §6.1 and the PCI-to-PCI Bridge Specification §3.2 read them. */
export interface ConfigReading {
  bar(bar: BarAssignment): number;
  readonly command: number;
  readonly interruptLine: number;
  readonly buses: number[];
  readonly windows: PlannedBridge['windows'];
}

const CLOSED: Window = { base: 0, size: 0 };

function windowOf(base: number, limit: number): Window {
  return base > limit ? CLOSED : { base, size: limit - base + 1 };
}

/** Holds what the writes leave in config space, nothing masked. */
export function replay(writes: readonly ConfigWrite[]): { read(bdf: Bdf): ConfigReading } {
  const spaces = new Map<number, DataView>();
  const spaceOf = (bus: number, device: number, fn: number): DataView => {
    const key = (bus << 8) | (device << 3) | fn;
    const known = spaces.get(key) ?? viewOf(new Uint8Array(4096));
    spaces.set(key, known);
    return known;
  };
  for (const { bus, device, function: fn, offset, size, value } of writes) {
    const space = spaceOf(bus, device, fn);
    if (size === 1) space.setUint8(offset, value);
    else if (size === 2) space.setUint16(offset, value, true);
    else space.setUint32(offset, value, true);
  }
  return {
    read({ bus, device, function: fn }) {
      const space = spaceOf(bus, device, fn);
      const u8 = (offset: number) => space.getUint8(offset);
      const u16 = (offset: number) => space.getUint16(offset, true);
      const u32 = (offset: number) => space.getUint32(offset, true);
      const pref = {
        base: u32(0x28) * 2 ** 32 + (u16(0x24) >>> 4) * 2 ** 20,
        limit: u32(0x2c) * 2 ** 32 + (u16(0x26) >>> 4) * 2 ** 20 + 0xf_ffff,
      };
      return {
        bar: ({ index, kind }) =>
          u32(0x10 + 4 * index) + (kind.startsWith('mem64') ? u32(0x14 + 4 * index) * 2 ** 32 : 0),
        command: u16(4),
        interruptLine: u8(0x3c),
        buses: [u8(0x18), u8(0x19), u8(0x1a)],
        windows: {
          io: windowOf((u8(0x1c) >>> 4) * 0x1000, (u8(0x1d) >>> 4) * 0x1000 + 0xfff),
          mem32: windowOf((u16(0x20) >>> 4) * 2 ** 20, (u16(0x22) >>> 4) * 2 ** 20 + 0xf_ffff),
          'mem64-prefetchable': windowOf(pref.base, pref.limit),
        },
      };
    },
  };
}
