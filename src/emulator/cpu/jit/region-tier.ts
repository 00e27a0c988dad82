import type { HandlerTable } from '../interpreter/handlers.ts';
import type { CodeCache, TranslatedBlock } from '../translation/code-cache.ts';
import { type RegionCompiler, regionExport } from './region-compiler.ts';
import { type HotEntry, isCompilable, type RegionPlan, type RegionPlanner } from './region-plan.ts';

/** Entries that make a block hot where nothing else is said: by then interpreting it has cost about what compiling it will (docs/performance.md). */
export const REGIONS_AFTER = 60_000;

/** Handler numbers are 16 bits. */
const LAST_HANDLER = 0xffff;
const TABLE_STEP = 1024;
const CODE_32 = 1;

/** Regions to a module: its fixed cost is worth about as much as a few functions. */
const BATCH = 8;
/** How often a block that a region holds must become hot to begin a region itself. */
const ROUNDS_WITHIN = 4;
/** Below this threshold every block is compiled at its first hot entry: tests want that. */
const EAGER_BELOW = 16;

/** What the tier counts, for profiles and tests. */
export interface RegionStatistics {
  compiled: number;
  modules: number;
  /** Guest instructions in all compiled regions. */
  instructions: number;
  wasmBytes: number;
}

/** What the tier works with. */
export interface RegionTierPorts {
  readonly planner: RegionPlanner;
  readonly compiler: RegionCompiler;
  readonly codeCache: CodeCache;
  readonly handlers: HandlerTable;
  readonly table: WebAssembly.Table;
  /** Without the table, which is added here. */
  readonly imports: Readonly<Record<string, WebAssembly.ImportValue>>;
  /** Entries that make a block hot. */
  readonly regionsAfter: number;
  /** A queued block that another region of its batch has taken in starts counting its entries anew. */
  forgetEntries(uop: number): void;
}

/** The second tier: hot blocks become Wasm functions in the interpreter's table, in the place of their entry's handler. */
export class RegionTier {
  readonly statistics: RegionStatistics = { compiled: 0, modules: 0, instructions: 0, wasmBytes: 0 };
  readonly #ports: RegionTierPorts;
  readonly #imports: WebAssembly.Imports;
  readonly #batch: number;
  #queue: HotEntry[] = [];
  #nextHandler: number;

  constructor(ports: RegionTierPorts) {
    this.#ports = ports;
    this.#imports = { env: { ...ports.imports, table: ports.table } };
    this.#batch = ports.regionsAfter < EAGER_BELOW ? 1 : BATCH;
    this.#nextHandler = ports.handlers.count;
  }

  /** The block at `uop` is hot: it is compiled with the next batch. */
  enqueue(uop: number, ripPage: bigint, modeKey: bigint): void {
    const block = this.#ports.codeCache.blockAt(uop);
    if (block === undefined || !this.#isWorthwhile(block)) return;
    if (this.#waits(block)) {
      this.#ports.forgetEntries(uop);
      return;
    }
    this.#queue.push({ block, ripPage, modeKey });
    if (this.#queue.length >= this.#batch) this.compileQueue();
  }

  /** A block that stands in a region already must be entered from outside more often to be worth one of its own. */
  #waits(block: TranslatedBlock): boolean {
    if (block.regions === undefined || this.#ports.regionsAfter < EAGER_BELOW) return false;
    block.hotRounds++;
    return block.hotRounds < ROUNDS_WITHIN;
  }

  /** Compiles what waits: a full batch, or the rest at a slice's end. */
  compileQueue(): void {
    const queue = this.#queue;
    if (queue.length === 0) return;
    this.#queue = [];
    const { planner, codeCache } = this.#ports;
    const plans: RegionPlan[] = [];
    const covered = new Set<TranslatedBlock>();
    for (const entry of queue) {
      const { block } = entry;
      if (codeCache.blockAt(block.uop) !== block || codeCache.isCompiled(block)) continue;
      if (covered.has(block)) {
        this.#ports.forgetEntries(block.uop);
        continue;
      }
      const plan = planner.plan(entry);
      for (const item of plan) covered.add(item.block);
      plans.push(plan);
    }
    if (plans.length > 0) this.#install(plans);
  }

  /** All translations are gone: so are the regions. */
  flush(): void {
    this.#queue = [];
    this.#nextHandler = this.#ports.handlers.count;
  }

  #install(plans: readonly RegionPlan[]): void {
    const { compiler, codeCache, table } = this.#ports;
    if (this.#nextHandler + plans.length > LAST_HANDLER) return;
    const bytes = compiler.compile(plans);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports);
    this.statistics.modules++;
    this.statistics.wasmBytes += bytes.length;
    for (const [index, plan] of plans.entries()) {
      const handler = this.#nextHandler++;
      if (handler >= table.length) table.grow(TABLE_STEP);
      table.set(handler, instance.exports[regionExport(index)]);
      codeCache.installRegion(
        plan[0].block,
        plan.map(({ block }) => block),
        handler,
      );
      this.statistics.compiled++;
      for (const { block } of plan) this.statistics.instructions += block.instructions;
    }
  }

  /** 32- and 64-bit code that does not begin with an instruction that TypeScript runs, or may run: a region would hand that back to itself. */
  #isWorthwhile(block: TranslatedBlock): boolean {
    const key = this.#ports.handlers.keyOf(block.handler);
    const isWideEnough = block.key >> 12 >= CODE_32;
    return isWideEnough && key !== undefined && isCompilable(key) && key.entry.row.options.decoded !== true;
  }
}
