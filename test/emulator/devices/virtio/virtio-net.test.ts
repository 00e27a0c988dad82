import { describe, expect, test } from 'vitest';
import { UserNet } from '../../../../src/emulator/devices/user-net/user-net.ts';
import { VirtioNet } from '../../../../src/emulator/devices/virtio/virtio-net.ts';
import type { NetworkBackend } from '../../../../src/emulator/machine/ports.ts';
import { concatBytes, viewOf } from '../../../../src/shared/bytes.ts';
import { TestClock } from '../test-clock.ts';
import { TestDriver } from './test-driver.ts';

const MAC = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

function build() {
  const sent: Uint8Array[] = [];
  let receive: (frame: Uint8Array) => void = () => {};
  const backend: NetworkBackend = {
    transmit: (frame) => void sent.push(frame),
    connect: (callback) => {
      receive = callback;
    },
  };
  const driver = new TestDriver('virtio-net-pci', (clock) => new VirtioNet(MAC, backend, clock));
  return { driver, sent, receive: (frame: Uint8Array) => receive(frame) };
}

describe('virtio-net', () => {
  test('has its address and a link', () => {
    const { driver } = build();
    expect([0, 1, 2, 3, 4, 5].map((index) => driver.read(0x2000 + index, 1))).toEqual(MAC);
    expect(driver.read(0x2006, 2)).toBe(1);
    expect(new TestDriver('virtio-net-pci', (clock) => new VirtioNet(MAC, undefined, clock)).read(0x2006, 2)).toBe(0);
  });

  test('sends frames without the header, receives them with it', () => {
    const { driver, sent, receive } = build();
    driver.start();
    const frame = Uint8Array.from({ length: 60 }, (_, index) => index);
    driver.exchange(1, { out: [new Uint8Array(12), frame] });
    expect(sent).toEqual([frame]);
    receive(frame);
    expect(driver.takeUsed(0)).toBeUndefined();
    const got = driver.exchange(0, { in: [12, 1514] });
    expect(got.length).toBe(72);
    expect(viewOf(got).getUint16(10, true)).toBe(1);
    expect(got.slice(12)).toEqual(frame);
  });
});

describe('user net', () => {
  const client = Uint8Array.from(MAC);
  const broadcast = new Uint8Array(6).fill(0xff);
  const ask = (frame: Uint8Array) => {
    const clock = new TestClock();
    const net = new UserNet();
    const got: Uint8Array[] = [];
    net.connect((answer) => void got.push(answer), clock);
    net.transmit(frame);
    clock.advance(1_000_000);
    return got;
  };
  const ip = (protocol: number, source: number[], destination: number[], payload: Uint8Array) =>
    concatBytes([
      Uint8Array.of(
        ...broadcast,
        ...client,
        0x08,
        0x00,
        0x45,
        0,
        0,
        20 + payload.length,
        0,
        0,
        0,
        0,
        64,
        protocol,
        0,
        0,
      ),
      Uint8Array.from([...source, ...destination]),
      payload,
    ]);

  test('answers ARP for the gateway and nobody else', () => {
    const arp = (target: number) =>
      Uint8Array.of(
        ...[...broadcast, ...client, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
        ...[...client, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, target],
      );
    const [answer] = ask(arp(2));
    expect([...answer.subarray(0, 6)]).toEqual(MAC);
    expect([...answer.subarray(20, 32)]).toEqual([0, 2, 0x52, 0x55, 10, 0, 2, 2, 10, 0, 2, 2]);
    expect(ask(arp(77))).toEqual([]);
  });

  test('answers echo with a right checksum', () => {
    const echo = Uint8Array.of(8, 0, 0xf7, 0xfd, 0, 1, 0, 1);
    const [answer] = ask(ip(1, [10, 0, 2, 15], [10, 0, 2, 2], echo));
    expect([...answer.subarray(26, 34)]).toEqual([10, 0, 2, 2, 10, 0, 2, 15]);
    expect([...answer.subarray(34, 42)]).toEqual([0, 0, 0xff, 0xfd, 0, 1, 0, 1]);
    expect(ask(ip(1, [10, 0, 2, 15], [8, 8, 8, 8], echo))).toEqual([]);
  });

  test('leases 10.0.2.15 by DHCP', () => {
    const dhcp = (type: number) => {
      const message = new Uint8Array(8 + 244);
      const view = viewOf(message);
      view.setUint16(0, 68);
      view.setUint16(2, 67);
      view.setUint16(4, message.length);
      message.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef], 8);
      message.set(client, 8 + 28);
      view.setUint32(8 + 236, 0x63825363);
      message.set([53, 1, type, 255], 8 + 240);
      const frame = ip(17, [0, 0, 0, 0], [255, 255, 255, 255], message);
      viewOf(frame).setUint16(16, 20 + message.length);
      return ask(frame)[0];
    };
    const offer = dhcp(1);
    const body = offer.subarray(14 + 20 + 8);
    expect([...body.subarray(4, 8)]).toEqual([0xde, 0xad, 0xbe, 0xef]);
    expect([...body.subarray(16, 20)]).toEqual([10, 0, 2, 15]);
    expect([...body.subarray(240, 243)]).toEqual([53, 1, 2]);
    expect([...dhcp(3).subarray(14 + 28 + 240, 14 + 28 + 243)]).toEqual([53, 1, 5]);
  });
});
