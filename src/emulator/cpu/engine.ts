import type { RegisterValues } from './architectural-state.ts';
import type { CpuBus, CpuControl } from './bus.ts';
import type { EventState } from './execution/pending-events.ts';
import type { TurnState } from './execution/round-robin.ts';
import type { RegionStatistics } from './jit/region-tier.ts';

/**
 * Why `run` came back.
 * - `budget`: the instructions asked for have retired;
 * - `request`: `requestExit` was called (an interrupt line moved, an alarm was armed, the guest asked for power-off);
 * - `halt`: every processor halts or waits for its start, and nothing that could wake one is pending; `run` again answers `halt` at once until something is;
 * - `spin`: of several processors all that are awake have executed PAUSE in turn: each waits for another one, or for time to pass;
 * - `shutdown`: a triple fault; only `reset` goes on from here.
 */
export type EngineExit = 'budget' | 'request' | 'halt' | 'spin' | 'shutdown';

/** One logical processor in a snapshot. Translations, TLBs and the last branches are not in it: they are found anew. */
export interface ProcessorState {
  readonly registers: RegisterValues;
  readonly events: EventState;
}

/** The processors in a snapshot. */
export interface EngineState {
  /** What they can do: features, sorted. */
  readonly features: readonly string[];
  /** Instructions retired since power-on, by all. */
  readonly retired: number;
  readonly a20Enabled: boolean;
  readonly processors: readonly ProcessorState[];
  readonly turn: TurnState;
}

/** Where the processor whose turn it is stands between two slices: what a profile samples. */
export interface EnginePosition {
  readonly rip: bigint;
  /** CPL, 0–3. */
  readonly privilege: number;
  /** The processor is in long mode or protected mode with paging: an operating system runs, not firmware. */
  readonly paging: boolean;
  readonly halted: boolean;
}

/**
 * The board's processors, as the machine's loop drives them: they take turns, and together they retire one sequence of instructions. `run` begins by taking what is pending (NMI, then INTR when IF is set, through
 * `CpuBus.acknowledgeInterrupt`), and again whenever the guest makes itself interruptible (STI, POPF, IRET, CR8).
 */
export interface CpuEngine extends CpuControl {
  /** Runs at most `maxInstructions` (≥ 1) whole instructions. */
  run(maxInstructions: number): EngineExit;
  /** Instructions retired by all processors since power-on, never set back by a reset; exact while the engine calls the bus. */
  retired(): number;
  /** The state block of the processor that runs was written from outside (tests): derive everything anew, forget translations and code. */
  stateReplaced(): void;
  /** The architectural state of all processors in a fixed order, for hashes and comparisons: same state, same bytes. */
  stateBytes(): Uint8Array;
  position(): EnginePosition;
  /** After `halt`: an interrupt can wake some processor. Otherwise only a reset, INIT or NMI does. */
  takesInterrupts(): boolean;
  /** Between two calls of `run` only, as is `restore`. */
  snapshot(): EngineState;
  /** Takes up the state of a snapshot; RAM and devices must stand already. */
  restore(state: EngineState): void;
  /** What the second tier has compiled so far. */
  regionStatistics(): Readonly<RegionStatistics>;
  /** What a person wants to see after a triple fault: the chain of faults, registers, descriptors, last branches. */
  autopsy(): string;
}

/** One Wasm memory holds guest RAM, ROM and the engine's own state; the machine lays out RAM and ROM from `ramOffset`. */
export interface EnginePlacement {
  /** The `WebAssembly.Memory`, or what looks like one; its buffer may be replaced when it grows. */
  readonly memory: { readonly buffer: ArrayBuffer | SharedArrayBuffer };
  /** Byte offset of the first page that belongs to the machine; a multiple of 4096. */
  readonly ramOffset: number;
  /** Byte offset of the engine's room behind the machine's, for all processors but the first; boards with one have none. */
  readonly translationAreas?: number;
}

/** Builds the processor on `bus`. */
export type CreateEngine = (placement: EnginePlacement, bus: CpuBus) => CpuEngine;
