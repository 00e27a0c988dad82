import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildInitramfs } from '../../src/bios/boot/initramfs.ts';
import { kernelItems } from '../../src/bios/boot/kernel-items.ts';
import { VERIFY_APPEND } from '../../src/bios/boot/linux-init.ts';
import { buildFirmware } from '../../src/bios/firmware.ts';
import { planPci } from '../../src/bios/pci/planner.ts';
import { buildProbe } from '../../src/bios/rom/probe/probe.ts';
import { buildRom } from '../../src/bios/rom/rom.ts';
import { openBackends } from '../../src/cli/backends.ts';
import { TextSink } from '../../src/cli/byte-streams.ts';
import { startMachine } from '../../src/cli/emulated-machine.ts';
import { zstd } from '../../src/cli/zstd.ts';
import type { Machine } from '../../src/emulator/machine/machine.ts';
import {
  bytesInMemory,
  decodeSnapshot,
  encodeSnapshot,
  restoreSnapshot,
} from '../../src/emulator/machine/snapshot/snapshot-file.ts';
import { MIB } from '../../src/shared/bytes.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { defaultBoard } from '../support/boards.ts';
import { debianFile } from '../support/debian.ts';

const cloudKernel = debianFile('cloudKernel');
const busybox = debianFile('busybox');

interface Run {
  readonly machine: Machine;
  readonly serial: TextSink;
}

/** Starts machines of the default board with `ramMib` of memory, half of it above 4 GiB, and `cpus` processors, that boot `kernel`. */
function starter(ramMib: number, kernel: Uint8Array, initrd?: Uint8Array, cpus = 1): () => Run {
  const base = defaultBoard();
  const topology = { sockets: 1, cores: cpus, threads: 1 };
  const memory = { ramBytes: ramMib * MIB, lowRamBytes: (ramMib / 2) * MIB };
  const board = { ...base, machine: { ...base.machine, ...memory, cpus, topology } };
  const files = buildFirmware(board.machine, planPci(board.machine));
  const { lowRamBytes } = board.machine;
  const items = kernelItems({ kernel, kernelFile: 'kernel', initrd, append: VERIFY_APPEND, lowRamBytes });
  const rom = buildRom().bytes;
  return () => {
    const serial = new TextSink();
    const streams = { serial: { sink: serial }, debugcon: { write() {} } };
    const backends = openBackends(board);
    const start = { board, rom, files, items, backends, logger: silentLogger, stopAtReset: true };
    return { machine: startMachine({ ...start, ...streams }), serial };
  };
}

/** Runs to instruction `count` exactly, or to the guest's end. */
function runTo(machine: Machine, count: number): void {
  while (machine.engine.retired() < count) {
    if (machine.run({ instructions: count - machine.engine.retired() }).kind !== 'limit') return;
  }
}

/** Saves a run at each of `points`, and lets the restored one go on to the next; all must equal the run that nobody interrupted. */
function expectSameContinuation(start: () => Run, points: readonly number[]): void {
  const straight = start();
  let current = start();
  let before = '';
  runTo(current.machine, points[0]);
  for (const next of points.slice(1)) {
    const snapshot = decodeSnapshot(bytesInMemory(encodeSnapshot(current.machine, zstd)), zstd, 'memory');
    before += current.serial.text;
    const restored = start();
    restoreSnapshot(restored.machine, snapshot, 'memory');
    expect(restored.machine.stateHash()).toBe(current.machine.stateHash());
    runTo(restored.machine, next);
    runTo(straight.machine, next);
    expect(before + restored.serial.text).toBe(straight.serial.text);
    expect(restored.machine.snapshot()).toEqual(straight.machine.snapshot());
    expect(restored.machine.stateHash()).toBe(straight.machine.stateHash());
    current = restored;
  }
}

describe('a restored run and the run that was never interrupted', () => {
  it('are the same to the last bit: the probe guest, in the firmware, in the midst of devices and to the end', () => {
    const start = starter(64, buildProbe().bytes);
    const end = start();
    runTo(end.machine, Number.POSITIVE_INFINITY);
    const total = end.machine.engine.retired();
    const points = [0.001, 0.013, 0.1, 0.31, 0.5, 0.77, 0.9, 1].map((part) => Math.floor(total * part));
    expectSameContinuation(start, [...points, total + 1]);
  }, 120_000);

  it.skipIf(cloudKernel === undefined || busybox === undefined)(
    'are the same to the last bit: Debian’s cloud kernel, from its first instructions to init (Debian’s kernel and busybox)',
    () => {
      const read = (path?: string) => new Uint8Array(readFileSync(path ?? ''));
      const start = starter(256, read(cloudKernel), buildInitramfs(read(busybox), 'busybox'));
      expectSameContinuation(start, [30e6, 400_000_003, 900_000_017, 1_200_000_001].map(Math.floor));
    },
    400_000,
  );

  it.skipIf(cloudKernel === undefined || busybox === undefined)(
    'are the same to the last bit: 4 processors, while Linux starts them and after (Debian’s kernel and busybox)',
    () => {
      const read = (path?: string) => new Uint8Array(readFileSync(path ?? ''));
      const start = starter(256, read(cloudKernel), buildInitramfs(read(busybox), 'busybox'), 4);
      expectSameContinuation(start, [387_000_000, 388_000_007, 389_000_001, 450_000_000]);
    },
    400_000,
  );
});
