import type { CpuState } from '../cpu-state.ts';
import { UOP } from '../interpreter/micro-op.ts';
import { LINEAR_MASK, RIP_PAGE } from '../state.ts';

/** Writes the RIP of the micro-op at `uop`, plus `extra` bytes, to the state's `target`; outside 64-bit code it wraps at 4 GiB. */
export function setRipOf(state: CpuState, uop: number, target: number, extra: number): void {
  const offset = state.view.getUint16(uop + UOP.PAGE_OFFSET, true) + extra;
  const sum = state.u32(RIP_PAGE) + offset;
  const low = sum >>> 0;
  const carry = sum > 0xffff_ffff ? 1 : 0;
  const wide = state.u32(LINEAR_MASK + 4) !== 0;
  state.setU32(target, low);
  state.setU32(target + 4, wide ? state.u32(RIP_PAGE + 4) + carry : 0);
}
