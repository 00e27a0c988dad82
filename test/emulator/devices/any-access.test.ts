import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApicBus } from '../../../src/emulator/cpu/local-apic/apic-bus.ts';
import { LocalApic } from '../../../src/emulator/cpu/local-apic/local-apic.ts';
import { debugcon } from '../../../src/emulator/devices/debugcon.ts';
import { Dma8237, DmaPages } from '../../../src/emulator/devices/dma8237.ts';
import { FwCfg } from '../../../src/emulator/devices/fw-cfg.ts';
import { Hpet } from '../../../src/emulator/devices/hpet.ts';
import { I8042 } from '../../../src/emulator/devices/i8042.ts';
import { I8254 } from '../../../src/emulator/devices/i8254.ts';
import { I8259Pair } from '../../../src/emulator/devices/i8259.ts';
import { IoApic } from '../../../src/emulator/devices/ioapic.ts';
import { isaDebugExit } from '../../../src/emulator/devices/isa-debug-exit.ts';
import { Mc146818 } from '../../../src/emulator/devices/mc146818.ts';
import { NmiStatus } from '../../../src/emulator/devices/nmi-status.ts';
import { Port92 } from '../../../src/emulator/devices/port92.ts';
import { PostPort } from '../../../src/emulator/devices/post-port.ts';
import { Uart16550 } from '../../../src/emulator/devices/uart16550.ts';
import { VirtioBlk } from '../../../src/emulator/devices/virtio/virtio-blk.ts';
import { VirtioConsole } from '../../../src/emulator/devices/virtio/virtio-console.ts';
import { VirtioNet } from '../../../src/emulator/devices/virtio/virtio-net.ts';
import type { AccessSize, BusTarget } from '../../../src/emulator/machine/ports.ts';
import { TestClock, TestLine } from './test-clock.ts';
import { TestMemory } from './test-memory.ts';
import { TestDriver } from './virtio/test-driver.ts';

const SIZES: readonly AccessSize[] = [1, 2, 4];
const quiet = { guestError() {} };
const wires = { setA20() {}, requestReset() {} };

/** Every block of registers with its byte length, freshly built, and the clock that drives it. */
function blocks(): { clock: TestClock; targets: Record<string, readonly [BusTarget, number]> } {
  const clock = new TestClock();
  const line = () => new TestLine();
  const bus = new ApicBus(quiet);
  const apic = new LocalApic({
    apicId: 0,
    bootProcessor: true,
    bus,
    clock,
    processor: { interruptRaised() {}, nmi() {}, smi() {}, init() {}, startup() {} },
    acknowledgeExternal: () => 0x30,
  });
  const pic = new I8259Pair(apic.lint0);
  const ioapic = new IoApic(bus, 24);
  const hpet = new Hpet(clock, { line: (gsi) => ioapic.pin(gsi % 24), irq0: pic.line(0), irq8: pic.line(8) });
  const pit = new I8254(clock, hpet.pitInput);
  const i8042 = new I8042(line(), line(), wires, quiet);
  const sink = { write() {} };
  return {
    clock,
    targets: {
      'local APIC': [apic.page, 0x1000],
      'master 8259': [pic.masterPorts, 2],
      'slave 8259': [pic.slavePorts, 2],
      ELCR: [pic.elcrPorts, 2],
      'I/O APIC': [ioapic.page, 0x1000],
      HPET: [hpet.registers, 0x400],
      PIT: [pit.ports, 4],
      RTC: [new Mc146818(clock, hpet.rtcInput).ports, 2],
      UART: [new Uart16550(clock, line(), sink).ports, 8],
      '8042 data': [i8042.dataPort, 1],
      '8042 command': [i8042.commandPort, 1],
      fw_cfg: [new FwCfg(new TestMemory(0x1000), quiet).ports, 12],
      'port 61': [new NmiStatus(pit).ports, 1],
      'port 80': [new PostPort(() => {}).ports, 1],
      'port 92': [new Port92(wires).ports, 1],
      debugcon: [debugcon(sink), 1],
      'isa-debug-exit': [isaDebugExit(() => {}), 4],
      'DMA 1': [new Dma8237(1).ports, 0x10],
      'DMA 2': [new Dma8237(2).ports, 0x20],
      'DMA pages': [new DmaPages().ports, 15],
    },
  };
}

const access = fc.record({
  place: fc.nat(),
  size: fc.constantFrom(...SIZES),
  write: fc.boolean(),
  value: fc.oneof(fc.nat(0xff), fc.nat(0xffff_ffff)),
  wait: fc.oneof(fc.constant(0), fc.nat(2_000_000)),
});

function perform(
  target: BusTarget,
  byteLength: number,
  clock: TestClock,
  { place, size, write, value, wait }: { place: number; size: AccessSize; write: boolean; value: number; wait: number },
): void {
  const offset = place % byteLength;
  if (offset + size > byteLength) return;
  if (write) target.write(offset, size, value % 2 ** (8 * size));
  else {
    const read = target.read(offset, size);
    expect(Number.isInteger(read) && read >= 0 && read < 2 ** (8 * size)).toBe(true);
  }
  clock.advance(wait);
}

describe('any access of a guest is answered with an unsigned value and without an exception', () => {
  test.each(Object.keys(blocks().targets))('%s', (name) => {
    fc.assert(
      fc.property(fc.array(access, { maxLength: 40 }), (accesses) => {
        const { clock, targets } = blocks();
        const [target, byteLength] = targets[name];
        for (const each of accesses) perform(target, byteLength, clock, each);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test('all of them together', () => {
    const { clock, targets } = blocks();
    const all = Object.values(targets);
    fc.assert(
      fc.property(fc.nat(all.length - 1), access, (index, each) => {
        perform(all[index][0], all[index][1], clock, each);
      }),
      { numRuns: 3000, seed: 2 },
    );
  });

  const disk = { byteLength: 0x1000, readOnly: false, read() {}, write() {}, flush() {} };
  test.each([
    ['virtio-blk-pci', () => new VirtioBlk(disk, 'x', quiet)],
    ['virtio-net-pci', () => new VirtioNet([2, 0, 0, 0, 0, 1], undefined, new TestClock())],
    ['virtio-serial-pci', () => new VirtioConsole({ write() {} })],
  ] as const)('%s: registers, and rings of random bytes', (model, create) => {
    fc.assert(
      fc.property(
        fc.array(access, { maxLength: 30 }),
        fc.uint8Array({ minLength: 0x40, maxLength: 0x40 }),
        (accesses, ring) => {
          const driver = new TestDriver(model, create());
          driver.start(1n << 32n);
          for (let queue = 0; queue < driver.pci.queues.length; queue++)
            for (const part of [0, 1] as const) driver.memory.bytes.set(ring, driver.ring(queue, part));
          // A first descriptor of any length that the device may read.
          driver.view.setUint16(driver.ring(0, 0) + 12, 0, true);
          driver.view.setUint16(driver.ring(0, 1) + 4, 0, true);
          driver.view.setUint16(driver.ring(0, 1) + 2, 3, true);
          for (let queue = 0; queue < driver.pci.queues.length; queue++) driver.notify(queue);
          for (const each of accesses) perform(driver.pci.barTarget(4), 0x4000, driver.clock, each);
        },
      ),
      { numRuns: 60, seed: 3 },
    );
  });
});
