import { describe, expect, test } from 'vitest';
import { hasQemu, type RegisterStep, runOnDevices, runOnQemu } from '../../oracle/qtest.ts';
import { boardConfig, configAddress, scriptedMachine } from './scripted-machine.ts';

/** The same board for both: two edu behind ports and bridges of depth 1 and 2, one on the root bus, a pci-testdev with I/O. */
const QEMU_BOARD = [
  ['pxb-pcie', 'id=pxb,bus=pcie.0,bus_nr=0x80,addr=3'],
  ['pcie-root-port', 'id=rp0,bus=pcie.0,chassis=1,slot=1,addr=4'],
  ['edu', 'bus=rp0,addr=0'],
  ['pci-bridge', 'id=br0,bus=pcie.0,addr=5,chassis_nr=2,shpc=off'],
  ['pci-bridge', 'id=br1,bus=br0,addr=2,chassis_nr=3,shpc=off'],
  ['edu', 'bus=br1,addr=3'],
  ['pci-testdev', 'bus=br1,addr=4'],
  ['edu', 'bus=pcie.0,addr=8'],
  ['pcie-root-port', 'id=rp1,bus=pxb,chassis=4,slot=4,addr=0'],
  ['edu', 'bus=rp1,addr=0'],
].flatMap(([model, options]) => ['-device', `${model},${options}`]);

const OUR_BOARD = boardConfig(
  [
    {
      id: 'rp0',
      model: 'pcie-root-port',
      device: 4,
      options: { slot: '1' },
      secondary: [{ id: 'e0', model: 'edu', device: 0 }],
    },
    {
      id: 'br0',
      model: 'pci-bridge',
      device: 5,
      options: { chassis_nr: '2' },
      secondary: [
        {
          id: 'br1',
          model: 'pci-bridge',
          device: 2,
          options: { chassis_nr: '3' },
          secondary: [
            { id: 'e1', model: 'edu', device: 3 },
            { id: 'td', model: 'pci-testdev', device: 4 },
          ],
        },
      ],
    },
    { id: 'e2', model: 'edu', device: 8 },
  ],
  [
    {
      id: 'pxb',
      busNumber: 0x80,
      slot: 3,
      functions: [
        {
          id: 'rp1',
          model: 'pcie-root-port',
          device: 0,
          options: { slot: '4' },
          secondary: [{ id: 'e3', model: 'edu', device: 0 }],
        },
      ],
    },
  ],
);

/** Bridges and where their windows may fall: siblings keep apart, as overlapping windows are the firmware's fault. */
const BRIDGES = [
  { bus: 0, device: 4, secondary: 1, subordinate: 1, area: 0xc000_0000, io: 0x1000 },
  { bus: 0, device: 5, secondary: 2, subordinate: 3, area: 0xc800_0000, io: 0x4000 },
  { bus: 2, device: 2, secondary: 3, subordinate: 3, area: 0xc800_0000, io: 0x4000 },
  { bus: 0x80, device: 0, secondary: 0x81, subordinate: 0x81, area: 0xd000_0000, io: 0x8000 },
];
const CARDS = [
  { bus: 1, device: 0, area: 0xc000_0000 },
  { bus: 3, device: 3, area: 0xc800_0000 },
  { bus: 0, device: 8, area: 0xd800_0000 },
  { bus: 0x81, device: 0, area: 0xd000_0000 },
];
const TESTDEV = { bus: 3, device: 4, io: 0x4000 };

/** A small deterministic generator (numerical recipes' LCG). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function script(seed: number): RegisterStep[] {
  const next = random(seed);
  const steps: RegisterStep[] = [];
  const config = (bus: number, device: number, register: number, size: 1 | 2 | 4, value: number): void => {
    steps.push(
      ['out', 0xcf8, configAddress(bus, device, 0, register), 4],
      ['out', 0xcfc + (register & 3), value, size],
    );
  };
  config(0, 0, 0x60, 4, 0xb000_0001);
  for (const bridge of BRIDGES) {
    config(bridge.bus, bridge.device, 0x18, 4, bridge.bus | (bridge.secondary << 8) | (bridge.subordinate << 16));
    // Windows in MiB from the area's start, often enough closed (base above limit).
    const window = (): number => (bridge.area + next(16) * 0x10_0000) / 0x1_0000;
    for (const register of [0x20, 0x22, 0x24, 0x26]) config(bridge.bus, bridge.device, register, 2, window());
    for (const register of [0x28, 0x2c]) config(bridge.bus, bridge.device, register, 4, 0);
    for (const register of [0x1c, 0x1d])
      config(bridge.bus, bridge.device, register, 1, (bridge.io >> 8) + 0x10 * next(4));
    config(bridge.bus, bridge.device, 0x3e, 2, 0);
    config(bridge.bus, bridge.device, 4, 2, next(6) === 0 ? next(8) : 7);
  }
  const bars = CARDS.map(({ area }) => area + next(16) * 0x10_0000);
  for (const [index, card] of CARDS.entries()) {
    config(card.bus, card.device, 0x10, 4, bars[index]);
    config(card.bus, card.device, 4, 2, next(6) === 0 ? 0 : 7);
  }
  const port = TESTDEV.io + 0x100 * next(0x40);
  config(TESTDEV.bus, TESTDEV.device, 0x14, 4, port);
  config(TESTDEV.bus, TESTDEV.device, 4, 2, 1);
  for (const bar of bars) steps.push(['read', bar, 4], ['read', bar + 0x10_0000, 4]);
  steps.push(['in', port, 1]);
  // Config space of every bus, numbered or not, by ECAM.
  for (const bus of [0, 1, 2, 3, 4, 0x80, 0x81, 0x82]) {
    for (const device of [0, 2, 3, 4, 5, 8]) steps.push(['read', 0xb000_0000 + bus * 0x10_0000 + device * 0x8000, 4]);
  }
  // Every window as it reads back.
  for (const bridge of BRIDGES) {
    for (const register of [0x18, 0x1c, 0x20, 0x24]) {
      steps.push(['out', 0xcf8, configAddress(bridge.bus, bridge.device, 0, register), 4], ['in', 0xcfc, 4]);
    }
  }
  return steps;
}

/** QEMU reads unclaimed memory as 0, a PC as ones; nothing that is read here is either when claimed. */
function normalized(reading: string): string {
  return reading.replace(/(read .*) = 0x(0|ffffffff)$/, '$1 unclaimed');
}

describe.skipIf(!hasQemu)('bridge windows and config cycles as on QEMU (skipped without qemu-system-x86_64)', () => {
  test('the same random programming gives the same decoding', async () => {
    const scripts = Array.from({ length: 40 }, (_, seed) => script(seed + 1));
    const onQemu = (await runOnQemu(scripts.flat(), QEMU_BOARD)).map(normalized);
    const { machine } = scriptedMachine(OUR_BOARD);
    const { cpuPort } = machine;
    const ours = runOnDevices(scripts.flat(), {
      portRead: (at, size) => cpuPort.portRead(at, size),
      portWrite: (at, size, value) => cpuPort.portWrite(at, size, value),
      memoryRead: (at, size) => cpuPort.read(at, size),
      memoryWrite: (at, size, value) => cpuPort.write(at, size, value),
    }).map(normalized);
    // Enough of the cards below bridges must answer for the comparison to mean something, and enough must not.
    for (const area of ['0xc0', '0xc8', '0xd0']) {
      const readings = ours.filter((reading) => reading.includes(`read ${area}`));
      const answered = readings.filter((reading) => reading.endsWith('0x10000ed')).length;
      expect([area, answered > 5 && answered < readings.length / 2, answered]).toEqual([area, true, answered]);
    }
    expect(
      ours
        .filter((reading, index) => reading !== onQemu[index])
        .map((reading) => `${reading}, QEMU ${onQemu[ours.indexOf(reading)]}`),
    ).toEqual([]);
  });
});
