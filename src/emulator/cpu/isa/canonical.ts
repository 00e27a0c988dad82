import { CANONICAL_SHIFT } from '../state.ts';
import { i64 } from '../wasm/expr.ts';
import type { I32, I64, Semantics } from './semantics.ts';

/** A linear address whose bits above its width repeat the highest one, as mmu/canonical.ts has it; `address` is bound. */
export function isCanonical(c: Pick<Semantics, 'stateI64'>, address: I64): I32 {
  const shift = c.stateI64(CANONICAL_SHIFT);
  return i64.eq(i64.shrS(i64.shl(address, shift), shift), address);
}
