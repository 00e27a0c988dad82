import { CR4_BITS } from '../control-bits.ts';
import { CPL, CR4, REGISTER, TICKS_END } from '../state.ts';
import { storedRegister } from '../stored-registers.ts';
import { i32, i64 } from '../wasm/expr.ts';
import { type InstructionRow, row } from './row.ts';
import type { Semantic, Semantics } from './semantics.ts';

const TSC_OFFSET = storedRegister('TSC_OFFSET');
const TSC_AUX = storedRegister('TSC_AUX');

/** EDX:EAX = virtual time plus the guest's offset: guests that wait read it by the million. Where CR4.TSD forbids it, TypeScript faults. */
function readTimeStamp(c: Semantics, then: () => void): void {
  const forbidden = i32.and(c.stateI32(CR4), i32.const(CR4_BITS.TSD));
  const allowed = i32.or(i32.eqz(forbidden), i32.eqz(c.stateI32(CPL)));
  c.b.if(allowed, () => {
    const now = i64.sub(i64.sub(c.stateI64(TICKS_END), c.budgetLeft()), c.blockLeft());
    const ticks = c.let(i64.add(now, c.stateI64(TSC_OFFSET)));
    c.setGpr(REGISTER.RAX, 4, i64.and(ticks, i64.const(0xffff_ffff)));
    c.setGpr(REGISTER.RDX, 4, i64.shrU(ticks, i64.const(32)));
    then();
    c.done();
  });
  c.system();
}

const rdtsc: Semantic = (c) => readTimeStamp(c, () => {});
const rdtscp: Semantic = (c) => readTimeStamp(c, () => c.setGpr(REGISTER.RCX, 4, i64.extendI32U(c.stateI32(TSC_AUX))));

export const TIME_STAMP_ROWS: readonly InstructionRow[] = [
  row('0f', 0x31, 'RDTSC', [], rdtsc, { decoded: true }),
  row('0f', 0x01, 'RDTSCP', [], rdtscp, { modRm: 0xf9, decoded: true }),
];
