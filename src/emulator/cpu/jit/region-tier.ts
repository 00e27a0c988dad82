import type { HandlerTable } from '../interpreter/handlers.ts';
import type { CodeCache, TranslatedBlock } from '../translation/code-cache.ts';
import type { RegionCompiler } from './region-compiler.ts';

/** Handler numbers are 16 bits. */
const LAST_HANDLER = 0xffff;
const TABLE_STEP = 1024;
/** Code size in a block's key. */
const CODE_64 = 2;

/** What the tier counts, for profiles and tests. */
export interface RegionStatistics {
  compiled: number;
  /** Guest instructions in all compiled regions. */
  instructions: number;
  wasmBytes: number;
}

/** The second tier: hot blocks become Wasm functions in the interpreter's table, in the place of their entry's handler. */
export class RegionTier {
  readonly statistics: RegionStatistics = { compiled: 0, instructions: 0, wasmBytes: 0 };
  readonly #compiler: RegionCompiler;
  readonly #codeCache: CodeCache;
  readonly #table: WebAssembly.Table;
  readonly #imports: WebAssembly.Imports;
  readonly #firstHandler: number;
  #nextHandler: number;

  constructor(
    compiler: RegionCompiler,
    codeCache: CodeCache,
    handlers: HandlerTable,
    table: WebAssembly.Table,
    imports: WebAssembly.Imports,
  ) {
    this.#compiler = compiler;
    this.#codeCache = codeCache;
    this.#table = table;
    this.#imports = imports;
    this.#firstHandler = handlers.count;
    this.#nextHandler = handlers.count;
  }

  /** The block at `uop` is hot. */
  compile(uop: number): void {
    const entry = this.#codeCache.blockAt(uop);
    if (entry === undefined || this.#codeCache.isCompiled(entry) || !this.#isWorthwhile(entry)) return;
    if (this.#nextHandler > LAST_HANDLER) return;
    const { bytes, blocks } = this.#compiler.compile(entry);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports);
    const handler = this.#nextHandler++;
    if (handler >= this.#table.length) this.#table.grow(TABLE_STEP);
    this.#table.set(handler, instance.exports.region);
    this.#codeCache.installRegion(entry, blocks, handler);
    this.statistics.compiled++;
    this.statistics.wasmBytes += bytes.length;
    for (const block of blocks) this.statistics.instructions += block.instructions;
  }

  /** All translations are gone: so are the regions. */
  flush(): void {
    this.#nextHandler = this.#firstHandler;
  }

  /** 64-bit code that does not begin with an instruction that TypeScript runs: a region would hand that back to itself. */
  #isWorthwhile(entry: TranslatedBlock): boolean {
    return entry.key >> 12 === CODE_64 && entry.instructions > 1 && this.#compiler.canCompile(entry.handler);
  }
}
