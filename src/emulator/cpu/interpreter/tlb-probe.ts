import type { I32, I64 } from '../isa/semantics.ts';
import { i32, i64 } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';
import { TLB_ENTRIES } from './layout.ts';

const PAGE_MASK = -0x1000;

/** Address of `linear`'s entry in the TLB at `base` (bound), and whether it holds all of the `byteLength` bytes there. */
export function probeTlb(b: FunctionBuilder, base: I32, linear: I64, byteLength: I64): { entry: I32; hit: I32 } {
  const offset = i32.and(i32.shrU(i32.wrap(linear), i32.const(8)), i32.const((TLB_ENTRIES - 1) << 4));
  const entry = b.let(i32.add(base, offset));
  const last = i64.add(linear, i64.sub(byteLength, i64.const(1)));
  return { entry, hit: i64.eq(i64.and(last, i64.const(PAGE_MASK)), i64.load(entry)) };
}
