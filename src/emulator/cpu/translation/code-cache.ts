import type { Decoded } from '../decode/decoded.ts';
import { BLOCK_ENTRY, blockEntryOf } from '../interpreter/code-search.ts';
import { type HandlerTable, SPECIAL_HANDLERS } from '../interpreter/handlers.ts';
import { BLOCKS, BLOCKS_END, DETOUR, SCRATCH_UOPS, UOP_ARENA, UOP_ARENA_END } from '../interpreter/layout.ts';
import { UOP } from '../interpreter/micro-op.ts';
import { BlockWriter } from './block-writer.ts';
import { CodeChunks } from './code-chunks.ts';

const PAGE = 0x1000;
/** A spill begins before its page's first byte: what it may hold of the page. */
const LONGEST_SPILL = 14;
/** Longest block; REMAINING is a byte. */
const MAXIMUM_BLOCK = 64;

/** Of a block's key. */
const KEY_BITS = 14;

/** Writes one behind the other into a page after which none of its code is worth keeping. */
const OVERWRITING = 32;

/** Straight-line code from one entry to its first jump, translated. */
export interface TranslatedBlock {
  readonly uop: number;
  /** Guest instructions. */
  readonly instructions: number;
  /** Handler of the first micro-op as it was translated; a compiled region stands in its place later. */
  readonly handler: number;
  /** Entries of the compiled regions that hold this block; undefined while none does. */
  regions: Set<TranslatedBlock> | undefined;
  /** How often the block became hot while a region held it. */
  hotRounds: number;
  /** Micro-ops, the fall-through included. */
  readonly count: number;
  /** Key in its page's entries. */
  readonly key: number;
  /** First byte and first byte after, as offsets in the page in question. */
  readonly start: number;
  readonly end: number;
  readonly page: CodePage;
}

/** Translations of one physical page. */
export interface CodePage {
  readonly number: number;
  /** Entry offset | code size << 12 → micro-op. */
  readonly entries: Map<number, number>;
  readonly blocks: Set<TranslatedBlock>;
  /** Blocks that begin in another page and end with an instruction that reaches into this one. */
  readonly spills: Set<TranslatedBlock>;
  /** Where blocks and spills have put code since the page last had none. */
  readonly chunks: CodeChunks;
}

/** Where the instructions in the scratch area come from. */
interface ScratchBlock {
  readonly uop: number;
  readonly count: number;
  /** Guest-physical page, first byte and first byte after. */
  readonly page: number;
  readonly start: number;
  readonly end: number;
}

/** What the cache needs of the engine. */
export interface CodeCachePorts {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly handlers: HandlerTable;
  /** Of the processor's model. */
  readonly features: ReadonlySet<string>;
  /** Code now stands in this page: writes to it must be seen from here on. */
  onCodePage(hostPage: number, page: number): void;
  /** Everything was dropped, as when the arena is full: micro-ops stood below `end`. */
  onFlush(end: number): void;
}

/** A block's place in a page. */
export interface BlockRequest {
  /** Guest-physical page number, and where the page stands in Wasm memory. */
  readonly page: number;
  readonly hostPage: number;
  readonly offset: number;
  readonly codeSize: number;
}

/** An instruction that reaches into the next page: where that page stands now. Undefined: it cannot be fetched (a fault was recorded). */
export type NextPage = () => { page: number; hostPage: number } | undefined;

/** Micro-ops by physical page: finding, translating, and dropping them when their bytes change. */
export class CodeCache {
  readonly #ports: CodeCachePorts;
  readonly #pages = new Map<number, CodePage>();
  /** Decoded operands of instructions that live in TypeScript, by micro-op. */
  readonly #decoded = new Map<number, Decoded>();
  /** Instructions across two pages: first page × 4096 + offset → second page and micro-op. */
  readonly #crossing = new Map<number, { page: number; uop: number; codeSize: number }>();
  readonly #blocks = new Map<number, TranslatedBlock>();
  readonly #writer: BlockWriter;
  /** What stands in the scratch area, if it is several instructions: one of them may write to another. */
  #scratch: ScratchBlock | undefined;
  #next = UOP_ARENA;
  /** The block found last is one instruction that reaches into the next page: it is right while that page's mapping is. */
  crosses = false;
  /** Writes to code one behind the other, and where the last one ended: guest-physical. */
  #writes = 0;
  #lastWritten = -1;
  /** How often everything was dropped: addresses from before mean nothing after. */
  flushes = 0;
  /** How many blocks were withdrawn so far, flushes included. */
  withdrawals = 0;

  constructor(ports: CodeCachePorts) {
    this.#ports = ports;
    const { view, bytes, handlers, features } = ports;
    const keepDecoded = (uop: number, decoded: Decoded): void => void this.#decoded.set(uop, decoded);
    bytes.fill(0xff, BLOCKS, BLOCKS_END);
    this.#writer = new BlockWriter({ view, bytes, handlers, features, keepDecoded });
  }

  decodedAt(uop: number): Decoded {
    return this.#decoded.get(uop)!;
  }

  /** The block that begins at a micro-op; undefined for blocks that run once or cross a page. */
  blockAt(uop: number): TranslatedBlock | undefined {
    return this.#blocks.get(uop);
  }

  /** The handler that a micro-op was translated to. */
  handlerOf(uop: number): number {
    return this.#blocks.get(uop)?.handler ?? this.#ports.view.getUint16(uop + UOP.HANDLER, true);
  }

  /** A region stands at the block's entry. */
  isCompiled(block: TranslatedBlock): boolean {
    return this.#ports.view.getUint16(block.uop + UOP.HANDLER, true) !== block.handler;
  }

  /** Puts the handler of a compiled region in the place of its entry's first instruction; `blocks` are what it was made of. */
  installRegion(entry: TranslatedBlock, blocks: readonly TranslatedBlock[], handler: number): void {
    this.#ports.view.setUint16(entry.uop + UOP.HANDLER, handler, true);
    for (const block of blocks) {
      block.regions ??= new Set();
      block.regions.add(entry);
    }
  }

  /**
   * Where the interpreter runs a compiled block from its beginning once: a copy of its first instruction, and a way on to the second. Good until the
   * next one is asked for.
   */
  detour(block: TranslatedBlock): number {
    const { view, bytes } = this.#ports;
    const second = block.uop + UOP.BYTE_LENGTH;
    const wayOn = DETOUR + UOP.BYTE_LENGTH;
    bytes.copyWithin(DETOUR, block.uop, second + UOP.BYTE_LENGTH);
    view.setUint16(DETOUR + UOP.HANDLER, block.handler, true);
    view.setUint16(wayOn + UOP.HANDLER, SPECIAL_HANDLERS.GO_ON, true);
    view.setUint32(wayOn + UOP.FALL_THROUGH, second, true);
    return DETOUR;
  }

  isCodePage(page: number): boolean {
    if (this.#scratch?.page === page) return true;
    const found = this.#pages.get(page);
    return found !== undefined && found.blocks.size + found.spills.size > 0;
  }

  /** The micro-op of a translated block, or 0. */
  find(page: number, offset: number, codeSize: number): number {
    return this.#pages.get(page)?.entries.get(offset | (codeSize << 12)) ?? 0;
  }

  /** Generated code finds the block by itself from now on. */
  #publish(page: number, key: number, uop: number): void {
    const { view } = this.#ports;
    const low = ((page << KEY_BITS) | key) >>> 0;
    const entry = blockEntryOf(low);
    view.setUint32(entry + BLOCK_ENTRY.TAG, low, true);
    view.setUint32(entry + BLOCK_ENTRY.TAG + 4, page >>> (32 - KEY_BITS), true);
    view.setUint32(entry + BLOCK_ENTRY.UOP, uop, true);
  }

  #unpublish({ page, key, uop }: TranslatedBlock): void {
    const { view } = this.#ports;
    const entry = blockEntryOf(((page.number << KEY_BITS) | key) >>> 0);
    if (view.getUint32(entry + BLOCK_ENTRY.UOP, true) === uop) view.setBigInt64(entry + BLOCK_ENTRY.TAG, -1n, true);
  }

  /** Finds or translates. 0: the next page faulted. */
  block(request: BlockRequest, nextPage: NextPage): number {
    this.crosses = false;
    const key = request.offset | (request.codeSize << 12);
    const found = this.#pages.get(request.page)?.entries.get(key) ?? 0;
    if (found !== 0) {
      this.#publish(request.page, key, found);
      return found;
    }
    this.#reserve();
    const uop = this.#next;
    const writer = this.#writer;
    if (!writer.write(request, uop, MAXIMUM_BLOCK)) {
      this.crosses = true;
      return this.#crossingBlock(request, nextPage);
    }
    const { count, end } = writer;
    this.#next += count * UOP.BYTE_LENGTH;
    const page = this.#page(request.page);
    page.entries.set(key, uop);
    this.#publish(request.page, key, uop);
    const isNew = page.blocks.size + page.spills.size === 0;
    const block: TranslatedBlock = {
      uop,
      count,
      instructions: this.#ports.bytes[uop + UOP.REMAINING],
      handler: this.#ports.view.getUint16(uop + UOP.HANDLER, true),
      regions: undefined,
      hotRounds: 0,
      key,
      start: request.offset,
      end,
      page,
    };
    page.blocks.add(block);
    page.chunks.add(request.offset, end);
    this.#blocks.set(uop, block);
    if (isNew) this.#ports.onCodePage(request.hostPage, request.page);
    return uop;
  }

  /** Translates at most `limit` instructions into the scratch area, for one run. 0: the next page faulted. */
  once(request: BlockRequest, limit: number, nextPage: NextPage): number {
    const uop = UOP_ARENA_END - SCRATCH_UOPS;
    this.#scratch = undefined;
    if (this.#writer.write(request, uop, Math.min(limit, MAXIMUM_BLOCK))) {
      if (limit > 1) this.#protectScratch(request, uop);
      return uop;
    }
    const second = nextPage();
    if (second === undefined) return 0;
    this.#writer.writeCrossing(request, second.hostPage, uop);
    return uop;
  }

  /** The block that the writer has put at `uop`, of several instructions. */
  #protectScratch({ page, hostPage, offset }: BlockRequest, uop: number): void {
    if (!this.isCodePage(page)) this.#ports.onCodePage(hostPage, page);
    const { count, end } = this.#writer;
    this.#scratch = { uop, count, page, start: offset, end };
  }

  /** Bytes of a physical page changed: withdraws the blocks that hold any of them. */
  invalidate(page: number, start: number, end: number): void {
    const scratch = this.#scratch;
    if (scratch?.page === page && scratch.start < end && start < scratch.end) this.#makeStale(scratch);
    const found = this.#pages.get(page);
    if (found === undefined) return;
    if (this.#isOverwritten(page, start, end)) {
      for (const block of [...found.blocks, ...found.spills]) this.#withdraw(block, found);
      found.chunks.clear();
      return;
    }
    if (!found.chunks.touches(start, end)) return;
    for (const block of found.blocks) if (block.start < end && start < block.end) this.#withdraw(block, found);
    if (start < LONGEST_SPILL) for (const block of found.spills) this.#withdraw(block, found);
    if (found.blocks.size + found.spills.size === 0) found.chunks.clear();
  }

  /** Write after write goes through the page: whatever code is left there will hardly run again, and each write would ask after it. */
  #isOverwritten(page: number, start: number, end: number): boolean {
    const at = page * PAGE + start;
    this.#writes = at === this.#lastWritten ? this.#writes + 1 : 0;
    this.#lastWritten = page * PAGE + end;
    return this.#writes >= OVERWRITING;
  }

  flush(): void {
    this.#scratch = undefined;
    this.#pages.clear();
    this.#crossing.clear();
    this.#decoded.clear();
    this.#blocks.clear();
    this.#ports.bytes.fill(0xff, BLOCKS, BLOCKS_END);
    const end = this.#next;
    this.#next = UOP_ARENA;
    this.flushes++;
    this.withdrawals++;
    this.#ports.onFlush(end);
  }

  #reserve(): void {
    if (this.#next + (MAXIMUM_BLOCK + 1) * UOP.BYTE_LENGTH > UOP_ARENA_END - SCRATCH_UOPS) this.flush();
  }

  #page(number: number): CodePage {
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = { number, entries: new Map(), blocks: new Set(), spills: new Set(), chunks: new CodeChunks() };
      this.#pages.set(number, page);
    }
    return page;
  }

  #makeStale({ uop, count }: { readonly uop: number; readonly count: number }): void {
    this.withdrawals++;
    for (let index = 0; index < count; index++) {
      this.#ports.view.setUint16(uop + index * UOP.BYTE_LENGTH + UOP.HANDLER, SPECIAL_HANDLERS.STALE, true);
    }
  }

  #withdraw(block: TranslatedBlock, from: CodePage): void {
    const { view } = this.#ports;
    this.#makeStale(block);
    block.page.entries.delete(block.key);
    this.#unpublish(block);
    block.page.blocks.delete(block);
    from.spills.delete(block);
    this.#blocks.delete(block.uop);
    // A region is made of all its blocks' bytes: its entry goes with any of them.
    const regions = [...(block.regions ?? [])];
    block.regions = undefined;
    for (const entry of regions) if (entry !== block && this.#blocks.has(entry.uop)) this.#withdraw(entry, entry.page);
    this.#crossing.delete(block.page.number * PAGE + block.start);
    // Links into the withdrawn block would find STALE for ever.
    const end = block.uop + block.count * UOP.BYTE_LENGTH;
    for (const other of block.page.blocks) {
      const last = other.uop + (other.count - 1) * UOP.BYTE_LENGTH;
      for (const field of [UOP.TARGET, UOP.FALL_THROUGH]) {
        const target = view.getUint32(last + field, true);
        if (target >= block.uop && target < end) view.setUint32(last + field, 0, true);
      }
    }
  }

  /** A block of one instruction that reaches into the next page; looked up anew each time, as that page's mapping may change. */
  #crossingBlock(request: BlockRequest, nextPage: NextPage): number {
    const key = request.page * PAGE + request.offset;
    const known = this.#crossing.get(key);
    const second = nextPage();
    if (second === undefined) return 0;
    if (known !== undefined && known.page === second.page && known.codeSize === request.codeSize) return known.uop;
    this.#reserve();
    const uop = this.#next;
    this.#writer.writeCrossing(request, second.hostPage, uop);
    this.#next += 2 * UOP.BYTE_LENGTH;
    this.#crossing.set(key, { page: second.page, uop, codeSize: request.codeSize });
    const first = this.#page(request.page);
    const other = this.#page(second.page);
    const wasCode = this.isCodePage(request.page);
    const otherWasCode = this.isCodePage(second.page);
    const block: TranslatedBlock = {
      uop,
      count: this.#writer.count,
      instructions: 1,
      handler: this.#ports.view.getUint16(uop + UOP.HANDLER, true),
      regions: undefined,
      hotRounds: 0,
      key: -1,
      start: request.offset,
      end: PAGE,
      page: first,
    };
    first.blocks.add(block);
    first.chunks.add(request.offset, PAGE);
    other.spills.add(block);
    other.chunks.add(0, LONGEST_SPILL);
    if (!wasCode) this.#ports.onCodePage(request.hostPage, request.page);
    if (!otherWasCode) this.#ports.onCodePage(second.hostPage, second.page);
    return uop;
  }
}
