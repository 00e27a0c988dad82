import { describe, expect, test } from 'vitest';
import type { AccessSize } from '../../../src/emulator/machine/ports.ts';
import { boardConfig, configAddress, scriptedMachine } from './scripted-machine.ts';

/** Every model of the catalog, on buses of every kind. */
const BOARD = boardConfig(
  [
    {
      id: 'rp0',
      model: 'pcie-root-port',
      device: 2,
      secondary: [{ id: 'rng', model: 'virtio-rng-pci', device: 0 }],
    },
    {
      id: 'br0',
      model: 'pci-bridge',
      device: 3,
      secondary: [
        { id: 'edu', model: 'edu', device: 1 },
        { id: 'test', model: 'pci-testdev', device: 2 },
        { id: 'net', model: 'virtio-net-pci', device: 3 },
      ],
    },
    { id: 'dmi', model: 'i82801b11-bridge', device: 4 },
    { id: 'own', model: 'q35-testdev', device: 5, bars: [{ index: 0, kind: 'mem32', size: 0x4000 }] },
    { id: 'serial', model: 'virtio-serial-pci', device: 6 },
    { id: 'disk', model: 'virtio-blk-pci', device: 7, options: { drive: 'd' } },
  ],
  [{ id: 'pxb', busNumber: 0x80, slot: 8, functions: [{ id: 'rp1', model: 'pcie-root-port', device: 0 }] }],
);

/** A small deterministic generator (numerical recipes' LCG). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const SIZES: readonly AccessSize[] = [1, 2, 4];
/** Where accesses go: everything below 1 MiB, the PCI hole, chipset blocks, above 4 GiB. */
const AREAS = [
  0, 0xa_0000, 0xb000_0000, 0xc000_0000, 0xd000_0000, 0xfec0_0000, 0xfed0_0000, 0xfed1_c000, 0xfee0_0000, 0xffff_0000,
  0x1_0000_0000, 0x40_0000_0000,
];
/** A reset or a power-off would only end the abuse early. */
const SPARED_PORTS = new Set([0xcf9, 0x64, 0x92, 0x501]);

describe('a guest that does anything at all', () => {
  test.each([1, 2, 3])('never makes the machine throw, and reads are unsigned and in range (seed %i)', (seed) => {
    const { machine } = scriptedMachine(BOARD, {
      backends: {
        drive: () => ({
          byteLength: 0x1_0000,
          readOnly: false,
          read: (_at, target) => void target.fill(0),
          write() {},
          flush() {},
        }),
        network: () => undefined,
        entropy: () => ({ fill: (target) => void target.fill(0x5a) }),
        character: () => undefined,
      },
    });
    const bus = machine.cpuPort;
    const next = random(seed);
    const check = (value: number, size: AccessSize): void => {
      if (!(value >= 0 && value < 2 ** (8 * size) && Number.isInteger(value)))
        throw new Error(`read ${value} of ${size} bytes`);
    };
    // Number the bridges and open everything first, so that the abuse reaches the devices.
    const functions = [2, 3, 4].map((device) => [0, device] as const);
    for (const [index, [number, device]] of [...functions, [0x80, 0] as const].entries()) {
      bus.portWrite(0xcf8, 4, configAddress(number, device, 0, 0x18));
      bus.portWrite(0xcfc, 4, number === 0x80 ? 0x0081_8180 : ((index + 1) << 8) | ((index + 1) << 16));
    }
    for (let step = 0; step < 20_000; step++) {
      const size = SIZES[next(3)];
      const value = next(3) === 0 ? 0xffff_ffff : next(2 ** 32);
      const kind = next(6);
      if (kind === 0) {
        bus.portWrite(0xcf8, 4, configAddress(next(2) === 0 ? next(4) : 0x80 + next(2), next(9), 0, next(0x100)));
        if (next(4) === 0) check(bus.portRead(0xcfc + next(4), size), size);
        else bus.portWrite(0xcfc + next(4), size, value);
      } else if (kind <= 2) {
        const port = next(2) === 0 ? next(0x1000) : next(0x1_0000);
        if (SPARED_PORTS.has(port) || (port >= 0x4fe && port <= 0x504)) continue;
        if (next(2) === 0) check(bus.portRead(port, size), size);
        else bus.portWrite(port, size, value);
      } else {
        const address = AREAS[next(AREAS.length)] + next(next(2) === 0 ? 0x1000 : 0x1000_0000);
        if (next(2) === 0) check(bus.read(address, size), size);
        else bus.write(address, size, value);
      }
      if (step % 500 === 0) machine.run({ untilTime: machine.clock.now() + 10_000 });
    }
    machine.run({ untilTime: machine.clock.now() + 1_000_000 });
    for (const found of machine.root.functions()) expect(found.registers.dump().length).toBeGreaterThan(0);
    machine.reset();
    bus.portWrite(0xcf8, 4, configAddress(0, 0, 0, 0));
    expect(bus.portRead(0xcfc, 4)).toBe(0x29c0_8086);
  });
});
