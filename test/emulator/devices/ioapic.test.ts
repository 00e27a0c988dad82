import { describe, expect, test } from 'vitest';
import type { ApicMessage } from '../../../src/emulator/cpu/local-apic/apic-bus.ts';
import { IoApic } from '../../../src/emulator/devices/ioapic.ts';
import { hasQemu, type RegisterStep, runOnDevices, runOnQemu } from '../../oracle/qtest.ts';
import { DeviceSpace } from '../../oracle/register-space.ts';

const BASE = 0xfec0_0000;

function build() {
  const sent: ApicMessage[] = [];
  let endOfInterrupt: (vector: number) => void = () => {};
  const ioapic = new IoApic(
    {
      deliver: (message) => void sent.push(message),
      onEoi: (listener) => {
        endOfInterrupt = listener;
      },
    },
    24,
  );
  const space = new DeviceSpace().memory(BASE, 0x1000, ioapic.page);
  const write = (index: number, value: number) => {
    space.memoryWrite(BASE, 4, index);
    space.memoryWrite(BASE + 0x10, 4, value);
  };
  const read = (index: number) => {
    space.memoryWrite(BASE, 4, index);
    return space.memoryRead(BASE + 0x10, 4);
  };
  return { ioapic, space, sent, write, read, eoi: (vector: number) => endOfInterrupt(vector) };
}

describe('ioapic', () => {
  test('sends an edge once and loses it while masked', () => {
    const { ioapic, sent, write } = build();
    const pin = ioapic.pin(2);
    pin.set(true);
    pin.set(false);
    write(0x15, 0x0300_0000);
    write(0x14, 0x0931);
    expect(sent).toEqual([]);
    pin.set(true);
    pin.set(true);
    expect(sent).toEqual([{ vector: 0x31, deliveryMode: 1, logical: true, destination: 3, wide: false, level: false }]);
  });

  test('holds a level with Remote IRR until EOI, then sends again while the wire stands', () => {
    const { ioapic, sent, write, read, eoi } = build();
    const pin = ioapic.pin(16);
    write(0x30, 0x8041);
    pin.set(true);
    expect(sent.length).toBe(1);
    expect(sent[0].level).toBe(true);
    expect(read(0x30)).toBe(0xc041);
    pin.set(false);
    pin.set(true);
    expect(sent.length).toBe(1);
    eoi(0x40);
    expect(sent.length).toBe(1);
    eoi(0x41);
    expect(sent.length).toBe(2);
    pin.set(false);
    eoi(0x41);
    expect(sent.length).toBe(2);
    expect(read(0x30)).toBe(0x8041);
  });

  test('unmasking sends a level that waits; the EOI register ends it', () => {
    const { ioapic, space, sent, write, read } = build();
    ioapic.pin(20).set(true);
    write(0x38, 0x1_a050);
    expect(sent.length).toBe(0);
    write(0x38, 0xa050);
    expect(sent.length).toBe(1);
    ioapic.pin(20).set(false);
    space.memoryWrite(BASE + 0x40, 4, 0x50);
    expect(read(0x38)).toBe(0xa050);
  });

  test('a change to edge clears Remote IRR', () => {
    const { ioapic, write, read } = build();
    write(0x30, 0x8041);
    ioapic.pin(16).set(true);
    write(0x30, 0x1_0041);
    expect(read(0x30)).toBe(0x1_0041);
  });
});

const indexed = (index: number): RegisterStep[] => [
  ['write', BASE, index],
  ['read', BASE],
  ['read', BASE + 0x10],
];
const script: RegisterStep[] = [
  ...Array.from({ length: 0x44 }, (_, index) => indexed(index)).flat(),
  ...[0x00, 0x01, 0x02].flatMap((index): RegisterStep[] => [
    ['write', BASE, index],
    ['write', BASE + 0x10, 0xffff_ffff],
    ['read', BASE + 0x10],
  ]),
  // QEMU keeps the reserved bits of redirection entries too: only defined ones here.
  ...[0x10, 0x20, 0x3e].flatMap((index): RegisterStep[] => [
    ['write', BASE, index],
    ['write', BASE + 0x10, 0x1_ffff],
    ['read', BASE + 0x10],
  ]),
  ...[0x11, 0x13, 0x21, 0x3f].flatMap((index): RegisterStep[] => [
    ['write', BASE, index],
    ['write', BASE + 0x10, 0xff00_0000],
    ['read', BASE + 0x10],
  ]),
  ['read', BASE + 0x40],
];

test.skipIf(!hasQemu)('ioapic registers read as on QEMU', async () => {
  expect(runOnDevices(script, build().space)).toEqual(await runOnQemu(script));
});
