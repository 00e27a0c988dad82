import type { FirmwareFiles } from '../bios/artifacts.ts';
import type { Board } from '../bios/topology/board.ts';
import { guestMemoryBytes } from '../emulator/bus/guest-memory.ts';
import type { CpuBus } from '../emulator/cpu/bus.ts';
import type { CpuEngine, EnginePlacement } from '../emulator/cpu/engine.ts';
import {
  createEngineMemory,
  ENGINE_MACHINE_OFFSET,
  translationAreasAfter,
} from '../emulator/cpu/execution/engine-memory.ts';
import type { InterpreterStore } from '../emulator/cpu/interpreter/interpreter-store.ts';
import type { CpuModel } from '../emulator/cpu/model/cpu-model.ts';
import { createEngine } from '../emulator/cpu/processor.ts';
import type { Backends } from '../emulator/machine/device-models.ts';
import { createMachine, type Machine } from '../emulator/machine/machine.ts';
import type { ByteSink, ByteSource } from '../emulator/machine/ports.ts';
import { topologyOf } from '../emulator/machine/processor-topology.ts';
import { KIB, MIB } from '../shared/bytes.ts';
import { UserError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { heedBranchHints } from './branch-hints.ts';
import { builtInterpreters } from './interpreter-files.ts';

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
  readonly cpu?: CpuModel;
  /** Entries after which a block is compiled into a region; undefined: interpreter only. */
  readonly regionsAfter?: number;
  /** Drives, networks and the like, opened. */
  readonly backends: Backends;
  /** Where generated interpreters come from; the build's by default. */
  readonly interpreters?: InterpreterStore;
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

/** Builds the emulated machine for a board. */
export function startMachine(start: MachineStart): Machine {
  heedBranchHints();
  const { board, rom } = start;
  const machineBytes = guestMemoryBytes(board.machine, rom.length);
  const memory = createEngineMemory(machineBytes, board.machine.cpus);
  const translationAreas = translationAreasAfter(machineBytes);
  return createMachine({
    config: board.machine,
    rom,
    placement: { memory, ramOffset: ENGINE_MACHINE_OFFSET, translationAreas },
    createEngine: (placement, bus) => engineOf(start, placement, bus),
    backends: start.backends,
    serial: start.serial,
    debugcon: start.debugcon,
    logger: start.logger,
    fwCfg: { items: start.items, files: start.files },
    stopAtReset: start.stopAtReset,
  });
}

function engineOf(start: MachineStart, placement: EnginePlacement, bus: CpuBus): CpuEngine {
  const { cpu, logger, regionsAfter, interpreters = builtInterpreters } = start;
  const topology = topologyOf(start.board.machine);
  const log = (site: string, message: string): void => logger.warn(`guest: ${site}: ${message}`);
  const options = { model: cpu, topology, regionsAfter, interpreterStore: interpreters };
  return createEngine(placement, bus, log, options);
}
