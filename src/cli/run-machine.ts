import { setImmediate, setTimeout } from 'node:timers/promises';
import type { MachineEvent } from '../emulator/machine/events.ts';
import type { Machine } from '../emulator/machine/machine.ts';

/** How a run ended: as the machine says, or because the person at the terminal wanted it. */
export type RunEnd = MachineEvent | { readonly kind: 'quit' };

export interface RunOptions {
  /** Instructions after which the run ends. */
  readonly limit?: number;
  /** After each slice: flush output, show progress. */
  readonly onSlice: () => void;
  /** True once the person asked to stop. */
  readonly stopped?: () => boolean;
  /** Most instructions between two looks at `stopped`. */
  readonly sliceInstructions?: number;
  /** Hold virtual time back to the wall clock, for a person at the console. */
  readonly realTime?: boolean;
}

/** Instructions between two looks at the host. */
const SLICE_INSTRUCTIONS = 20_000_000;
/** Virtual time of a slice, ns: when a person watches, and otherwise. */
const WATCHED_SLICE_TIME = 10_000_000;
const SLICE_TIME = 1_000_000_000;
/** Slices in a row without one instruction after which a guest sleeps for good (HLT with interrupts off): 100 s. */
const SLEEPING_SLICES = 100;
const NANOSECONDS_PER_MILLISECOND = 1_000_000;

/** Runs a machine until the guest ends it, the limit is reached or somebody stops it. Suspends are woken at once. */
export async function runToEnd(machine: Machine, options: RunOptions): Promise<RunEnd> {
  const { limit = Number.POSITIVE_INFINITY, onSlice, stopped = () => false, realTime = false } = options;
  const { sliceInstructions = SLICE_INSTRUCTIONS } = options;
  const wallStart = performance.now();
  const virtualStart = machine.clock.now();
  let sleeping = 0;
  for (;;) {
    if (stopped()) return { kind: 'quit' };
    const retired = machine.engine.retired();
    const left = limit - retired;
    if (left <= 0) return { kind: 'limit' };
    const event = machine.run({
      instructions: Math.min(left, sliceInstructions),
      untilTime: machine.clock.now() + (realTime ? WATCHED_SLICE_TIME : SLICE_TIME),
    });
    onSlice();
    sleeping = machine.engine.retired() === retired ? sleeping + 1 : 0;
    if (!realTime && sleeping >= SLEEPING_SLICES) return { kind: 'idle' };
    if (event.kind === 'idle' && realTime) await setTimeout(10);
    else if (event.kind !== 'limit' && event.kind !== 'suspend') return stopped() ? { kind: 'quit' } : event;
    const ahead = (machine.clock.now() - virtualStart) / NANOSECONDS_PER_MILLISECOND - (performance.now() - wallStart);
    if (realTime && ahead > 1) await setTimeout(Math.min(ahead, 100));
    else await setImmediate();
  }
}

/** Exit code of `q35 boot`: 0 for power-off and a reset that ends the run, the guest's own for isa-debug-exit. */
export function exitCodeOf(end: RunEnd): number {
  switch (end.kind) {
    case 'debug-exit':
      return end.code;
    case 'triple-fault':
      return 3;
    case 'limit':
      return 4;
    case 'idle':
      return 5;
    default:
      return 0;
  }
}

/** One sentence on how the run ended. */
export function endText(end: RunEnd): string {
  switch (end.kind) {
    case 'power-off':
      return 'the guest powered off (S5)';
    case 'suspend':
      return 'the guest suspended (S3)';
    case 'reset':
      return 'the guest asked for a reset';
    case 'debug-exit':
      return `the guest ended by isa-debug-exit with code ${end.code}`;
    case 'triple-fault':
      return `triple fault\n${end.autopsy}`;
    case 'limit':
      return 'the limit on instructions is reached';
    case 'idle':
      return 'the guest halted with nothing that could wake it';
    case 'quit':
      return 'stopped at the console';
  }
}
