import { expect, test } from 'vitest';
import { debugcon } from '../../../src/emulator/devices/debugcon.ts';
import { Dma8237, DmaPages } from '../../../src/emulator/devices/dma8237.ts';
import { I8254 } from '../../../src/emulator/devices/i8254.ts';
import { isaDebugExit } from '../../../src/emulator/devices/isa-debug-exit.ts';
import { NmiStatus } from '../../../src/emulator/devices/nmi-status.ts';
import { Port92 } from '../../../src/emulator/devices/port92.ts';
import { PostPort } from '../../../src/emulator/devices/post-port.ts';
import { hasQemu, type RegisterStep, runOnDevices, runOnQemu } from '../../oracle/qtest.ts';
import { DeviceSpace } from '../../oracle/register-space.ts';
import { TestClock, TestLine } from './test-clock.ts';

function build() {
  const events: string[] = [];
  const pit = new I8254(new TestClock(), new TestLine());
  const port92 = new Port92({
    setA20: (enabled) => void events.push(`a20 ${enabled}`),
    requestReset: () => void events.push('reset'),
  });
  const space = new DeviceSpace()
    .port(0x00, 0x10, new Dma8237(1).ports)
    .port(0x40, 4, pit.ports)
    .port(0x61, 1, new NmiStatus(pit).ports)
    .port(0x80, 1, new PostPort(() => {}).ports)
    .port(0x81, 15, new DmaPages().ports)
    .port(0x92, 1, port92.ports)
    .port(0xc0, 0x20, new Dma8237(2).ports)
    .port(0xe9, 1, debugcon({ write: (byte) => void events.push(`debug ${byte}`) }))
    .port(
      0x501,
      4,
      isaDebugExit((code) => void events.push(`exit ${code}`)),
    );
  return { events, space };
}

test('port 0x92 gates A20 and resets on a rising edge', () => {
  const { events, space } = build();
  space.portWrite(0x92, 1, 2);
  space.portWrite(0x92, 1, 3);
  space.portWrite(0x92, 1, 3);
  expect(events).toEqual(['a20 true', 'a20 true', 'reset', 'a20 true']);
});

test('debugcon identifies itself and passes bytes on; isa-debug-exit ends with an odd code', () => {
  const { events, space } = build();
  expect(space.portRead(0xe9, 1)).toBe(0xe9);
  space.portWrite(0xe9, 1, 0x21);
  space.portWrite(0x501, 1, 0x10);
  expect(events).toEqual(['debug 33', 'exit 33']);
});

const script: RegisterStep[] = [
  ['in', 0x61],
  ['in', 0x61],
  ['out', 0x61, 0x03],
  ['in', 0x61],
  ['out', 0x61, 0x01],
  ['in', 0x61],
  ['in', 0x92],
  ['out', 0x92, 0x02],
  ['in', 0x92],
  ['in', 0x80],
  ['out', 0x80, 0x55],
  ['in', 0x80],
  ['out', 0x0d, 0],
  ['out', 0x00, 0x34],
  ['out', 0x00, 0x12],
  ['out', 0x0c, 0],
  ['in', 0x00],
  ['in', 0x00],
  ['out', 0x83, 0x77],
  ['in', 0x83],
];

test.skipIf(!hasQemu)('small ISA ports read as on QEMU', async () => {
  expect(runOnDevices(script, build().space)).toEqual(await runOnQemu(script));
});
