import { autopsyReport } from '../debug/autopsy.ts';
import { architecturalBytes, registerValues, restoreRegisterValues } from './architectural-state.ts';
import type { CpuBus } from './bus.ts';
import { CR0_BITS } from './control-bits.ts';
import { CpuState } from './cpu-state.ts';
import type { CpuEngine, EngineExit, EnginePlacement, EnginePosition, EngineState } from './engine.ts';
import { ExceptionUnit } from './exceptions/exception-unit.ts';
import { Budget } from './execution/budget.ts';
import { CodeCalls } from './execution/code-calls.ts';
import { CurrentCall } from './execution/current-call.ts';
import { ExitRequest } from './execution/exit-request.ts';
import { FaultRecorder } from './execution/fault-recorder.ts';
import { instantiateGeneratedCode } from './execution/generated-code.ts';
import { PendingEvents } from './execution/pending-events.ts';
import { RunLoop } from './execution/run-loop.ts';
import { Translations } from './execution/translations.ts';
import type { InstrumentCall } from './instrument.ts';
import { NEVER_HOT } from './interpreter/generate.ts';
import { HandlerTable } from './interpreter/handlers.ts';
import { ENTRY_COUNTS, ENTRY_COUNTS_END } from './interpreter/layout.ts';
import { UOP } from './interpreter/micro-op.ts';
import { CurrentOperands } from './interpreter/operands.ts';
import type { RegionTier } from './jit/region-tier.ts';
import { TranslatedMemory } from './mmu/linear-memory.ts';
import { PageWalker } from './mmu/page-walk.ts';
import { type CpuModel, DEFAULT_CPU_MODEL } from './model/cpu-model.ts';
import { type EntropySource, SeededEntropy } from './model/entropy.ts';
import { resetState } from './reset.ts';
import { CPL, CR0, HALTED, INTERRUPT_REQUEST } from './state.ts';
import { type CpuContext, GuestFault } from './system-context.ts';
import { CodeCache } from './translation/code-cache.ts';
import { CodeLookup } from './translation/code-lookup.ts';
import { passesSegmentRules } from './translation/derived-state.ts';
import { MemoryPath } from './translation/memory-path.ts';

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
  readonly #codeCache: CodeCache;
  readonly #context: CpuContext;
  readonly #exceptions: ExceptionUnit;
  readonly #budget: Budget;
  readonly #call = new CurrentCall();
  readonly #events = new PendingEvents();
  readonly #exitRequest: ExitRequest;
  readonly #translations: Translations;
  readonly #loop: RunLoop;
  #regions: RegionTier | undefined;

  constructor(
    placement: EnginePlacement,
    bus: CpuBus,
    log: (site: string, message: string) => void,
    options: EngineOptions,
  ) {
    const model = options.model ?? DEFAULT_CPU_MODEL;
    const { buffer } = placement.memory;
    const state = new CpuState(buffer);
    const handlers = new HandlerTable(model.features);
    const call = this.#call;
    const events = this.#events;
    const faults = new FaultRecorder(state, handlers, call);
    const recordFault = (vector: number, errorCode: number): void => faults.record(vector, errorCode);
    const onWrite = (gpa: number, byteLength: number): void => this.invalidateCode(gpa, byteLength);
    const walker = new PageWalker(state, bus, onWrite);
    const memoryPath = new MemoryPath(
      {
        state,
        bus,
        walker,
        isCodePage: (page) => this.#codeCache.isCodePage(page),
        onWrite,
        recordFault,
        nonCanonical: () => faults.recordNonCanonical(),
      },
      buffer,
    );
    const codeCache = new CodeCache({
      view: state.view,
      bytes: state.bytes,
      handlers,
      features: model.features,
      onCodePage: (hostPage) => memoryPath.protectPage(hostPage),
      onFlush: () => {
        memoryPath.flushJumps();
        this.#regions?.flush();
        state.bytes.fill(0, ENTRY_COUNTS, ENTRY_COUNTS_END);
      },
    });
    const lookup = new CodeLookup({ state, bus, walker, codeCache, recordFault });
    const translations = new Translations(state, { walker, memoryPath, lookup }, call);
    const guestFault = new GuestFault();
    const fault = (vector: number, errorCode = -1): never => {
      guestFault.vector = vector;
      guestFault.errorCode = errorCode;
      throw guestFault;
    };
    const memory = new TranslatedMemory({ state, bus, walker, fault, onPhysicalWrite: onWrite });
    const passesLimit = (segment: number, offset: bigint, byteLength: number, write: boolean): boolean =>
      passesSegmentRules(state, segment, offset, byteLength, write);
    const operands = new CurrentOperands({ state, memory, passesLimit, fault });
    const context: CpuContext = {
      state,
      memory,
      bus,
      model,
      entropy: options.entropy ?? new SeededEntropy(),
      tsc: () => BigInt(bus.now()),
      fault,
      flushTranslations: ({ linear, global }) => translations.flush(linear, global),
      modesChanged: () => translations.modesChanged(),
      log,
    };
    const budget = new Budget(state);
    const exceptions = new ExceptionUnit(context);
    const exitRequest = new ExitRequest(state, codeCache, budget, call);
    const calls = new CodeCalls({
      context,
      operands,
      fault: guestFault,
      codeCache,
      lookup,
      translations,
      faults,
      budget,
      events,
      call,
    });
    const { instrument, regionsAfter = NEVER_HOT } = options;
    const code = { placement, state, handlers, codeCache, memoryPath, calls, faults, call, regionsAfter, instrument };
    const { run, regions } = instantiateGeneratedCode(code);
    this.#state = state;
    this.#bus = bus;
    this.#walker = walker;
    this.#codeCache = codeCache;
    this.#context = context;
    this.#exceptions = exceptions;
    this.#budget = budget;
    this.#exitRequest = exitRequest;
    this.#translations = translations;
    this.#regions = regions;
    this.#loop = new RunLoop({ context, lookup, budget, exitRequest, events, exceptions, translations, run });
    this.reset();
  }

  run(maxInstructions: number): EngineExit {
    this.#budget.beginSlice(maxInstructions);
    const exit = this.#loop.run();
    this.#budget.endSlice();
    return exit;
  }

  retired(): number {
    const { uop } = this.#call;
    return this.#budget.retired(uop === 0 ? 0 : this.#state.bytes[uop + UOP.REMAINING]);
  }

  reset(): void {
    resetState(this.#state);
    this.#events.clear();
    this.#walker.a20Enabled = true;
    this.#translations.flush();
    this.#translations.modesChanged();
  }

  stateReplaced(): void {
    this.#events.shutdown = false;
    this.#codeCache.flush();
    this.#translations.flush();
    this.#translations.modesChanged();
  }

  setNmi(): void {
    this.#events.nmi = true;
    this.requestExit();
  }

  setA20(enabled: boolean): void {
    if (this.#walker.a20Enabled === enabled) return;
    this.#walker.a20Enabled = enabled;
    this.#translations.flush();
  }

  flushTranslations(): void {
    this.#translations.flush();
  }

  requestExit(): void {
    this.#exitRequest.make();
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
      retired: this.#budget.retiredBefore,
      a20Enabled: this.#walker.a20Enabled,
      nmiPending: this.#events.nmi,
      shutdown: this.#events.shutdown,
    };
  }

  restore(state: EngineState): void {
    restoreRegisterValues(this.#state, state.registers);
    this.#budget.restore(state.retired);
    this.#walker.a20Enabled = state.a20Enabled;
    this.stateReplaced();
    this.#events.nmi = state.nmiPending;
    this.#events.shutdown = state.shutdown;
    this.#state.setU32(INTERRUPT_REQUEST, state.nmiPending || this.#bus.interruptPending() ? 1 : 0);
  }

  regionsCompiled(): number {
    return this.#regions?.statistics.compiled ?? 0;
  }

  autopsy(): string {
    return autopsyReport(this.#context, this.#exceptions.chain);
  }
}
