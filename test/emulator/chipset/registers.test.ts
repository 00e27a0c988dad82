import { beforeEach, describe, expect, test } from 'vitest';
import { hasQemu, type RegisterStep, runOnDevices, runOnQemu } from '../../oracle/qtest.ts';
import {
  configAddress,
  readConfig,
  type ScriptedMachine,
  scriptedMachine,
  writeConfig,
} from '../machine/scripted-machine.ts';

const MCH = [0, 0, 0] as const;
const LPC = [0, 31, 0] as const;
const PM = 0x600;

function config(device: number, register: number, size: 1 | 2 | 4, value: number): RegisterStep[] {
  return [
    ['out', 0xcf8, configAddress(0, device, 0, register), 4],
    ['out', 0xcfc + (register & 3), value, size],
  ];
}

const OPEN_PM = [...config(31, 0x40, 4, PM | 1), ...config(31, 0x44, 1, 0x80)];

/** Scripts whose readings must be the same here and on QEMU. */
const SCRIPTS: Readonly<Record<string, readonly RegisterStep[]>> = {
  'PM1: status, enable and control in every size': [
    ['in', PM + 8, 4],
    ...OPEN_PM,
    // QEMU wakes with TMROF set.
    ['out', PM, 0xffff, 2],
    ['in', PM, 2],
    ['in', PM + 2, 2],
    ['in', PM + 4, 2],
    ['out', PM + 2, 0x0121, 2],
    ['in', PM + 2, 2],
    ['in', PM, 4],
    ['out', PM + 4, 0x1c01, 2],
    ['in', PM + 4, 2],
    ['out', PM, 0xffff, 2],
    ['in', PM, 2],
  ],
  'APM commands switch SCI_EN': [
    ...OPEN_PM,
    ['out', 0xb2, 2],
    ['in', PM + 4, 2],
    ['in', 0xb2],
    ['out', 0xb3, 0x5a],
    ['in', 0xb3],
    ['out', 0xb2, 3],
    ['in', PM + 4, 2],
    ['out', 0xb2, 0x77],
    ['in', PM + 4, 2],
  ],
  'GPE0: enable bits hold, status bits clear': [
    ...OPEN_PM,
    ['in', PM + 0x20, 4],
    ['out', PM + 0x28, 0xa5],
    ['in', PM + 0x28],
    ['out', PM + 0x29, 0x3c],
    ['in', PM + 0x29],
    ['out', PM + 0x20, 0xff],
    ['in', PM + 0x20],
  ],
  'PMBASE moves the block, and ACPI_EN hides it': [
    ...OPEN_PM,
    ['out', PM + 2, 0x0100, 2],
    ...config(31, 0x40, 4, 0x801),
    ['in', 0x802, 2],
    ['in', PM + 2, 2],
    ...config(31, 0x44, 1, 0),
    ['in', 0x802, 2],
    ...config(31, 0x44, 1, 0x80),
    ['in', 0x802, 2],
  ],
  'CONFIG_ADDRESS takes dwords only, CONFIG_DATA needs the enable bit': [
    ['out', 0xcf8, configAddress(0, 0, 0, 0), 4],
    ['in', 0xcf8, 4],
    ['in', 0xcfc, 4],
    ['in', 0xcfc, 2],
    ['in', 0xcfe, 2],
    ['in', 0xcff, 1],
    ['out', 0xcf8, 0x12, 1],
    ['in', 0xcf8, 4],
    ['out', 0xcf8, 0, 4],
    ['in', 0xcfc, 4],
    ['out', 0xcf8, configAddress(0, 20, 0, 0), 4],
    ['in', 0xcfc, 4],
    ['in', 0xcfd, 1],
  ],
  'SMRAM locks': [
    ...config(0, 0x9d, 1, 0x4a),
    ['out', 0xcf8, configAddress(0, 0, 0, 0x9c), 4],
    ['in', 0xcfd, 1],
    ['out', 0xcfd, 0x1a, 1],
    ['in', 0xcfd, 1],
    ['out', 0xcfd, 0x4a, 1],
    ['in', 0xcfd, 1],
    ['out', 0xcfe, 0x07, 1],
    ['in', 0xcfe, 1],
  ],
  'PAM opens RAM': [
    ...config(0, 0x90, 1, 0x30),
    ...config(0, 0x91, 4, 0x3333_3333),
    ['write', 0xc_8000, 0x1234_5678, 4],
    ['read', 0xc_8000, 4],
    ['write', 0xf_fff0, 0xabcd_ef01, 4],
    ['read', 0xf_fff0, 4],
  ],
  'ECAM of 64 MiB ends there': [
    ...config(0, 0x60, 4, 0xe000_0005),
    ['read', 0xe000_0000, 4],
    ['read', 0xe000_0002, 2],
    ['read', 0xe00f_8000, 4],
    ['read', 0xe000_0003, 1],
    ...config(0, 0x60, 4, 0xc000_0001),
    ['read', 0xc000_0000, 4],
  ],
  RCBA: [
    ...config(31, 0xf0, 4, 0xfed1_c001),
    ['read', 0xfed1_f140, 2],
    ['read', 0xfed1_f150, 2],
    ['write', 0xfed1_f140, 0x0123, 2],
    ['read', 0xfed1_f140, 2],
    ['read', 0xfed1_f410, 4],
  ],
};

describe('chipset registers', () => {
  const onOurs = (steps: readonly RegisterStep[]): string[] => {
    const { cpuPort } = scriptedMachine().machine;
    return runOnDevices(steps, {
      portRead: (at, size) => cpuPort.portRead(at, size),
      portWrite: (at, size, value) => cpuPort.portWrite(at, size, value),
      memoryRead: (at, size) => cpuPort.read(at, size),
      memoryWrite: (at, size, value) => cpuPort.write(at, size, value),
    });
  };

  test.skipIf(!hasQemu).each(Object.entries(SCRIPTS))(
    '%s: as on QEMU (skipped without qemu-system-x86_64)',
    async (_name, steps) => {
      expect(onOurs(steps)).toEqual(await runOnQemu(steps));
    },
  );
});

describe('memory controller', () => {
  let scripted: ScriptedMachine;
  beforeEach(() => {
    scripted = scriptedMachine();
  });

  test('TOLUD and TOUUD start at the end of RAM and can be lowered', () => {
    const bus = scripted.machine.cpuPort;
    expect(readConfig(bus, MCH, 0xb0, 2)).toBe(4 << 4);
    expect(readConfig(bus, MCH, 0xa2, 2)).toBe(0x1000 + 4);
    writeConfig(bus, MCH, 0xb0, 2, 3 << 4);
    writeConfig(bus, MCH, 0xa2, 2, 0x1000 + 2);
    expect(bus.hostPage(0x2f_f000, true)).not.toBe(-1);
    expect(bus.hostPage(0x30_0000, true)).toBe(-1);
    expect(bus.hostPage(0x1_001f_f000, true)).not.toBe(-1);
    expect(bus.hostPage(0x1_0020_0000, true)).toBe(-1);
    writeConfig(bus, MCH, 0xb0, 2, 0x8000);
    expect(bus.hostPage(0x40_0000, true)).toBe(-1);
  });

  test('TSEG hides the top of low RAM', () => {
    const bus = scripted.machine.cpuPort;
    writeConfig(bus, MCH, 0x9d, 1, 0x08);
    writeConfig(bus, MCH, 0x9e, 1, 0x01);
    expect(bus.hostPage(0x2f_f000, false)).not.toBe(-1);
    expect(bus.hostPage(0x30_0000, false)).toBe(-1);
    expect(bus.read(0x30_0000, 4)).toBe(0xffff_ffff);
    writeConfig(bus, MCH, 0x50, 2, 0xffff);
    expect(readConfig(bus, MCH, 0x50, 2)).toBe(16);
  });
});

describe('power management', () => {
  test('the timer overflow raises the SCI when it is due, and not before', () => {
    const { machine } = scriptedMachine();
    const bus = machine.cpuPort;
    writeConfig(bus, LPC, 0x40, 4, PM | 1);
    writeConfig(bus, LPC, 0x44, 1, 0x80);
    bus.portWrite(0x4d1, 1, 0x02);
    bus.portWrite(0xa0, 1, 0x0a);
    bus.portWrite(PM + 2, 2, 1);
    bus.portWrite(PM + 4, 2, 1);
    const halfPeriod = (0x80_0000 * 1e9) / 3_579_545;
    machine.clock.skipTo(Math.floor(halfPeriod) - 10);
    machine.clock.runDue();
    expect(bus.portRead(0xa0, 1) & 2).toBe(0);
    machine.clock.skipTo(Math.ceil(halfPeriod) + 1);
    machine.clock.runDue();
    expect(bus.portRead(0xa0, 1) & 2).toBe(2);
    bus.portWrite(PM, 2, 1);
    expect(bus.portRead(0xa0, 1) & 2).toBe(0);
  });

  test('a general-purpose event raises the SCI while it is enabled', () => {
    const { machine } = scriptedMachine();
    const bus = machine.cpuPort;
    writeConfig(bus, LPC, 0x40, 4, PM | 1);
    writeConfig(bus, LPC, 0x44, 1, 0x80);
    bus.portWrite(0x4d1, 1, 0x02);
    bus.portWrite(0xa0, 1, 0x0a);
    bus.portWrite(PM + 4, 2, 1);
    machine.ich9.pm.raiseGpe(9);
    expect(bus.portRead(0xa0, 1) & 2).toBe(0);
    bus.portWrite(PM + 0x29, 1, 0x02);
    expect(bus.portRead(0xa0, 1) & 2).toBe(2);
    bus.portWrite(PM + 0x21, 1, 0x02);
    expect(bus.portRead(0xa0, 1) & 2).toBe(0);
  });
});
