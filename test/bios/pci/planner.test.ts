import { describe, expect, it } from 'vitest';
import type { PlannedFunction } from '../../../src/bios/pci/plan.ts';
import { decodePlanFile, encodePlanFile } from '../../../src/bios/pci/plan-file.ts';
import { planPci } from '../../../src/bios/pci/planner.ts';
import { GIB, MIB } from '../../../src/shared/bytes.ts';
import { UserError } from '../../../src/shared/errors.ts';
import { boardOfFlags, defaultBoard } from '../../support/boards.ts';
import { checkPlan } from './check-plan.ts';
import { replay } from './replay.ts';

const planOf = (...device: string[]) => planPci(boardOfFlags({ device }).machine);

function everyFunction(functions: readonly PlannedFunction[]): PlannedFunction[] {
  return functions.flatMap((fn) => [fn, ...everyFunction(fn.bridge?.functions ?? [])]);
}

describe('the plan of the default board', () => {
  const plan = planPci(defaultBoard().machine);
  const byId = new Map(everyFunction(plan.hostBridges.flatMap((bridge) => bridge.functions)).map((fn) => [fn.id, fn]));

  it('has six buses, each with its function', () => {
    const buses = ['rp0', 'rp1', 'br0', 'rp2'].map((id) => byId.get(id)?.bridge?.secondaryBus);
    expect(buses).toEqual([1, 2, 3, 0x81]);
    expect(plan.hostBridges.map(({ firstBus, lastBus }) => [firstBus, lastBus])).toEqual([
      [0, 0x7f],
      [0x80, 0xff],
    ]);
    checkPlan(plan);
  });

  it('puts the 8 GiB BAR at a multiple of 8 GiB above RAM, and says why', () => {
    const [, , large] = byId.get('large0')?.bars ?? [];
    expect(large).toMatchObject({ index: 2, base: 8 * GIB, size: 8 * GIB });
    expect(large.explanation).toBe(
      '8 GiB of 64-bit prefetchable memory at 0x2_0000_0000 from the window of rp1, aligned to 8 GiB: directly after what stands before it',
    );
    expect(byId.get('rp1')?.bridge?.explanations['mem64-prefetchable']).toMatch(/3 GiB before it stay free/);
    expect(byId.get('rp0')?.bridge?.explanations.io).toBe('closed: nothing behind it needs I/O');
  });

  it('follows interrupts to the root', () => {
    expect(byId.get('edu0')?.interrupt).toEqual({ pin: 1, rootPin: 1, rootDevice: 2, pirq: 6, irq: 11, gsi: 22 });
    expect(byId.get('edu3')?.interrupt).toEqual({ pin: 1, rootPin: 2, rootDevice: 4, pirq: 5, irq: 10, gsi: 21 });
    expect(byId.get('edu2')?.interrupt).toEqual({ pin: 1, rootPin: 1, rootDevice: 1, pirq: 5, irq: 10, gsi: 21 });
    expect(byId.get('large0')?.interrupt).toBeUndefined();
  });

  it('is what a machine holds after its writes, read by the header’s own rules', () => {
    const space = replay(plan.writes);
    for (const fn of byId.values()) {
      const read = space.read(fn.bdf);
      for (const bar of fn.bars) expect([fn.id, read.bar(bar)]).toEqual([fn.id, bar.base]);
      expect(read.interruptLine).toBe(fn.interrupt?.irq ?? 0);
      expect(read.command & 6).toBe(6);
      if (fn.bridge === undefined) continue;
      const { primaryBus, secondaryBus, subordinateBus, windows } = fn.bridge;
      expect(read.buses).toEqual([primaryBus, secondaryBus, subordinateBus]);
      expect(read.windows).toEqual(windows);
    }
  });

  it('reaches every bridge before what is behind it, and decodes nothing until its address stands', () => {
    const numbered = new Set([0, 0x80]);
    for (const write of plan.writes) {
      expect(numbered.has(write.bus)).toBe(true);
      if (write.offset === 0x19) numbered.add(write.value);
    }
    const decoding = new Set<string>();
    for (const { bus, device, function: fn, offset, value } of plan.writes) {
      const name = `${bus}:${device}.${fn}`;
      if (offset === 4 && value !== 0) decoding.add(name);
      else expect(decoding.has(name)).toBe(false);
    }
  });
});

describe('placement', () => {
  it('puts a 64-bit BAR that is not prefetchable below 4 GiB', () => {
    const plan = planOf(
      'pcie-root-port,id=r,hotplug=off',
      'q35-testdev,id=t,bus=r,bar0=mem64:64K,bar2=mem32-prefetchable:4K',
    );
    const [port] = plan.hostBridges[0].functions;
    expect(port.bridge?.windows['mem64-prefetchable'].size).toBe(0);
    expect(port.bridge?.functions[0].bars.map((bar) => bar.base < 4 * GIB)).toEqual([true, true]);
    expect(port.bridge?.functions[0].bars[0].explanation).toMatch(/not prefetchable/);
  });

  it('keeps what a root port reserves', () => {
    const [port] = planOf('pcie-root-port,id=r,io-reserve=8K,mem-reserve=3M,pref64-reserve=2G,bus-reserve=4')
      .hostBridges[0].functions;
    expect(port.bridge).toMatchObject({ secondaryBus: 1, subordinateBus: 5 });
    expect(port.bridge?.windows.io.size).toBe(8192);
    expect(port.bridge?.windows.mem32.size).toBe(3 * MIB);
    expect(port.bridge?.windows['mem64-prefetchable'].size).toBe(2 * GIB);
  });

  it('keeps the windows of a hotplug port open, since Linux would move a closed one', () => {
    const [port] = planOf('pcie-root-port,id=r').hostBridges[0].functions;
    expect(port.bridge?.windows.io.size).toBe(4096);
    expect(port.bridge?.windows.mem32.size).toBe(2 * MIB);
    expect(port.bridge?.windows['mem64-prefetchable'].size).toBe(2 * MIB);
    expect(port.bridge?.explanations.io).toMatch(/holds nothing yet; reserved to 4 KiB/);
  });

  it('gives every host bridge ranges of its own', () => {
    const plan = planOf(
      'pxb-pcie,id=a,bus_nr=0x40',
      'pxb-pcie,id=b,bus_nr=0x80',
      'pcie-root-port,id=ra,bus=a',
      'pcie-root-port,id=rb,bus=b',
      'q35-testdev,bus=ra,bar0=io:32,bar1=mem32:256M,bar2=mem64-prefetchable:1G',
      'q35-testdev,bus=rb,bar0=io:32,bar1=mem32:16M,bar2=mem64-prefetchable:2G',
      'q35-testdev,bar0=io:32,bar1=mem32:256M,bar2=mem64-prefetchable:4G',
    );
    checkPlan(plan);
    expect(plan.hostBridges.map(({ firstBus, lastBus }) => [firstBus, lastBus])).toEqual([
      [0, 0x3f],
      [0x40, 0x7f],
      [0x80, 0xff],
    ]);
    for (const bridge of plan.hostBridges) expect(bridge.windows.mem32.length).toBeGreaterThan(0);
  });
});

describe('what does not fit is one typed error: what, where, how much, the mend', () => {
  const ports = (count: number, bar: string) =>
    Array.from({ length: count }, (_, i) => [
      `pcie-root-port,id=r${i}`,
      `q35-testdev,id=t${i},bus=r${i},${bar}`,
    ]).flat();
  const cases: [string, string[], string, RegExp, RegExp][] = [
    [
      'I/O',
      ports(16, 'bar0=io:32'),
      'PCI_IO_SHORTAGE',
      /no room for the window of r15 .*: 4 KiB missing/,
      /fewer bridges/,
    ],
    [
      'hotplug ports',
      Array.from({ length: 16 }, (_, i) => `pcie-root-port,id=r${i}`),
      'PCI_IO_SHORTAGE',
      /no room for the window of r15 .*: 4 KiB missing/,
      /hotplug=off or io-reserve=0/,
    ],
    [
      'I/O reserved',
      ['pcie-root-port,id=r,io-reserve=64K'],
      'PCI_IO_SHORTAGE',
      /no room for the window of r \(64 KiB\) .*: 4 KiB missing/,
      /lower io-reserve of r/,
    ],
    [
      '32-bit memory',
      ports(4, 'bar0=mem32:256M'),
      'PCI_MEM32_SHORTAGE',
      /32-bit memory: no room for the window of r3 \(256 MiB\) below pcie\.0 in 0x/,
      /64-bit prefetchable \(bar0=mem64-prefetchable:SIZE\)/,
    ],
    [
      '32-bit memory of a further host bridge',
      ['pxb-pcie,id=p,bus_nr=9', 'pcie-root-port,id=r,bus=p', 'q35-testdev,bus=r,bar0=mem32:1G'],
      'PCI_MEM32_SHORTAGE',
      /below p /,
      /mem64-prefetchable/,
    ],
    [
      '64-bit memory',
      ['pci-testdev,id=a,membar=512G', 'pci-testdev,id=b,membar=512G'],
      'PCI_MEM64_SHORTAGE',
      /no room for b BAR2 \(512 GiB\) .* 512 GiB missing/,
      /lower membar of a/,
    ],
    [
      'bus numbers',
      ['pxb-pcie,id=p,bus_nr=2', 'pcie-root-port,id=r0', 'pcie-root-port,id=r1'],
      'PCI_BUS_SHORTAGE',
      /r1 needs a bus number below pcie\.0, which has 0–1: 1 missing/,
      /raise bus_nr/,
    ],
  ];
  it.each(cases)('%s', (_, device, code, message, mend) => {
    try {
      planOf(...device);
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).code).toBe(code);
      expect((error as UserError).message).toMatch(message);
      expect((error as UserError).mend).toMatch(mend);
      return;
    }
    throw new Error('it fitted');
  });
});

describe('a plan file', () => {
  const bytes = encodePlanFile(planPci(defaultBoard().machine).writes);
  it.each([
    ['empty', new Uint8Array(0)],
    ['of another kind', new Uint8Array(64)],
    ['cut short', bytes.subarray(0, bytes.length - 1)],
  ])('that is %s is refused', (_, wrong) => {
    expect(() => decodePlanFile(wrong, 'plan')).toThrow(UserError);
  });
});
