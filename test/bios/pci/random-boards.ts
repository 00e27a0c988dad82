import fc from 'fast-check';
import type { BarConfig, BarKind, MachineConfig, PciFunctionConfig } from '../../../src/emulator/machine/config.ts';
import { lowRamBytes } from '../../../src/emulator/machine/memory-map.ts';
import { MIB } from '../../../src/shared/bytes.ts';

/** Log2 of BAR sizes: small enough that 200 functions fit. */
const SIZE_BITS: Readonly<Record<BarKind, [number, number]>> = {
  io: [2, 6],
  mem32: [4, 20],
  'mem32-prefetchable': [12, 18],
  mem64: [12, 20],
  'mem64-prefetchable': [12, 34],
};

const bar = fc
  .constantFrom<BarKind>(
    'io',
    'mem32',
    'mem32',
    'mem32-prefetchable',
    'mem64',
    'mem64-prefetchable',
    'mem64-prefetchable',
  )
  .chain((kind) =>
    fc.integer({ min: SIZE_BITS[kind][0], max: SIZE_BITS[kind][1] }).map((bits) => ({ kind, size: 2 ** bits })),
  );

/** Up to three BARs in the even registers, so that each may be 64 bits wide. */
const bars = fc
  .array(bar, { maxLength: 3 })
  .map((list) => list.map((entry, index): BarConfig => ({ ...entry, index: 2 * index })));

/** One step of growth: where to hang the next function, what it is. */
interface Growth {
  readonly parent: number;
  readonly isBridge: boolean;
  readonly bars: BarConfig[];
  readonly pin: 0 | 1 | 2 | 3 | 4;
}

const growth: fc.Arbitrary<Growth> = fc.record({
  parent: fc.nat(),
  isBridge: fc.boolean(),
  bars,
  pin: fc.constantFrom(0, 1, 2, 3, 4),
});

interface Bus {
  readonly depth: number;
  readonly functions: PciFunctionConfig[];
}

const MAX_DEPTH = 6;
/** Bridges with I/O behind them take 4 KiB of 60 each; I/O BARs beyond this many are left out. */
const MAX_IO_BARS = 10;
const MAX_BRIDGES = 60;

function grow(steps: readonly Growth[], extraRoot: boolean, ramMib: number): MachineConfig {
  const roots: Bus[] = [{ depth: 0, functions: [] }];
  if (extraRoot) roots.push({ depth: 0, functions: [] });
  const buses = [...roots];
  let ioBars = 0;
  let bridges = 0;
  for (const [index, step] of steps.entries()) {
    const open = buses.filter((bus) => bus.functions.length < 30);
    const bus = open[step.parent % open.length];
    const isBridge = step.isBridge && bus.depth < MAX_DEPTH && bridges < MAX_BRIDGES;
    const kept = step.bars.filter((entry) => entry.kind !== 'io' || ioBars++ < MAX_IO_BARS);
    const secondary: PciFunctionConfig[] | undefined = isBridge ? [] : undefined;
    bus.functions.push({
      id: `f${index}`,
      model: isBridge ? 'pci-bridge' : 'q35-testdev',
      device: bus.functions.length + 1,
      function: 0,
      bars: kept,
      interruptPin: step.pin,
      options: {},
      secondary,
    });
    if (secondary !== undefined) {
      bridges++;
      buses.push({ depth: bus.depth + 1, functions: secondary });
    }
  }
  const ramBytes = ramMib * MIB;
  return {
    ramBytes,
    lowRamBytes: lowRamBytes(ramBytes),
    cpus: 1,
    numaNodes: [],
    pm: 'qemu',
    hostBridges: roots.map(({ functions }, index) =>
      index === 0
        ? { id: 'pcie.0', segment: 0, busNumber: 0, functions }
        : { id: 'pxb1', segment: 0, busNumber: 0x80, slot: 0x1e, functions },
    ),
  };
}

/** Boards of up to 200 functions, bridges nested up to six deep, on one or two host bridges. */
export const randomBoard: fc.Arbitrary<MachineConfig> = fc
  .tuple(fc.array(growth, { maxLength: 200, size: 'max' }), fc.boolean(), fc.integer({ min: 64, max: 3584 }))
  .map(([steps, extraRoot, ram]) => grow(steps, extraRoot, ram));
