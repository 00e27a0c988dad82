import type { I32, I64 } from '../isa/semantics.ts';
import { i32 } from '../wasm/expr.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';
import { INDIRECT_JUMPS, INDIRECT_JUMPS_COUNT } from './layout.ts';

/** An entry of INDIRECT_JUMPS: where an indirect jump went. A hint for the compiler of regions, nothing that must be right. */
const ENTRY = { UOP: 0, TARGET_LOW: 4, BYTE_LENGTH: 8 } as const;

/** Notes that the jump at `uop` goes to `target`, both bound. */
export function noteIndirectJump(b: FunctionBuilder, uop: I32, target: I64): void {
  b.scope(() => {
    const low = b.let(i32.wrap(target));
    const hash = i32.xor(i32.xor(low, i32.shrU(low, i32.const(7))), i32.shrU(uop, i32.const(5)));
    const slot = i32.and(hash, i32.const(INDIRECT_JUMPS_COUNT - 1));
    const entry = b.let(i32.mul(slot, i32.const(ENTRY.BYTE_LENGTH)));
    b.storeI32(entry, uop, INDIRECT_JUMPS + ENTRY.UOP);
    b.storeI32(entry, low, INDIRECT_JUMPS + ENTRY.TARGET_LOW);
  });
}

/** Low halves of the addresses that the jump at `uop` went to lately. */
export function notedTargets(view: DataView, uop: number): number[] {
  const targets: number[] = [];
  const end = INDIRECT_JUMPS + INDIRECT_JUMPS_COUNT * ENTRY.BYTE_LENGTH;
  for (let entry = INDIRECT_JUMPS; entry < end; entry += ENTRY.BYTE_LENGTH) {
    if (view.getUint32(entry + ENTRY.UOP, true) === uop) targets.push(view.getUint32(entry + ENTRY.TARGET_LOW, true));
  }
  return targets;
}
