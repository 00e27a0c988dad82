import { describe, expect, test } from 'vitest';
import { hasQemu, type RegisterStep, runOnDevices, runOnQemu } from '../../oracle/qtest.ts';
import { boardConfig, configAddress, scriptedMachine } from '../machine/scripted-machine.ts';

const MEMORY = 0xe000_0000;
const PORT = 0xc000;
const PORT_MMIO = 0xe001_0000;

function config(device: number, register: number, value: number): RegisterStep[] {
  return [
    ['out', 0xcf8, configAddress(0, device, 0, register), 4],
    ['out', 0xcfc, value, 4],
  ];
}

function script(): RegisterStep[] {
  const steps: RegisterStep[] = [
    ...config(4, 0x10, MEMORY),
    ...config(4, 0x14, PORT),
    ...config(4, 0x04, 7),
    ...config(5, 0x10, PORT_MMIO),
    ...config(5, 0x04, 7),
  ];
  const dump = (): void => {
    for (let offset = 0; offset < 44; offset += 4) steps.push(['read', MEMORY + offset, 4], ['in', PORT + offset, 4]);
  };
  dump();
  for (const selected of [0, 1, 2, 3]) {
    steps.push(['write', MEMORY, selected, 4]);
    dump();
    steps.push(['out', PORT, selected, 1]);
    dump();
  }
  // The first test of each BAR: matching writes count, others do not, a wide one counts by its first byte.
  steps.push(
    ['write', MEMORY, 0, 1],
    ['write', MEMORY + 0x800, 0xfa, 1],
    ['write', MEMORY + 0x800, 0xfa, 4],
    ['write', MEMORY + 0x800, 1, 1],
  );
  steps.push(['read', MEMORY + 12, 4], ['read', MEMORY + 13, 1], ['read', MEMORY + 0xffc, 4]);
  steps.push(['out', PORT, 0, 1], ['out', PORT + 0x83, 0xfa, 1], ['in', PORT + 12, 4], ['in', PORT + 0xfc, 4]);
  // What a BAR claims without a register behind it: the root port's MSI-X table, pending bits and the rest of its page.
  for (const offset of [0, 0xc, 0x10, 0x800, 0xffc]) steps.push(['read', PORT_MMIO + offset, 4]);
  return steps;
}

function onOurs(): string[] {
  const { cpuPort } = scriptedMachine(
    boardConfig([
      { id: 'test', model: 'pci-testdev', device: 4 },
      { id: 'port', model: 'pcie-root-port', device: 5 },
    ]),
  ).machine;
  return runOnDevices(script(), {
    portRead: (at, size) => cpuPort.portRead(at, size),
    portWrite: (at, size, value) => cpuPort.portWrite(at, size, value),
    memoryRead: (at, size) => cpuPort.read(at, size),
    memoryWrite: (at, size, value) => cpuPort.write(at, size, value),
  });
}

describe('pci-testdev', () => {
  test('counts the accesses that match', () => {
    const readings = onOurs();
    expect(readings.slice(-9, -5).map((reading) => reading.split(' = ')[1])).toEqual(['0x0', '0x0', '0x1', '0x0']);
    expect(readings.at(-10)).toMatch(/ = 0x2$/);
  });

  test.skipIf(!hasQemu)('answers as on QEMU (skipped without qemu-system-x86_64)', async () => {
    const board = ['-device', 'pci-testdev,bus=pcie.0,addr=4', '-device', 'pcie-root-port,bus=pcie.0,addr=5,chassis=1'];
    expect(onOurs()).toEqual(await runOnQemu(script(), board));
  });
});
