import { describe, expect, test } from 'vitest';
import { boardConfig, ROM_BYTES, readConfig, scriptedMachine, writeConfig } from './scripted-machine.ts';

const MCH = [0, 0, 0] as const;
const LPC = [0, 31, 0] as const;
const EDU = [0, 8, 0] as const;
const EDU_BAR = 0xc000_0000;
const PM_BASE = 0x600;

describe('physical memory', () => {
  test('RAM is split at 4 GiB, the ROM ends there and shows below 1 MiB, the rest reads as ones', () => {
    const { machine, placement } = scriptedMachine();
    const bus = machine.cpuPort;
    expect(bus.hostPage(0x10_0000, true)).toBe(placement.ramOffset + 0x10_0000);
    expect(bus.hostPage(0x1_0000_0000, true)).toBe(placement.ramOffset + 0x40_0000);
    expect(bus.hostPage(0x40_0000, false)).toBe(-1);
    expect(bus.read(0x40_0000, 4)).toBe(0xffff_ffff);
    const romPage = placement.ramOffset + 0x80_0000;
    expect(bus.hostPage(0xffff_f000, false)).toBe(romPage + ROM_BYTES - 0x1000);
    expect(bus.hostPage(0xffff_f000, true)).toBe(-1);
    expect(bus.hostPage(0xe_0000, false)).toBe(romPage);
    bus.write(0xffff_fff0, 4, 0);
    expect(bus.read(0xffff_fff0, 1)).toBe((ROM_BYTES - 0x10) % 251);
    expect(bus.hostPage(0xa_0000, false)).toBe(-1);
  });

  test('PAM steers reads and writes apart, and the engine hears of it', () => {
    const { machine, engine, placement } = scriptedMachine();
    const bus = machine.cpuPort;
    const flushes = engine.flushes;
    expect(bus.hostPage(0xf_0000, true)).toBe(-1);
    // Reads from ROM, writes to RAM: how firmware copies itself.
    writeConfig(bus, MCH, 0x90, 1, 0x20);
    expect(engine.flushes).toBeGreaterThan(flushes);
    bus.write(0xf_0000, 1, 0x99);
    expect(bus.read(0xf_0000, 1)).toBe(0x1_0000 % 251);
    writeConfig(bus, MCH, 0x90, 1, 0x10);
    expect(bus.read(0xf_0000, 1)).toBe(0x99);
    expect(bus.hostPage(0xf_0000, false)).toBe(placement.ramOffset + 0xf_0000);
    expect(bus.hostPage(0xf_0000, true)).toBe(-1);
    for (let register = 0x91; register <= 0x96; register++) writeConfig(bus, MCH, register, 1, 0x33);
    for (let gpa = 0xc_0000; gpa < 0xf_0000; gpa += 0x1000)
      expect(bus.hostPage(gpa, true)).toBe(placement.ramOffset + gpa);
  });

  test('SMRAM shows while open, and never again once locked', () => {
    const { machine, placement } = scriptedMachine();
    const bus = machine.cpuPort;
    writeConfig(bus, MCH, 0x9d, 1, 0x48);
    expect(bus.hostPage(0xa_0000, true)).toBe(placement.ramOffset + 0xa_0000);
    writeConfig(bus, MCH, 0x9d, 1, 0x58);
    expect(bus.hostPage(0xa_0000, true)).toBe(-1);
    writeConfig(bus, MCH, 0x9d, 1, 0x48);
    expect(readConfig(bus, MCH, 0x9d, 1)).toBe(0x1a);
  });

  test('ECAM appears where PCIEXBAR says, of the length that it says', () => {
    const { machine } = scriptedMachine();
    const bus = machine.cpuPort;
    expect(bus.read(0xe000_0000, 4)).toBe(0xffff_ffff);
    writeConfig(bus, MCH, 0x60, 4, 0xe000_0005);
    expect(bus.read(0xe000_0000, 4)).toBe(0x29c0_8086);
    expect(bus.read(0xe000_0000 + (31 << 15), 4)).toBe(0x2918_8086);
    expect(bus.read(0xe400_0000, 4)).toBe(0xffff_ffff);
    expect(bus.read(0xe000_0000 + (5 << 15), 4)).toBe(0xffff_ffff);
  });
});

test('a write to port 0x80 takes a microsecond', () => {
  const { machine } = scriptedMachine();
  const before = machine.clock.now();
  machine.cpuPort.portWrite(0x80, 1, 0);
  expect(machine.clock.now() - before).toBe(1000);
});

describe('interrupts', () => {
  /** Brings the 8259s up with vectors 0x20 and 0x28, everything unmasked. */
  function setUpPic(bus: ReturnType<typeof scriptedMachine>['engine']['bus']): void {
    for (const [base, vectors, cascade] of [
      [0x20, 0x20, 4],
      [0xa0, 0x28, 2],
    ]) {
      bus.portWrite(base, 1, 0x11);
      bus.portWrite(base + 1, 1, vectors);
      bus.portWrite(base + 1, 1, cascade);
      bus.portWrite(base + 1, 1, 1);
      // The PIT's line stays masked: its output is high from reset.
      bus.portWrite(base + 1, 1, base === 0x20 ? 1 : 0);
    }
  }

  function eduMachine(): ReturnType<typeof scriptedMachine> {
    const scripted = scriptedMachine(boardConfig([{ id: 'edu0', model: 'edu', device: 8 }]));
    const bus = scripted.machine.cpuPort;
    writeConfig(bus, EDU, 0x10, 4, EDU_BAR);
    writeConfig(bus, EDU, 0x04, 2, 0x0006);
    return scripted;
  }

  test('INTx of slot 8 comes through PIRQE to the 8259 line that LPC names', () => {
    const { machine, engine, queue } = eduMachine();
    setUpPic(machine.cpuPort);
    writeConfig(machine.cpuPort, LPC, 0x68, 1, 0x0a);
    queue(
      (bus) => void bus.portWrite(0x4d1, 1, 0x04),
      (bus) => void bus.write(EDU_BAR + 0x60, 4, 1),
      () => undefined,
      (bus) => void bus.write(EDU_BAR + 0x64, 4, 1),
    );
    expect(machine.run({ untilTime: 1000 }).kind).toBe('limit');
    expect(engine.vectors).toEqual([0x2a]);
  });

  test('INTx reaches I/O APIC pin 20, MSI the local APIC', () => {
    const { machine, engine, queue } = eduMachine();
    const ioApic = (register: number, value: number) => (bus: typeof engine.bus) => {
      bus.write(0xfec0_0000, 4, register);
      bus.write(0xfec0_0010, 4, value);
      return undefined;
    };
    machine.cpuPort.portWrite(0x21, 1, 0xff);
    queue(
      (bus) => void bus.write(0xfee0_00f0, 4, 0x1ff),
      ioApic(0x10 + 2 * 20, 0x8044),
      ioApic(0x11 + 2 * 20, 0),
      (bus) => void bus.write(EDU_BAR + 0x60, 4, 1),
      () => undefined,
      (bus) => void bus.write(EDU_BAR + 0x64, 4, 1),
      (bus) => void bus.write(0xfee0_00b0, 4, 0),
      (bus) => void writeConfig(bus, EDU, 0x44, 4, 0xfee0_0000),
      (bus) => void writeConfig(bus, EDU, 0x4c, 2, 0x0055),
      (bus) => void writeConfig(bus, EDU, 0x42, 2, 0x0001),
      (bus) => void bus.write(EDU_BAR + 0x60, 4, 1),
      () => undefined,
    );
    machine.run({ untilTime: 1000 });
    expect(engine.vectors).toEqual([0x44, 0x55]);
  });

  test('DMA obeys Bus Master Enable and tells the engine what it wrote', () => {
    const { machine, engine, queue } = eduMachine();
    const transfer = (bus: typeof engine.bus, source: number, destination: number, command: number): void => {
      bus.write(EDU_BAR + 0x80, 4, source);
      bus.write(EDU_BAR + 0x88, 4, destination);
      bus.write(EDU_BAR + 0x90, 4, 8);
      bus.write(EDU_BAR + 0x98, 4, command);
    };
    machine.cpuPort.write(0x2000, 4, 0x1234_5678);
    queue((bus) => void transfer(bus, 0x2000, 0x4_0000, 1));
    machine.run({ untilTime: 200_000 });
    queue((bus) => void transfer(bus, 0x4_0000, 0x3000, 3));
    machine.run({ untilTime: 400_000 });
    expect(machine.cpuPort.read(0x3000, 4)).toBe(0x1234_5678);
    expect(engine.invalidated).toContainEqual([0x3000, 8]);
    writeConfig(machine.cpuPort, EDU, 0x04, 2, 0x0002);
    queue((bus) => void transfer(bus, 0x4_0000, 0x3800, 3));
    machine.run({ untilTime: 600_000 });
    expect(machine.cpuPort.read(0x3800, 4)).toBe(0);
  });
});

describe('power management and the end of a run', () => {
  function acpiMachine(options = {}): ReturnType<typeof scriptedMachine> {
    const scripted = scriptedMachine(boardConfig(), options);
    writeConfig(scripted.machine.cpuPort, LPC, 0x40, 4, PM_BASE | 1);
    writeConfig(scripted.machine.cpuPort, LPC, 0x44, 1, 0x80);
    return scripted;
  }

  test('the PM timer runs at 3.579545 MHz of virtual time', () => {
    const { machine } = acpiMachine();
    const bus = machine.cpuPort;
    const start = bus.portRead(PM_BASE + 8, 4);
    machine.clock.skipTo(1_000_000_000);
    expect(bus.portRead(PM_BASE + 8, 4) - start).toBe(3_579_545);
    machine.clock.skipTo(5_000_000_000);
    expect(bus.portRead(PM_BASE + 8, 4)).toBe(17_897_725 % 0x100_0000);
    expect(bus.portRead(PM_BASE, 2) & 1).toBe(1);
    bus.portWrite(PM_BASE, 2, 1);
    expect(bus.portRead(PM_BASE, 2) & 1).toBe(0);
  });

  test('APM switches SCI_EN; the power button raises the SCI', () => {
    const { machine } = acpiMachine();
    const bus = machine.cpuPort;
    bus.portWrite(0x4d1, 1, 0x02);
    bus.portWrite(0xb2, 1, 2);
    expect(bus.portRead(PM_BASE + 4, 2) & 1).toBe(1);
    bus.portWrite(PM_BASE + 2, 2, 0x100);
    machine.pressPowerButton();
    // The 8259's request register shows IRQ 9.
    bus.portWrite(0xa0, 1, 0x0a);
    expect(bus.portRead(0xa0, 1) & 2).toBe(2);
    bus.portWrite(PM_BASE, 2, 0x100);
    expect(bus.portRead(0xa0, 1) & 2).toBe(0);
    bus.portWrite(0xb2, 1, 3);
    expect(bus.portRead(PM_BASE + 4, 2) & 1).toBe(0);
  });

  test('S5 ends the run, by either convention', () => {
    const qemu = acpiMachine();
    qemu.queue((bus) => void bus.portWrite(PM_BASE + 4, 2, 0x2000));
    expect(qemu.machine.run()).toEqual({ kind: 'power-off' });
    const real = scriptedMachine({ ...boardConfig(), pm: 'ich9' });
    writeConfig(real.machine.cpuPort, LPC, 0x40, 4, PM_BASE | 1);
    writeConfig(real.machine.cpuPort, LPC, 0x44, 1, 0x80);
    real.queue((bus) => void bus.portWrite(PM_BASE + 4, 2, 0x2000 | (7 << 10)));
    expect(real.machine.run()).toEqual({ kind: 'power-off' });
  });

  test('isa-debug-exit, shutdown, idle and the limit', () => {
    const { machine, queue } = scriptedMachine();
    queue((bus) => void bus.portWrite(0x501, 1, 0x10));
    expect(machine.run()).toEqual({ kind: 'debug-exit', code: 0x21 });
    queue(() => 'shutdown');
    expect(machine.run()).toEqual({ kind: 'triple-fault', autopsy: 'scripted shutdown' });
    queue(...Array.from({ length: 10 }, () => () => undefined));
    expect(machine.run({ instructions: 4 })).toEqual({ kind: 'limit' });
    expect(machine.engine.retired()).toBe(6);
  });

  test('0xcf9 resets the chipset and keeps RAM; --no-reboot stops there', () => {
    const { machine, engine, queue } = acpiMachine();
    machine.cpuPort.write(0x5000, 4, 0xcafe);
    queue((bus) => void bus.portWrite(0xcf9, 1, 0x06));
    machine.run({ untilTime: 1000 });
    expect(engine.resets).toBe(2);
    expect(readConfig(machine.cpuPort, LPC, 0x40, 4)).toBe(1);
    expect(machine.cpuPort.portRead(PM_BASE + 8, 4)).toBe(0xffff_ffff);
    expect(machine.cpuPort.read(0x5000, 4)).toBe(0xcafe);
    const stopping = acpiMachine({ stopAtReset: true });
    stopping.queue((bus) => void bus.portWrite(0xcf9, 1, 0x06));
    expect(stopping.machine.run()).toEqual({ kind: 'reset' });
  });
});

describe('time', () => {
  test('a halted guest skips to the next alarm; the PIT ticks where it must', () => {
    const { machine, engine } = scriptedMachine();
    const bus = machine.cpuPort;
    for (const [port, value] of [
      [0x20, 0x11],
      [0x21, 0x20],
      [0x21, 4],
      [0x21, 1],
      [0x21, 0xfe],
      [0x43, 0x34],
      [0x40, 0x9c],
      [0x40, 0x2e],
    ]) {
      bus.portWrite(port, 1, value);
    }
    // Each HLT step ends the slice; with none left the engine stays halted, and time jumps from tick to tick.
    expect(machine.run({ untilTime: 15_000_000 }).kind).toBe('limit');
    expect(engine.vectors).toEqual([0x20]);
    expect(machine.clock.now()).toBe(15_000_000);
  });

  test('two runs of the same script end in the same state', () => {
    const run = (): string => {
      const { machine, queue } = scriptedMachine();
      queue(
        (bus) => void bus.write(0x1000, 4, bus.portRead(0x40, 1)),
        (bus) => void bus.write(0x1004, 4, bus.now()),
      );
      machine.run({ untilTime: 10_000 });
      return machine.stateHash();
    };
    expect(run()).toBe(run());
    const { machine } = scriptedMachine();
    const empty = machine.stateHash();
    machine.cpuPort.write(0x1_0000_0000, 1, 1);
    expect(machine.stateHash()).not.toBe(empty);
  });
});
