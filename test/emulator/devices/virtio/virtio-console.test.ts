import { expect, test } from 'vitest';
import { VirtioConsole } from '../../../../src/emulator/devices/virtio/virtio-console.ts';
import { asciiBytes } from '../../../../src/shared/bytes.ts';
import { TestDriver } from './test-driver.ts';

function build() {
  let sent = '';
  const waiting: number[] = [];
  let arrived = () => {};
  const device = new VirtioConsole(
    {
      write: (byte) => {
        sent += String.fromCharCode(byte);
      },
    },
    {
      read: () => waiting.shift() ?? -1,
      onData: (callback) => {
        arrived = callback;
      },
    },
  );
  const driver = new TestDriver('virtio-serial-pci', device);
  const type = (text: string) => {
    waiting.push(...asciiBytes(text));
    arrived();
  };
  return { driver, type, sent: () => sent };
}

test('virtio-console sends, and keeps input until there is a buffer', () => {
  const { driver, type, sent } = build();
  type('early ');
  driver.start();
  driver.exchange(1, { out: [asciiBytes('hello '), asciiBytes('world')] });
  expect(sent()).toBe('hello world');
  expect(String.fromCharCode(...driver.exchange(0, { in: [4] }))).toBe('earl');
  driver.add(0, { in: [16] });
  driver.notify(0);
  expect(driver.takeUsed(0)).toBe(2);
  driver.add(0, { in: [16] });
  driver.notify(0);
  type('x');
  expect(driver.takeUsed(0)).toBe(1);
});

test('virtio-console has an emergency output', () => {
  const { driver, sent } = build();
  driver.write(0x2000 + 8, 4, 0x21);
  expect(sent()).toBe('!');
});
