import type { PciPlan, PlannedFunction } from '../../src/bios/pci/plan.ts';
import type { HostBridgeConfig, MachineConfig, PciFunctionConfig } from '../../src/emulator/machine/config.ts';
import { ECAM } from '../../src/emulator/machine/memory-map.ts';
import { GIB, MIB } from '../../src/shared/bytes.ts';

const endpoint: PciFunctionConfig = {
  id: 'edu0',
  model: 'edu',
  device: 0,
  function: 0,
  bars: [{ index: 0, kind: 'mem32', size: MIB }],
  interruptPin: 1,
  options: {},
};

const rootPort: PciFunctionConfig = {
  id: 'rp0',
  model: 'pcie-root-port',
  device: 2,
  function: 0,
  bars: [{ index: 0, kind: 'mem32', size: 0x1000 }],
  interruptPin: 1,
  options: {},
  secondary: [endpoint],
};

const hostBridges: readonly HostBridgeConfig[] = [
  { id: 'pcie.0', segment: 0, busNumber: 0, functions: [rootPort] },
  { id: 'pxb1', segment: 0, busNumber: 0x80, slot: 3, functions: [] },
];

/** A small board with one root port, one endpoint behind it and a second host bridge. */
export function smallBoard(changes: Partial<MachineConfig> = {}): MachineConfig {
  return {
    ramBytes: 512 * MIB,
    lowRamBytes: 256 * MIB,
    cpus: 2,
    numaNodes: [],
    pm: 'qemu',
    hostBridges,
    ...changes,
  };
}

/** Two nodes of 256 MiB, one processor each. */
export const TWO_NODES: MachineConfig['numaNodes'] = [
  { id: 0, bytes: 256 * MIB, cpus: [0], distances: [10, 21] },
  { id: 1, bytes: 256 * MIB, cpus: [1], distances: [21, 10] },
];

const plannedEndpoint: PlannedFunction = {
  id: 'edu0',
  bdf: { segment: 0, bus: 1, device: 0, function: 0 },
  config: endpoint,
  bars: [{ index: 0, kind: 'mem32', base: 0xc000_0000, size: MIB, explanation: '' }],
  interrupt: { pin: 1, rootPin: 1, rootDevice: 2, pirq: 6, irq: 11, gsi: 22 },
};

const closed = { base: 0, size: 0 };

/** The plan of `smallBoard`, written by hand. */
export const SMALL_PLAN: PciPlan = {
  ecam: ECAM,
  writes: [],
  hostBridges: [
    {
      id: 'pcie.0',
      uid: 0,
      segment: 0,
      firstBus: 0,
      lastBus: 0x7f,
      windows: {
        io: [{ base: 0x1000, size: 0xb000 }],
        mem32: [{ base: 0xc000_0000, size: 0x2000_0000 }],
        'mem64-prefetchable': [{ base: 8 * GIB, size: 8 * GIB }],
      },
      functions: [
        {
          id: 'rp0',
          bdf: { segment: 0, bus: 0, device: 2, function: 0 },
          config: rootPort,
          bars: [{ index: 0, kind: 'mem32', base: 0xc010_0000, size: 0x1000, explanation: '' }],
          interrupt: { pin: 1, rootPin: 1, rootDevice: 2, pirq: 6, irq: 11, gsi: 22 },
          bridge: {
            primaryBus: 0,
            secondaryBus: 1,
            subordinateBus: 1,
            windows: { io: closed, mem32: { base: 0xc000_0000, size: MIB }, 'mem64-prefetchable': closed },
            explanations: { io: '', mem32: '', 'mem64-prefetchable': '' },
            functions: [plannedEndpoint],
          },
        },
      ],
    },
    {
      id: 'pxb1',
      uid: 0x80,
      segment: 0,
      firstBus: 0x80,
      lastBus: 0xff,
      windows: {
        io: [{ base: 0xc000, size: 0x4000 }],
        mem32: [{ base: 0xe000_0000, size: 0x1000_0000 }],
        'mem64-prefetchable': [],
      },
      functions: [],
    },
  ],
};
