import type { AmlInterpreter } from '../aml/interpreter/interpreter.ts';
import type { RegionHandlers } from '../aml/interpreter/regions.ts';
import { silentLogger } from '../shared/logger.ts';
import { type AmlTables, amlTablesOf } from './aml-flags.ts';
import { openBackends } from './backends.ts';
import { startMachine } from './emulated-machine.ts';
import { regionsOfMachine, tablesOfMachine } from './machine-regions.ts';
import { loadGuest, restoreGuest } from './snapshots.ts';

/** A guest out of a snapshot: its own tables, and its machine behind their regions. */
export interface SnapshotAml {
  readonly tables: AmlTables;
  regions(interpreter: () => AmlInterpreter): RegionHandlers;
  close(): void;
}

/**
 * Makes a machine of the snapshot in `file`, which never runs: AML reads and changes its memory and devices, and the file stays as it is.
 * @throws UserError FILE_READ, SNAPSHOT_FORMAT, SNAPSHOT_VERSION, SNAPSHOT_DAMAGED, SNAPSHOT_DRIVE, GUEST_TABLES
 */
export function openSnapshotAml(file: string): SnapshotAml {
  const saved = loadGuest(file);
  const backends = openBackends(saved.start.board);
  try {
    const nowhere = { write() {} };
    const machine = startMachine({
      ...saved.start,
      backends,
      serial: { sink: nowhere },
      debugcon: nowhere,
      logger: silentLogger,
      stopAtReset: true,
    });
    restoreGuest(saved, machine, saved.start.board);
    const tables = tablesOfMachine(machine).map(({ name, bytes }) => ({ file: name, bytes }));
    return {
      tables: amlTablesOf(tables),
      regions: (interpreter) => regionsOfMachine(machine, interpreter),
      close: () => backends.close(),
    };
  } catch (error) {
    backends.close();
    throw error;
  }
}
