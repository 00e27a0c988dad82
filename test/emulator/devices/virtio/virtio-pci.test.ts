import { describe, expect, test } from 'vitest';
import { VirtioRng } from '../../../../src/emulator/devices/virtio/virtio-rng.ts';
import { TestDriver } from './test-driver.ts';

const VERSION_1 = 1n << 32n;
const EVENT_IDX = 1n << 29n;

function build(behindExpressPort = false) {
  let counter = 0;
  const rng = new VirtioRng({
    fill: (target) => {
      for (let index = 0; index < target.length; index++) target[index] = counter++;
    },
  });
  return new TestDriver('virtio-rng-pci', rng, behindExpressPort);
}

describe('virtio PCI transport', () => {
  test('the capabilities stand where QEMU has them', () => {
    const chain = (driver: TestDriver) => {
      const found: string[] = [];
      for (let at = driver.pci.readConfig(0x34, 1); at !== 0; at = driver.pci.readConfig(at + 1, 1)) {
        const id = driver.pci.readConfig(at, 1);
        const type = id === 9 ? `:${driver.pci.readConfig(at + 3, 1)}` : '';
        found.push(`${at.toString(16)}=${id.toString(16)}${type}`);
      }
      return found.join(' ');
    };
    expect(chain(build())).toBe('98=11 84=9:5 70=9:2 60=9:4 50=9:3 40=9:1');
    expect(chain(build(true))).toBe('dc=11 c8=9:5 b4=9:2 a4=9:4 94=9:3 84=9:1 7c=1 40=10');
  });

  test('the initialization sequence; features are fixed by FEATURES_OK', () => {
    const driver = build();
    expect(driver.offered).toBe(VERSION_1 | EVENT_IDX | (1n << 28n));
    driver.write(0x14, 1, 3);
    driver.write(0x14, 1, 0xb);
    expect(driver.read(0x14, 1)).toBe(3);
    driver.start();
    expect(driver.read(0x14, 1)).toBe(0xf);
    expect(driver.read(0x12, 2)).toBe(1);
    driver.write(0x16, 2, 5);
    expect(driver.read(0x18, 2)).toBe(0);
    driver.write(0x14, 1, 0);
    driver.write(0x16, 2, 0);
    expect([driver.read(0x14, 1), driver.read(0x1c, 2), driver.read(0x18, 2)]).toEqual([0, 0, 8]);
  });

  test('direct and indirect chains, INTx through ISR', () => {
    const driver = build();
    driver.start(VERSION_1);
    expect([...driver.exchange(0, { in: [3, 2] })]).toEqual([0, 1, 2, 3, 4]);
    expect(driver.interrupt.level).toBe(true);
    expect(driver.read(0x1000, 1)).toBe(1);
    expect(driver.interrupt.level).toBe(false);
    expect(driver.read(0x1000, 1)).toBe(0);
    expect([...driver.exchange(0, { in: [4, 1, 1] }, true)]).toEqual([5, 6, 7, 8, 9, 10]);
  });

  test('the ring wraps', () => {
    const driver = build();
    driver.start();
    for (let round = 0; round < 40; round++) expect(driver.exchange(0, { in: [1] })).toEqual(Uint8Array.of(round));
  });

  test('MSI-X instead of INTx, with the queue vector', () => {
    const driver = build();
    driver.enableMsix();
    driver.start(VERSION_1);
    driver.exchange(0, { in: [1] });
    expect(driver.messages).toEqual([0x41]);
    expect(driver.interrupt.edges).toBe(0);
    driver.write(0x16, 2, 0);
    driver.write(0x1a, 2, 9);
    expect(driver.read(0x1a, 2)).toBe(0xffff);
  });

  test('no interrupt when the driver asked for none: by flag and by event index', () => {
    const byFlag = build();
    byFlag.start(VERSION_1);
    byFlag.view.setUint16(byFlag.ring(0, 1), 1, true);
    byFlag.exchange(0, { in: [1] });
    expect(byFlag.interrupt.edges).toBe(0);
    const byEvent = build();
    byEvent.start(VERSION_1 | EVENT_IDX);
    byEvent.view.setUint16(byEvent.ring(0, 1) + 4 + 2 * 8, 2, true);
    byEvent.exchange(0, { in: [1] });
    byEvent.exchange(0, { in: [1] });
    expect(byEvent.interrupt.edges).toBe(0);
    byEvent.exchange(0, { in: [1] });
    expect(byEvent.interrupt.edges).toBe(1);
    expect(byEvent.view.getUint16(byEvent.ring(0, 2) + 4 + 8 * 8, true)).toBe(3);
  });

  test('a broken ring asks for a reset, and a reset mends it', () => {
    const driver = build();
    driver.start(VERSION_1);
    driver.add(0, { in: [1, 1] });
    driver.view.setUint16(driver.ring(0, 0) + 14, 77, true);
    driver.notify(0);
    expect(driver.guestErrors).toEqual(['virtio-rng-pci queue 0']);
    expect(driver.read(0x14, 1) & 0x40).toBe(0x40);
    expect(driver.read(0x1000, 1) & 2).toBe(2);
    driver.write(0x14, 1, 0);
    expect(driver.read(0x14, 1)).toBe(0);
  });

  test('a loop of descriptors ends', () => {
    const driver = build();
    driver.start(VERSION_1);
    driver.add(0, { in: [1, 1] });
    driver.view.setUint16(driver.ring(0, 0) + 16 + 12, 3, true);
    driver.view.setUint16(driver.ring(0, 0) + 16 + 14, 0, true);
    driver.notify(0);
    expect(driver.guestErrors.length).toBe(1);
  });

  test('without bus mastering nothing moves', () => {
    const driver = build();
    driver.start(VERSION_1);
    driver.add(0, { in: [1] });
    driver.pci.writeConfig(4, 2, 2);
    driver.notify(0);
    expect(driver.takeUsed(0)).toBeUndefined();
  });

  test('the configuration window reaches BAR 4', () => {
    const driver = build();
    const at = driver.pci.registers.map.registers['VIRTIO_PCI.DATA'].offset;
    const window = (offset: number, length: number) => {
      driver.pci.writeConfig(at - 12, 1, 4);
      driver.pci.writeConfig(at - 8, 4, offset);
      driver.pci.writeConfig(at - 4, 4, length);
    };
    window(0x14, 1);
    driver.pci.writeConfig(at, 4, 1);
    expect(driver.read(0x14, 1)).toBe(1);
    window(0x12, 2);
    expect(driver.pci.readConfig(at, 4)).toBe(1);
  });
});
