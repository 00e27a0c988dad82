import { FIND_SIGNATURE, findCodeFunction } from '../interpreter/code-search.ts';
import { JUMP_ENTRY, probeJump } from '../interpreter/jump-cache.ts';
import { NEXT, UOP } from '../interpreter/micro-op.ts';
import { ACCESS_SIGNATURE, pageWalkFunction } from '../interpreter/page-walk-code.ts';
import { probeTlb } from '../interpreter/tlb-probe.ts';
import type { I32 } from '../isa/semantics.ts';
import { BUDGET, JUMP_RIP, RIP_PAGE, TLB_READ, TLB_WRITE } from '../state.ts';
import { call, i32, i64, localGet } from '../wasm/expr.ts';
import { FunctionBuilder } from '../wasm/function-builder.ts';
import { ModuleBuilder, type Signature } from '../wasm/module-builder.ts';
import { MODULE_NAMES, PAGE_WALK } from '../wasm/module-names.ts';

const KINDS = ['slowRead', 'slowWrite', 'slowModify', 'speculativeRead'] as const;
const isRead = (kind: string): boolean => kind.endsWith('Read');
/** Of a handler, and so of a region. */
export const HANDLER_SIGNATURE = { parameters: ['i32'], results: ['i32'] } as const;
/** (uop, where to stop, handler of the first) → where it stopped, or what the last handler returned. */
const RUN_SIGNATURE = { parameters: ['i32', 'i32', 'i32'], results: ['i32'] } as const;
const CHAIN_SIGNATURE = { parameters: [], results: ['i32'] } as const;
const MISS_SIGNATURE = { parameters: ['i32', 'i64', 'i32'], results: ['i32'] } as const;
const FILL_SIGNATURE = { parameters: ['i32', 'i64', 'i32', 'i32'], results: ['i32'] } as const;

/** What the access functions answer instead of an addend: the region is left to LEAVE_TO. Addends are multiples of a page. */
export const ACCESS_LEAVES = 1;

/** The functions of `runtimeModule` as regions import them. Accesses: (uop, linear, bytes, …) → what makes a host address of the low linear one. */
export const RUNTIME_IMPORTS: Readonly<Record<string, Signature>> = {
  ...Object.fromEntries(
    KINDS.flatMap((kind) => [
      [`${kind}Miss`, MISS_SIGNATURE],
      [`${kind}Fill`, FILL_SIGNATURE],
    ]),
  ),
  chain: CHAIN_SIGNATURE,
  findCode: FIND_SIGNATURE,
  retreat: HANDLER_SIGNATURE,
  interpretRun: RUN_SIGNATURE,
};

/**
 * What all regions share, in a module of its own. Of each of slowRead, slowWrite and slowModify, which it imports, it has two: `…Miss` asks it after
 * a page walk, `…Fill` first looks into the TLB, and fills the page slot that it is given. `chain` goes on at JUMP_RIP, and `findCode` puts a jump
 * that the jump cache has lost back into it. `firstRegion`: handlers from this
 * number on are regions.
 */
export function runtimeModule(
  memory: { initialPages: number; maximumPages: number; shared: boolean },
  firstRegion: number,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder(memory, MODULE_NAMES.REGION);
  module.importTable();
  const slow = KINDS.map((kind) => module.importFunction(kind, ACCESS_SIGNATURE));
  for (const [index, kind] of KINDS.entries()) {
    const walk = module.addFunction(ACCESS_SIGNATURE, pageWalkFunction(slow[index], !isRead(kind)), PAGE_WALK);
    const miss = module.addFunction(MISS_SIGNATURE, emitMiss(module.indexOf(walk)));
    module.exportFunction(`${kind}Miss`, miss);
    const tlb = isRead(kind) ? TLB_READ : TLB_WRITE;
    module.exportFunction(`${kind}Fill`, module.addFunction(FILL_SIGNATURE, emitFill(module.indexOf(miss), tlb)));
  }
  module.exportFunction(
    'retreat',
    module.addFunction(HANDLER_SIGNATURE, emitRetreat(slow[KINDS.indexOf('speculativeRead')])),
  );
  const run = emitRun(module.type(HANDLER_SIGNATURE));
  module.exportFunction('interpretRun', module.addFunction(RUN_SIGNATURE, run));
  const findCode = module.addFunction(FIND_SIGNATURE, findCodeFunction());
  module.exportFunction('findCode', findCode);
  const chain = emitChain(module.type(HANDLER_SIGNATURE), firstRegion, module.indexOf(findCode));
  module.exportFunction('chain', module.addFunction(CHAIN_SIGNATURE, chain));
  return module.finish();
}

const [UOP_PARAMETER, LINEAR, BYTES, SLOT] = [
  localGet('i32', 0),
  localGet('i64', 1),
  localGet('i32', 2),
  localGet('i32', 3),
] as const;

function emitMiss(walk: number): FunctionBuilder {
  const b = new FunctionBuilder(MISS_SIGNATURE.parameters.length);
  const high = i32.wrap(i64.shrU(LINEAR, i64.const(32)));
  const host = b.let(call('i32', walk, [UOP_PARAMETER, i32.wrap(LINEAR), high, BYTES]));
  b.plainIf(i32.eqz(host), () => b.return(i32.const(ACCESS_LEAVES)));
  b.return(i32.sub(host, i32.wrap(LINEAR)));
  b.unreachable();
  return b;
}

function emitFill(miss: number, tlb: number): FunctionBuilder {
  const b = new FunctionBuilder(FILL_SIGNATURE.parameters.length);
  const { entry, hit } = probeTlb(b, i32.load(i32.const(tlb)), LINEAR, i64.extendI32U(BYTES));
  b.plainIf(i32.eqz(hit), () => b.return(call('i32', miss, [UOP_PARAMETER, LINEAR, BYTES])), undefined, 'unlikely');
  const addend = b.let(i32.load(entry, 8));
  b.storeI64(SLOT, i64.load(entry));
  b.storeI32(SLOT, addend, 8);
  b.return(addend);
  b.unreachable();
  return b;
}

/** An instruction of a span faults: the span is to be left at its beginning. */
function emitRetreat(speculativeRead: number): FunctionBuilder {
  const b = new FunctionBuilder(HANDLER_SIGNATURE.parameters.length);
  const nowhere = i32.const(0);
  b.return(call('i32', speculativeRead, [UOP_PARAMETER, nowhere, nowhere, nowhere]));
  b.unreachable();
  return b;
}

/** Interprets micro-ops one by one, on the state in memory. */
function emitRun(handlerType: number): FunctionBuilder {
  const b = new FunctionBuilder(RUN_SIGNATURE.parameters.length);
  const [uop, end, handler] = RUN_SIGNATURE.parameters.map((type, index) => localGet(type, index));
  const next = b.local('i32');
  b.loop((again) => {
    b.callIndirect(next, handlerType, handler, [uop]);
    const isDone = i32.eq(next, end);
    const isElsewhere = i32.ne(next, i32.add(uop, i32.const(UOP.BYTE_LENGTH)));
    b.plainIf(i32.or(isDone, isElsewhere), () => b.return(next));
    b.set(uop, next);
    b.set(handler, i32.load16u(uop, UOP.HANDLER));
    b.br(again);
  });
  b.unreachable();
  return b;
}

/** A jump from one region to another leaves nothing of the first on the Wasm stack: so a guest call may jump on and still return to its caller. */
function emitChain(handlerType: number, firstRegion: number, findCode: number): FunctionBuilder {
  const b = new FunctionBuilder(0);
  const stay = (condition: I32): void => b.plainIf(condition, () => b.return(i32.const(NEXT.JUMP)));
  const rip = b.let(i64.load(i32.const(JUMP_RIP)));
  const { entry, hit } = probeJump((value) => b.let(value), rip);
  b.plainIf(i32.eqz(hit), () => stay(i32.eqz(call('i32', findCode, [rip]))), undefined, 'unlikely');
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
