import type { FirmwareFiles } from '../bios/artifacts.ts';
import type { Board } from '../bios/topology/board.ts';
import { guestMemoryBytes } from '../emulator/bus/guest-memory.ts';
import { createEngine, createEngineMemory, ENGINE_MACHINE_OFFSET } from '../emulator/cpu/processor.ts';
import { createMachine, type Machine } from '../emulator/machine/machine.ts';
import type { ByteSink, ByteSource } from '../emulator/machine/ports.ts';
import { KIB, MIB } from '../shared/bytes.ts';
import { UserError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { type OpenBackends, openBackends } from './backends.ts';

/** What a machine is started with. */
export interface MachineStart {
  readonly board: Board;
  readonly rom: Uint8Array;
  readonly files: FirmwareFiles;
  /** Legacy fw_cfg items: kernel, initrd, command line. */
  readonly items: ReadonlyMap<number, Uint8Array>;
  readonly serial: { readonly sink: ByteSink; readonly source?: ByteSource };
  readonly debugcon: ByteSink;
  readonly logger: Logger;
  readonly stopAtReset: boolean;
}

/** A machine, and what has to be closed after it. */
export interface RunningMachine {
  readonly machine: Machine;
  readonly backends: OpenBackends;
}

const ROM_GRANULARITY = 64 * KIB;
const MAX_ROM = 16 * MIB;

/** @throws UserError ROM_SIZE */
export function checkRom(rom: Uint8Array, file: string): void {
  if (rom.length > 0 && rom.length <= MAX_ROM && rom.length % ROM_GRANULARITY === 0) return;
  throw new UserError('ROM_SIZE', `a ROM cannot have ${rom.length} bytes`, {
    place: { file },
    mend: 'name a firmware image of a multiple of 64 KiB, at most 16 MiB',
  });
}

/**
 * Builds the emulated machine for a board.
 * @throws UserError CPU_COUNT, DRIVE_OPEN
 */
export function startMachine(start: MachineStart): RunningMachine {
  const { board, rom } = start;
  const { machine: config } = board;
  if (config.cpus !== 1) {
    throw new UserError('CPU_COUNT', `the emulator runs one processor, the board has ${config.cpus}`, {
      mend: 'use --smp 1; plans and tables may have more',
    });
  }
  const backends = openBackends(board);
  const memory = createEngineMemory(guestMemoryBytes(config, rom.length));
  const machine = createMachine({
    config,
    rom,
    placement: { memory, ramOffset: ENGINE_MACHINE_OFFSET },
    createEngine: (placement, bus) =>
      createEngine(placement, bus, (site, message) => start.logger.warn(`guest: ${site}: ${message}`)),
    backends,
    serial: start.serial,
    debugcon: start.debugcon,
    logger: start.logger,
    fwCfg: { items: start.items, files: start.files },
    stopAtReset: start.stopAtReset,
  });
  return { machine, backends };
}
