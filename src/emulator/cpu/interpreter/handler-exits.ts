import type { I32, I64 } from '../isa/semantics.ts';

/** Imported functions by name → index. */
export type ImportIndexes = Readonly<Record<string, number>>;

/** How a handler ends; inline handlers branch, function handlers return. */
export interface HandlerExits {
  /** The instruction is done, the next micro-op follows. */
  next(): void;
  /** Go on at the entry of a block. */
  enter(uop: I32): void;
  /** Go on at an RIP. */
  jump(rip: I64): void;
  /** Back to TypeScript; EXIT_REASON is set. */
  leave(): void;
  /** A handler's return value decides (see NEXT). */
  follow(next: I32): void;
}
