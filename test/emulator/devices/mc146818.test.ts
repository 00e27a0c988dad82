import { describe, expect, test } from 'vitest';
import { cmosBytes } from '../../../src/emulator/devices/cmos-layout.ts';
import { Mc146818 } from '../../../src/emulator/devices/mc146818.ts';
import { MIB } from '../../../src/shared/bytes.ts';
import { hasQemu, type RegisterStep, runOnDevices, runOnQemu } from '../../oracle/qtest.ts';
import { DeviceSpace } from '../../oracle/register-space.ts';
import { TestClock, TestLine } from './test-clock.ts';

const SECOND = 1_000_000_000;

function build() {
  const clock = new TestClock();
  const irq = new TestLine();
  const rtc = new Mc146818(clock, irq, cmosBytes({ lowRamBytes: 64 * MIB, highRamBytes: 0, cpus: 1 }));
  const space = new DeviceSpace().port(0x70, 2, rtc.ports);
  const write = (address: number, value: number) => {
    space.portWrite(0x70, 1, address);
    space.portWrite(0x71, 1, value);
  };
  const read = (address: number) => {
    space.portWrite(0x70, 1, address);
    return space.portRead(0x71, 1);
  };
  const time = () => [0x32, 9, 8, 7, 4, 2, 0].map((address) => read(address).toString(16).padStart(2, '0')).join(' ');
  return { clock, irq, rtc, space, write, read, time };
}

describe('mc146818', () => {
  test('starts at 2024-01-01 and moves with virtual time', () => {
    const { clock, read, time } = build();
    expect(time()).toBe('20 24 01 01 00 00 00');
    expect(read(6)).toBe(2);
    clock.advance((31 + 28) * 86_400 * SECOND + 3_723 * SECOND);
    expect(time()).toBe('20 24 02 29 01 02 03');
  });

  test('UIP is up shortly before each update only', () => {
    const { clock, read } = build();
    expect(read(0x0a)).toBe(0x26);
    clock.advance(SECOND - 100_000);
    expect(read(0x0a)).toBe(0xa6);
    clock.advance(100_000);
    expect(read(0x0a)).toBe(0x26);
  });

  test('takes a date while SET is up, in binary and 12-hour format too', () => {
    const { clock, write, read, time } = build();
    write(0x0b, 0x82);
    for (const [address, value] of [
      [0x32, 0x19],
      [9, 0x99],
      [8, 0x12],
      [7, 0x31],
      [4, 0x23],
      [2, 0x59],
      [0, 0x58],
    ])
      write(address, value);
    clock.advance(10 * SECOND);
    expect(time()).toBe('19 99 12 31 23 59 58');
    write(0x0b, 0x02);
    clock.advance(SECOND);
    expect(time()).toBe('19 99 12 31 23 59 59');
    write(0x0b, 0x04);
    expect([read(4), read(2)]).toEqual([0x8b, 59]);
    clock.advance(SECOND);
    expect([read(4), read(2), read(0), read(9)]).toEqual([12, 0, 0, 0]);
  });

  test('update-ended, alarm and periodic interrupts; reading C ends them', () => {
    const { clock, irq, write, read } = build();
    write(0x0b, 0x12);
    clock.advance(SECOND);
    expect(irq.level).toBe(true);
    expect(read(0x0c)).toBe(0x90 | 0x40);
    expect(irq.level).toBe(false);
    write(0x0b, 0x02);
    write(5, 0x00);
    write(3, 0x01);
    write(1, 0x30);
    write(0x0b, 0x22);
    clock.advance(88 * SECOND);
    expect(irq.level).toBe(false);
    clock.advance(SECOND);
    expect(irq.level).toBe(true);
    expect(read(0x0c) & 0xa0).toBe(0xa0);
    write(5, 0xff);
    write(3, 0xff);
    write(1, 0x45);
    clock.advance(60 * SECOND);
    expect(read(0x0c) & 0xa0).toBe(0xa0);
    write(0x0b, 0x42);
    const before = irq.edges;
    write(0x0a, 0x2f);
    for (let period = 0; period < 10; period++) {
      clock.advance(SECOND / 2);
      read(0x0c);
    }
    expect(irq.edges - before).toBe(10);
  });

  test('an alarm waits for its hour, across midnight, and for every hour', () => {
    const { clock, irq, write, read } = build();
    write(5, 0x23);
    write(3, 0xff);
    write(1, 0x00);
    write(0x0b, 0x22);
    clock.advance(23 * 3600 * SECOND - 1);
    expect(irq.level).toBe(false);
    clock.advance(1);
    expect(irq.level).toBe(true);
    read(0x0c);
    write(5, 0x00);
    write(3, 0x00);
    clock.advance(3600 * SECOND);
    expect(irq.level).toBe(true);
    read(0x0c);
    clock.advance(23 * 3600 * SECOND);
    expect(irq.level).toBe(false);
  });

  test('flags appear without interrupts enabled', () => {
    const { clock, read, write } = build();
    write(0x0a, 0x20);
    write(1, 0x30);
    clock.advance(SECOND / 2);
    expect(read(0x0c)).toBe(0);
    clock.advance(SECOND);
    expect(read(0x0c)).toBe(0x10 | (0x20 * Number(read(1) === 0 && false)));
  });
});

/** Addresses that QEMU fills otherwise: UIP's register, the PS/2 century byte, boot-order bytes. */
const OTHERS = new Set([0x0a, 0x2d, 0x37, 0x38, 0x3d]);
const script: RegisterStep[] = [
  ...Array.from({ length: 128 }, (_, address) => address)
    .filter((address) => !OTHERS.has(address))
    .flatMap((address): RegisterStep[] => [
      ['out', 0x70, address],
      ['in', 0x71],
    ]),
  ['in', 0x70],
  ...[0x0b, 0x0c, 0x0d, 0x0e, 0x50].flatMap((address): RegisterStep[] => [
    ['out', 0x70, address],
    ['out', 0x71, 0x8a],
    ['in', 0x71],
  ]),
];

test.skipIf(!hasQemu)('mc146818 and CMOS read as on QEMU', async () => {
  expect(runOnDevices(script, build().space)).toEqual(
    await runOnQemu(script, ['-rtc', 'base=2024-01-01T00:00:00,clock=vm']),
  );
});
