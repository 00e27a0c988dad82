import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  TESTDEV,
  TESTDEV_DMA,
  TESTDEV_DMA_STATUS,
  TESTDEV_ID,
} from '../../../src/emulator/devices/q35-testdev/registers.ts';
import { swizzlePin } from '../../../src/emulator/machine/interrupt-routing.ts';
import type { PciBridge } from '../../../src/emulator/pci/bridge.ts';
import { PciBoard, type TestFunction } from './pci-board.ts';

const TESTDEV_BARS = [
  { index: 0, kind: 'mem32', size: 0x4000 },
  { index: 2, kind: 'mem64-prefetchable', size: 2 ** 33 },
  { index: 4, kind: 'io', size: 0x20 },
] as const;

function testdev(id: string, device: number): TestFunction {
  return { id, model: 'q35-testdev', device, bars: TESTDEV_BARS };
}

/** Bus 0: bridge at 4 → bus 1: bridge at 1 → bus 2: test device at 3; bus 1 has a test device at 2. Bus 0 has one at 8. */
let board: PciBoard;
const OUTER = [0, 4] as const;
const INNER = [1, 1] as const;
const DEEP = [2, 3] as const;
const MIDDLE = [1, 2] as const;

beforeEach(() => {
  board = new PciBoard([
    {
      id: 'outer',
      model: 'pci-bridge',
      device: 4,
      secondary: [
        { id: 'inner', model: 'pci-bridge', device: 1, secondary: [testdev('deep', 3)] },
        testdev('middle', 2),
      ],
    },
    testdev('root', 8),
  ]);
  board.openBridge(
    OUTER,
    { secondary: 1, subordinate: 2 },
    { memory: [0xc000_0000, 0xc03f_ffff], prefetchable: [0x40_0000_0000, 0x47_ffff_ffff], io: [0x2000, 0x3fff] },
  );
  board.openBridge(
    INNER,
    { secondary: 2, subordinate: 2 },
    { memory: [0xc010_0000, 0xc01f_ffff], prefetchable: [0x42_0000_0000, 0x43_ffff_ffff], io: [0x3000, 0x3fff] },
  );
  board.set(DEEP, 'BAR0', 0xc010_0000);
  board.set(DEEP, 'BAR2', 0x42_0000_0000);
  board.set(DEEP, 'BAR4', 0x3000);
  board.set(DEEP, 'COMMAND', 7);
  board.set(MIDDLE, 'BAR0', 0xc020_0000);
  board.set(MIDDLE, 'COMMAND', 7);
});

describe('config cycles', () => {
  test('reach functions by the bus numbers in the bridges, and no others', () => {
    const id = (bus: number, device: number): number => board.root.readConfig(bus, device, 0, 0, 4);
    expect(id(0, 4)).toBe(0x0001_1b36);
    expect(id(1, 1)).toBe(0x0001_1b36);
    expect(id(2, 3)).toBe(0x35ed_1b36);
    expect(id(2, 4)).toBe(0xffff_ffff);
    expect(id(3, 3)).toBe(0xffff_ffff);
    board.set(OUTER, 'SUBORDINATE_BUS', 1);
    expect(id(2, 3)).toBe(0xffff_ffff);
    expect(id(1, 2)).toBe(0x35ed_1b36);
  });

  test('extended config space ends at a conventional bus', () => {
    expect(board.root.readConfig(2, 3, 0, 0x100, 4)).toBe(0xffff_ffff);
    expect(board.root.readConfig(0, 8, 0, 0x100, 4)).toBe(0);
  });

  test('a bridge that was not numbered forwards nothing', () => {
    board.set(OUTER, 'SECONDARY_BUS', 0);
    expect(board.root.readConfig(1, 2, 0, 0, 4)).toBe(0xffff_ffff);
    expect(board.root.readConfig(0, 2, 0, 0, 4)).toBe(0xffff_ffff);
  });
});

describe('downstream', () => {
  test('memory, 64-bit memory and I/O arrive through both windows', () => {
    expect(board.root.memory.read(0xc010_0000 + TESTDEV.ID, 4)).toBe(TESTDEV_ID);
    board.root.memory.write(0x43_ffff_fffc, 4, 0x1122_3344);
    expect(board.root.memory.read(0x43_ffff_fffc, 4)).toBe(0x1122_3344);
    board.root.io.write(0x3004, 2, 0xbeef);
    expect(board.root.io.read(0x3004, 2)).toBe(0xbeef);
  });

  test.each([
    ['the outer memory window', OUTER, 'MEMORY_LIMIT', 0xc000],
    ['the inner memory window', INNER, 'MEMORY_BASE', 0xc020],
  ] as const)('nothing arrives outside of %s', (_name, address, register, value) => {
    board.set(address, register, value);
    expect(board.root.memory.read(0xc010_0000, 4)).toBe(0xffff_ffff);
  });

  test('COMMAND closes memory and I/O by itself', () => {
    board.set(OUTER, 'COMMAND', 5);
    expect(board.root.memory.read(0xc010_0000, 4)).toBe(0xffff_ffff);
    expect(board.root.io.read(0x3004, 1)).toBe(0);
    board.set(OUTER, 'COMMAND', 6);
    expect(board.root.memory.read(0xc010_0000, 4)).toBe(TESTDEV_ID);
    expect(board.root.io.read(0x3004, 1)).toBe(0xff);
  });

  test('ISA Enable keeps the last 768 bytes of each KiB to ISA', () => {
    board.set(DEEP, 'BAR4', 0x3100);
    expect(board.root.io.read(0x3104, 1)).toBe(0);
    board.set(OUTER, 'BRIDGE_CONTROL', 4);
    expect(board.root.io.read(0x3104, 1)).toBe(0xff);
    board.set(DEEP, 'BAR4', 0x3400);
    expect(board.root.io.read(0x3404, 1)).toBe(0);
  });

  test('VGA Enable forwards legacy video memory and ports', () => {
    const outer = board.at('outer') as PciBridge;
    expect(outer.memoryWindows().length).toBe(2);
    board.set(OUTER, 'BRIDGE_CONTROL', 0x18);
    expect(outer.memoryWindows()).toContainEqual({ base: 0xa_0000, size: 0x2_0000 });
    expect(outer.ioWindows()).toContainEqual({ base: 0x3c0, size: 0x20 });
  });

  test('any window lets through exactly what lies in it', () => {
    fc.assert(
      fc.property(fc.nat(15), fc.nat(15), fc.nat(15), (base, limit, at) => {
        board.set(OUTER, 'MEMORY_BASE', 0xc000 + base * 0x10);
        board.set(OUTER, 'MEMORY_LIMIT', 0xc000 + limit * 0x10);
        board.set(MIDDLE, 'BAR0', 0xc000_0000 + at * 0x10_0000);
        const seen = board.root.memory.read(0xc000_0000 + at * 0x10_0000, 4) === TESTDEV_ID;
        expect(seen).toBe(base <= at && at <= limit);
      }),
      { numRuns: 60 },
    );
  });
});

describe('upstream', () => {
  /** A DMA write of 4 bytes by the device whose BAR 0 is at `bar`; returns its status. */
  function dma(bar: number, address: number, command: number = TESTDEV_DMA.TO_MEMORY): number {
    const { memory } = board.root;
    memory.write(bar + TESTDEV.DMA_ADDRESS, 4, address % 2 ** 32);
    memory.write(bar + TESTDEV.DMA_ADDRESS_HIGH, 4, Math.floor(address / 2 ** 32));
    memory.write(bar + TESTDEV.DMA_OFFSET, 4, 0);
    memory.write(bar + TESTDEV.DMA_COUNT, 4, 4);
    memory.write(bar + TESTDEV.DMA_COMMAND, 4, command);
    return memory.read(bar + TESTDEV.DMA_STATUS, 4);
  }

  const DEEP_BAR = 0xc010_0000;
  const MIDDLE_BAR = 0xc020_0000;

  beforeEach(() => board.root.memory.write(DEEP_BAR + 0x800, 4, 0xfeed_f00d));

  test('a transfer climbs to memory', () => {
    expect(dma(DEEP_BAR, 0x100)).toBe(TESTDEV_DMA_STATUS.DONE);
    expect([...board.ram.subarray(0x100, 0x104)]).toEqual([0x0d, 0xf0, 0xed, 0xfe]);
    board.ram[0x200] = 0x77;
    expect(dma(DEEP_BAR, 0x200, TESTDEV_DMA.FROM_MEMORY)).toBe(TESTDEV_DMA_STATUS.DONE);
    expect(board.root.memory.read(DEEP_BAR + 0x800, 1)).toBe(0x77);
  });

  test.each([
    ['the device', DEEP],
    ['the inner bridge', INNER],
    ['the outer bridge', OUTER],
  ] as const)('%s without Bus Master Enable stops it', (_name, address) => {
    board.set(address, 'COMMAND', 3);
    expect(dma(DEEP_BAR, 0x100)).toBe(TESTDEV_DMA_STATUS.ABORTED);
    expect(board.ram[0x100]).toBe(0);
  });

  test('a peer on the bus above is reached without going to the root', () => {
    expect(dma(DEEP_BAR, MIDDLE_BAR + 0x3000)).toBe(TESTDEV_DMA_STATUS.DONE);
    expect(board.root.memory.read(MIDDLE_BAR + 0x3000, 4)).toBe(0xfeed_f00d);
  });

  test('what lies inside a window on the way is not forwarded up', () => {
    // RAM right where the outer bridge's window is: real boards have none, and here nobody may get to it.
    board.system.mapMemory('RAM', 0xc030_0000, 0x1000, 0x4000);
    expect(dma(MIDDLE_BAR, 0xc030_0000)).toBe(TESTDEV_DMA_STATUS.ABORTED);
    expect(board.ram[0x4000]).toBe(0);
    expect(board.at('outer').registers.field('SECONDARY_STATUS', 'RECEIVED_MASTER_ABORT')).toBe(1);
    board.set(OUTER, 'MEMORY_LIMIT', 0xc020);
    expect(dma(MIDDLE_BAR, 0xc030_0000)).toBe(TESTDEV_DMA_STATUS.DONE);
  });

  test('interrupt messages are writes like others', () => {
    const msi = board.at('deep').registers;
    board.set(DEEP, 'MSI.ADDRESS', 0xfee0_1000);
    board.set(DEEP, 'MSI.DATA', 0x41);
    board.set(DEEP, 'MSI.CONTROL', 1);
    expect(msi.field('MSI.CONTROL', 'ENABLE')).toBe(1);
    board.root.memory.write(DEEP_BAR + TESTDEV.INTERRUPT_RAISE, 4, 0);
    expect(board.messages).toEqual([[0xfee0_1000, 0x41]]);
    board.set(INNER, 'COMMAND', 3);
    board.root.memory.write(DEEP_BAR + TESTDEV.INTERRUPT_RAISE, 4, 0);
    expect(board.messages.length).toBe(1);
  });

  test('MSI-X: masked vectors wait as pending and go out when unmasked', () => {
    const entry = DEEP_BAR + 0x400 + 16;
    board.set(DEEP, 'MSIX.CONTROL', 0x8000);
    const { memory } = board.root;
    memory.write(entry, 4, 0xfee0_0000);
    memory.write(entry + 8, 4, 0x66);
    memory.write(DEEP_BAR + TESTDEV.INTERRUPT_RAISE, 4, 1);
    expect(board.messages).toEqual([]);
    expect(memory.read(DEEP_BAR + 0x500, 4)).toBe(2);
    memory.write(entry + 12, 4, 0);
    expect(board.messages).toEqual([[0xfee0_0000, 0x66]]);
    expect(memory.read(DEEP_BAR + 0x500, 4)).toBe(0);
    board.set(DEEP, 'MSIX.CONTROL', 0xc000);
    memory.write(DEEP_BAR + TESTDEV.INTERRUPT_RAISE, 4, 1);
    expect(board.messages.length).toBe(1);
    board.set(DEEP, 'MSIX.CONTROL', 0x8000);
    expect(board.messages.length).toBe(2);
  });
});

describe('INTx', () => {
  test('swizzles at each bridge and obeys Interrupt Disable', () => {
    board.root.memory.write(0xc010_0000 + TESTDEV.INTERRUPT_RAISE, 4, 0);
    const pin = swizzlePin(1, swizzlePin(3, 1));
    expect([...board.interrupts]).toEqual([[`0 4 ${pin}`, 1]]);
    board.set(DEEP, 'COMMAND', 0x407);
    expect([...board.interrupts.values()]).toEqual([0]);
    expect(board.at('deep').registers.field('STATUS', 'INTERRUPT')).toBe(1);
    board.set(DEEP, 'COMMAND', 0x007);
    board.root.memory.write(0xc010_0000 + TESTDEV.INTERRUPT_ACKNOWLEDGE, 4, 1);
    expect([...board.interrupts.values()]).toEqual([0]);
  });
});

describe('reset and power', () => {
  test('Secondary Bus Reset resets what is below, and only that', () => {
    board.set(OUTER, 'BRIDGE_CONTROL', 0x40);
    expect(board.at('deep').registers.get('COMMAND')).toBe(0);
    expect(board.at('inner').registers.get('SECONDARY_BUS')).toBe(0);
    expect(board.at('outer').registers.get('SECONDARY_BUS')).toBe(1);
  });

  test('a function outside D0 decodes nothing', () => {
    board.set(MIDDLE, 'PM.CONTROL', 3);
    expect(board.root.memory.read(0xc020_0000, 4)).toBe(0xffff_ffff);
    board.set(MIDDLE, 'PM.CONTROL', 0);
    expect(board.root.memory.read(0xc020_0000, 4)).toBe(TESTDEV_ID);
  });
});

describe('root ports and expanders', () => {
  test('an expander is a root bus of its own number; devices reach memory and each other', () => {
    const pxb = new PciBoard(
      [testdev('left', 8)],
      [{ id: 'port', model: 'pcie-root-port', device: 0, options: { slot: '5' }, secondary: [testdev('right', 0)] }],
    );
    pxb.openBridge([0x80, 0], { secondary: 0x81, subordinate: 0x81 }, { memory: [0xd000_0000, 0xd00f_ffff] });
    pxb.set([0x81, 0], 'BAR0', 0xd000_0000);
    pxb.set([0x81, 0], 'COMMAND', 6);
    pxb.set([0, 8], 'BAR0', 0xc000_0000);
    pxb.set([0, 8], 'COMMAND', 6);
    expect(pxb.root.readConfig(0x80, 0, 0, 0, 4)).toBe(0x000c_1b36);
    expect(pxb.root.readConfig(0x81, 0, 0, 0x100, 4)).toBe(0);
    expect(pxb.root.memory.read(0xd000_0000, 4)).toBe(TESTDEV_ID);
    const { memory } = pxb.root;
    memory.write(0xd000_0000 + TESTDEV.DMA_ADDRESS, 4, 0xc000_3000);
    memory.write(0xd000_0000 + TESTDEV.DMA_COUNT, 4, 4);
    memory.write(0xd000_0000 + 0x800, 4, 0x1234);
    memory.write(0xd000_0000 + TESTDEV.DMA_COMMAND, 4, TESTDEV_DMA.TO_MEMORY);
    expect(memory.read(0xc000_3000, 4)).toBe(0x1234);
    expect(pxb.at('port').registers.field('EXP.LNKSTA', 'LINK_ACTIVE')).toBe(1);
    expect(pxb.at('port').registers.field('EXP.SLTSTA', 'PRESENCE')).toBe(1);
  });

  test('function level reset by Device Control', () => {
    const express = new PciBoard([{ id: 'port', model: 'pcie-root-port', device: 1, secondary: [testdev('card', 0)] }]);
    express.openBridge([0, 1], { secondary: 1, subordinate: 1 });
    express.set([1, 0], 'COMMAND', 7);
    express.set([1, 0], 'EXP.DEVCTL', 0x8000);
    expect(express.at('card').registers.get('COMMAND')).toBe(0);
  });
});
