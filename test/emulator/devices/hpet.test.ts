import { describe, expect, test } from 'vitest';
import { Hpet } from '../../../src/emulator/devices/hpet.ts';
import { hasQemu, type RegisterStep, runOnDevices, runOnQemu } from '../../oracle/qtest.ts';
import { DeviceSpace } from '../../oracle/register-space.ts';
import { TestClock, TestLine } from './test-clock.ts';

const BASE = 0xfed0_0000;

function build() {
  const clock = new TestClock();
  const lines = Array.from({ length: 24 }, () => new TestLine());
  const irq0 = new TestLine();
  const irq8 = new TestLine();
  const hpet = new Hpet(clock, { line: (gsi) => lines[gsi], irq0, irq8 });
  const space = new DeviceSpace().memory(BASE, 0x400, hpet.registers);
  const write = (offset: number, value: number) => space.memoryWrite(BASE + offset, 4, value);
  const read = (offset: number) => space.memoryRead(BASE + offset, 4);
  return { clock, lines, irq0, irq8, hpet, space, write, read };
}

describe('hpet', () => {
  test('counts at 100 MHz while enabled', () => {
    const { clock, write, read } = build();
    write(0xf4, 1);
    write(0x10, 1);
    clock.advance(1_000_000);
    expect(read(0xf0)).toBe(100_000);
    expect(read(0xf4)).toBe(1);
    write(0x10, 0);
    clock.advance(1_000_000);
    expect(read(0xf0)).toBe(100_000);
  });

  test('one-shot, edge, to the chosen pin', () => {
    const { clock, lines, write } = build();
    write(0x10, 1);
    write(0x148, 5_000);
    write(0x14c, 0);
    write(0x140, (20 << 9) | 4);
    clock.advance(49_999);
    expect(lines[20].edges).toBe(0);
    clock.advance(1);
    expect(lines[20].edges).toBe(1);
    expect(lines[20].level).toBe(false);
    clock.advance(1_000_000);
    expect(lines[20].edges).toBe(1);
  });

  test('periodic, as Linux programs it, replacing the PIT in legacy mode', () => {
    const { clock, irq0, hpet, write } = build();
    hpet.pitInput.set(true);
    expect(irq0.edges).toBe(1);
    hpet.pitInput.set(false);
    write(0x100, 0x14c);
    write(0x108, 400_000);
    write(0x108, 400_000);
    write(0x10, 3);
    hpet.pitInput.set(true);
    expect(irq0.edges).toBe(1);
    clock.advance(40_000_000);
    expect(irq0.edges).toBe(11);
    hpet.pitInput.set(false);
  });

  test('level interrupts hold until their status bit is cleared', () => {
    const { clock, lines, write, read } = build();
    write(0x148, 100);
    write(0x14c, 0);
    write(0x140, (16 << 9) | 6);
    write(0x10, 1);
    clock.advance(1_000);
    expect(lines[16].level).toBe(true);
    expect(read(0x20)).toBe(4);
    write(0x20, 4);
    expect(lines[16].level).toBe(false);
    expect(read(0x20)).toBe(0);
  });

  test('the RTC passes IRQ 8 except in legacy mode, and comes back', () => {
    const { irq8, hpet, write } = build();
    hpet.rtcInput.set(true);
    expect(irq8.level).toBe(true);
    write(0x10, 2);
    expect(irq8.level).toBe(false);
    write(0x10, 0);
    expect(irq8.level).toBe(true);
  });
});

const timers = [0x100, 0x120, 0x140].flatMap((timer): RegisterStep[] =>
  [0, 4, 8, 0x0c, 0x10, 0x14].map((register): RegisterStep => ['read', BASE + timer + register]),
);
const script: RegisterStep[] = [
  ...[0, 4, 0x10, 0x14, 0x20, 0x24, 0xf0, 0xf4, 0x160].map((offset): RegisterStep => ['read', BASE + offset]),
  ...timers,
  ['write', BASE + 0xf0, 0x1234_5678],
  ['write', BASE + 0xf4, 0x9abc_def0],
  ['read', BASE + 0xf0],
  ['read', BASE + 0xf4],
  ['write', BASE + 0x100, 0xffff_ffbf],
  ['write', BASE + 0x108, 0x1111_1111],
  ['write', BASE + 0x120, 0x0000_4e4e],
  ['write', BASE + 0x128, 0x2222_2222],
  ['write', BASE + 0x128, 0x3333_3333],
  ['write', BASE + 0x12c, 0x4444_4444],
  ['write', BASE + 0x140, 0x0000_0004],
  ['write', BASE + 0x148, 0x5555_5555],
  ['write', BASE + 0x14c, 0x6666_6666],
  ...timers,
  ['write', BASE + 0x10, 0xffff_fffe],
  ['read', BASE + 0x10],
];

test.skipIf(!hasQemu)('hpet registers read as on QEMU', async () => {
  expect(runOnDevices(script, build().space)).toEqual(await runOnQemu(script));
});
