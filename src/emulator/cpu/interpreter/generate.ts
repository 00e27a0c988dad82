import { HELPER_PARAMETERS } from '../isa/helper-signatures.ts';
import type { I32, I64 } from '../isa/semantics.ts';
import {
  BRANCH_RING,
  BRANCH_RING_POSITION,
  BUDGET,
  CURRENT_UOP,
  EXIT_REASON,
  FAULT_ERROR_CODE,
  FAULT_VECTOR,
  JUMP_RIP,
  RIP,
  RIP_PAGE,
} from '../state.ts';
import { call, i32, i64, localGet } from '../wasm/expr.ts';
import { FunctionBuilder, type Label } from '../wasm/function-builder.ts';
import { ModuleBuilder } from '../wasm/module-builder.ts';
import { MODULE_NAMES, PAGE_WALK } from '../wasm/module-names.ts';
import { FIND_SIGNATURE, findCodeFunction } from './code-search.ts';
import { DELIVER_SIGNATURE, deliveryFunction } from './delivery-code.ts';
import type { HandlerExits, ImportIndexes } from './handler-exits.ts';
import type { HandlerKey, HandlerTable } from './handlers.ts';
import { SPECIAL_COUNT } from './handlers.ts';
import { isHot, isHotFlat } from './hot-handlers.ts';
import { InterpreterSemantics } from './interpreter-semantics.ts';
import { JUMP_ENTRY, probeJump } from './jump-cache.ts';
import { ENTRY_COUNT_SHIFT, ENTRY_COUNTS, UOP_ARENA } from './layout.ts';
import { EXIT, NEXT, UOP } from './micro-op.ts';
import { ACCESS_SIGNATURE, pageWalkFunction } from './page-walk-code.ts';

/** A number of entries that a 16-bit counter never shows. */
export const NEVER_HOT = 0x2_0000;

const HANDLER_SIGNATURE = { parameters: ['i32'], results: ['i32'] } as const;

/** What the interpreter imports, with the number of i32 parameters; all but slowCommit give an i32. */
const IMPORT_PARAMETERS = {
  /** (uop, linear low, linear high, bytes) → host address, 0 for a fault. */
  slowRead: 4,
  /** The same for a store; MEMORY_VALUE asks for slowCommit after it. */
  slowWrite: 4,
  /** The same for read-modify-write; MEMORY_VALUE then holds the old value. */
  slowModify: 4,
  /** Writes the bytes in MEMORY_VALUE. */
  slowCommit: 4,
  /** As slowRead and slowWrite, for plain memory alone: 0 where they would fault or go to a device, and nothing is recorded. */
  quietRead: 4,
  quietWrite: 4,
  /** (uop, segment, offset low, offset high, bytes | 0x100 for writing) → 0 fine, else faulted. */
  checkLimit: 5,
  /** (uop) → NEXT. */
  system: 1,
  /** (uop, 0 target or 1 fall-through) → uop, 0 to leave. */
  link: 2,
  /** () looks JUMP_RIP up and fills the jump cache → uop, 0 to leave. */
  lookup: 0,
  /** (uop): this block has been entered often enough for a region. */
  hot: 1,
} as const;

const UOP_LOCAL: I32 = localGet('i32', 0);

/** Ends of a handler that is a function of its own. */
function functionExits(b: FunctionBuilder): HandlerExits {
  return {
    next: () => b.return(i32.add(UOP_LOCAL, i32.const(UOP.BYTE_LENGTH))),
    enter: (uop) => b.return(i32.or(uop, i32.const(NEXT.ENTER))),
    jump: (rip) => {
      b.storeI64(i32.const(JUMP_RIP), rip);
      b.return(i32.const(NEXT.JUMP));
    },
    leave: () => b.return(i32.const(NEXT.LEAVE)),
    follow: (next) => b.return(next),
  };
}

function emitHandler(key: HandlerKey, b: FunctionBuilder, exits: HandlerExits, imports: ImportIndexes): void {
  b.scope(() => {
    const semantics = new InterpreterSemantics(b, key.entry, key.size, key.form, UOP_LOCAL, exits, imports);
    key.entry.row.semantic(semantics);
  });
}

/** Handlers without a row, in the order of SPECIAL_HANDLERS. */
function specialHandlers(imports: ImportIndexes): ((b: FunctionBuilder, exits: HandlerExits) => void)[] {
  const linked = (b: FunctionBuilder, exits: HandlerExits): void => {
    const target = b.let(i32.load(UOP_LOCAL, UOP.FALL_THROUGH));
    b.if(i32.eqz(target), () => {
      b.set(target, call('i32', imports.link, [UOP_LOCAL, i32.const(1)]));
      b.if(i32.eqz(target), () => exits.leave());
    });
    exits.enter(target);
  };
  return [
    (_b, exits) => exits.follow(call('i32', imports.system, [UOP_LOCAL])),
    linked,
    (b, exits) => exits.jump(b.let(i64.add(i64.load(i32.const(RIP_PAGE)), i64.load32s(UOP_LOCAL, UOP.DISPLACEMENT)))),
    (b, exits) => {
      b.storeI32(i32.const(CURRENT_UOP), UOP_LOCAL);
      b.storeI32(i32.const(EXIT_REASON), i32.const(EXIT.STALE));
      exits.leave();
    },
    (b, exits) => {
      b.storeI32(i32.const(FAULT_VECTOR), i32.load(UOP_LOCAL, UOP.IMMEDIATE));
      b.storeI32(i32.const(FAULT_ERROR_CODE), i32.load(UOP_LOCAL, UOP.DISPLACEMENT));
      b.storeI32(i32.const(EXIT_REASON), i32.const(EXIT.FAULT));
      b.storeI32(i32.const(CURRENT_UOP), UOP_LOCAL);
      exits.leave();
    },
    (_b, exits) => exits.follow(i32.load(UOP_LOCAL, UOP.FALL_THROUGH)),
  ];
}

/**
 * Notes an indirect or page-leaving branch in the ring for the autopsy: (from, to). Branches inside a page are linked and stay
 * unrecorded, so that they cost nothing.
 */
function emitBranchRecord(b: FunctionBuilder, rip: I64): void {
  const position = b.let(i32.and(i32.add(i32.load(i32.const(BRANCH_RING_POSITION)), i32.const(1)), i32.const(15)));
  b.storeI32(i32.const(BRANCH_RING_POSITION), position);
  const slot = b.let(i32.shl(position, i32.const(4)));
  b.storeI64(slot, i64.add(i64.load(i32.const(RIP_PAGE)), i64.load16u(UOP_LOCAL, UOP.PAGE_OFFSET)), BRANCH_RING);
  b.storeI64(slot, rip, BRANCH_RING + 8);
}

/** Counts a block's entry, and says so when it has become hot. */
function emitEntryCount(b: FunctionBuilder, imports: ImportIndexes, hotEntries: number): void {
  const counter = b.let(i32.shrU(i32.sub(UOP_LOCAL, i32.const(UOP_ARENA)), i32.const(ENTRY_COUNT_SHIFT)));
  const count = b.let(i32.add(i32.load16u(counter, ENTRY_COUNTS), i32.const(1)));
  b.store(0x3b, counter, count, ENTRY_COUNTS);
  b.if(i32.eq(count, i32.const(hotEntries)), () => b.callVoid(imports.hot, [UOP_LOCAL], false));
}

/** Enters the block at `rip`. */
function emitJump(b: FunctionBuilder, imports: ImportIndexes, rip: I64): void {
  const { entry, hit } = probeJump((value) => b.let(value), rip);
  b.if(
    hit,
    () => {
      b.storeI64(i32.const(RIP_PAGE), i64.load(entry, JUMP_ENTRY.RIP_PAGE));
      b.set(UOP_LOCAL, i32.load(entry, JUMP_ENTRY.UOP));
    },
    () => {
      b.set(UOP_LOCAL, call('i32', imports.findCode, [rip]));
      b.if(i32.eqz(UOP_LOCAL), () => {
        b.storeI64(i32.const(JUMP_RIP), rip);
        b.set(UOP_LOCAL, call('i32', imports.lookup, []));
        b.if(i32.eqz(UOP_LOCAL), () => b.return());
      });
    },
  );
}

/** A dispatch loop, with those handlers inline that `isInline`: `run(uop)` enters a block, 0 the one at RIP, and returns when TypeScript must act (EXIT_REASON). */
function emitRun(
  handlers: HandlerTable,
  imports: ImportIndexes,
  handlerType: number,
  hotEntries: number,
  isInline: (key: HandlerKey) => boolean,
): FunctionBuilder {
  const b = new FunctionBuilder(1);
  const rip = b.local('i64');
  const next = b.local('i32');
  const hot = handlers.keys
    .map((key, index) => ({ key, number: SPECIAL_COUNT + index }))
    .filter(({ key }) => isInline(key));

  const dispatch = (loop: Label, enter: Label, jump: Label): void => {
    const inlineExits: HandlerExits = {
      next: () => {
        b.set(UOP_LOCAL, i32.add(UOP_LOCAL, i32.const(UOP.BYTE_LENGTH)));
        b.br(loop);
      },
      enter: (uop) => {
        b.set(UOP_LOCAL, uop);
        b.br(enter);
      },
      jump: (target) => {
        b.set(rip, target);
        b.br(jump);
      },
      leave: () => b.return(),
      follow: () => {
        throw new Error('a handler that calls TypeScript cannot be inline');
      },
    };
    b.block((cold) => {
      const labels: Label[] = new Array(SPECIAL_COUNT + handlers.keys.length).fill(cold);
      const nest = (depth: number): void => {
        if (depth === hot.length) {
          b.brTable(i32.load16u(UOP_LOCAL, UOP.HANDLER), labels, cold);
          return;
        }
        b.block((label) => {
          labels[hot[depth].number] = label;
          nest(depth + 1);
        });
        emitHandler(hot[depth].key, b, inlineExits, imports);
        inlineExits.next();
      };
      nest(0);
    });
    b.callIndirect(next, handlerType, i32.load16u(UOP_LOCAL, UOP.HANDLER), [UOP_LOCAL]);
    b.if(i32.eqz(next), () => b.return());
    b.if(i32.eqz(i32.and(next, i32.const(NEXT.ENTER | NEXT.JUMP))), () => {
      b.set(UOP_LOCAL, next);
      b.br(loop);
    });
    b.if(i32.and(next, i32.const(NEXT.ENTER)), () => {
      b.set(UOP_LOCAL, i32.and(next, i32.const(~NEXT.ENTER)));
      b.br(enter);
    });
    b.set(rip, i64.load(i32.const(JUMP_RIP)));
  };

  // The first block is entered like any other.
  const first = b.local('i32');
  b.set(first, i32.const(1));
  b.loop((loop) => {
    b.block((enter) => {
      b.block((jump) => {
        b.block((begin) => {
          b.brIf(begin, first);
          dispatch(loop, enter, jump);
          b.br(jump);
        });
        b.brIf(enter, UOP_LOCAL);
        b.set(rip, i64.load(i32.const(RIP)));
        emitJump(b, imports, rip);
        b.br(enter);
      });
      emitBranchRecord(b, rip);
      emitJump(b, imports, rip);
    });
    b.set(first, i32.const(0));
    const remaining = i64.load8u(UOP_LOCAL, UOP.REMAINING);
    const budget = b.let(i64.sub(i64.load(i32.const(BUDGET)), remaining));
    b.if(i64.ltS(budget, i64.const(0)), () => {
      b.storeI32(i32.const(CURRENT_UOP), UOP_LOCAL);
      b.storeI32(i32.const(EXIT_REASON), i32.const(EXIT.BUDGET));
      b.return();
    });
    b.storeI64(i32.const(BUDGET), budget);
    if (hotEntries !== NEVER_HOT) emitEntryCount(b, imports, hotEntries);
    b.br(loop);
  });
  return b;
}

/** Puts a page walk in front of the imported slow paths, in their place. */
function addPageWalks(module: ModuleBuilder, imports: Record<string, number>): void {
  for (const name of ['slowRead', 'slowWrite', 'slowModify', 'quietRead', 'quietWrite']) {
    const walk = pageWalkFunction(imports[name], !name.endsWith('Read'));
    imports[name] = module.indexOf(module.addFunction(ACCESS_SIGNATURE, walk, PAGE_WALK));
  }
}

/**
 * The interpreter as a Wasm module: one function a handler, in table 0 by number, and dispatch loops: `run`, and `runFlat` for flat 32-bit code. `memory` limits are those of the memory that
 * the instance will import. `hotEntries`: entries of a block after which `hot` is called, once.
 */
export function generateInterpreter(
  handlers: HandlerTable,
  memory: { initialPages: number; maximumPages: number; shared: boolean },
  hotEntries: number = NEVER_HOT,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder(memory, MODULE_NAMES.INTERPRETER);
  module.importTable();
  const imports: Record<string, number> = {};
  for (const [name, count] of Object.entries({ ...IMPORT_PARAMETERS, ...HELPER_PARAMETERS })) {
    const results = name === 'slowCommit' || name === 'hot' ? [] : (['i32'] as const);
    imports[name] = module.importFunction(name, { parameters: new Array(count).fill('i32'), results });
  }
  addPageWalks(module, imports);
  imports.findCode = module.indexOf(module.addFunction(FIND_SIGNATURE, findCodeFunction()));
  const walks = { read: imports.quietRead, write: imports.quietWrite };
  const deliver = module.addFunction(DELIVER_SIGNATURE, deliveryFunction(walks));
  module.exportFunction('deliver', deliver);
  imports.deliver = module.indexOf(deliver);
  const handlerType = module.type(HANDLER_SIGNATURE);
  const emitFunction = (emit: (b: FunctionBuilder, exits: HandlerExits) => void): void => {
    const b = new FunctionBuilder(1);
    const exits = functionExits(b);
    emit(b, exits);
    exits.next();
    module.addElement(module.addFunction(HANDLER_SIGNATURE, b));
  };
  for (const special of specialHandlers(imports)) emitFunction(special);
  for (const key of handlers.keys) emitFunction((b, exits) => emitHandler(key, b, exits, imports));
  for (const [name, isInline] of Object.entries({ run: isHot, runFlat: isHotFlat })) {
    const body = emitRun(handlers, imports, handlerType, hotEntries, isInline);
    module.exportFunction(name, module.addFunction({ parameters: ['i32'], results: [] }, body));
  }
  return module.finish();
}
