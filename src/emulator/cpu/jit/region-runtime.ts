import { JUMP_ENTRY, probeJump } from '../interpreter/jump-cache.ts';
import { NEXT, UOP } from '../interpreter/micro-op.ts';
import { ACCESS_SIGNATURE, pageWalkFunction } from '../interpreter/page-walk-code.ts';
import { probeTlb } from '../interpreter/tlb-probe.ts';
import type { I32 } from '../isa/semantics.ts';
import { BUDGET, JUMP_RIP, RIP_PAGE, TLB_READ, TLB_WRITE } from '../state.ts';
import { call, i32, i64, localGet } from '../wasm/expr.ts';
import { FunctionBuilder } from '../wasm/function-builder.ts';
import { ModuleBuilder, type Signature } from '../wasm/module-builder.ts';

const KINDS = ['slowRead', 'slowWrite', 'slowModify'] as const;
/** Of a handler, and so of a region. */
export const HANDLER_SIGNATURE = { parameters: ['i32'], results: ['i32'] } as const;
const CHAIN_SIGNATURE = { parameters: [], results: ['i32'] } as const;
const LINEAR_SIGNATURE = { parameters: ['i32', 'i64', 'i32'], results: ['i32'] } as const;

/** The functions of `runtimeModule` as regions import them. Accesses: (uop, linear, bytes) → host address, or 0 to leave to LEAVE_TO. */
export const RUNTIME_IMPORTS: Readonly<Record<string, Signature>> = {
  ...Object.fromEntries(
    KINDS.flatMap((kind) => [
      [`${kind}Miss`, LINEAR_SIGNATURE],
      [`${kind}Probe`, LINEAR_SIGNATURE],
    ]),
  ),
  chain: CHAIN_SIGNATURE,
};

/**
 * What all regions share, in a module of its own. Of each of slowRead, slowWrite and slowModify, which it imports, it has two: `…Miss` asks it after
 * a page walk, `…Probe` first looks into the TLB. `chain` goes on at JUMP_RIP. `firstRegion`: handlers from this number on are regions.
 */
export function runtimeModule(
  memory: { initialPages: number; maximumPages: number; shared: boolean },
  firstRegion: number,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder(memory);
  module.importTable();
  const slow = KINDS.map((kind) => module.importFunction(kind, ACCESS_SIGNATURE));
  const [uop, linear, byteLength] = [localGet('i32', 0), localGet('i64', 1), localGet('i32', 2)];
  for (const [index, kind] of KINDS.entries()) {
    const miss = new FunctionBuilder(3);
    const high = i32.wrap(i64.shrU(linear, i64.const(32)));
    const walk = module.addFunction(ACCESS_SIGNATURE, pageWalkFunction(slow[index], kind !== 'slowRead'));
    miss.return(call('i32', module.indexOf(walk), [uop, i32.wrap(linear), high, byteLength]));
    miss.unreachable();
    const missed = module.addFunction(LINEAR_SIGNATURE, miss);
    module.exportFunction(`${kind}Miss`, missed);

    const probe = new FunctionBuilder(3);
    const tlb = i32.load(i32.const(kind === 'slowRead' ? TLB_READ : TLB_WRITE));
    const { entry, hit } = probeTlb(probe, tlb, linear, i64.extendI32U(byteLength));
    probe.plainIf(hit, () => probe.return(i32.add(i32.wrap(linear), i32.load(entry, 8))));
    probe.return(call('i32', module.indexOf(missed), [uop, linear, byteLength]));
    probe.unreachable();
    module.exportFunction(`${kind}Probe`, module.addFunction(LINEAR_SIGNATURE, probe));
  }
  const chain = emitChain(module.type(HANDLER_SIGNATURE), firstRegion);
  module.exportFunction('chain', module.addFunction(CHAIN_SIGNATURE, chain));
  return module.finish();
}

/** A jump from one region to another leaves nothing of the first on the Wasm stack: so a guest call may jump on and still return to its caller. */
function emitChain(handlerType: number, firstRegion: number): FunctionBuilder {
  const b = new FunctionBuilder(0);
  const stay = (condition: I32): void => b.plainIf(condition, () => b.return(i32.const(NEXT.JUMP)));
  const { entry, hit } = probeJump((value) => b.let(value), b.let(i64.load(i32.const(JUMP_RIP))));
  stay(i32.eqz(hit));
  const uop = b.let(i32.load(entry, JUMP_ENTRY.UOP));
  const handler = b.let(i32.load16u(uop, UOP.HANDLER));
  stay(i32.ltU(handler, i32.const(firstRegion)));
  const left = b.let(i64.sub(i64.load(i32.const(BUDGET)), i64.load8u(uop, UOP.REMAINING)));
  stay(i64.ltS(left, i64.const(0)));
  b.storeI64(i32.const(BUDGET), left);
  b.storeI64(i32.const(RIP_PAGE), i64.load(entry, JUMP_ENTRY.RIP_PAGE));
  b.returnCallIndirect(handlerType, handler, [uop]);
  b.unreachable();
  return b;
}
