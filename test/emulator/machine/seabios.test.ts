import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { guestMemoryBytes } from '../../../src/emulator/bus/guest-memory.ts';
import { createEngineMemory, ENGINE_MACHINE_OFFSET } from '../../../src/emulator/cpu/execution/engine-memory.ts';
import { createEngine } from '../../../src/emulator/cpu/processor.ts';
import type { MachineConfig } from '../../../src/emulator/machine/config.ts';
import type { MachineEvent } from '../../../src/emulator/machine/events.ts';
import { createMachine, type Machine } from '../../../src/emulator/machine/machine.ts';
import { MIB } from '../../../src/shared/bytes.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { boardConfig } from './scripted-machine.ts';

/** Debian's package seabios; a firmware that this project did not write. */
const SEABIOS = '/usr/share/seabios/bios-256k.bin';

const BOARD: MachineConfig = {
  ...boardConfig([
    { id: 'edu0', model: 'edu', device: 3 },
    {
      id: 'port',
      model: 'pcie-root-port',
      device: 4,
      options: { slot: '1' },
      secondary: [
        {
          id: 'big',
          model: 'q35-testdev',
          device: 0,
          bars: [
            { index: 0, kind: 'mem32', size: 0x4000 },
            { index: 2, kind: 'mem64-prefetchable', size: 2 ** 33 },
          ],
        },
      ],
    },
    {
      id: 'bridge',
      model: 'pci-bridge',
      device: 5,
      options: { chassis_nr: '2' },
      secondary: [{ id: 'io', model: 'pci-testdev', device: 1 }],
    },
  ]),
  ramBytes: 256 * MIB,
  lowRamBytes: 128 * MIB,
};

/** Runs the firmware on `BOARD` until `untilTime` ns; what it wrote to the debug console, and the machine. */
function runFirmware(rom: Uint8Array, untilTime: number): { machine: Machine; event: MachineEvent; log: string } {
  const memory = createEngineMemory(guestMemoryBytes(BOARD, rom.length));
  const bytes: number[] = [];
  const machine = createMachine({
    config: BOARD,
    rom,
    placement: { memory, ramOffset: ENGINE_MACHINE_OFFSET },
    createEngine,
    backends: {
      drive: () => undefined,
      network: () => undefined,
      entropy: () => ({ fill: (target) => void target.fill(1) }),
      character: () => undefined,
    },
    serial: { sink: { write() {} } },
    debugcon: { write: (byte) => void bytes.push(byte) },
    logger: silentLogger,
    stopAtReset: true,
  });
  const event = machine.run({ untilTime });
  return { machine, event, log: String.fromCharCode(...bytes) };
}

describe.skipIf(!existsSync(SEABIOS))('SeaBIOS on this machine (skipped without the package seabios)', () => {
  let run: ReturnType<typeof runFirmware>;

  beforeAll(() => {
    run = runFirmware(new Uint8Array(readFileSync(SEABIOS)), 5_000_000_000);
  });

  test('finds RAM on both sides of 4 GiB', () => {
    expect(run.log).toContain('RamSize: 0x08000000');
    expect(run.log).toContain('RamSizeOver4G: 0x0000000008000000');
    expect(run.log).toMatch(/0000000100000000 - 0000000108000000 = 1 RAM/);
  });

  test('enumerates every bus through ECAM and places every BAR', () => {
    expect(run.log).toContain('PCIe: using q35 mmconfig at 0xb0000000');
    expect(run.log).toContain('Found 7 PCI devices (max PCI bus is 02)');
    const placed = [...run.log.matchAll(/map device bdf=(\S+) +bar (\d), addr ([0-9a-f]+), size ([0-9a-f]+)/g)];
    expect(
      placed.map((match) => `${match[1]} ${match[2]} ${Number.parseInt(match[4], 16).toString(16)}`).sort(),
    ).toEqual([
      '00:03.0 0 100000',
      '00:04.0 0 1000',
      '01:00.0 0 4000',
      '01:00.0 2 200000000',
      '02:01.0 0 1000',
      '02:01.0 1 100',
    ]);
    for (const [, bdf, bar, address] of placed) {
      const [bus, device] = bdf.split(/[:.]/).map((part) => Number.parseInt(part, 16));
      const target = run.machine.root.configTarget(bus, device, 0)!;
      expect(target.function.barBase(Number(bar))).toBe(Number.parseInt(address, 16));
    }
  });

  test('a card behind the port answers where SeaBIOS put it', () => {
    const base = run.machine.root.configTarget(1, 0, 0)!.function.barBase(0)!;
    expect(run.machine.cpuPort.read(base, 4)).toBe(0x5435_3351);
  });

  test('comes to the end of its work: nothing to boot from', () => {
    expect(run.event.kind).toBe('limit');
    expect(run.log).toContain('enter handle_18');
  });

  test('does the same again, bit for bit', () => {
    const again = runFirmware(new Uint8Array(readFileSync(SEABIOS)), 5_000_000_000);
    expect(again.log).toBe(run.log);
    expect(again.machine.engine.retired()).toBe(run.machine.engine.retired());
    expect(again.machine.stateHash()).toBe(run.machine.stateHash());
  });
});
