import { describe, expect, test } from 'vitest';
import { VirtioBlk } from '../../../../src/emulator/devices/virtio/virtio-blk.ts';
import { viewOf } from '../../../../src/shared/bytes.ts';
import { TestDriver } from './test-driver.ts';

function build(readOnly = false) {
  const disk = Uint8Array.from({ length: 64 * 512 }, (_, index) => (index >> 9) ^ (index & 0xff));
  let flushes = 0;
  const device = new VirtioBlk(
    {
      byteLength: disk.length,
      readOnly,
      read: (offset, target) => target.set(disk.subarray(offset, offset + target.length)),
      write: (offset, source) => disk.set(source, offset),
      flush: () => {
        flushes++;
      },
    },
    'disk-1',
    { guestError: () => {} },
  );
  const driver = new TestDriver('virtio-blk-pci', device);
  const header = (type: number, sector: number) => {
    const bytes = new Uint8Array(16);
    viewOf(bytes).setUint32(0, type, true);
    viewOf(bytes).setUint32(8, sector, true);
    return bytes;
  };
  return { disk, driver, header, flushes: () => flushes };
}

describe('virtio-blk', () => {
  test('capacity and geometry', () => {
    const { driver } = build();
    expect(driver.read(0x2000, 4)).toBe(64);
    expect(driver.read(0x2000 + 12, 4)).toBe(254);
    expect(driver.read(0x2000 + 20, 4)).toBe(512);
    expect(driver.offered & 0x20n).toBe(0n);
  });

  test('reads and writes sectors over several segments', () => {
    const { disk, driver, header } = build();
    driver.start();
    const got = driver.exchange(0, { out: [header(0, 3)], in: [512, 512, 1] });
    expect(got.length).toBe(1025);
    expect(got.subarray(0, 1024)).toEqual(disk.slice(3 * 512, 5 * 512));
    expect(got[1024]).toBe(0);
    const data = Uint8Array.from({ length: 1024 }, (_, index) => index * 7);
    expect([
      ...driver.exchange(0, { out: [header(1, 10), data.subarray(0, 700), data.subarray(700)], in: [1] }),
    ]).toEqual([0]);
    expect(disk.subarray(5120, 6144)).toEqual(data);
  });

  test('flush, identity, unknown requests, ends of the disk', () => {
    const { driver, header, flushes } = build();
    driver.start();
    expect([...driver.exchange(0, { out: [header(4, 0)], in: [1] })]).toEqual([0]);
    expect(flushes()).toBe(1);
    const id = driver.exchange(0, { out: [header(8, 0)], in: [20, 1] });
    expect(String.fromCharCode(...id).replace(/\0+$/, '')).toBe('disk-1');
    expect([...driver.exchange(0, { out: [header(99, 0)], in: [1] })]).toEqual([2]);
    driver.add(0, { out: [header(0, 64)], in: [512, 1] });
    driver.notify(0);
    expect(driver.takeUsed(0)).toBe(1);
  });

  test('a read-only disk says so and refuses writes', () => {
    const { disk, driver, header } = build(true);
    const before = disk.slice();
    expect(driver.offered & 0x20n).toBe(0x20n);
    driver.start();
    expect([...driver.exchange(0, { out: [header(1, 0), new Uint8Array(512)], in: [1] })]).toEqual([1]);
    expect(disk).toEqual(before);
  });

  test('write-through flushes each write', () => {
    const { driver, header, flushes } = build();
    driver.start();
    driver.write(0x2000 + 32, 1, 0);
    driver.exchange(0, { out: [header(1, 0), new Uint8Array(512)], in: [1] });
    expect(flushes()).toBe(1);
  });
});
