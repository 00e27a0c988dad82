import type { HandlerExits, ImportIndexes } from '../interpreter/handler-exits.ts';
import { type HandlerKey, type HandlerTable, SPECIAL_HANDLERS } from '../interpreter/handlers.ts';
import { JUMP_ENTRY, probeJump } from '../interpreter/jump-cache.ts';
import { NEXT, UOP } from '../interpreter/micro-op.ts';
import type { I32, I64 } from '../isa/semantics.ts';
import { CALL_DEPTH, JUMP_RIP, LEAVE_TO, MXCSR, RIP_PAGE } from '../state.ts';
import type { TranslatedBlock } from '../translation/code-cache.ts';
import { call, i32, i64 } from '../wasm/expr.ts';
import type { FunctionBuilder, Label } from '../wasm/function-builder.ts';
import { type Structure, structureOf } from './control-flow.ts';
import { type ReducibleGraph, reducible } from './crossroads.ts';
import { isQuiet, isScalarStore, isWatched } from './float-instructions.ts';
import { allowsSpans } from './float-span.ts';
import { jumpTableOf } from './jump-table.ts';
import { innermostLoops } from './loops.ts';
import { CHAIN, RegionBuilder } from './region-builder.ts';
import { isCompilable, isGuarded, type RegionPlan } from './region-plan.ts';
import { type BlockEnd, RegionSemantics } from './region-semantics.ts';
import { WalkingRegisters } from './walking-registers.ts';

/** Guest calls that stand on the Wasm stack at once; deeper ones go through the interpreter's loop. */
const MAXIMUM_DEPTH = 200;

/** What the emission of a region needs from its module. */
export interface EmissionPorts {
  readonly view: DataView;
  readonly handlers: HandlerTable;
  readonly imports: ImportIndexes;
  /** Type index of a handler. */
  readonly handlerType: number;
}

/** One region's function in the making. */
export class RegionEmission {
  readonly #ports: EmissionPorts;
  readonly #plan: RegionPlan;
  readonly #graph: ReducibleGraph;
  readonly #structure: Structure;
  readonly #region: RegionBuilder;
  readonly #walking: WalkingRegisters;
  readonly #allowsSpans: boolean;
  readonly #labels = new Map<number, Label>();
  #exit!: Label;
  /** Where accesses go that have set LEAVE_TO. */
  #leaveLabel!: Label;

  constructor(plan: RegionPlan, ports: EmissionPorts) {
    this.#ports = ports;
    this.#plan = plan;
    const { key, uop } = plan[0].block;
    this.#region = new RegionBuilder(key >> 12, uop / UOP.BYTE_LENGTH);
    const successors = plan.map(({ taken, fallThrough, targets, callee, returns }) => {
      const ways = callee >= 0 ? [callee] : [taken, fallThrough, returns, ...targets];
      return [...new Set(ways.filter((index) => index >= 0))];
    });
    this.#graph = reducible({ successors });
    this.#structure = structureOf(this.#graph);
    this.#allowsSpans = this.#region.isWide && allowsSpans(ports.view.getUint32(MXCSR, true));
    const loops = innermostLoops(this.#graph, this.#structure);
    this.#walking = new WalkingRegisters(plan, loops, ports.view, ports.handlers);
  }

  emit(): FunctionBuilder {
    const { b, flags } = this.#region;
    b.onNested = () => {
      flags.store(b);
      flags.pending = undefined;
    };
    b.block((exit) => {
      this.#exit = exit;
      b.block((leave) => {
        this.#leaveLabel = leave;
        this.#tree(0, true);
        b.unreachable();
      });
      b.set(this.#region.next, i32.load(i32.const(LEAVE_TO)));
    });
    return this.#region.finish(this.#plan[0].block, this.#ports.imports);
  }

  /** A block with everything that it dominates. `isEntered`: not only from the block before it. */
  #tree(index: number, isEntered: boolean): void {
    const { b } = this.#region;
    const { children, isLoop, isMerge, order } = this.#structure;
    const merges = children[index].filter((child) => isMerge[child]);
    // The merge that comes last in reverse postorder is the outermost.
    merges.sort((left, right) => order[right] - order[left]);
    if (!isLoop[index]) {
      this.#within(index, merges, isEntered);
      return;
    }
    b.plainLoop((label) => {
      this.#labels.set(index, label);
      this.#within(index, merges, true);
    });
  }

  #within(index: number, merges: readonly number[], isEntered: boolean): void {
    if (merges.length === 0) {
      if (index < this.#plan.length) this.#block(index, isEntered);
      else this.#crossroads(index);
      return;
    }
    const [outer, ...rest] = merges;
    this.#region.b.block((label) => {
      this.#labels.set(outer, label);
      this.#within(index, rest, isEntered);
    });
    this.#tree(outer, true);
  }

  /** What only this block leads to is emitted in its scope: it goes on with what was learnt here. */
  #block(index: number, isEntered: boolean): void {
    const { b, flags } = this.#region;
    const { block } = this.#plan[index];
    const { leave: outer } = this.#region;
    // Accesses leave by way of their block's own end: so only what changes within a block differs where they meet, which V8 thanks us for.
    b.block((leave) => {
      b.scope(() => {
        this.#region.leave = leave;
        this.#region.beginBlock(isEntered);
        this.#region.charge(i64.const(block.instructions), () => this.#leave(block.uop | NEXT.ENTER));
        const end = this.#instructions(index);
        flags.store(b);
        if (end !== undefined) this.#end(index, end);
        b.unreachable();
      });
    });
    this.#region.leave = outer;
    b.br(this.#leaveLabel);
  }

  #end(index: number, end: BlockEnd): void {
    const { b } = this.#region;
    const { taken, fallThrough, callee } = this.#plan[index];
    switch (end.kind) {
      case 'jump':
        this.#goTo(index, taken, 0);
        return;
      case 'conditional': {
        const recall = this.#region.remember();
        b.plainIf(
          end.taken,
          () => this.#goTo(index, taken, 0),
          () => {
            recall();
            this.#goTo(index, fallThrough, 1);
          },
        );
        b.unreachable();
        return;
      }
      case 'switch':
        this.#switch(index, end.target);
        return;
      case 'return':
        this.#return(index, end.target);
        return;
      case 'call':
        if (callee >= 0) {
          this.#enter(index, callee);
          return;
        }
        this.#call(index, end.target, end.returnOffset);
        this.#goTo(index, taken, 0);
    }
  }

  /** Emits a block's instructions; undefined: the region has been left on every path. */
  #instructions(number: number): BlockEnd | undefined {
    const { block, delta } = this.#plan[number];
    const { view, handlers, imports } = this.#ports;
    for (let index = 0; index < block.count; index++) {
      const uop = block.uop + index * UOP.BYTE_LENGTH;
      const handler = block.uop === uop ? block.handler : view.getUint16(uop + UOP.HANDLER, true);
      this.#watchFloats(block, uop, handlers.keyOf(handler));
      if (handler === SPECIAL_HANDLERS.FALL_THROUGH || handler === SPECIAL_HANDLERS.FALL_THROUGH_FAR)
        return { kind: 'jump' };
      const key = handlers.keyOf(handler);
      if (key === undefined || !isCompilable(key)) {
        // The interpreter goes on from this very micro-op.
        this.#region.flags.store(this.#region.b);
        this.#leave(uop);
        return undefined;
      }
      const semantics = new RegionSemantics(
        this.#region,
        key,
        { uop, delta, view, isWalking: this.#walking.isWalking(number, uop) },
        this.#exits(),
        imports,
      );
      semantics.emit();
      if (semantics.end !== undefined) return semantics.end;
      if (key.entry.ends && !key.entry.row.options.decoded) return undefined;
    }
    return undefined;
  }

  /** Begins a span at this instruction of `block`, or ends it in front of it. */
  #watchFloats(block: TranslatedBlock, uop: number, key: HandlerKey | undefined): void {
    const { b, flags, floats, next, vectors } = this.#region;
    if (key !== undefined && isWatched(key) && this.#allowsSpans) {
      flags.store(b);
      floats.open(uop);
    } else if (key === undefined || !isQuiet(key)) {
      floats.settle((from) => {
        const handler = from === block.uop ? i32.const(block.handler) : i32.load16u(i32.const(from), UOP.HANDLER);
        this.#region.spill();
        b.set(next, call('i32', this.#ports.imports.interpretRun, [i32.const(from), i32.const(uop), handler]));
        b.plainIf(i32.ne(next, i32.const(uop)), () => b.return(next), undefined, 'unlikely');
        b.late(() => vectors.loadRegisters());
      });
      if (key === undefined || !isScalarStore(key)) vectors.settleLows();
    }
  }

  /** Control passes to block `to`, or out of the region along edge `which` of block `from`. */
  #goTo(from: number, to: number, which: 0 | 1): void {
    if (to < 0) this.#jumpOut(this.#region.ripOf(this.#successor(from, which)));
    else this.#enter(from, to);
  }

  /** From block to block of the region. */
  #enter(from: number, to: number): void {
    if (isGuarded(this.#plan[from], this.#plan[to])) this.#crossPage(to);
    this.#step(from, to);
  }

  /** The same, where the block's page is known to be mapped. */
  #step(from: number, to: number): void {
    const { b } = this.#region;
    const next = this.#graph.next(from, to);
    if (next !== to) b.set(this.#region.destination, i32.const(to));
    this.#follow(from, next);
  }

  /** Along an edge of the graph. */
  #follow(from: number, next: number): void {
    const { order, isMerge } = this.#structure;
    if (order[next] <= order[from] || isMerge[next]) this.#region.b.br(this.#labels.get(next)!);
    else this.#tree(next, false);
  }

  /** On to the block that was chosen where control turned this way. */
  #crossroads(node: number): void {
    const { b, destination } = this.#region;
    const blocks = this.#graph.destinations(node);
    const labels: Label[] = [];
    const within = (index: number): void => {
      if (index === blocks.length) {
        const table: Label[] = new Array(Math.max(...blocks) + 1).fill(labels[0]);
        for (const [position, block] of blocks.entries()) table[block] = labels[position];
        b.brTable(destination, table, labels[0]);
        return;
      }
      b.block((label) => {
        labels[index] = label;
        within(index + 1);
      });
      this.#region.forget();
      this.#follow(node, this.#graph.next(node, blocks[index]));
    };
    within(0);
  }

  /** An indirect jump: on in this region when the target is one of those that are known. */
  #switch(from: number, target: I64): void {
    const { b, entryPage } = this.#region;
    const { targets } = this.#plan[from];
    const offsets = targets.map((to) => this.#plan[to].delta + this.#plan[to].block.start);
    const table = jumpTableOf(offsets);
    if (targets.length > 0 && table !== undefined) {
      const labels: Label[] = [];
      const recall = this.#region.remember();
      b.block((unknown) => {
        const dispatch = (): void => {
          const offset = i32.wrap(i64.sub(target, entryPage));
          const slot = i32.and(i32.shrU(offset, i32.const(table.shift)), i32.const(table.entries.length - 1));
          b.brTable(
            slot,
            table.entries.map((index) => labels[index] ?? unknown),
            unknown,
          );
        };
        const within = (index: number): void => {
          if (index === targets.length) {
            dispatch();
            return;
          }
          b.block((label) => {
            labels[index] = label;
            within(index + 1);
          });
          recall();
          b.brIf(unknown, i64.ne(target, this.#region.ripOf(offsets[index])));
          this.#enter(from, targets[index]);
        };
        within(0);
      });
    }
    this.#jumpOut(target);
  }

  /** A return: from the copy of a function on behind the call that it was made for, or out to the region that called. */
  #return(from: number, target: I64): void {
    const { b, entryPage } = this.#region;
    const { returns: to, delta } = this.#plan[from];
    if (to >= 0) {
      const { block, delta: back } = this.#plan[to];
      const isExpected = i64.eq(target, this.#region.ripOf(back + block.start));
      b.plainIf(i32.eqz(isExpected), () => this.#jumpOut(target, NEXT.JUMP), undefined, 'unlikely');
      // Back to where this region has come by: that page is mapped as it was.
      if (delta !== back) b.storeI64(i32.const(RIP_PAGE), i64.add(entryPage, i64.const(back)));
      this.#step(from, to);
      return;
    }
    // Out to the region that called, which waits on the Wasm stack.
    this.#jumpOut(target, NEXT.JUMP);
  }

  /** Where an edge leads, as an offset from the entry's page. */
  #successor(from: number, which: 0 | 1): number {
    const { view, handlers } = this.#ports;
    const { block, delta } = this.#plan[from];
    const last = block.uop + (block.count - 1) * UOP.BYTE_LENGTH;
    const handler = last === block.uop ? block.handler : view.getUint16(last + UOP.HANDLER, true);
    const next = view.getInt32(last + UOP.DISPLACEMENT, true);
    const key = handlers.keyOf(handler);
    if (key?.entry.row.mnemonic === 'CALL')
      return delta + view.getUint16(last + UOP.PAGE_OFFSET, true) + view.getUint8(last + UOP.LENGTH);
    const isTaken = which === 0 && key !== undefined;
    return delta + next + (isTaken ? view.getInt32(last + UOP.IMMEDIATE, true) : 0);
  }

  /** The pages must still be mapped as they were: the jump cache knows. */
  #crossPage(to: number): void {
    const { b } = this.#region;
    const { block, delta } = this.#plan[to];
    b.scope(() => {
      const rip = b.let(this.#region.ripOf(delta + block.start));
      const { entry, hit } = probeJump((value) => b.let(value), rip);
      this.#refind(rip, hit, () => this.#jumpOut(rip));
      const isOther = i32.ne(i32.load(entry, JUMP_ENTRY.UOP), i32.const(block.uop));
      b.plainIf(isOther, () => this.#jumpOut(rip), undefined, 'unlikely');
      b.storeI64(i32.const(RIP_PAGE), i64.load(entry, JUMP_ENTRY.RIP_PAGE));
    });
  }

  /**
   * A guest call as a Wasm call, where the callee is a region: it comes back with JUMP and the return address, or with something else that
   * everybody on the stack passes on. Nothing that this region rests on can change meanwhile: whatever changes mappings, modes or code
   * leaves all regions first.
   */
  #call(from: number, target: I64, returnOffset: number): void {
    const { b, next } = this.#region;
    const returnTo = this.#region.ripOf(returnOffset);
    const { handlers, handlerType } = this.#ports;
    b.scope(() => {
      const { entry, hit } = probeJump((value) => b.let(value), target);
      this.#refind(target, hit, () => this.#jumpOut(target, NEXT.JUMP));
      const uop = b.let(i32.load(entry, JUMP_ENTRY.UOP));
      const handler = b.let(i32.load16u(uop, UOP.HANDLER));
      const depth = b.let(i32.load(i32.const(CALL_DEPTH)));
      const cannot = i32.or(i32.ltU(handler, i32.const(handlers.count)), i32.geU(depth, i32.const(MAXIMUM_DEPTH)));
      b.plainIf(cannot, () => this.#jumpOut(target, NEXT.JUMP), undefined, 'unlikely');
      this.#region.charge(i64.load8u(uop, UOP.REMAINING), () => this.#jumpOut(target, NEXT.JUMP));
      b.storeI64(i32.const(RIP_PAGE), i64.load(entry, JUMP_ENTRY.RIP_PAGE));
      b.storeI32(i32.const(CALL_DEPTH), i32.add(depth, i32.const(1)));
      this.#region.spill();
      b.callIndirect(next, handlerType, handler, [uop]);
      b.storeI32(i32.const(CALL_DEPTH), depth);
      b.plainIf(i32.ne(next, i32.const(NEXT.JUMP)), () => b.return(next), undefined, 'unlikely');
      const isBack = i64.eq(i64.load(i32.const(JUMP_RIP)), returnTo);
      b.plainIf(i32.eqz(isBack), () => b.return(next), undefined, 'unlikely');
      b.storeI64(i32.const(RIP_PAGE), i64.add(this.#region.entryPage, i64.const(this.#plan[from].delta)));
      this.#region.reload();
      this.#region.forget();
    });
  }

  /** Where the jump cache has no place for `rip`, one is found for it, or `otherwise`. */
  #refind(rip: I64, hit: I32, otherwise: () => void): void {
    const { b } = this.#region;
    const isLost = i32.eqz(call('i32', this.#ports.imports.findCode, [rip]));
    b.plainIf(i32.eqz(hit), () => b.plainIf(isLost, otherwise), undefined, 'unlikely');
  }

  /** On at an RIP, out of the region: in another one if there is one, or for certain in the interpreter. */
  #jumpOut(rip: I64, next: typeof CHAIN | typeof NEXT.JUMP = CHAIN): void {
    this.#region.b.storeI64(i32.const(JUMP_RIP), rip);
    this.#leave(next);
  }

  #leave(next: number): void {
    const { b } = this.#region;
    b.set(this.#region.next, i32.const(next));
    b.br(this.#exit);
  }

  /** The ways out of an instruction. */
  #exits(): HandlerExits {
    const { b, flags, vectors } = this.#region;
    const store = (): void => {
      flags.store(b);
      vectors.mergeAll();
    };
    return {
      next: () => {
        throw new Error('an instruction that ends early branches to its own end');
      },
      enter: (uop) => {
        b.set(this.#region.next, i32.or(uop, i32.const(NEXT.ENTER)));
        store();
        b.br(this.#exit);
      },
      jump: (rip) => {
        store();
        this.#jumpOut(rip);
      },
      leave: () => {
        store();
        this.#leave(NEXT.LEAVE);
      },
      follow: (uop) => {
        // TypeScript's part of an instruction: the interpreter runs it from its start, as nothing has changed yet.
        store();
        b.set(this.#region.next, uop);
        b.br(this.#exit);
      },
    };
  }
}
