import { describe, expect, test } from 'vitest';
import { I8042 } from '../../../src/emulator/devices/i8042.ts';
import { hasQemu, type RegisterStep, runOnDevices, runOnQemu } from '../../oracle/qtest.ts';
import { DeviceSpace } from '../../oracle/register-space.ts';
import { TestLine } from './test-clock.ts';

function build() {
  const irq1 = new TestLine();
  const irq12 = new TestLine();
  const events: string[] = [];
  const controller = new I8042(
    irq1,
    irq12,
    {
      setA20: (enabled) => void events.push(`a20 ${enabled}`),
      requestReset: () => void events.push('reset'),
    },
    { guestError: (site) => void events.push(site) },
  );
  const space = new DeviceSpace().port(0x60, 1, controller.dataPort).port(0x64, 1, controller.commandPort);
  const command = (value: number) => space.portWrite(0x64, 1, value);
  const data = (value: number) => space.portWrite(0x60, 1, value);
  const drain = () => {
    const bytes: number[] = [];
    while (space.portRead(0x64, 1) & 1) bytes.push(space.portRead(0x60, 1));
    return bytes;
  };
  return { irq1, irq12, events, controller, space, command, data, drain };
}

describe('i8042', () => {
  test('keyboard: reset, identify, interrupts', () => {
    const { irq1, data, drain } = build();
    data(0xff);
    expect(irq1.level).toBe(true);
    expect(drain()).toEqual([0xfa, 0xaa]);
    expect(irq1.level).toBe(false);
    expect(irq1.edges).toBe(2);
    data(0xf2);
    expect(drain()).toEqual([0xfa, 0xab, 0x83]);
  });

  test('translates keys to set 1, releases by bit 7', () => {
    const { controller, command, data, drain } = build();
    command(0x60);
    data(0x45);
    controller.press(0x1c, 0xf0, 0x1c, 0xe0, 0xf0, 0x75);
    expect(drain()).toEqual([0x1e, 0x9e, 0xe0, 0xc8]);
  });

  test('mouse behind the auxiliary port, with IRQ 12', () => {
    const { irq1, irq12, space, command, data, drain } = build();
    command(0xd4);
    data(0xff);
    expect(space.portRead(0x64, 1) & 0x21).toBe(0x21);
    expect(irq12.level).toBe(true);
    expect(irq1.edges).toBe(0);
    expect(drain()).toEqual([0xfa, 0xaa, 0x00]);
    command(0xd3);
    data(0xa5);
    expect(space.portRead(0x64, 1) & 0x21).toBe(0x21);
    expect(drain()).toEqual([0xa5]);
  });

  test('A20 and reset by output port and pulse', () => {
    const { events, command, data } = build();
    command(0xd1);
    data(0xdd);
    command(0xd1);
    data(0xdf);
    command(0xfe);
    command(0xff);
    expect(events).toEqual(['a20 false', 'a20 true', 'reset']);
  });

  test('a disabled interface holds its bytes back', () => {
    const { controller, command, drain } = build();
    command(0xad);
    controller.press(0x1c);
    expect(drain()).toEqual([]);
    command(0xae);
    expect(drain()).toEqual([0x1c]);
  });
});

const both: RegisterStep[] = [
  ['in', 0x64],
  ['in', 0x60],
];
const commands = (...values: number[]): RegisterStep[] =>
  values.flatMap((value): RegisterStep[] => [['out', 0x64, value], ...both, ['in', 0x64]]);
const toKeyboard = (...values: number[]): RegisterStep[] =>
  values.flatMap((value): RegisterStep[] => [['out', 0x60, value], ...both, ...both, ...both, ['in', 0x64]]);
const toMouse = (...values: number[]): RegisterStep[] =>
  values.flatMap((value): RegisterStep[] => [
    ['out', 0x64, 0xd4],
    ['out', 0x60, value],
    ...both,
    ...both,
    ...both,
    ...both,
    ['in', 0x64],
  ]);
const script: RegisterStep[] = [
  ['in', 0x64],
  ...commands(0x20, 0xaa, 0xab, 0xa9, 0xc0, 0xd0, 0xa7, 0x20, 0xa8, 0x20, 0xad, 0x20, 0xae, 0x20),
  ['out', 0x64, 0x60],
  ['out', 0x60, 0x07],
  ...commands(0x20),
  ['out', 0x64, 0xd2],
  ['out', 0x60, 0x77],
  ...both,
  ['out', 0x64, 0xd3],
  ['out', 0x60, 0x88],
  ...both,
  ...toKeyboard(0xff, 0xf2, 0xee, 0xed, 0x02, 0xf3, 0x20, 0xf4, 0xf5, 0xf6, 0xf0, 0x00),
  ...toMouse(0xff, 0xf2, 0xe9, 0xe8, 0x03, 0xf3, 0x64, 0xe7, 0xe9, 0xe6, 0xf4, 0xe9, 0xf5, 0xeb, 0xf6),
];

test.skipIf(!hasQemu)('i8042, keyboard and mouse answer as on QEMU', async () => {
  // QEMU leaves the "last write was a command" bit set for ever; hardware does not.
  const plain = (values: string[]) =>
    values.map((text) => {
      const [place, value] = text.split(' = ');
      return place.endsWith('0x64') ? `${place} = ${Number(value) & ~0x08}` : text;
    });
  expect(plain(runOnDevices(script, build().space))).toEqual(plain(await runOnQemu(script)));
});
