import { describe, expect, test } from 'vitest';
import { Hpet } from '../../../src/emulator/devices/hpet.ts';
import { I8254 } from '../../../src/emulator/devices/i8254.ts';
import { I8259Pair } from '../../../src/emulator/devices/i8259.ts';
import { IoApic } from '../../../src/emulator/devices/ioapic.ts';
import { Mc146818 } from '../../../src/emulator/devices/mc146818.ts';
import { NmiStatus } from '../../../src/emulator/devices/nmi-status.ts';
import type { InterruptLine } from '../../../src/emulator/machine/ports.ts';
import { hasQemu, type RegisterStep, runOnDevices, runOnQemu } from '../../oracle/qtest.ts';
import { DeviceSpace } from '../../oracle/register-space.ts';
import { TestClock, TestLine } from './test-clock.ts';

const HPET = 0xfed0_0000;
const IOAPIC = 0xfec0_0000;

/** Timers and both interrupt controllers, wired as on the board; nobody takes the I/O APIC's messages, as on a halted QEMU. */
function board(): DeviceSpace {
  const clock = new TestClock();
  const pic = new I8259Pair(new TestLine());
  const ioapic = new IoApic({ deliver() {}, onEoi() {} }, 24);
  const gsi = (number: number): InterruptLine => {
    const lines = [ioapic.pin(number === 0 ? 2 : number), ...(number < 16 ? [pic.line(number)] : [])];
    return {
      set: (asserted) => {
        for (const line of lines) line.set(asserted);
      },
    };
  };
  const hpet = new Hpet(clock, { line: gsi, irq0: gsi(0), irq8: gsi(8) });
  const pit = new I8254(clock, hpet.pitInput);
  const rtc = new Mc146818(clock, hpet.rtcInput);
  return new DeviceSpace(clock)
    .port(0x20, 2, pic.masterPorts)
    .port(0xa0, 2, pic.slavePorts)
    .port(0x40, 4, pit.ports)
    .port(0x61, 1, new NmiStatus(pit).ports)
    .port(0x70, 2, rtc.ports)
    .memory(HPET, 0x400, hpet.registers)
    .memory(IOAPIC, 0x1000, ioapic.page);
}

/** Both 8259s at vectors 0x30 and 0x38, all masked, IRR to be read. */
const initializePics: RegisterStep[] = [0x20, 0xa0].flatMap((base): RegisterStep[] => [
  ['out', base, 0x11],
  ['out', base + 1, base === 0x20 ? 0x30 : 0x38],
  ['out', base + 1, base === 0x20 ? 4 : 2],
  ['out', base + 1, 1],
  ['out', base + 1, 0xff],
  ['out', base, 0x0a],
]);
/** A poll takes the highest request; EOI after it. */
const takeByPoll = (base: number): RegisterStep[] => [
  ['out', base + 1, 0x00],
  ['out', base, 0x0c],
  ['in', base],
  ['out', base, 0x20],
  ['out', base + 1, 0xff],
  ['out', base, 0x0a],
  ['in', base],
];
const cmos = (address: number, value: number): RegisterStep[] => [
  ['out', 0x70, address],
  ['out', 0x71, value],
];
const readCmos = (address: number): RegisterStep[] => [
  ['out', 0x70, address],
  ['in', 0x71],
];
const redirection = (pin: number, low: number): RegisterStep[] => [
  ['write', IOAPIC, 0x10 + 2 * pin],
  ['write', IOAPIC + 0x10, low],
];
const readRedirection = (pin: number): RegisterStep[] => [
  ['write', IOAPIC, 0x10 + 2 * pin],
  ['read', IOAPIC + 0x10],
];

/** Each script reads only what does not change any more, however late the read comes. */
const scripts: Readonly<Record<string, readonly RegisterStep[]>> = {
  'PIT mode 0 raises OUT and IRQ 0 once': [
    // Stops the counting that a PC's timer does from power-on.
    ['out', 0x43, 0x30],
    ...initializePics,
    ['in', 0x20],
    ['out', 0x40, 0xff],
    ['out', 0x40, 0x10],
    ['wait', 20],
    ['in', 0x20],
    ...takeByPoll(0x20),
    ['out', 0x43, 0xe2],
    ['in', 0x40],
    ['wait', 20],
    ['in', 0x20],
  ],
  'PIT mode 2 goes on': [
    ...initializePics,
    ['out', 0x43, 0x34],
    ['out', 0x40, 0x00],
    ['out', 0x40, 0x10],
    ['wait', 20],
    ...takeByPoll(0x20).slice(0, 4),
    ['wait', 20],
    ['out', 0x20, 0x0a],
    ['in', 0x20],
  ],
  'PIT counter 2 in mode 0 shows at port 0x61': [
    ['out', 0x61, 0x01],
    ['out', 0x43, 0xb0],
    ['out', 0x42, 0xff],
    ['out', 0x42, 0xff],
    ['out', 0x43, 0xb0],
    ['out', 0x42, 0x00],
    ['out', 0x42, 0x08],
    ['wait', 20],
    ['in', 0x61],
  ],
  'RTC flags with the periodic interrupt; reading C clears them': [
    ...initializePics,
    ...readCmos(0x0c),
    ...cmos(0x0b, 0x42),
    ['wait', 20],
    ['in', 0xa0],
    ...readCmos(0x0b),
    ...cmos(0x0b, 0x02),
    ...readCmos(0x0c),
    ['in', 0x71],
    ...takeByPoll(0xa0),
  ],
  'RTC update-ended interrupt': [
    ...initializePics,
    ...cmos(0x0a, 0x20),
    ...cmos(1, 0x59),
    ...cmos(3, 0x59),
    ...cmos(5, 0x23),
    ...readCmos(0x0c),
    ...cmos(0x0b, 0x12),
    ['wait', 1300],
    ['in', 0xa0],
    ['out', 0x70, 0x0c],
    ['in', 0x71],
  ],
  'HPET level interrupt to the I/O APIC holds, and asks again after the status was cleared': [
    ...redirection(20, 0x8050),
    ['write', HPET + 0x148, 1000],
    ['write', HPET + 0x14c, 0],
    ['write', HPET + 0x140, (20 << 9) | 6],
    ['write', HPET + 0x10, 1],
    ['wait', 20],
    ['read', HPET + 0x20],
    ...readRedirection(20),
    ['write', HPET + 0x20, 4],
    ['read', HPET + 0x20],
    ...readRedirection(20),
    ['write', HPET + 0x10, 0],
  ],
  'HPET takes IRQ 0 over in legacy mode': [
    ['out', 0x43, 0x30],
    ...initializePics,
    ['out', 0x40, 0xff],
    ['out', 0x40, 0x10],
    ['write', HPET + 0x10, 2],
    ['wait', 20],
    ['in', 0x20],
    ['write', HPET + 0x108, 1000],
    ['write', HPET + 0x10c, 0],
    ['write', HPET + 0x100, 4],
    ['write', HPET + 0x10, 3],
    ['wait', 20],
    ['in', 0x20],
    ['write', HPET + 0x10, 0],
  ],
  'HPET periodic leaves its comparator ahead of the counter': [
    ['write', HPET + 0x100, 0x14c],
    ['write', HPET + 0x108, 0x0200_0000],
    ['write', HPET + 0x108, 0x0200_0000],
    ['write', HPET + 0x10, 1],
    ['wait', 20],
    ['read', HPET + 0x108],
    ['read', HPET + 0x100],
    ['write', HPET + 0x10, 0],
  ],
};

// QEMU's clock is real time: on a loaded host a script may see it late, so QEMU is asked again.
describe.skipIf(!hasQemu)('timers with time passing, against QEMU', { retry: 3 }, () => {
  test.concurrent.each(Object.keys(scripts))('%s', async (name) => {
    expect(runOnDevices(scripts[name], board())).toEqual(await runOnQemu(scripts[name], [], 'halted'));
  });
});
