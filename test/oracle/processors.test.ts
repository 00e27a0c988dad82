import { describe, expect, it, test } from 'vitest';
import { buildFirmware } from '../../src/bios/firmware.ts';
import { planPci } from '../../src/bios/pci/planner.ts';
import { openBackends } from '../../src/cli/backends.ts';
import { TextSink } from '../../src/cli/byte-streams.ts';
import { startMachine } from '../../src/cli/emulated-machine.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { boardOfFlags } from '../support/boards.ts';
import { outputLines } from './images/all.ts';
import { IMAGE_PROCESSORS, PATIENCE, processorsImage, shutdownImage } from './images/processors-image.ts';
import { hasRecordedQemu, runOnQemu } from './images/qemu.ts';

const INSTRUCTION_LIMIT = 20e6;

function machineOf(rom: Uint8Array, regionsAfter?: number) {
  const board = boardOfFlags({ m: '64', smp: String(IMAGE_PROCESSORS) });
  const files = buildFirmware(board.machine, planPci(board.machine));
  const debugcon = new TextSink();
  const streams = { serial: { sink: new TextSink() }, debugcon };
  const backends = openBackends(board);
  const start = {
    board,
    rom,
    files,
    items: new Map(),
    backends,
    logger: silentLogger,
    stopAtReset: true,
    regionsAfter,
  };
  return { machine: startMachine({ ...start, ...streams }), debugcon };
}

function runOnMachine(rom: Uint8Array, regionsAfter?: number): string {
  const { machine, debugcon } = machineOf(rom, regionsAfter);
  expect(machine.run({ instructions: INSTRUCTION_LIMIT })).toMatchObject({ kind: 'debug-exit' });
  return debugcon.text;
}

describe('interprocessor interrupts, INIT and start-up', () => {
  const { rom, names } = processorsImage(PATIENCE.MACHINE);
  const lines = outputLines(runOnMachine(rom));
  const lineOf = (name: string) => lines[names.indexOf(name)].split(' ').map((word) => Number.parseInt(word, 16));

  it('reach whom they name', () => {
    expect(lineOf('started')).toEqual([2]);
  });

  // QEMU's processors are threads of the host: on a loaded one they may be late, so QEMU is asked again.
  it.skipIf(!hasRecordedQemu())('are those of QEMU (needs qemu-system-x86_64 7.2)', { retry: 3 }, () => {
    const named = (output: string) => outputLines(output).map((line, index) => `${names[index]}: ${line}`);
    const onQemu = runOnQemu({ rom: processorsImage(PATIENCE.QEMU).rom }, IMAGE_PROCESSORS);
    expect(named(lines.join('\n'))).toEqual(named(onQemu));
  });

  it('are the same in x2APIC mode', () => {
    expect(outputLines(runOnMachine(processorsImage(PATIENCE.MACHINE, 'x2APIC').rom))).toEqual(lines);
  });

  it('are the same with compiled regions', () => {
    expect(outputLines(runOnMachine(rom, 10))).toEqual(lines);
  });
});

test('the shutdown of one processor ends the run, and its autopsy says which it was and where the others stand', () => {
  const { machine } = machineOf(shutdownImage());
  const event = machine.run({ instructions: INSTRUCTION_LIMIT });
  expect(event.kind).toBe('triple-fault');
  const { autopsy } = event as { autopsy: string };
  expect(autopsy).toMatch(/^Triple fault: the processor with APIC id 0x1 shut down\./);
  expect(autopsy).toMatch(/It began with #UD/);
  expect(autopsy).toMatch(
    /Other processors:\n {2}0: running at 0x0008:0xf_\w+, CPL 0\n {2}2: waits for its start-up\n/,
  );
});
