import { describe, expect, it } from 'vitest';
import { MAX_RAM } from '../../../src/emulator/machine/memory-map.ts';
import { GIB, MIB } from '../../../src/shared/bytes.ts';
import { UserError } from '../../../src/shared/errors.ts';
import { boardOfFlags, boardOfYaml, defaultBoard } from '../../support/boards.ts';

function errorOf(action: () => unknown): UserError {
  try {
    action();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('no error');
}

describe('the default board', () => {
  it('has two host bridges, three root ports, a conventional bridge and an 8 GiB BAR', () => {
    const { machine } = defaultBoard();
    expect(machine.ramBytes).toBe(512 * MIB);
    expect(machine.lowRamBytes).toBe(256 * MIB);
    expect(machine.hostBridges.map(({ id, busNumber, slot }) => [id, busNumber, slot])).toEqual([
      ['pcie.0', 0, undefined],
      ['pxb1', 0x80, 1],
    ]);
    const all = machine.hostBridges
      .flatMap((bridge) => bridge.functions)
      .flatMap((fn) => [fn, ...(fn.secondary ?? [])]);
    expect(all.filter((fn) => fn.model === 'pcie-root-port')).toHaveLength(3);
    expect(all.filter((fn) => fn.model === 'pci-bridge')).toHaveLength(1);
    const large = all.find((fn) => fn.id === 'large0');
    expect(large?.bars).toContainEqual({ index: 2, kind: 'mem64-prefetchable', size: 8 * GIB });
    expect(all.some((fn) => fn.bars.some((bar) => bar.kind === 'io'))).toBe(true);
    for (const fn of all) if (fn.secondary) expect(fn.secondary.some((child) => child.model === 'edu')).toBe(true);
  });
});

describe('flags', () => {
  it('state the same board as YAML', () => {
    const yaml = boardOfYaml(`
memory: 1G
cpus: 2
numa:
  - { mem: 512M, cpus: [0] }
  - { mem: 512M, cpus: [1], distances: [20, 10] }
devices:
  - { driver: pxb-pcie, id: pxb1, bus_nr: 0x80, numa_node: 1 }
  - driver: pcie-root-port
    id: rp0
    devices:
      - { driver: virtio-blk-pci, drive: d0 }
drives:
  - { id: d0, file: disk.img, if: none, format: raw }
`);
    const flags = boardOfFlags({
      m: '1024',
      smp: 'cpus=2',
      numa: ['node,nodeid=0,mem=512M,cpus=0', 'node,nodeid=1,mem=512,cpus=1', 'dist,src=0,dst=1,val=20'],
      device: [
        'pxb-pcie,id=pxb1,bus_nr=0x80,numa_node=1',
        'pcie-root-port,id=rp0,bus=pcie.0',
        'virtio-blk-pci,drive=d0,bus=rp0',
      ],
      drive: ['id=d0,file=disk.img,if=none,format=raw'],
    });
    expect(flags.machine).toEqual(yaml.machine);
    expect(flags.drives.map(({ place: _, ...drive }) => drive)).toEqual([
      { id: 'd0', file: 'disk.img', readOnly: false },
    ]);
  });

  it('give slots in order, as QEMU does, and read slots as hexadecimal', () => {
    const { machine } = boardOfFlags({
      device: ['edu,addr=1', 'edu', 'edu,addr=10.0,multifunction=on', 'edu,addr=10.3'],
    });
    expect(machine.hostBridges[0].functions.map((fn) => [fn.id, fn.device, fn.function])).toEqual([
      ['edu#0', 1, 0],
      ['edu#1', 2, 0],
      ['edu#2', 16, 0],
      ['edu#3', 16, 3],
    ]);
  });

  it('give each root port a chassis of its own', () => {
    const { machine } = boardOfFlags({
      device: ['pcie-root-port,id=a', 'pcie-root-port,chassis=1,id=b', 'pcie-root-port'],
    });
    expect(machine.hostBridges[0].functions.map((fn) => fn.options.chassis)).toEqual(['2', '1', '3']);
  });

  it('choose BARs of a test device', () => {
    const { machine } = boardOfFlags({ device: ['q35-testdev,bar0=io:32,bar2=mem64-prefetchable:1G,bar4=mem32:64K'] });
    expect(machine.hostBridges[0].functions[0].bars).toEqual([
      { index: 0, kind: 'io', size: 32 },
      { index: 2, kind: 'mem64-prefetchable', size: GIB },
      { index: 4, kind: 'mem32', size: 0x1_0000 },
    ]);
  });
});

describe('a wrong board is one typed error with a mend', () => {
  const device = (...list: string[]) => ({ device: list });
  const numa = (...list: string[]) => ({ m: '512', smp: '2', numa: list });
  const cases: [string, Parameters<typeof boardOfFlags>[0], string, RegExp][] = [
    ['unknown device', device('pci-root-port'), 'DEVICE_UNKNOWN', /did you mean pcie-root-port/],
    ['unknown device, nothing near', device('zzzzzzzzzzzzzzzzzzzzzzz'), 'DEVICE_UNKNOWN', /choose one of edu/],
    ['unknown option', device('edu,dma_mark=1'), 'OPTION_UNKNOWN', /dma_mask/],
    ['option twice', device('edu,id=a,id=b'), 'OPTION_TWICE', /keep one/],
    ['empty option', device(''), 'OPTION_SYNTAX', /write --device/],
    ['id used twice', device('edu,id=a', 'edu,id=a'), 'ID_TWICE', /its own id/],
    ['bad id', device('edu,id=1#'), 'ID_SYNTAX', /letter/],
    ['unknown bus', device('pcie-root-port,id=rp0', 'edu,bus=rp1'), 'BUS_UNKNOWN', /did you mean rp0/],
    ['slot taken', device('edu,addr=3', 'edu,addr=3'), 'SLOT_TAKEN', /choose another addr/],
    ['chipset slot', device('edu,addr=1f.1'), 'SLOT_TAKEN', /choose another addr/],
    ['slot syntax', device('edu,addr=20'), 'ADDR_SYNTAX', /hexadecimal/],
    ['slot under a root port', device('pcie-root-port,id=r', 'edu,bus=r,addr=1'), 'SLOT_NOT_ALLOWED', /device 0/],
    ['full root port', device('pcie-root-port,id=r', 'edu,bus=r', 'edu,bus=r'), 'BUS_FULL', /root-port/],
    ['root port on a bridge', device('pci-bridge,id=b', 'pcie-root-port,bus=b'), 'BUS_TYPE', /pcie\.0/],
    ['endpoint on a host bridge', device('pxb-pcie,id=p,bus_nr=9', 'edu,bus=p'), 'BUS_TYPE', /pcie-root-port/],
    ['host bridge behind a port', device('pcie-root-port,id=r', 'pxb-pcie,bus_nr=9,bus=r'), 'BUS_TYPE', /pcie\.0/],
    ['bus number missing', device('pxb-pcie,id=p'), 'OPTION_MISSING', /bus_nr/],
    ['bus number twice', device('pxb-pcie,bus_nr=9', 'pxb-pcie,bus_nr=9'), 'BUS_NUMBER_TAKEN', /bus_nr/],
    ['single function', device('edu,addr=2', 'edu,addr=2.1'), 'MULTIFUNCTION', /multifunction=on/],
    ['no function 0', device('edu,addr=2.1'), 'MULTIFUNCTION', /function 0/],
    ['chassis twice', device('pcie-root-port,chassis=1', 'pcie-root-port,chassis=1'), 'CHASSIS_TAKEN', /chassis/],
    ['drive missing', device('virtio-blk-pci'), 'OPTION_MISSING', /drive/],
    ['drive unknown', device('virtio-blk-pci,drive=x'), 'BACKEND_UNKNOWN', /--drive/],
    ['bar size', device('pci-testdev,membar=3M'), 'BAR_SIZE', /power of two/],
    ['bar kind', device('q35-testdev,bar0=mem16:4K'), 'BAR_SYNTAX', /mem32/],
    ['bar overlap', device('q35-testdev,bar0=mem64:4K,bar1=io:4'), 'BAR_OVERLAP', /bar1/],
    ['not modern', device('virtio-rng-pci,disable-modern=on'), 'OPTION_VALUE', /disable-modern=off/],
    ['RAM too small', { m: '63' }, 'RAM_TOO_SMALL', /64 MiB/],
    ['RAM over the limit', { m: `${MAX_RAM / MIB + 1}` }, 'RAM_TOO_LARGE', /3584 MiB/],
    ['RAM no size', { m: '12Q' }, 'SIZE_SYNTAX', /512M/],
    ['hotplug memory', { m: '512,slots=2' }, 'OPTION_UNKNOWN', /size alone/],
    ['no CPUs', { smp: '0' }, 'NUMBER_RANGE', /255/],
    ['pm', { pm: 'piix4' }, 'OPTION_VALUE', /ich9/],
    ['NUMA memory', numa('node,mem=100M,cpus=0-1', 'node,mem=100M'), 'NUMA_MEMORY', /add up/],
    ['NUMA CPU missing', numa('node,mem=512M,cpus=0'), 'NUMA_CPUS', /cpus=1/],
    ['NUMA CPU twice', numa('node,mem=256M,cpus=0-1', 'node,mem=256M,cpus=1'), 'NUMA_CPUS', /once/],
    ['NUMA ids', numa('node,nodeid=1,mem=512M,cpus=0-1'), 'NUMA_NODES', /from 0/],
    [
      'NUMA distance',
      numa('node,mem=256M,cpus=0-1', 'node,mem=256M', 'dist,src=0,dst=1,val=10'),
      'NUMA_DISTANCE',
      /10/,
    ],
    ['NUMA option', numa('node,memdev=m0'), 'NUMA_OPTION', /mem/],
    ['NUMA node of a host bridge', device('pxb-pcie,bus_nr=9,numa_node=1'), 'NUMA_NODES', /NUMA/],
  ];
  it.each(cases)('%s', (_, flags, code, mend) => {
    const error = errorOf(() => boardOfFlags(flags));
    expect(error.code).toBe(code);
    expect(error.mend).toMatch(mend);
    expect(error.place.file).toMatch(/^--/);
  });
});

describe('a wrong board file names file and line', () => {
  const cases: [string, string, string, number][] = [
    ['syntax', 'memory: 512M\ndevices: [', 'BOARD_YAML', 2],
    ['unknown key', 'memory: 512M\n\ndevises: []\n', 'BOARD_SCHEMA', 3],
    ['device without a driver', 'devices:\n  - driver: edu\n  - id: x\n', 'BOARD_SCHEMA', 3],
    ['value that is a list', 'devices:\n  - driver: edu\n    addr: [1]\n', 'BOARD_SCHEMA', 3],
    ['unknown device', 'devices:\n  - driver: edu\n  - driver: eddu\n', 'DEVICE_UNKNOWN', 3],
    ['bridge without id', 'devices:\n  - driver: pci-bridge\n    devices: [{driver: edu}]\n', 'OPTION_MISSING', 2],
    ['RAM', '\nmemory: 1M\n', 'RAM_TOO_SMALL', 2],
    ['drive', 'drives:\n  - id: a\n', 'OPTION_MISSING', 2],
    ['netdev', 'netdevs:\n  - {type: tap, id: a}\n', 'OPTION_VALUE', 2],
  ];
  it.each(cases)('%s', (_, text, code, line) => {
    const error = errorOf(() => boardOfYaml(text));
    expect([error.code, error.place.file, error.place.line]).toEqual([code, 'board.yaml', line]);
  });
});
