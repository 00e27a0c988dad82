import { describe, expect, test } from 'vitest';
import { ApicBus, decodeMsi } from '../../../../src/emulator/cpu/local-apic/apic-bus.ts';
import { LocalApic } from '../../../../src/emulator/cpu/local-apic/local-apic.ts';
import { I8259Pair } from '../../../../src/emulator/devices/i8259.ts';
import { IoApic } from '../../../../src/emulator/devices/ioapic.ts';
import { TestClock } from '../../devices/test-clock.ts';

function build(count = 1) {
  const clock = new TestClock();
  const errors: string[] = [];
  const bus = new ApicBus({ guestError: (site) => void errors.push(site) });
  const events: string[] = [];
  let external = 0x30;
  const apics = Array.from(
    { length: count },
    (_, apicId) =>
      new LocalApic({
        apicId,
        bootProcessor: apicId === 0,
        bus,
        clock,
        processor: {
          interruptRaised: () => void events.push(`${apicId} raised`),
          nmi: () => void events.push(`${apicId} nmi`),
          smi: () => void events.push(`${apicId} smi`),
          init: () => void events.push(`${apicId} init`),
          startup: (vector) => void events.push(`${apicId} startup ${vector}`),
        },
        acknowledgeExternal: () => external,
      }),
  );
  const write = (apic: LocalApic, offset: number, value: number) => apic.page.write(offset, 4, value);
  for (const apic of apics) write(apic, 0xf0, 0x1ff);
  return {
    clock,
    bus,
    apics,
    apic: apics[0],
    events,
    errors,
    write,
    setExternal: (vector: number) => (external = vector),
  };
}

const fixed = (vector: number, level = false) => ({
  vector,
  deliveryMode: 0 as const,
  logical: false,
  destination: 0,
  wide: false,
  level,
});

describe('local APIC', () => {
  test('takes the highest vector above the processor priority', () => {
    const { apic, bus, write } = build();
    bus.deliver(fixed(0x41));
    bus.deliver(fixed(0x63));
    expect(apic.acknowledgeInterrupt()).toBe(0x63);
    expect(apic.interruptPending()).toBe(false);
    expect(apic.page.read(0xa0, 4)).toBe(0x60);
    bus.deliver(fixed(0x68));
    expect(apic.interruptPending()).toBe(false);
    bus.deliver(fixed(0x71));
    expect(apic.acknowledgeInterrupt()).toBe(0x71);
    write(apic, 0xb0, 0);
    write(apic, 0xb0, 0);
    expect(apic.acknowledgeInterrupt()).toBe(0x68);
    write(apic, 0xb0, 0);
    apic.setTaskPriorityClass(4);
    expect(apic.page.read(0x80, 4)).toBe(0x40);
    expect(apic.interruptPending()).toBe(false);
    write(apic, 0x80, 0x3f);
    expect(apic.acknowledgeInterrupt()).toBe(0x41);
    expect(apic.acknowledgeInterrupt()).toBe(-1);
  });

  test('timer: one-shot, periodic and TSC deadline', () => {
    const { apic, clock, write } = build();
    write(apic, 0x3e0, 0x3);
    write(apic, 0x320, 0xec);
    write(apic, 0x380, 1000);
    clock.advance(8_000);
    expect(apic.page.read(0x390, 4)).toBe(500);
    clock.advance(7_999);
    expect(apic.interruptPending()).toBe(false);
    clock.advance(1);
    expect(apic.acknowledgeInterrupt()).toBe(0xec);
    expect(apic.page.read(0x390, 4)).toBe(0);
    write(apic, 0xb0, 0);
    write(apic, 0x3e0, 0xb);
    write(apic, 0x320, 0x2_00ec);
    write(apic, 0x380, 10_000);
    for (let period = 0; period < 3; period++) {
      clock.advance(10_000);
      expect(apic.acknowledgeInterrupt()).toBe(0xec);
      write(apic, 0xb0, 0);
    }
    write(apic, 0x320, 0x4_00ec);
    clock.advance(50_000);
    expect(apic.interruptPending()).toBe(false);
    apic.setTscDeadline(BigInt(clock.now() + 500));
    clock.advance(499);
    expect(apic.interruptPending()).toBe(false);
    clock.advance(1);
    expect(apic.acknowledgeInterrupt()).toBe(0xec);
    expect(apic.tscDeadline()).toBe(0n);
    write(apic, 0xb0, 0);
    // The guest moves its TSC: the deadline is a value of the TSC and comes with it.
    apic.setTscOffset(1_000_000n);
    apic.setTscDeadline(BigInt(clock.now()) + 1_000_000n + 300n);
    clock.advance(299);
    expect(apic.interruptPending()).toBe(false);
    apic.setTscOffset(999_900n);
    clock.advance(100);
    expect(apic.interruptPending()).toBe(false);
    clock.advance(1);
    expect(apic.acknowledgeInterrupt()).toBe(0xec);
  });

  test('EOI of a level interrupt reaches the I/O APIC, which asks again', () => {
    const { apic, bus, write } = build();
    const ioapic = new IoApic(bus, 24);
    ioapic.page.write(0, 4, 0x30);
    ioapic.page.write(0x10, 4, 0x8041);
    ioapic.pin(16).set(true);
    expect(apic.acknowledgeInterrupt()).toBe(0x41);
    expect(apic.page.read(0x1a0, 4)).toBe(2);
    expect(apic.interruptPending()).toBe(false);
    write(apic, 0xb0, 0);
    expect(apic.acknowledgeInterrupt()).toBe(0x41);
    ioapic.pin(16).set(false);
    write(apic, 0xb0, 0);
    expect(apic.interruptPending()).toBe(false);
  });

  test('LINT0 passes the 8259 as ExtINT, or nothing when masked', () => {
    const { apic, write, setExternal } = build();
    const pic = new I8259Pair(apic.lint0);
    for (const [port, value] of [
      [0, 0x11],
      [1, 0x30],
      [1, 4],
      [1, 1],
    ])
      pic.masterPorts.write(port, 1, value);
    write(apic, 0x350, 0x1_0700);
    pic.line(0).set(true);
    expect(apic.interruptPending()).toBe(false);
    write(apic, 0x350, 0x700);
    expect(apic.interruptPending()).toBe(true);
    setExternal(pic.acknowledge());
    expect(apic.acknowledgeInterrupt()).toBe(-1);
  });

  test('globally disabled, INTR goes straight to the processor', () => {
    const { apic } = build();
    apic.setBaseMsr(0xfee0_0000n);
    expect(apic.mmioBase).toBeUndefined();
    apic.lint0.set(true);
    expect(apic.interruptPending()).toBe(true);
    expect(apic.acknowledgeInterrupt()).toBe(0x30);
  });

  test('LINT1 as NMI', () => {
    const { apic, events, write } = build();
    apic.lint1.set(true);
    expect(events).toEqual([]);
    apic.lint1.set(false);
    write(apic, 0x360, 0x400);
    apic.lint1.set(true);
    expect(events).toEqual(['0 nmi']);
  });

  test('IPIs: INIT, start-up, shorthands, logical flat and cluster', () => {
    const { apics, events, write } = build(4);
    const [first, second, third, fourth] = apics;
    const send = (high: number, low: number) => {
      write(first, 0x310, high);
      write(first, 0x300, low);
    };
    send(0x0100_0000, 0xc500);
    send(0x0100_0000, 0x8500);
    send(0x0100_0000, 0x4608);
    expect(events).toEqual(['1 init', '1 startup 8']);
    write(second, 0xf0, 0x1ff);
    send(0, 0x4_4050);
    expect(first.acknowledgeInterrupt()).toBe(0x50);
    send(0, 0xc_4051);
    expect(apics.map((apic) => apic.acknowledgeInterrupt())).toEqual([-1, 0x51, 0x51, 0x51]);
    for (const apic of apics) write(apic, 0xb0, 0);
    for (const apic of apics) write(apic, 0xd0, (1 << apic.apicId) << 24);
    send(0x0a00_0000, 0x4862);
    expect(apics.map((apic) => apic.acknowledgeInterrupt())).toEqual([-1, 0x62, -1, 0x62]);
    for (const apic of apics) {
      write(apic, 0xb0, 0);
      write(apic, 0xe0, 0x0fff_ffff);
    }
    write(third, 0xd0, 0x2100_0000);
    write(fourth, 0xd0, 0x2200_0000);
    send(0x2300_0000, 0x4863);
    expect(apics.map((apic) => apic.acknowledgeInterrupt())).toEqual([-1, -1, 0x63, 0x63]);
  });

  test('lowest priority goes to the least busy processor', () => {
    const { apics, bus, write } = build(2);
    write(apics[0], 0x80, 0x20);
    bus.deliverMsi(0xfee0_0000 | (0xff << 12), 0x0145);
    expect(apics.map((apic) => apic.acknowledgeInterrupt())).toEqual([-1, 0x45]);
  });

  test('decodes MSI address and data', () => {
    expect(decodeMsi(0xfee0_300c, 0xc1_41 & 0xffff)).toEqual({
      vector: 0x41,
      deliveryMode: 1,
      logical: true,
      destination: 3,
      wide: false,
      level: true,
    });
  });

  test('illegal vectors and registers end in ESR and the error LVT', () => {
    const { apic, bus, write } = build();
    write(apic, 0x370, 0xfe);
    bus.deliver(fixed(0x0f));
    expect(apic.page.read(0x280, 4)).toBe(0);
    write(apic, 0x280, 0);
    expect(apic.page.read(0x280, 4)).toBe(0x40);
    expect(apic.acknowledgeInterrupt()).toBe(0xfe);
    write(apic, 0x3f0, 0);
    write(apic, 0x280, 0);
    expect(apic.page.read(0x280, 4)).toBe(0x80);
  });

  test('x2APIC: ids, ICR in one write, self IPI, general protection for the rest', () => {
    const { apics, events } = build(2);
    const [first, second] = apics;
    expect(first.readMsr(0x02)).toBeUndefined();
    for (const apic of apics) apic.setBaseMsr(apic.baseMsr() | 0xc00n);
    expect(second.readMsr(0x02)).toBe(1n);
    expect(second.readMsr(0x0d)).toBe(2n);
    expect(second.readMsr(0x0e)).toBeUndefined();
    expect(first.writeMsr(0x30, (1n << 32n) | 0x4077n)).toBe(true);
    expect(second.acknowledgeInterrupt()).toBe(0x77);
    expect(first.writeMsr(0x3f, 0x88n)).toBe(true);
    expect(first.acknowledgeInterrupt()).toBe(0x88);
    expect(first.writeMsr(0x0b, 1n)).toBe(false);
    expect(first.writeMsr(0x0b, 0n)).toBe(true);
    expect(first.writeMsr(0x02, 5n)).toBe(false);
    expect(first.mmioBase).toBeUndefined();
    first.setBaseMsr(0xfee0_0900n);
    expect(first.baseMsr() & 0x400n).toBe(0x400n);
    expect(events.filter((event) => !event.endsWith('raised'))).toEqual([]);
  });

  test('a message nobody takes is logged', () => {
    const { bus, errors } = build();
    bus.deliverMsi(0xfee0_7000, 0x41);
    expect(errors).toEqual(['apic-no-target']);
  });
});
