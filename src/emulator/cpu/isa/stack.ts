import type { I64, Semantics, Size } from './semantics.ts';

/** Stores below rSP, then moves it (a faulting store leaves rSP alone). `value` is bound. */
export function pushValue(c: Semantics, size: Size, value: I64): void {
  const offset = c.let(c.stackOffset(-size));
  c.stackStore(offset, size, value);
  c.setStackOffset(offset);
}

/** The value at rSP, bound; rSP has moved. */
export function popValue(c: Semantics, size: Size): I64 {
  const value = c.let(c.stackLoad(c.let(c.stackOffset(0)), size));
  c.setStackOffset(c.let(c.stackOffset(size)));
  return value;
}
