import { describe, expect, test } from 'vitest';
import { pirqOf } from '../../../src/emulator/machine/interrupt-routing.ts';
import { RCBA } from '../../../src/emulator/machine/memory-map.ts';
import { hasQemu, type RegisterStep, runOnDevices, runOnQemu } from '../../oracle/qtest.ts';
import { boardConfig, configAddress, scriptedMachine } from '../machine/scripted-machine.ts';

/** 8259 line of each PIRQ, all different, so that a line tells the PIRQ. */
const LINES = [3, 4, 5, 6, 7, 10, 11, 12];
const BAR = 0xe000_0000;
/** edu on pcie.0 at these slots, behind a bridge in slot 5 at these, and behind an expander's port in slot 3 at slot 0. */
const ROOT_SLOTS = [1, 2, 6, 8, 24, 25, 26, 27, 28, 29, 30];
const BRIDGE_SLOTS = [0, 1, 2, 3];
const EXPANDER_SLOTS = [0, 1, 2];

const CARDS = [
  ...ROOT_SLOTS.map((device) => ({ bus: 0, device })),
  ...BRIDGE_SLOTS.map((device) => ({ bus: 1, device })),
  ...EXPANDER_SLOTS.map((_device, index) => ({ bus: 0x81 + index, device: 0 })),
];

const OUR_BOARD = boardConfig(
  [
    ...ROOT_SLOTS.map((device) => ({ id: `root${device}`, model: 'edu' as const, device })),
    {
      id: 'br0',
      model: 'pci-bridge',
      device: 5,
      secondary: BRIDGE_SLOTS.map((device) => ({ id: `bridge${device}`, model: 'edu' as const, device })),
    },
  ],
  [
    {
      id: 'pxb',
      busNumber: 0x80,
      slot: 3,
      functions: EXPANDER_SLOTS.map((device) => ({
        id: `port${device}`,
        model: 'pcie-root-port' as const,
        device,
        secondary: [{ id: `card${device}`, model: 'edu' as const, device: 0 }],
      })),
    },
  ],
);

const QEMU_BOARD = [
  'pxb-pcie,id=pxb,bus=pcie.0,bus_nr=0x80,addr=3',
  'pci-bridge,id=br0,bus=pcie.0,addr=5,chassis_nr=9,shpc=off',
  ...ROOT_SLOTS.map((device) => `edu,bus=pcie.0,addr=${device.toString(16)}`),
  ...BRIDGE_SLOTS.map((device) => `edu,bus=br0,addr=${device}`),
  ...EXPANDER_SLOTS.map((device) => `pcie-root-port,id=port${device},bus=pxb,addr=${device},chassis=${device + 1}`),
  ...EXPANDER_SLOTS.map((device) => `edu,bus=port${device},addr=0`),
].flatMap((device) => ['-device', device]);

function config(bus: number, device: number, register: number, size: 1 | 2 | 4, value: number): RegisterStep[] {
  return [
    ['out', 0xcf8, configAddress(bus, device, 0, register), 4],
    ['out', 0xcfc + (register & 3), value, size],
  ];
}

function openBridge(bus: number, device: number, secondary: number, base: number): RegisterStep[] {
  return [
    ...config(bus, device, 0x18, 4, bus | (secondary << 8) | (secondary << 16)),
    ...config(bus, device, 0x20, 4, (base / 0x1_0000) * 0x1_0001 + 0xf0_0000),
    ...config(bus, device, 4, 2, 7),
  ];
}

/** Programs the board; DxxIR registers take `routes` in the order of 31, 29, 28, 27, 26, 25. */
function setUp(routes: readonly number[]): RegisterStep[] {
  const steps: RegisterStep[] = [];
  for (const [base, vectors, cascade] of [
    [0x20, 0x20, 4],
    [0xa0, 0x28, 2],
  ]) {
    steps.push(['out', base, 0x11], ['out', base + 1, vectors], ['out', base + 1, cascade], ['out', base + 1, 1]);
    // Everything masked: requests show all the same, and nobody takes them.
    steps.push(['out', base + 1, 0xff], ['out', base, 0x0a]);
  }
  const level = LINES.reduce((bits, line) => bits | (1 << line), 0);
  steps.push(['out', 0x4d0, level & 0xff], ['out', 0x4d1, level >> 8]);
  for (const [pirq, line] of LINES.entries()) steps.push(...config(0, 31, (pirq < 4 ? 0x60 : 0x64) + pirq, 1, line));
  steps.push(...config(0, 31, 0xf0, 4, RCBA.base + 1));
  for (const [index, register] of [0x3140, 0x3144, 0x3146, 0x3148, 0x314c, 0x3150].entries()) {
    steps.push(['write', RCBA.base + register, routes[index], 2]);
  }
  steps.push(...openBridge(0, 5, 1, 0xe400_0000));
  for (const device of EXPANDER_SLOTS)
    steps.push(...openBridge(0x80, device, 0x81 + device, 0xe800_0000 + device * 0x100_0000));
  for (const [index, card] of CARDS.entries()) {
    steps.push(
      ...config(card.bus, card.device, 0x10, 4, barOf(card, index)),
      ...config(card.bus, card.device, 4, 2, 6),
    );
  }
  return steps;
}

function barOf(card: { readonly bus: number; readonly device: number }, index: number): number {
  if (card.bus === 0) return BAR + index * 0x10_0000;
  return card.bus === 1 ? 0xe400_0000 + card.device * 0x10_0000 : 0xe800_0000 + (card.bus - 0x81) * 0x100_0000;
}

/** Each card alone asserts INTx and releases it; the request registers of both 8259s are read in between. */
const PULSES: readonly RegisterStep[] = CARDS.flatMap((card, index): RegisterStep[] => {
  const bar = barOf(card, index);
  return [
    ['write', bar + 0x60, 1, 4],
    ['in', 0x20],
    ['in', 0xa0],
    ['write', bar + 0x64, 1, 4],
    ['in', 0x20],
    ['in', 0xa0],
  ];
});

const RESET_ROUTES = new Array<number>(6).fill(0x3210);
const OTHER_ROUTES = [0x3210, 0x7654, 0x0123, 0x4567, 0x1032, 0x6420];

function onOurs(steps: readonly RegisterStep[]): string[] {
  const { cpuPort } = scriptedMachine(OUR_BOARD).machine;
  return runOnDevices(steps, {
    portRead: (at, size) => cpuPort.portRead(at, size),
    portWrite: (at, size, value) => cpuPort.portWrite(at, size, value),
    memoryRead: (at, size) => cpuPort.read(at, size),
    memoryWrite: (at, size, value) => cpuPort.write(at, size, value),
  });
}

/** The 8259 lines requested in reading pair `index`. */
function requested(readings: readonly string[], index: number): number[] {
  const bits = Number(readings[index].split(' = ')[1]) | (Number(readings[index + 1].split(' = ')[1]) << 8);
  return LINES.filter((line) => (bits >> line) & 1);
}

describe('INTx routing', () => {
  test('each card reaches the PIRQ that the shared rule gives, and lets go of it', () => {
    const readings = onOurs([...setUp(RESET_ROUTES), ...PULSES]);
    for (const [index, card] of CARDS.entries()) {
      const pirq =
        card.bus === 0
          ? pirqOf(undefined, card.device, 1)
          : card.bus === 1
            ? pirqOf(undefined, 5, ((card.device % 4) + 1) as 1 | 2 | 3 | 4)
            : pirqOf(3, card.bus - 0x81, 1);
      expect([card, requested(readings, index * 4)]).toEqual([card, [LINES[pirq]]]);
      expect([card, requested(readings, index * 4 + 2)]).toEqual([card, []]);
    }
  });

  test.skipIf(!hasQemu).each([
    ['reset values of DxxIR', RESET_ROUTES],
    ['other values of DxxIR', OTHER_ROUTES],
  ])('as on QEMU with %s (skipped without qemu-system-x86_64)', async (_name, routes) => {
    const steps = [...setUp(routes), ...PULSES];
    const lines = (readings: readonly string[]): number[][] =>
      CARDS.map((_card, index) => requested(readings, index * 4));
    expect(lines(onOurs(steps))).toEqual(lines(await runOnQemu(steps, QEMU_BOARD)));
  });
});
