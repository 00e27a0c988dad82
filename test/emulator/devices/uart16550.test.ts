import { describe, expect, test } from 'vitest';
import { Uart16550 } from '../../../src/emulator/devices/uart16550.ts';
import { hasQemu, type RegisterStep, runOnDevices, runOnQemu } from '../../oracle/qtest.ts';
import { DeviceSpace } from '../../oracle/register-space.ts';
import { TestClock, TestLine } from './test-clock.ts';

const BASE = 0x3f8;

function build() {
  const clock = new TestClock();
  const irq = new TestLine();
  const sent: number[] = [];
  const waiting: number[] = [];
  let arrived = () => {};
  const uart = new Uart16550(
    clock,
    irq,
    { write: (byte) => void sent.push(byte) },
    {
      read: () => waiting.shift() ?? -1,
      onData: (callback) => {
        arrived = callback;
      },
    },
  );
  const space = new DeviceSpace().port(BASE, 8, uart.ports);
  const type = (text: string) => {
    for (const character of text) waiting.push(character.charCodeAt(0));
    arrived();
  };
  const out = (register: number, value: number) => space.portWrite(BASE + register, 1, value);
  const read = (register: number) => space.portRead(BASE + register, 1);
  return { clock, irq, sent, space, type, out, read };
}

describe('uart16550', () => {
  test('sends at once and interrupts for the empty transmitter', () => {
    const { irq, sent, out, read } = build();
    out(1, 2);
    expect(irq.level).toBe(true);
    expect(read(2)).toBe(2);
    expect(irq.level).toBe(false);
    expect(read(2)).toBe(1);
    out(0, 0x41);
    expect(sent).toEqual([0x41]);
    expect(irq.level).toBe(true);
    out(1, 0);
    expect(irq.level).toBe(false);
    out(1, 2);
    expect(read(2)).toBe(2);
  });

  test('receives by FIFO level, then by time-out', () => {
    const { clock, irq, type, out, read } = build();
    out(2, 0x41);
    out(1, 1);
    type('abc');
    expect(irq.level).toBe(false);
    expect(read(5)).toBe(0x61);
    type('d');
    expect(irq.level).toBe(true);
    expect(read(2)).toBe(0xc4);
    expect(read(0)).toBe(0x61);
    expect(irq.level).toBe(false);
    clock.advance(5_000_000);
    expect(irq.level).toBe(true);
    expect(read(2)).toBe(0xcc);
    expect([read(0), read(0), read(0)]).toEqual([0x62, 0x63, 0x64]);
    expect(irq.level).toBe(false);
    expect(read(5)).toBe(0x60);
  });

  test('takes no more from the source than fits, and loses nothing', () => {
    const { type, out, read } = build();
    const text = 'the quick brown fox jumps over the lazy dog';
    type(text);
    out(2, 0x07);
    let received = '';
    while (read(5) & 1) received += String.fromCharCode(read(0));
    expect(received).toBe(text.slice(1));
  });

  test('loopback: data and modem lines, as drivers probe it', () => {
    const { sent, out, read } = build();
    out(4, 0x1a);
    expect(read(6) & 0xf0).toBe(0x90);
    out(0, 0x5a);
    expect(read(0)).toBe(0x5a);
    expect(sent).toEqual([]);
    out(4, 0x08);
    expect(read(6) & 0xf0).toBe(0xb0);
  });

  test('modem status interrupts on a change', () => {
    const { irq, out, read } = build();
    out(1, 8);
    out(4, 0x10);
    expect(irq.level).toBe(true);
    expect(read(2)).toBe(0);
    expect(read(6)).toBe(0x0b);
    expect(irq.level).toBe(false);
  });
});

const registers = [0, 1, 2, 3, 4, 5, 6, 7].map((register): RegisterStep => ['in', BASE + register]);
const script: RegisterStep[] = [
  ...registers,
  ['out', BASE + 3, 0x80],
  ['in', BASE],
  ['in', BASE + 1],
  ['out', BASE, 0x01],
  ['out', BASE + 1, 0x00],
  ['in', BASE],
  ['in', BASE + 1],
  ['out', BASE + 3, 0x03],
  ['out', BASE + 1, 0xff],
  ['in', BASE + 1],
  ['in', BASE + 2],
  ['in', BASE + 2],
  ['out', BASE + 2, 0x07],
  ['in', BASE + 2],
  ['in', BASE + 2],
  ['out', BASE + 2, 0xc1],
  ['in', BASE + 2],
  ['out', BASE + 1, 0],
  ['out', BASE + 4, 0xff],
  ['in', BASE + 4],
  ['in', BASE + 6],
  ['in', BASE + 6],
  ['out', BASE + 4, 0x1a],
  ['in', BASE + 6],
  ['out', BASE + 4, 0x0b],
  ['out', BASE + 7, 0x5a],
  ...registers.slice(1),
  ['out', BASE + 1, 0],
  ['out', BASE + 1, 2],
  ['in', BASE + 2],
  ['in', BASE + 2],
];

test.skipIf(!hasQemu)('uart16550 registers read as on QEMU', async () => {
  // QEMU does not note changes of the modem lines that the loop makes.
  const plain = (values: string[]) =>
    values.map((text) => {
      const [place, value] = text.split(' = ');
      return place.endsWith('0x3fe') ? `${place} = ${Number(value) & 0xf0}` : text;
    });
  expect(plain(runOnDevices(script, build().space))).toEqual(plain(await runOnQemu(script, ['-serial', 'null'])));
});
