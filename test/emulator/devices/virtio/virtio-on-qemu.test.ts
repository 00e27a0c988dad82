import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserNet } from '../../../../src/emulator/devices/user-net/user-net.ts';
import { VirtioBlk } from '../../../../src/emulator/devices/virtio/virtio-blk.ts';
import { VirtioConsole } from '../../../../src/emulator/devices/virtio/virtio-console.ts';
import type { VirtioDevice } from '../../../../src/emulator/devices/virtio/virtio-device.ts';
import { VirtioNet } from '../../../../src/emulator/devices/virtio/virtio-net.ts';
import { VirtioRng } from '../../../../src/emulator/devices/virtio/virtio-rng.ts';
import type { DeviceModel } from '../../../../src/emulator/machine/device-catalog.ts';
import type { AccessSize, BusTarget, Clock } from '../../../../src/emulator/machine/ports.ts';
import { asciiBytes, concatBytes, viewOf } from '../../../../src/shared/bytes.ts';
import { hasQemu, runOnDevices, runOnQemu } from '../../../oracle/qtest.ts';
import { DeviceSpace } from '../../../oracle/register-space.ts';
import { TestDriver } from './test-driver.ts';
import { SCRIPT_BAR, SCRIPT_DEVICE, VirtioScript } from './virtio-script.ts';

const VERSION_1 = 1n << 32n;
const EVENT_IDX = 1n << 29n;
const INDIRECT = 1n << 28n;
const RAM = { base: 0x10_0000, size: 0x10_0000 };

/** Our device in the script's place. */
function ours(model: DeviceModel, create: (clock: Clock) => VirtioDevice): DeviceSpace {
  const driver = new TestDriver(model, create, false, RAM.base + RAM.size);
  let address = 0;
  const config: BusTarget = {
    read: () => 0,
    write: (offset, size, value) => {
      if (offset === 0) address = value;
      else if (((address >>> 11) & 31) === SCRIPT_DEVICE)
        driver.pci.writeConfig((address & 0xfc) + offset - 4, size, value);
    },
  };
  const ram: BusTarget = {
    read: (offset, size) => {
      let value = 0;
      for (let index = size - 1; index >= 0; index--)
        value = value * 0x100 + driver.memory.bytes[RAM.base + offset + index];
      return value;
    },
    write: (offset, size: AccessSize, value) => {
      for (let index = 0; index < size; index++) driver.memory.bytes[RAM.base + offset + index] = value >>> (8 * index);
    },
  };
  return new DeviceSpace(driver.clock)
    .port(0xcf8, 8, config)
    .memory(RAM.base, RAM.size, ram)
    .memory(SCRIPT_BAR, 0x4000, driver.pci.barTarget(4));
}

function diskBytes(): Uint8Array {
  return Uint8Array.from({ length: 64 * 512 }, (_, index) => (index >> 9) ^ (index & 0xff));
}

function disk(): VirtioDevice {
  const bytes = diskBytes();
  return new VirtioBlk(
    {
      byteLength: bytes.length,
      readOnly: false,
      read: (offset, target) => target.set(bytes.subarray(offset, offset + target.length)),
      write: (offset, source) => bytes.set(source, offset),
      flush: () => {},
    },
    'disk-1',
    { guestError: () => {} },
  );
}

function blkHeader(type: number, sector: number): Uint8Array {
  const bytes = new Uint8Array(16);
  viewOf(bytes).setUint32(0, type, true);
  viewOf(bytes).setUint32(8, sector, true);
  return bytes;
}

const MAC = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const GATEWAY_MAC = [0x52, 0x55, 10, 0, 2, 2];
const arpForGateway = Uint8Array.from([
  ...[...BROADCAST, ...MAC, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
  ...[...MAC, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2],
]);
const echoToGateway = Uint8Array.from([
  ...[...GATEWAY_MAC, ...MAC, 8, 0, 0x45, 0, 0, 36, 0, 1, 0, 0, 64, 1, 0x62, 0xc8, 10, 0, 2, 15, 10, 0, 2, 2],
  ...[8, 0, 0xe6, 0xe8, 0, 1, 0, 1, ...asciiBytes('ABCDEFGH')],
]);
const header = new Uint8Array(12);

function dhcp(type: number): Uint8Array {
  const message = new Uint8Array(8 + 300);
  const view = viewOf(message);
  view.setUint16(0, 68);
  view.setUint16(2, 67);
  view.setUint16(4, message.length);
  message.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef], 8);
  message.set(MAC, 8 + 28);
  view.setUint32(8 + 236, 0x63825363);
  message.set([53, 1, type, 50, 4, 10, 0, 2, 15, 255], 8 + 240);
  const ip = Uint8Array.from([
    ...[0x45, 0, (28 + 300) >> 8, (28 + 300) & 0xff, 0, 0, 0, 0, 64, 17, 0x79, 0xa6],
    ...[0, 0, 0, 0, 255, 255, 255, 255],
  ]);
  return concatBytes([Uint8Array.from([...BROADCAST, ...MAC, 8, 0]), ip, message]);
}

interface Comparison {
  readonly model: DeviceModel;
  readonly create: (clock: Clock) => VirtioDevice;
  readonly qemu: (folder: string) => readonly string[];
  readonly script: VirtioScript;
}

const blk = {
  model: 'virtio-blk-pci' as const,
  create: disk,
  qemu: (folder: string) => [
    ...['-drive', `if=none,id=d0,format=raw,file=${folder}/disk.img`],
    ...['-device', 'virtio-blk-pci,drive=d0,serial=disk-1,disable-legacy=on,disable-modern=off,addr=3'],
  ],
};
const net = {
  model: 'virtio-net-pci' as const,
  create: (clock: Clock) => new VirtioNet(MAC, new UserNet(), clock),
  qemu: () => [
    ...['-netdev', 'user,id=n0'],
    ...['-device', 'virtio-net-pci,netdev=n0,disable-legacy=on,disable-modern=off,addr=3,romfile='],
  ],
};

/** A receive buffer and a frame, for each of `frames`; reads the parts of the last answer that have to be the same. */
function asked(
  frames: readonly Uint8Array[],
  parts: readonly (readonly [offset: number, byteLength: number])[],
): VirtioScript {
  const script = new VirtioScript().start(VERSION_1, 2);
  let answer = 0;
  for (const frame of frames) {
    [answer] = script.add(0, { in: [1600] });
    script.notify(0, false).exchange(1, { out: [header, frame] });
    script.steps.push(['wait', 100]);
  }
  for (const [offset, byteLength] of parts) script.read(answer + 12 + offset, byteLength);
  return script;
}

const comparisons: Readonly<Record<string, Comparison>> = {
  'blk: reads, writes, flush, identity': {
    ...blk,
    script: new VirtioScript()
      .start(VERSION_1, 1)
      .exchange(0, { out: [blkHeader(0, 3)], in: [512, 512, 1] })
      .exchange(0, { out: [blkHeader(1, 10), Uint8Array.from({ length: 512 }, (_, index) => index * 7)], in: [1] })
      .exchange(0, { out: [blkHeader(0, 10)], in: [512, 1] })
      .exchange(0, { out: [blkHeader(4, 0)], in: [1] })
      .exchange(0, { out: [blkHeader(8, 0)], in: [20, 1] }, false),
  },
  'blk: unknown requests and ends of the disk': {
    ...blk,
    script: new VirtioScript()
      .start(VERSION_1, 1)
      .exchange(0, { out: [blkHeader(99, 0)], in: [1] })
      .exchange(0, { out: [blkHeader(0, 64)], in: [512, 1] }, false)
      .exchange(0, { out: [blkHeader(0, 63)], in: [1024, 1] }, false),
  },
  'blk: indirect descriptors': {
    ...blk,
    script: new VirtioScript()
      .start(VERSION_1 | INDIRECT, 1)
      .exchange(0, { out: [blkHeader(0, 5)], in: [256, 256, 1], indirect: true })
      .exchange(0, { out: [blkHeader(0, 6)], in: [512, 1], indirect: true }),
  },
  'blk: no interrupt by flag': {
    ...blk,
    script: new VirtioScript()
      .start(VERSION_1, 1)
      .setAvailable(0, 'flags', 1)
      .exchange(0, { out: [blkHeader(4, 0)], in: [1] })
      .setAvailable(0, 'flags', 0)
      .exchange(0, { out: [blkHeader(4, 0)], in: [1] }),
  },
  'blk: event index': {
    ...blk,
    script: new VirtioScript()
      .start(VERSION_1 | EVENT_IDX, 1)
      .exchange(0, { out: [blkHeader(4, 0)], in: [1] })
      .readAvailableEvent(0)
      .setAvailable(0, 'used_event', 2)
      .exchange(0, { out: [blkHeader(4, 0)], in: [1] })
      .readAvailableEvent(0)
      .exchange(0, { out: [blkHeader(4, 0)], in: [1] })
      .readAvailableEvent(0),
  },
  'blk: configuration': {
    ...blk,
    script: new VirtioScript().start(VERSION_1, 1).read(SCRIPT_BAR + 0x2000, 24),
  },
  'net: ARP for the gateway': { ...net, script: asked([arpForGateway], [[0, 42]]) },
  'net: echo to the gateway': {
    ...net,
    // The gateway must have learnt the guest's address; it would ask by ARP first. The IP identification (18), time to live (22) and so the checksum (24) are each stack's own.
    script: asked(
      [arpForGateway, echoToGateway],
      [
        [0, 18],
        [26, 8],
        [34, 16],
      ],
    ),
  },
  'net: a DHCP offer': {
    ...net,
    script: asked(
      [dhcp(1)],
      [
        // Without the type of service, which is each stack's own.
        [6, 9],
        [34, 4],
        [42, 8],
        [42 + 16, 18],
        [42 + 236, 7],
      ],
    ),
  },
  'net: configuration': {
    ...net,
    script: new VirtioScript().start(VERSION_1 | (1n << 5n) | (1n << 16n), 2).read(SCRIPT_BAR + 0x2000, 8),
  },
  'rng: fills what it is given': {
    model: 'virtio-rng-pci',
    create: () => new VirtioRng({ fill: (target) => void target.fill(1) }),
    qemu: () => ['-device', 'virtio-rng-pci,disable-legacy=on,disable-modern=off,addr=3'],
    script: (() => {
      const script = new VirtioScript().start(VERSION_1, 1);
      script.add(0, { in: [16, 16] });
      return script.notify(0);
    })(),
  },
  'console: sends': {
    model: 'virtio-serial-pci',
    create: () => new VirtioConsole({ write() {} }),
    qemu: () => [
      ...['-device', 'virtio-serial-pci,id=s0,disable-legacy=on,disable-modern=off,addr=3', '-chardev', 'null,id=c0'],
      ...['-device', 'virtconsole,chardev=c0,bus=s0.0'],
    ],
    script: new VirtioScript().start(VERSION_1, 2).exchange(1, { out: [asciiBytes('hello'), asciiBytes(' world')] }),
  },
};

// QEMU's clock is real time: on a loaded host a script may see it late, so QEMU is asked again.
describe.skipIf(!hasQemu)('virtio devices against QEMU', { retry: 3 }, () => {
  test.concurrent.each(Object.keys(comparisons))('%s', async (name) => {
    const { model, create, qemu, script } = comparisons[name];
    const folder = mkdtempSync(join(tmpdir(), 'q35-virtio-'));
    try {
      writeFileSync(join(folder, 'disk.img'), diskBytes());
      const expected = await runOnQemu(script.steps, qemu(folder), 'halted');
      expect(runOnDevices(script.steps, ours(model, create))).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
