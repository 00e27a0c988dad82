import { describe, expect, test } from 'vitest';
import { UserNet } from '../../../src/emulator/devices/user-net/user-net.ts';
import type { AccessSize } from '../../../src/emulator/machine/ports.ts';
import { boardConfig, configAddress, type ScriptedMachine, scriptedMachine } from './scripted-machine.ts';

/** Every model of the catalog. */
const BOARD = boardConfig(
  [
    { id: 'rp0', model: 'pcie-root-port', device: 2, secondary: [{ id: 'rng', model: 'virtio-rng-pci', device: 0 }] },
    {
      id: 'br0',
      model: 'pci-bridge',
      device: 3,
      secondary: [
        { id: 'edu', model: 'edu', device: 1 },
        { id: 'test', model: 'pci-testdev', device: 2 },
        { id: 'net', model: 'virtio-net-pci', device: 3, options: { netdev: 'n' } },
      ],
    },
    { id: 'dmi', model: 'i82801b11-bridge', device: 4 },
    { id: 'own', model: 'q35-testdev', device: 5, bars: [{ index: 0, kind: 'mem32', size: 0x4000 }] },
    { id: 'serial', model: 'virtio-serial-pci', device: 6 },
    { id: 'disk', model: 'virtio-blk-pci', device: 7, options: { drive: 'd' } },
    { id: 'edu0', model: 'edu', device: 8 },
  ],
  [{ id: 'pxb', busNumber: 0x80, slot: 9, functions: [{ id: 'rp1', model: 'pcie-root-port', device: 0 }] }],
);

function abusedMachine(): ScriptedMachine {
  const network = new UserNet();
  return scriptedMachine(BOARD, {
    backends: {
      drive: () => ({
        byteLength: 0x1_0000,
        readOnly: false,
        read: (_at, target) => void target.fill(0),
        write() {},
        flush() {},
      }),
      network: () => network,
      entropy: () => ({ fill: (target) => void target.fill(0x5a) }),
      character: () => undefined,
    },
  });
}

/** A small deterministic generator (numerical recipes' LCG). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const SIZES: readonly AccessSize[] = [1, 2, 4];
const AREAS = [0xb000_0000, 0xc000_0000, 0xfec0_0000, 0xfed0_0000, 0xfed1_c000, 0xfee0_0000];
/** Ports that matter: PIC, PIT, keyboard, RTC, COM1, APM, ELCR, fw_cfg, PM block. */
const PORTS = [0x20, 0x40, 0x60, 0x64, 0x70, 0x80, 0x92, 0xa0, 0xb2, 0x3f8, 0x4d0, 0x510, 0x600];
/** Resets and sleep would only end the abuse early. */
const SPARED = new Set([0x64, 0x92, 0x501, 0x604, 0x605]);

/** What one random step reads, or undefined when it writes. The same step on the same machine has the same outcome. */
function step({ machine }: ScriptedMachine, next: (below: number) => number): number | undefined {
  const bus = machine.cpuPort;
  const size = SIZES[next(3)];
  const value = next(3) === 0 ? 0xffff_ffff : next(2 ** 32);
  const reads = next(2) === 0;
  switch (next(4)) {
    case 0: {
      bus.portWrite(0xcf8, 4, configAddress(next(4), next(10), 0, next(0x100)));
      if (reads) return bus.portRead(0xcfc, 4);
      bus.portWrite(0xcfc, 4, value);
      return undefined;
    }
    case 1: {
      const port = PORTS[next(PORTS.length)] + next(8);
      if (SPARED.has(port)) return undefined;
      if (reads) return bus.portRead(port, size);
      bus.portWrite(port, size, value);
      return undefined;
    }
    case 2: {
      machine.run({ untilTime: machine.clock.now() + next(100_000) });
      return machine.clock.now();
    }
    default: {
      // Most devices take aligned words only, and have few registers.
      const offset = next(4) === 0 ? next(0x1000) : 4 * next(next(2) === 0 ? 0x10 : 0x100);
      const address = AREAS[next(AREAS.length)] + offset;
      const width = offset % 4 === 0 ? 4 : size;
      if (reads) return bus.read(address, width);
      bus.write(address, width, value);
      return undefined;
    }
  }
}

/** Every source of time runs and interrupts: HPET, local APIC, RTC, PIT by the 8259s and the I/O APIC. */
function startTimers(bus: ScriptedMachine['engine']['bus']): void {
  for (const [port, value] of [
    ...[0x20, 0xa0].flatMap((base) => [
      [base, 0x11],
      [base + 1, 0x20],
      [base + 1, base === 0x20 ? 4 : 2],
      [base + 1, 1],
    ]),
    ...[
      [0x43, 0x34],
      [0x40, 0x40],
      [0x40, 0x00],
      [0x70, 0x0b],
      [0x71, 0x52],
      [0x3f9, 0x0f],
    ],
  ])
    bus.portWrite(port, 1, value);
  for (const [address, value] of [
    [0xfed0_0100, 0x004c | (20 << 9)],
    [0xfed0_0108, 5000],
    [0xfed0_0108, 700],
    [0xfed0_0010, 1],
    [0xfee0_00f0, 0x1ff],
    [0xfee0_0320, 0x2_0040],
    [0xfee0_0380, 12_345],
    [0xfec0_0000, 0x10 + 2 * 20],
    [0xfec0_0010, 0x50],
  ])
    bus.write(address, 4, value);
}

/** Opens what the abuse should reach: bridges numbered, decoding on, the PM block and edu's BAR in place. */
function open({ machine }: ScriptedMachine): void {
  const bus = machine.cpuPort;
  const write = (device: number, register: number, value: number): void => {
    bus.portWrite(0xcf8, 4, configAddress(0, device, 0, register));
    bus.portWrite(0xcfc, 4, value);
  };
  for (const [index, device] of [2, 3, 4].entries()) write(device, 0x18, ((index + 1) << 8) | ((index + 1) << 16));
  write(31, 0x40, 0x601);
  write(31, 0x44, 0x80);
  write(0, 0x60, 0xb000_0005);
  write(8, 0x10, 0xc000_0000);
  write(8, 4, 7);
  machine.run({ untilTime: 12_345 });
  startTimers(bus);
}

describe('a machine that is saved and restored in the midst of anything', () => {
  test.each([1, 2, 3, 4])('goes on as it would have: every read, every alarm, every state (seed %i)', (seed) => {
    const first = abusedMachine();
    open(first);
    const choose = random(seed);
    let restores = 0;
    for (let part = 0; part < 12; part++) {
      for (let count = 0; count < 150; count++) step(first, choose);
      // JSON, as a file has it.
      const saved = JSON.parse(JSON.stringify(first.machine.snapshot()));
      const ram = first.machine.memory.ram().slice();
      const second = abusedMachine();
      second.machine.restore(saved, [{ runs: [{ first: 0, count: ram.length / 0x1000 }], load: () => ram }]);
      expect(JSON.parse(JSON.stringify(second.machine.snapshot()))).toEqual(saved);
      const stream = choose(2 ** 32);
      const onFirst = random(stream);
      const onSecond = random(stream);
      for (let count = 0; count < 150; count++) expect(step(second, onSecond)).toBe(step(first, onFirst));
      expect(second.machine.snapshot()).toEqual(first.machine.snapshot());
      expect(second.machine.stateHash()).toBe(first.machine.stateHash());
      restores++;
    }
    expect(restores).toBe(12);
  });

  test('every part of the machine is in it, each under its own name', () => {
    const { machine } = abusedMachine();
    const names = machine.components().map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const functions = names.filter((name) => name.startsWith('PCI '));
    expect(functions).toHaveLength(machine.root.functions().length);
    expect(names).toEqual(
      expect.arrayContaining(['PIT', 'HPET', 'RTC', 'COM1', 'I8042', 'PIC', 'IOAPIC', 'LOCAL_APIC']),
    );
  });
});
