import { describe, expect, test } from 'vitest';
import { I8259Pair } from '../../../src/emulator/devices/i8259.ts';
import { hasQemu, type RegisterStep, runOnDevices, runOnQemu } from '../../oracle/qtest.ts';
import { DeviceSpace } from '../../oracle/register-space.ts';
import { TestLine } from './test-clock.ts';

function build() {
  const intr = new TestLine();
  const pair = new I8259Pair(intr);
  const space = new DeviceSpace()
    .port(0x20, 2, pair.masterPorts)
    .port(0xa0, 2, pair.slavePorts)
    .port(0x4d0, 2, pair.elcrPorts);
  const out = (port: number, value: number) => space.portWrite(port, 1, value);
  const read = (port: number) => space.portRead(port, 1);
  return { intr, pair, space, out, read };
}

/** As Linux's init_8259A does it. */
function initialize({ out }: ReturnType<typeof build>, icw4 = 0x01): void {
  for (const value of [0x11, 0x30, 0x04, icw4]) out(value === 0x11 ? 0x20 : 0x21, value);
  for (const value of [0x11, 0x38, 0x02, icw4]) out(value === 0x11 ? 0xa0 : 0xa1, value);
}

describe('i8259', () => {
  test('delivers an edge through the cascade and blocks lower priorities until EOI', () => {
    const board = build();
    initialize(board);
    board.pair.line(10).set(true);
    board.pair.line(5).set(true);
    expect(board.intr.level).toBe(true);
    expect(board.pair.acknowledge()).toBe(0x3a);
    expect(board.intr.level).toBe(false);
    board.pair.line(1).set(true);
    expect(board.intr.level).toBe(true);
    expect(board.pair.acknowledge()).toBe(0x31);
    board.out(0x20, 0x20);
    expect(board.intr.level).toBe(false);
    board.out(0xa0, 0x20);
    board.out(0x20, 0x20);
    expect(board.pair.acknowledge()).toBe(0x35);
  });

  test('a level input asks again after EOI while its wire stands', () => {
    const board = build();
    initialize(board);
    board.out(0x4d1, 0x0e);
    const line = board.pair.line(9);
    line.set(true);
    expect(board.pair.acknowledge()).toBe(0x39);
    board.out(0xa0, 0x20);
    board.out(0x20, 0x20);
    expect(board.intr.level).toBe(true);
    line.set(false);
    expect(board.intr.level).toBe(false);
  });

  test('gives input 7 when the request went away', () => {
    const board = build();
    initialize(board);
    expect(board.pair.acknowledge()).toBe(0x37);
    board.out(0x20, 0x0b);
    expect(board.read(0x20)).toBe(0);
  });

  test('a request that the slave withdraws leaves no cascade behind', () => {
    const board = build();
    initialize(board);
    board.pair.line(12).set(true);
    expect(board.intr.level).toBe(true);
    board.out(0xa1, 0xff);
    expect(board.intr.level).toBe(false);
    expect(board.pair.acknowledge()).toBe(0x37);
  });

  test('automatic EOI leaves nothing in service, also for two slave requests in a row', () => {
    const board = build();
    initialize(board, 0x03);
    board.pair.line(8).set(true);
    board.pair.line(12).set(true);
    expect(board.pair.acknowledge()).toBe(0x38);
    expect(board.intr.level).toBe(true);
    expect(board.pair.acknowledge()).toBe(0x3c);
    expect(board.intr.level).toBe(false);
  });

  test('special mask lets lower priorities through a masked input in service', () => {
    const board = build();
    initialize(board);
    board.pair.line(3).set(true);
    expect(board.pair.acknowledge()).toBe(0x33);
    board.pair.line(6).set(true);
    expect(board.intr.level).toBe(false);
    board.out(0x21, 0x08);
    board.out(0x20, 0x68);
    expect(board.intr.level).toBe(true);
    expect(board.pair.acknowledge()).toBe(0x36);
  });

  test('rotation makes the input just served the lowest', () => {
    const board = build();
    initialize(board);
    board.pair.line(3).set(true);
    board.pair.acknowledge();
    board.pair.line(3).set(false);
    board.out(0x20, 0xa0);
    board.pair.line(3).set(true);
    board.pair.line(6).set(true);
    expect(board.pair.acknowledge()).toBe(0x36);
  });

  test('poll acknowledges by a read', () => {
    const board = build();
    initialize(board);
    board.pair.line(4).set(true);
    board.out(0x20, 0x0c);
    expect(board.read(0x20)).toBe(0x84);
    board.out(0x20, 0x0c);
    expect(board.read(0x20)).toBe(0);
  });
});

const script: RegisterStep[] = [
  ['in', 0x21],
  ['in', 0xa1],
  ['in', 0x4d0],
  ['in', 0x4d1],
  ['out', 0x4d0, 0xff],
  ['out', 0x4d1, 0xff],
  ['in', 0x4d0],
  ['in', 0x4d1],
  ...[0x20, 0xa0].flatMap((base): RegisterStep[] => [
    ['out', base, 0x11],
    ['in', base],
    ['in', base + 1],
    ['out', base + 1, 0x48],
    ['out', base + 1, 0x04],
    ['out', base + 1, 0x01],
    ['in', base + 1],
    ['out', base + 1, 0xb8],
    ['in', base + 1],
    ['out', base, 0x0b],
    ['in', base],
    ['out', base, 0x0a],
    ['in', base],
    ['out', base, 0x0c],
    ['in', base],
    ['out', base, 0x12],
    ['out', base + 1, 0x50],
    ['out', base + 1, 0x77],
    ['in', base + 1],
  ]),
];

test.skipIf(!hasQemu)('i8259 registers read as on QEMU', async () => {
  expect(runOnDevices(script, build().space)).toEqual(await runOnQemu(script));
});
