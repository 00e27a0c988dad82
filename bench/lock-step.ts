import type { Machine } from '../src/emulator/machine/machine.ts';

export interface LockStepOptions {
  /** Instructions in a slice. */
  readonly slice: number;
  /** Instructions in all. */
  readonly limit: number;
  readonly onSlice?: (slices: number) => void;
}

/** How two machines of the same board and guest compare. */
export interface LockStepResult {
  readonly slices: number;
  readonly instructions: number;
  readonly regions: number;
  /** What ended the run. */
  readonly event: string;
  /** State of both at the end. */
  readonly stateHash: string;
  /** What was not the same after the last slice. */
  readonly difference?: string;
}

/** Runs both slice by slice and compares events, time, processors and RAM after each, until the guest ends or something differs. */
export function lockStep(wanted: Machine, got: Machine, options: LockStepOptions): LockStepResult {
  let slices = 0;
  let event = 'limit';
  let difference: string | undefined;
  while (event === 'limit' && difference === undefined && wanted.engine.retired() < options.limit) {
    const limit = { instructions: options.slice };
    const events = [wanted.run(limit).kind, got.run(limit).kind];
    event = events[0];
    difference = events[0] === events[1] ? stateDifference(wanted, got) : `event ${events[1]}, not ${events[0]}`;
    options.onSlice?.(++slices);
  }
  return {
    slices,
    instructions: wanted.engine.retired(),
    regions: got.engine.regionStatistics().compiled,
    event,
    stateHash: wanted.stateHash(),
    ...(difference !== undefined && { difference }),
  };
}

function stateDifference(wanted: Machine, got: Machine): string | undefined {
  if (wanted.engine.retired() !== got.engine.retired())
    return `${got.engine.retired()} instructions, not ${wanted.engine.retired()}`;
  if (wanted.clock.now() !== got.clock.now()) return `time ${got.clock.now()}, not ${wanted.clock.now()}`;
  if (Buffer.compare(wanted.engine.stateBytes(), got.engine.stateBytes()) !== 0) return 'processor state';
  const [ram, other] = [wanted.memory.ram(), got.memory.ram()];
  if (Buffer.compare(ram, other) === 0) return undefined;
  const offset = ram.findIndex((byte, index) => byte !== other[index]);
  return `RAM at offset ${offset.toString(16)}`;
}
