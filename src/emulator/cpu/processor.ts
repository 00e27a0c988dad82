import { autopsyReport } from '../debug/autopsy.ts';
import { architecturalBytes, registerValues, restoreRegisterValues } from './architectural-state.ts';
import type { CpuBus } from './bus.ts';
import { CR0_BITS } from './control-bits.ts';
import { CpuState } from './cpu-state.ts';
import type { CpuEngine, EngineExit, EnginePlacement, EnginePosition, EngineState } from './engine.ts';
import type { EventKind } from './exceptions/event.ts';
import { ExceptionUnit } from './exceptions/exception-unit.ts';
import { type InstrumentCall, instrumented } from './instrument.ts';
import { generateInterpreter, NEVER_HOT } from './interpreter/generate.ts';
import { HandlerTable, SPECIAL_HANDLERS } from './interpreter/handlers.ts';
import { bindHelpers } from './interpreter/helpers.ts';
import { ENTRY_COUNTS, ENTRY_COUNTS_END, MACHINE_OFFSET } from './interpreter/layout.ts';
import { EXIT, FORM, NEXT, UOP } from './interpreter/micro-op.ts';
import { CurrentOperands } from './interpreter/operands.ts';
import { RegionCompiler } from './jit/region-compiler.ts';
import { RegionTier } from './jit/region-tier.ts';
import { TranslatedMemory } from './mmu/linear-memory.ts';
import { PageWalker } from './mmu/page-walk.ts';
import { type CpuModel, DEFAULT_CPU_MODEL } from './model/cpu-model.ts';
import { type EntropySource, SeededEntropy } from './model/entropy.ts';
import { resetState } from './reset.ts';
import { SHADOW } from './segmentation/load-segment.ts';
import {
  BUDGET,
  CPL,
  CR0,
  CURRENT_UOP,
  DR,
  EXIT_REASON,
  FAULT_ERROR_CODE,
  FAULT_VECTOR,
  FLAGS_SYSTEM,
  HALTED,
  INTERRUPT_REQUEST,
  INTERRUPT_SHADOW,
  JUMP_RIP,
  LINEAR_MASK,
  NEXT_RIP,
  RFLAGS,
  RIP,
  RIP_PAGE,
  SEGMENT,
  SEGMENT_INDEX,
  SEGMENTS,
  STI_SHADOW_RIP,
} from './state.ts';
import { isNmiBlocked, takeDelivered } from './stored-registers.ts';
import { INSTRUCTION_HANDLERS } from './system/instruction-handlers.ts';
import { type CpuContext, GuestFault, type SystemHandler } from './system-context.ts';
import { CodeCache } from './translation/code-cache.ts';
import { CodeLookup } from './translation/code-lookup.ts';
import { passesSegmentRules, updateDerivedState, updateModeKey } from './translation/derived-state.ts';
import { MemoryPath } from './translation/memory-path.ts';

const VECTOR_DB = 1;
const VECTOR_NMI = 2;
const VECTOR_SS = 12;
const VECTOR_GP = 13;
const WASM_PAGE = 0x1_0000;
const MAXIMUM_PAGES = 0x1_0000;
/** A value of STI_SHADOW_RIP that stands for none (and costs nothing when it is one after all). */
const NO_SHADOW = 0xffff_ffff;
/** Taken from the budget to stop at the next block, and given back. */
const EXIT_TOLL = 2 ** 40;

/** Memory for the engine's own state and `machineBytes` of RAM and ROM (one wasm32 memory: at most 4 GiB in all). */
export function createEngineMemory(machineBytes: number): WebAssembly.Memory {
  const pages = Math.ceil((MACHINE_OFFSET + machineBytes) / WASM_PAGE);
  return new WebAssembly.Memory({ initial: pages, maximum: MAXIMUM_PAGES });
}

/** First byte of that memory that belongs to the machine. */
export const ENGINE_MACHINE_OFFSET = MACHINE_OFFSET;

/** What may differ between processors, and choices that change speed only. */
export interface EngineOptions {
  readonly model?: CpuModel;
  readonly entropy?: EntropySource;
  /** Compile a block into a region after this many entries; undefined: never (docs/performance.md says why that is the default). */
  readonly regionsAfter?: number;
  /** Wraps what generated code calls, for a profile. */
  readonly instrument?: InstrumentCall;
}

/** Builds a processor; `log` hears of a guest's mistakes, once a site. */
export function createEngine(
  placement: EnginePlacement,
  bus: CpuBus,
  log: (site: string, message: string) => void = () => {},
  options: EngineOptions = {},
): CpuEngine {
  return new Processor(placement, bus, log, options);
}

/** The interpreter, the translation cache and the system code, tied together. */
class Processor implements CpuEngine {
  readonly #state: CpuState;
  readonly #bus: CpuBus;
  readonly #walker: PageWalker;
  readonly #memoryPath: MemoryPath;
  readonly #codeCache: CodeCache;
  readonly #lookup: CodeLookup;
  readonly #context: CpuContext;
  readonly #operands: CurrentOperands;
  readonly #exceptions: ExceptionUnit;
  readonly #handlerTable: HandlerTable;
  readonly #regionsAfter: number;
  readonly #instrument: InstrumentCall | undefined;
  #regions: RegionTier | undefined;
  readonly #fault = new GuestFault();
  readonly #run: (uop: number) => void;
  readonly #handlers: Readonly<Record<string, SystemHandler>> = INSTRUCTION_HANDLERS;
  /** Instructions retired before the current call of `run`, and the budget it started with. */
  #retiredBefore = 0;
  #sliceLength = 0;
  /** Budget that is put aside while a single instruction runs on a budget of its own. */
  #held = 0;
  /** Micro-op of the instruction that is calling TypeScript, 0 between instructions. */
  #calling = 0;
  #exitRequested = false;
  /** The micro-op that #stopAfter withdrew. */
  #stopped: { readonly at: number; readonly handler: number; readonly withdrawals: number } | undefined;
  #nmiPending = false;
  #shutdown = false;
  #modesDirty = false;

  constructor(
    placement: EnginePlacement,
    bus: CpuBus,
    log: (site: string, message: string) => void,
    options: EngineOptions,
  ) {
    this.#regionsAfter = options.regionsAfter ?? NEVER_HOT;
    this.#instrument = options.instrument;
    const model = options.model ?? DEFAULT_CPU_MODEL;
    const buffer = placement.memory.buffer;
    const state = new CpuState(buffer);
    this.#state = state;
    this.#bus = bus;
    this.#walker = new PageWalker(state, bus, (gpa, byteLength) => this.invalidateCode(gpa, byteLength));
    this.#memoryPath = new MemoryPath(
      {
        state,
        bus,
        walker: this.#walker,
        isCodePage: (page) => this.#codeCache.isCodePage(page),
        onWrite: (gpa, byteLength) => this.invalidateCode(gpa, byteLength),
        recordFault: (vector, errorCode) => this.#recordFault(vector, errorCode),
        nonCanonical: () => this.#recordNonCanonical(),
      },
      buffer,
    );
    const handlers = new HandlerTable(model.features);
    this.#handlerTable = handlers;
    this.#codeCache = new CodeCache({
      view: state.view,
      bytes: state.bytes,
      handlers,
      features: model.features,
      onCodePage: (hostPage) => this.#memoryPath.protectPage(hostPage),
      onFlush: () => {
        this.#memoryPath.flushJumps();
        this.#regions?.flush();
        state.bytes.fill(0, ENTRY_COUNTS, ENTRY_COUNTS_END);
      },
    });
    this.#lookup = new CodeLookup({
      state,
      bus,
      walker: this.#walker,
      codeCache: this.#codeCache,
      recordFault: (vector, errorCode) => this.#recordFault(vector, errorCode),
    });
    const fault = (vector: number, errorCode = -1): never => {
      this.#fault.vector = vector;
      this.#fault.errorCode = errorCode;
      throw this.#fault;
    };
    const memory = new TranslatedMemory({
      state,
      bus,
      walker: this.#walker,
      fault,
      onPhysicalWrite: (gpa, byteLength) => this.invalidateCode(gpa, byteLength),
    });
    const passesLimit = (segment: number, offset: bigint, byteLength: number, write: boolean): boolean =>
      passesSegmentRules(state, segment, offset, byteLength, write);
    this.#operands = new CurrentOperands({ state, memory, passesLimit, fault });
    this.#context = {
      state,
      memory,
      bus,
      model,
      entropy: options.entropy ?? new SeededEntropy(),
      tsc: () => BigInt(this.#bus.now()),
      fault,
      flushTranslations: (options) => this.#flush(options.linear, options.global),
      modesChanged: () => this.#modesChanged(),
      log,
    };
    this.#exceptions = new ExceptionUnit(this.#context);
    this.#run = this.#instantiate(placement, handlers);
    this.reset();
  }

  #instantiate(placement: EnginePlacement, handlers: HandlerTable): (uop: number) => void {
    const pages = placement.memory.buffer.byteLength / WASM_PAGE;
    const shared = typeof SharedArrayBuffer !== 'undefined' && placement.memory.buffer instanceof SharedArrayBuffer;
    const limits = { initialPages: pages, maximumPages: MAXIMUM_PAGES, shared };
    const module = new WebAssembly.Module(generateInterpreter(handlers, limits, this.#regionsAfter));
    const table = new WebAssembly.Table({ element: 'anyfunc', initial: handlers.count });
    const path = this.#memoryPath;
    /** Device code may ask for the time: it is exact at the calling instruction. */
    const calling =
      <A extends number[]>(action: (...rest: A) => number) =>
      (uop: number, ...rest: A): number => {
        this.#calling = uop;
        const result = action(...rest);
        this.#calling = 0;
        return result;
      };
    /** Regions leave devices and code to the interpreter: −1 becomes an exit that runs the instruction there. */
    const plain = (access: (low: number, high: number, bytes: number) => number) =>
      calling((low: number, high: number, bytes: number) => {
        const host = access(low, high, bytes);
        if (host !== -1) return host;
        this.#state.setU32(EXIT_REASON, EXIT.BAIL);
        this.#state.setU32(CURRENT_UOP, this.#calling);
        return 0;
      });
    const common = {
      memory: placement.memory,
      slowCommit: calling((_low: number, _high: number, bytes: number) => {
        path.commit(bytes);
        return 0;
      }),
      ...bindHelpers(this.#state),
    };
    const regionImports = {
      ...common,
      slowRead: plain((low, high, bytes) => path.readPlain(low, high, bytes)),
      slowWrite: plain((low, high, bytes) => path.writePlain(low, high, bytes, false)),
      slowModify: plain((low, high, bytes) => path.writePlain(low, high, bytes, true)),
    };
    const compiler = new RegionCompiler(this.#state.view, handlers, this.#codeCache, limits);
    this.#regions = new RegionTier(compiler, this.#codeCache, handlers, table, { env: regionImports });
    const imports = {
      ...common,
      table,
      slowRead: calling((low: number, high: number, bytes: number) => path.read(low, high, bytes)),
      slowWrite: calling((low: number, high: number, bytes: number) => path.write(low, high, bytes, false)),
      slowModify: calling((low: number, high: number, bytes: number) => path.write(low, high, bytes, true)),
      checkLimit: calling((segment: number, low: number, high: number, access: number) =>
        this.#checkLimit(segment, low, high, access),
      ),
      system: (uop: number) => this.#system(uop),
      link: (uop: number, which: number) => this.#link(uop, which),
      lookup: () => this.#lookupJump(),
      hot: (uop: number) => {
        this.#regions?.compile(uop);
        return 0;
      },
    };
    const instance = new WebAssembly.Instance(module, { env: instrumented(imports, this.#instrument) });
    return instance.exports.run as (uop: number) => void;
  }

  // The machine's side.

  run(maxInstructions: number): EngineExit {
    this.#sliceLength = maxInstructions;
    this.#setBudget(maxInstructions);
    const exit = this.#loop();
    this.#retiredBefore += this.#sliceLength - this.#budget();
    this.#sliceLength = 0;
    // In this order: the budget carries the toll while an exit is requested.
    this.#exitRequested = false;
    this.#setBudget(0);
    return exit;
  }

  retired(): number {
    const unfinished = this.#calling === 0 ? 0 : this.#state.bytes[this.#calling + UOP.REMAINING];
    return this.#retiredBefore + this.#sliceLength - this.#held - this.#budget() - unfinished;
  }

  reset(): void {
    resetState(this.#state);
    this.#shutdown = false;
    this.#nmiPending = false;
    this.#walker.a20Enabled = true;
    this.#flush();
    this.#modesChanged();
  }

  stateReplaced(): void {
    this.#shutdown = false;
    this.#codeCache.flush();
    this.#flush();
    this.#modesChanged();
  }

  setNmi(): void {
    this.#nmiPending = true;
    this.requestExit();
  }

  setA20(enabled: boolean): void {
    if (this.#walker.a20Enabled === enabled) return;
    this.#walker.a20Enabled = enabled;
    this.#flush();
  }

  flushTranslations(): void {
    this.#flush();
  }

  requestExit(): void {
    this.#state.setU32(INTERRUPT_REQUEST, 1);
    if (this.#exitRequested) return;
    const budget = this.#budget();
    this.#exitRequested = true;
    this.#state.view.setBigInt64(BUDGET, BigInt(budget - EXIT_TOLL), true);
    if (this.#calling !== 0) this.#stopAfter(this.#calling);
  }

  /**
   * The instruction at `uop` is the last one before the exit: the next micro-op of its block is withdrawn until then. So an interrupt that a
   * device raises comes at the same instruction boundary whatever the blocks and slices are.
   */
  #stopAfter(uop: number): void {
    const state = this.#state;
    if (state.bytes[uop + UOP.REMAINING] <= 1) return;
    const next = uop + UOP.BYTE_LENGTH + UOP.HANDLER;
    this.#stopped = { at: next, handler: state.view.getUint16(next, true), withdrawals: this.#codeCache.withdrawals };
    state.view.setUint16(next, SPECIAL_HANDLERS.STALE, true);
  }

  /** Undoes #stopAfter, unless the block was withdrawn for good meanwhile. */
  #resume(): void {
    const stopped = this.#stopped;
    if (stopped === undefined) return;
    this.#stopped = undefined;
    if (stopped.withdrawals === this.#codeCache.withdrawals)
      this.#state.view.setUint16(stopped.at, stopped.handler, true);
  }

  invalidateCode(gpa: number, byteLength: number): void {
    let at = gpa;
    const end = gpa + byteLength;
    while (at < end) {
      const offset = at % 0x1000;
      const count = Math.min(0x1000 - offset, end - at);
      this.#codeCache.invalidate((at - offset) / 0x1000, offset, offset + count);
      at += count;
    }
  }

  stateBytes(): Uint8Array {
    return architecturalBytes(this.#state);
  }

  position(): EnginePosition {
    const state = this.#state;
    return {
      rip: state.rip,
      privilege: state.u32(CPL),
      paging: (state.u32(CR0) & CR0_BITS.PG) !== 0,
      halted: state.u32(HALTED) !== 0,
    };
  }

  snapshot(): EngineState {
    return {
      features: [...this.#context.model.features].sort(),
      registers: registerValues(this.#state),
      retired: this.#retiredBefore,
      a20Enabled: this.#walker.a20Enabled,
      nmiPending: this.#nmiPending,
      shutdown: this.#shutdown,
    };
  }

  restore(state: EngineState): void {
    restoreRegisterValues(this.#state, state.registers);
    this.#retiredBefore = state.retired;
    this.#walker.a20Enabled = state.a20Enabled;
    this.stateReplaced();
    this.#nmiPending = state.nmiPending;
    this.#shutdown = state.shutdown;
    this.#state.setU32(INTERRUPT_REQUEST, state.nmiPending || this.#bus.interruptPending() ? 1 : 0);
  }

  regionsCompiled(): number {
    return this.#regions?.statistics.compiled ?? 0;
  }

  autopsy(): string {
    return autopsyReport(this.#context, this.#exceptions.chain);
  }

  // The loop.

  #loop(): EngineExit {
    const state = this.#state;
    for (;;) {
      if (this.#shutdown) return 'shutdown';
      const shadow = state.u32(INTERRUPT_SHADOW) !== 0 || state.u32(STI_SHADOW_RIP) === state.u32(RIP);
      if (!shadow) this.#takeInterrupts();
      if (state.u32(HALTED) !== 0) return 'halt';
      if (this.#shutdown) return 'shutdown';
      const budget = this.#budget();
      if (this.#exitRequested) return 'request';
      if (budget <= 0) return 'budget';
      const trap = (state.u32(FLAGS_SYSTEM) & RFLAGS.TF) !== 0;
      if (shadow || trap) this.#single(budget, trap);
      else this.#runFrom(this.#lookup.block(state.u32(RIP), state.u32(RIP + 4)));
    }
  }

  #takeInterrupts(): void {
    const state = this.#state;
    if (this.#nmiPending && !isNmiBlocked(state)) {
      this.#nmiPending = false;
      this.#deliver(VECTOR_NMI, -1, 'nmi');
    }
    const bus = this.#bus;
    if ((state.u32(FLAGS_SYSTEM) & RFLAGS.IF) !== 0 && bus.interruptPending()) {
      const vector = bus.acknowledgeInterrupt();
      if (vector >= 0) this.#deliver(vector, -1, 'external');
    }
    state.setU32(INTERRUPT_REQUEST, this.#nmiPending || bus.interruptPending() ? 1 : 0);
  }

  /** One instruction: after STI or MOV SS, and under TF. */
  #single(budget: number, trap: boolean): void {
    const state = this.#state;
    state.setU32(INTERRUPT_SHADOW, 0);
    state.setU32(STI_SHADOW_RIP, NO_SHADOW);
    const uop = this.#lookup.once(state.u32(RIP), state.u32(RIP + 4), 1);
    this.#hold(budget - 1);
    takeDelivered(state);
    const faulted = this.#runFrom(uop);
    this.#release();
    if (!trap || faulted) return;
    // INT n leaves no trap behind it, a load of SS puts it off to the next instruction.
    if (takeDelivered(state) || state.u32(INTERRUPT_SHADOW) === SHADOW.MOV_SS) return;
    // DR6.BS; the trap comes after the instruction.
    this.#singleStepTrap();
  }

  #singleStepTrap(): void {
    const state = this.#state;
    markSingleStep(state);
    state.nextRip = state.rip;
    this.#deliver(VECTOR_DB, -1, 'trap');
  }

  /** Runs from a micro-op (0: a fault was recorded) until the interpreter returns; true when that was by a fault. */
  #runFrom(uop: number): boolean {
    const state = this.#state;
    if (uop === 0) {
      this.#deliverRecorded();
      return true;
    }
    this.#run(uop);
    this.#resume();
    switch (state.u32(EXIT_REASON)) {
      case EXIT.FAULT:
        this.#rewind(true);
        this.#deliverRecorded();
        return true;
      case EXIT.STALE:
        this.#rewind(true);
        return false;
      case EXIT.BAIL:
        this.#rewind(true);
        return this.#runOnce();
      case EXIT.BUDGET: {
        this.#rewind(false);
        const budget = this.#budget();
        if (!this.#exitRequested && budget > 0) {
          const partial = this.#lookup.once(state.u32(RIP), state.u32(RIP + 4), budget);
          return this.#runFrom(partial);
        }
        return false;
      }
      default:
        return false;
    }
  }

  /** Runs the instruction at RIP in the interpreter, whatever tier its block has reached. */
  #runOnce(): boolean {
    const state = this.#state;
    const budget = this.#budget();
    const uop = this.#lookup.once(state.u32(RIP), state.u32(RIP + 4), 1);
    this.#hold(budget - 1);
    const faulted = this.#runFrom(uop);
    this.#release();
    return faulted;
  }

  /** RIP of CURRENT_UOP; `entered`: its block's count was taken, what had not run is given back. */
  #rewind(entered: boolean): void {
    const state = this.#state;
    const uop = state.u32(CURRENT_UOP);
    // A fault on the way to a block has no micro-op: RIP is set already.
    if (uop === 0) return;
    this.#setRipOf(uop, RIP, 0);
    if (entered) this.#addBudget(state.bytes[uop + UOP.REMAINING]);
  }

  #setRipOf(uop: number, target: number, extra: number): void {
    const state = this.#state;
    const offset = state.view.getUint16(uop + UOP.PAGE_OFFSET, true) + extra;
    const sum = state.u32(RIP_PAGE) + offset;
    const low = sum >>> 0;
    const carry = sum > 0xffff_ffff ? 1 : 0;
    const wide = state.u32(LINEAR_MASK + 4) !== 0;
    state.setU32(target, low);
    state.setU32(target + 4, wide ? state.u32(RIP_PAGE + 4) + carry : 0);
  }

  // Budget.

  #budget(): number {
    const view = this.#state.view;
    const value = view.getInt32(BUDGET + 4, true) * 0x1_0000_0000 + view.getUint32(BUDGET, true);
    return this.#exitRequested ? value + EXIT_TOLL : value;
  }

  #setBudget(budget: number): void {
    const value = this.#exitRequested ? budget - EXIT_TOLL : budget;
    const { view } = this.#state;
    view.setInt32(BUDGET + 4, Math.floor(value / 0x1_0000_0000), true);
    view.setUint32(BUDGET, value >>> 0, true);
  }

  /** Leaves one instruction in the budget and puts the rest aside: time still counts from the whole. */
  #hold(rest: number): void {
    this.#held = rest;
    this.#setBudget(1);
  }

  #release(): void {
    const rest = this.#held;
    this.#held = 0;
    this.#setBudget(rest + this.#budget());
  }

  #addBudget(count: number): void {
    if (count !== 0) this.#setBudget(this.#budget() + count);
  }

  // Faults.

  #recordFault(vector: number, errorCode: number): void {
    const state = this.#state;
    state.setU32(FAULT_VECTOR, vector);
    state.setU32(FAULT_ERROR_CODE, errorCode >>> 0);
    state.setU32(EXIT_REASON, EXIT.FAULT);
    state.setU32(CURRENT_UOP, this.#calling);
  }

  #recordNonCanonical(): void {
    const segment = this.#segmentOf(this.#calling);
    this.#recordFault(segment === SEGMENT_INDEX.SS ? VECTOR_SS : VECTOR_GP, 0);
  }

  #segmentOf(uop: number): number {
    const key = uop === 0 ? undefined : this.#handlerTable.keyOf(this.#state.view.getUint16(uop + UOP.HANDLER, true));
    if (key === undefined) return SEGMENT_INDEX.DS;
    const pushes = key.entry.row.options.stack === true && (key.form === FORM.REGISTER || key.entry.relative);
    return pushes ? SEGMENT_INDEX.SS : this.#state.bytes[uop + UOP.SEGMENT];
  }

  #checkLimit(segment: number, low: number, high: number, access: number): number {
    const offset = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    if (passesSegmentRules(this.#state, segment, offset, access & 0xff, (access & 0x100) !== 0)) return 0;
    this.#recordFault(segment === SEGMENT_INDEX.SS ? VECTOR_SS : VECTOR_GP, 0);
    return 1;
  }

  #deliverRecorded(): void {
    const state = this.#state;
    this.#deliver(state.u32(FAULT_VECTOR), state.view.getInt32(FAULT_ERROR_CODE, true), 'fault');
  }

  #deliver(vector: number, errorCode: number, kind: EventKind): void {
    if (this.#exceptions.deliver({ vector, errorCode, kind }) === 'shutdown') this.#shutdown = true;
    this.#applyModes();
  }

  // Calls from generated code.

  /** Runs the TypeScript handler of the instruction at `uop`. */
  #system(uop: number): number {
    const state = this.#state;
    const decoded = this.#codeCache.decodedAt(uop);
    this.#setRipOf(uop, RIP, 0);
    this.#setRipOf(uop, NEXT_RIP, decoded.length);
    this.#calling = uop;
    const handler = this.#handlers[decoded.entry.row.mnemonic] ?? undefinedOpcode;
    try {
      handler(this.#context, this.#operands.select(decoded));
    } catch (error) {
      if (error !== this.#fault) throw error;
      this.#recordFault(this.#fault.vector, this.#fault.errorCode);
      this.#calling = 0;
      this.#applyModes();
      return NEXT.LEAVE;
    }
    this.#calling = 0;
    if (!decoded.entry.ends) {
      if (!this.#modesDirty) return uop + UOP.BYTE_LENGTH;
      this.#addBudget(state.bytes[uop + UOP.REMAINING] - 1);
    }
    state.setU32(RIP, state.u32(NEXT_RIP));
    state.setU32(RIP + 4, state.u32(NEXT_RIP + 4));
    this.#applyModes();
    state.setU32(EXIT_REASON, EXIT.CONTINUE);
    if (this.#mustLeave()) return NEXT.LEAVE;
    const target = this.#lookup.block(state.u32(RIP), state.u32(RIP + 4));
    if (target === 0) {
      // The fault belongs to the next instruction: RIP stands there, and this one has retired.
      state.setU32(CURRENT_UOP, 0);
      return NEXT.LEAVE;
    }
    return target | NEXT.ENTER;
  }

  #mustLeave(): boolean {
    const state = this.#state;
    if (state.u32(HALTED) !== 0 || state.u32(INTERRUPT_SHADOW) !== 0 || this.#exitRequested) return true;
    const flags = state.u32(FLAGS_SYSTEM);
    if ((flags & RFLAGS.TF) !== 0) return true;
    // IRET may have let in an NMI that waited, whatever IF says.
    if (this.#nmiPending && !isNmiBlocked(state)) return true;
    return (flags & RFLAGS.IF) !== 0 && this.#bus.interruptPending();
  }

  /** Finds the block at a near branch's target, and links it when it stands in the same page. */
  #link(uop: number, which: number): number {
    const state = this.#state;
    const { view } = state;
    const next = view.getInt32(uop + UOP.DISPLACEMENT, true);
    const relative = which === 0 ? view.getInt32(uop + UOP.IMMEDIATE, true) : 0;
    const offset = next + relative;
    this.#setRipOf(uop, RIP, offset - view.getUint16(uop + UOP.PAGE_OFFSET, true));
    const flushes = this.#codeCache.flushes;
    const target = this.#lookup.block(state.u32(RIP), state.u32(RIP + 4));
    if (target === 0) {
      state.setU32(CURRENT_UOP, 0);
      return 0;
    }
    const isStable = this.#codeCache.flushes === flushes && this.#lookup.isLinkable;
    if (isStable) view.setUint32(uop + (which === 0 ? UOP.TARGET : UOP.FALL_THROUGH), target, true);
    return target;
  }

  /** JUMP_RIP → micro-op. */
  #lookupJump(): number {
    const state = this.#state;
    const low = state.u32(JUMP_RIP);
    const high = state.u32(JUMP_RIP + 4);
    state.setU32(RIP, low);
    state.setU32(RIP + 4, high);
    const target = this.#lookup.block(low, high);
    if (target === 0) state.setU32(CURRENT_UOP, 0);
    return target;
  }

  // Modes and translations.

  #modesChanged(): void {
    this.#modesDirty = true;
    // Between instructions (reset, exceptions) there is nothing to wait for; inside one, memory accesses see the new mode at once.
    this.#applyModes();
    this.#modesDirty = this.#calling !== 0;
  }

  #applyModes(): void {
    if (!this.#modesDirty) return;
    this.#modesDirty = false;
    const state = this.#state;
    const cs = SEGMENTS + SEGMENT_INDEX.CS * SEGMENT.BYTE_LENGTH;
    updateDerivedState(state);
    if (this.#lookup.codeSegmentChanged(state.u64(cs + SEGMENT.BASE), state.u32(cs + SEGMENT.LIMIT)))
      this.#memoryPath.flushJumps();
  }

  #flush(linear?: bigint, global = true): void {
    this.#walker.flush();
    if (!global) {
      this.#memoryPath.flushLocal();
      if (this.#lookup.flushLocal()) this.#memoryPath.flushJumps();
      updateModeKey(this.#state);
      return;
    }
    if (linear === undefined) {
      this.#memoryPath.flush();
      this.#lookup.flush();
      return;
    }
    const low = Number(linear & 0xffff_ffffn);
    this.#memoryPath.flushPage(low);
    if (this.#lookup.flushPage(low)) this.#memoryPath.flushJumps();
  }
}

/** Rows whose handler is not there. */
const undefinedOpcode: SystemHandler = (cpu) => cpu.fault(6);

/** DR6.BS (SDM vol. 3 §17.2.3). */
function markSingleStep(state: CpuState): void {
  const dr6 = DR + 6 * 8;
  state.setU32(dr6, state.u32(dr6) | 0x4000);
}
