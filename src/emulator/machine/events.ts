/** Why a machine's `run` came back. */
export type MachineEvent =
  /** The guest entered S5. */
  | { readonly kind: 'power-off' }
  /** The guest entered S3; `run` goes on as if it had been woken at once. */
  | { readonly kind: 'suspend' }
  /** isa-debug-exit: the exit code, (value << 1) | 1. */
  | { readonly kind: 'debug-exit'; readonly code: number }
  /** The guest asked for a reset and the machine was told to stop there. */
  | { readonly kind: 'reset' }
  /** The processor shut down; `autopsy` says how it came to it. */
  | { readonly kind: 'triple-fault'; readonly autopsy: string }
  /** Halted with nothing armed that could wake it: only input from outside can. */
  | { readonly kind: 'idle' }
  /** The instructions or the virtual time asked for are over. */
  | { readonly kind: 'limit' };

/** How far to run; whichever comes first. */
export interface RunLimit {
  /** Instructions to retire. */
  readonly instructions?: number;
  /** Virtual time to reach, ns since power-on. */
  readonly untilTime?: number;
}
