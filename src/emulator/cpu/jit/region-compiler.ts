import { type HandlerKey, type HandlerTable, SPECIAL_HANDLERS } from '../interpreter/handlers.ts';
import type { HandlerExits } from '../interpreter/interpreter-semantics.ts';
import { FORM, NEXT, UOP } from '../interpreter/micro-op.ts';
import { HELPER_PARAMETERS } from '../isa/helper-signatures.ts';
import { SYSTEM } from '../isa/row.ts';
import { JUMP_RIP } from '../state.ts';
import type { CodeCache, TranslatedBlock } from '../translation/code-cache.ts';
import { i32 } from '../wasm/expr.ts';
import type { Label } from '../wasm/function-builder.ts';
import { ModuleBuilder } from '../wasm/module-builder.ts';
import { type Structure, structureOf } from './control-flow.ts';
import { RegionBuilder } from './region-builder.ts';
import { RegionSemantics } from './region-semantics.ts';

const MAXIMUM_BLOCKS = 64;
const MAXIMUM_INSTRUCTIONS = 600;

/** What a region's code imports besides memory; see IMPORT_PARAMETERS of the interpreter. */
const IMPORT_PARAMETERS = {
  slowRead: 4,
  slowWrite: 4,
  slowModify: 4,
  slowCommit: 4,
  ...HELPER_PARAMETERS,
} as const;

/** A block of the region with its edges inside it; −1 leaves the region. */
interface RegionBlock {
  readonly block: TranslatedBlock;
  /** Branch target, or the only successor. */
  readonly taken: number;
  readonly fallThrough: number;
}

/** What a compiled region consists of. */
export interface CompiledRegion {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly blocks: readonly TranslatedBlock[];
}

/** Finds the blocks around a hot entry and writes one Wasm function for them. */
export class RegionCompiler {
  readonly #view: DataView;
  readonly #handlers: HandlerTable;
  readonly #codeCache: CodeCache;
  readonly #memory: { initialPages: number; maximumPages: number; shared: boolean };

  constructor(
    view: DataView,
    handlers: HandlerTable,
    codeCache: CodeCache,
    memory: { initialPages: number; maximumPages: number; shared: boolean },
  ) {
    this.#view = view;
    this.#handlers = handlers;
    this.#codeCache = codeCache;
    this.#memory = memory;
  }

  /** False for handlers of instructions that only the interpreter runs. */
  canCompile(handler: number): boolean {
    const key = this.#handlers.keyOf(handler);
    return key !== undefined && isCompilable(key);
  }

  compile(entry: TranslatedBlock): CompiledRegion {
    const blocks = this.#discover(entry);
    const successors = blocks.map(({ taken, fallThrough }) => [
      ...new Set([taken, fallThrough].filter((index) => index >= 0)),
    ]);
    const structure = structureOf({ successors });
    const module = new ModuleBuilder(this.#memory);
    const imports: Record<string, number> = {};
    for (const [name, count] of Object.entries(IMPORT_PARAMETERS)) {
      const results = name === 'slowCommit' ? [] : (['i32'] as const);
      imports[name] = module.importFunction(name, { parameters: new Array(count).fill('i32'), results });
    }
    const emission = new RegionEmission(blocks, structure, this.#view, this.#handlers, imports);
    module.exportFunction('region', module.addFunction({ parameters: ['i32'], results: ['i32'] }, emission.emit()));
    return { bytes: module.finish(), blocks: blocks.map(({ block }) => block) };
  }

  /** Blocks that are reached from the entry inside its page and are translated already: the cold rest stays outside. */
  #discover(entry: TranslatedBlock): RegionBlock[] {
    const numbers = new Map<number, number>([[entry.uop, 0]]);
    const list: TranslatedBlock[] = [entry];
    const edges: { taken: number; fallThrough: number }[] = [];
    let instructions = 0;
    const numberOf = (offset: number): number => {
      const uop = this.#codeCache.find(entry.page.number, offset, entry.key >> 12);
      if (uop === 0) return -1;
      const known = numbers.get(uop);
      if (known !== undefined) return known;
      const block = this.#codeCache.blockAt(uop);
      if (block === undefined || list.length >= MAXIMUM_BLOCKS || instructions >= MAXIMUM_INSTRUCTIONS) return -1;
      numbers.set(uop, list.length);
      list.push(block);
      return list.length - 1;
    };
    for (let index = 0; index < list.length; index++) {
      const block = list[index];
      instructions += block.count;
      const last = block.uop + (block.count - 1) * UOP.BYTE_LENGTH;
      const next = this.#view.getInt32(last + UOP.DISPLACEMENT, true);
      const handler = this.#codeCache.handlerOf(last);
      const key = this.#handlers.keyOf(handler);
      if (handler === SPECIAL_HANDLERS.FALL_THROUGH) edges.push({ taken: numberOf(next), fallThrough: -1 });
      else if (key?.entry.relative === true && key.form === FORM.REGISTER) {
        const isJump = key.entry.row.mnemonic === 'JMP';
        const isCall = key.entry.row.mnemonic === 'CALL';
        const target = isCall ? -1 : numberOf(next + this.#view.getInt32(last + UOP.IMMEDIATE, true));
        edges.push({ taken: target, fallThrough: isJump || isCall ? -1 : numberOf(next) });
      } else edges.push({ taken: -1, fallThrough: -1 });
    }
    return list.map((block, index) => ({ block, ...edges[index] }));
  }
}

/** TypeScript's instructions, and those that fall back to it, stay with the interpreter. */
function isCompilable({ entry }: HandlerKey): boolean {
  return entry.row.semantic !== SYSTEM && entry.row.options.decoded !== true;
}

/** One region's function in the making. */
class RegionEmission {
  readonly #blocks: readonly RegionBlock[];
  readonly #structure: Structure;
  readonly #view: DataView;
  readonly #handlers: HandlerTable;
  readonly #imports: Readonly<Record<string, number>>;
  readonly #region = new RegionBuilder();
  readonly #labels = new Map<number, Label>();
  #exit!: Label;

  constructor(
    blocks: readonly RegionBlock[],
    structure: Structure,
    view: DataView,
    handlers: HandlerTable,
    imports: Readonly<Record<string, number>>,
  ) {
    this.#blocks = blocks;
    this.#structure = structure;
    this.#view = view;
    this.#handlers = handlers;
    this.#imports = imports;
  }

  emit(): ReturnType<RegionBuilder['finish']> {
    const { b } = this.#region;
    b.onNested = () => {
      this.#region.flags.store(b);
      this.#region.flags.pending = undefined;
    };
    b.block((exit) => {
      this.#exit = exit;
      this.#tree(0);
      b.unreachable();
    });
    return this.#region.finish(this.#blocks[0].block.instructions);
  }

  /** A block with everything that it dominates. */
  #tree(index: number): void {
    const { b } = this.#region;
    const merges = this.#structure.children[index].filter((child) => this.#structure.isMerge[child]);
    // The merge that comes last in reverse postorder is the outermost.
    merges.sort((left, right) => this.#structure.order[right] - this.#structure.order[left]);
    if (!this.#structure.isLoop[index]) {
      this.#within(index, merges);
      return;
    }
    b.plainLoop((label) => {
      this.#labels.set(index, label);
      this.#within(index, merges);
    });
  }

  #within(index: number, merges: readonly number[]): void {
    if (merges.length === 0) {
      this.#block(index);
      return;
    }
    const [outer, ...rest] = merges;
    this.#region.b.block((label) => {
      this.#labels.set(outer, label);
      this.#within(index, rest);
    });
    this.#tree(outer);
  }

  #block(index: number): void {
    const region = this.#region;
    const { b, flags } = region;
    const { block, taken, fallThrough } = this.#blocks[index];
    b.scope(() => {
      flags.pending = undefined;
      flags.depth = b.depth;
      region.charge(block.instructions, () => this.#leave(block.uop | NEXT.ENTER));
      const end = this.#instructions(block);
      flags.store(b);
      flags.pending = undefined;
      if (end === undefined) return;
      const last = block.uop + (block.count - 1) * UOP.BYTE_LENGTH;
      if (end.kind === 'jump') this.#goTo(index, taken, last, 0);
      else {
        b.plainIf(
          end.taken,
          () => this.#goTo(index, taken, last, 0),
          () => this.#goTo(index, fallThrough, last, 1),
        );
        b.unreachable();
      }
    });
  }

  /** Emits a block's instructions; undefined: the region has been left on every path. */
  #instructions(
    block: TranslatedBlock,
  ): { kind: 'jump' } | { kind: 'conditional'; taken: ReturnType<typeof i32.const> } | undefined {
    for (let index = 0; index < block.count; index++) {
      const uop = block.uop + index * UOP.BYTE_LENGTH;
      const handler = block.uop === uop ? block.handler : this.#view.getUint16(uop + UOP.HANDLER, true);
      if (handler === SPECIAL_HANDLERS.FALL_THROUGH) return { kind: 'jump' };
      const key = this.#handlers.keyOf(handler);
      if (key === undefined || !isCompilable(key)) {
        // The interpreter goes on from this very micro-op.
        this.#leave(uop);
        return undefined;
      }
      const semantics = new RegionSemantics(this.#region, key, uop, this.#view, this.#exits(), this.#imports);
      semantics.emit();
      if (semantics.end?.kind === 'jump' || semantics.end?.kind === 'conditional') return semantics.end;
      if (key.entry.ends) return undefined;
    }
    return undefined;
  }

  /** Control passes to block `to`, or out of the region along link `which` of the last micro-op. */
  #goTo(from: number, to: number, last: number, which: 0 | 1): void {
    const { b } = this.#region;
    const { order, isMerge, isCut } = this.#structure;
    if (to < 0) {
      this.#leaveAlong(last, which);
      return;
    }
    if (isCut(from, to)) this.#leave(this.#blocks[to].block.uop | NEXT.ENTER);
    else if (order[to] <= order[from] || isMerge[to]) b.br(this.#labels.get(to)!);
    else this.#tree(to);
  }

  /** The other side was cold when the region was made: by RIP, so that it is found or translated when it is needed. */
  #leaveAlong(last: number, which: 0 | 1): void {
    const { b, next } = this.#region;
    const offset = this.#view.getInt32(last + UOP.DISPLACEMENT, true);
    const isFallThrough = this.#view.getUint16(last + UOP.HANDLER, true) === SPECIAL_HANDLERS.FALL_THROUGH;
    const relative = which === 0 && !isFallThrough ? this.#view.getInt32(last + UOP.IMMEDIATE, true) : 0;
    b.storeI64(i32.const(JUMP_RIP), this.#region.ripOf(offset + relative));
    b.set(next, i32.const(NEXT.JUMP));
    b.br(this.#exit);
  }

  #leave(next: number): void {
    const { b } = this.#region;
    b.set(this.#region.next, i32.const(next));
    b.br(this.#exit);
  }

  #exits(): HandlerExits {
    const region = this.#region;
    const { b, flags } = region;
    const out = (): void => {
      flags.store(b);
      b.br(this.#exit);
    };
    return {
      next: () => {
        throw new Error('an instruction that ends early cannot stand in a region');
      },
      enter: (uop) => {
        b.set(region.next, i32.or(uop, i32.const(NEXT.ENTER)));
        out();
      },
      jump: (rip) => {
        b.storeI64(i32.const(JUMP_RIP), rip);
        b.set(region.next, i32.const(NEXT.JUMP));
        out();
      },
      leave: () => {
        b.set(region.next, i32.const(NEXT.LEAVE));
        out();
      },
      follow: () => {
        throw new Error('an instruction that runs in TypeScript cannot stand in a region');
      },
    };
  }
}
