import { concatBytes } from '../../shared/bytes.ts';
import { autopsyReport } from '../debug/autopsy.ts';
import { apicIds, type CpuTopology, SINGLE_PROCESSOR } from '../machine/processor-topology.ts';
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
import { ProcessorSet } from './execution/processor-set.ts';
import { RoundRobin } from './execution/round-robin.ts';
import { RunLoop } from './execution/run-loop.ts';
import { HandlerTable } from './interpreter/handlers.ts';
import type { InterpreterStore } from './interpreter/interpreter-store.ts';
import { ENTRY_COUNTS, entryCountOf, INDIRECT_JUMPS, INDIRECT_JUMPS_END } from './interpreter/layout.ts';
import { UOP } from './interpreter/micro-op.ts';
import { CurrentOperands } from './interpreter/operands.ts';
import { REGIONS_AFTER, type RegionStatistics, type RegionTier } from './jit/region-tier.ts';
import { TranslatedMemory } from './mmu/linear-memory.ts';
import { type CpuModel, DEFAULT_CPU_MODEL } from './model/cpu-model.ts';
import { type EntropySource, SeededEntropy } from './model/entropy.ts';
import { SEVERAL_PROCESSORS } from './model/features.ts';
import { CPL, CR0, HALTED, INTERRUPT_REQUEST } from './state.ts';
import { type CpuContext, GuestFault } from './system-context.ts';
import { CodeCache } from './translation/code-cache.ts';
import { passesSegmentRules } from './translation/derived-state.ts';
import { PhysicalMap } from './translation/physical-map.ts';

/** What may differ between engines, and choices that change speed only. */
export interface EngineOptions {
  readonly model?: CpuModel;
  /** One processor unless it says otherwise; for more the placement must have room behind the machine's memory. */
  readonly topology?: CpuTopology;
  readonly entropy?: EntropySource;
  /** Compile a block into a region after this many entries (default: REGIONS_AFTER); NEVER_HOT: never. */
  readonly regionsAfter?: number;
  /** Where generated interpreters are kept; without one each engine generates its own. */
  readonly interpreterStore?: InterpreterStore;
}

/** Builds the processors; `log` hears of a guest's mistakes, once a site. */
export function createEngine(
  placement: EnginePlacement,
  bus: CpuBus,
  log: (site: string, message: string) => void = () => {},
  options: EngineOptions = {},
): CpuEngine {
  return new Processor(placement, bus, log, options);
}

/** The interpreter, the translation cache and the system code, tied together, and the processors that take turns in them. */
class Processor implements CpuEngine {
  readonly #state: CpuState;
  readonly #bus: CpuBus;
  readonly #codeCache: CodeCache;
  readonly #context: CpuContext;
  readonly #exceptions: ExceptionUnit;
  readonly #budget: Budget;
  readonly #call = new CurrentCall();
  readonly #processors: ProcessorSet;
  readonly #turns: RoundRobin;
  readonly #exitRequest: ExitRequest;
  readonly #loop: RunLoop;
  #regions: RegionTier | undefined;
  #isRunning = false;
  /** The machine wants `run` to return. */
  #exitRequested = false;

  constructor(
    placement: EnginePlacement,
    bus: CpuBus,
    log: (site: string, message: string) => void,
    options: EngineOptions,
  ) {
    const { model = DEFAULT_CPU_MODEL, topology = SINGLE_PROCESSOR } = options;
    const ids = apicIds(topology);
    const state = new CpuState(placement.memory.buffer);
    const handlers = new HandlerTable(model.features);
    const call = this.#call;
    const faults = new FaultRecorder(state, handlers, call, (uop) => this.#codeCache.handlerOf(uop));
    const onWrite = (gpa: number, byteLength: number): void => this.invalidateCode(gpa, byteLength);
    const codeCache = new CodeCache({
      view: state.view,
      bytes: state.bytes,
      handlers,
      features: ids.length === 1 ? model.features : new Set([...model.features, SEVERAL_PROCESSORS]),
      onCodePage: (hostPage, page) => processors.protectPage(hostPage, page),
      onFlush: (end) => {
        processors.flushJumps();
        this.#regions?.flush();
        state.bytes.fill(0, ENTRY_COUNTS, entryCountOf(end));
        state.bytes.fill(0, INDIRECT_JUMPS, INDIRECT_JUMPS_END);
      },
    });
    const { translationAreas = 0 } = placement;
    const leaveSoon = (): void => this.#exitRequest.make();
    const physicalMap = new PhysicalMap(placement.memory.buffer);
    const shared = { state, bus, codeCache, physicalMap, faults, call, translationAreas, onWrite, leaveSoon };
    const processors = new ProcessorSet(ids.length, shared);
    const turns = new RoundRobin(processors);
    const guestFault = new GuestFault();
    const fault = (vector: number, errorCode = -1): never => {
      guestFault.vector = vector;
      guestFault.errorCode = errorCode;
      throw guestFault;
    };
    const memory = new TranslatedMemory({
      state,
      bus,
      get walker() {
        return processors.current.caches.walker;
      },
      fault,
      onPhysicalWrite: onWrite,
    });
    const passesLimit = (segment: number, offset: bigint, byteLength: number, write: boolean): boolean =>
      passesSegmentRules(state, segment, offset, byteLength, write);
    const operands = new CurrentOperands({ state, memory, passesLimit, fault });
    const context: CpuContext = {
      state,
      memory,
      bus,
      model,
      topology,
      get apicId() {
        return ids[processors.current.index];
      },
      entropy: options.entropy ?? new SeededEntropy(),
      tsc: () => BigInt(bus.now()),
      fault,
      flushTranslations: ({ linear, global }) => processors.current.caches.translations.flush(linear, global),
      breakpointsChanged: () => processors.current.breakpointsChanged(),
      debugTrap: (bits) => {
        processors.current.caches.breakpoints.trap(bits);
        this.#exitRequest.make();
      },
      modesChanged: () => processors.current.caches.translations.modesChanged(),
      yieldTurn: () => {
        turns.yield();
        this.#exitRequest.make();
      },
      log,
    };
    const budget = new Budget(state, () => bus.now());
    const exceptions = new ExceptionUnit(context);
    const exitRequest = new ExitRequest(state, codeCache, budget, call);
    const calls = new CodeCalls({ context, operands, fault: guestFault, codeCache, processors, faults, budget, call });
    const { interpreterStore, regionsAfter = REGIONS_AFTER } = options;
    const { features } = model;
    const code = {
      placement,
      state,
      handlers,
      codeCache,
      processors,
      calls,
      faults,
      call,
      regionsAfter,
      features,
      interpreterStore,
    };
    const { run, deliver, regions } = instantiateGeneratedCode(code);
    this.#state = state;
    this.#bus = bus;
    this.#codeCache = codeCache;
    this.#context = context;
    this.#exceptions = exceptions;
    this.#budget = budget;
    this.#processors = processors;
    this.#turns = turns;
    this.#exitRequest = exitRequest;
    this.#regions = regions;
    this.#loop = new RunLoop({ context, processors, budget, exitRequest, exceptions, run, deliver });
    this.reset();
  }

  run(maxInstructions: number): EngineExit {
    this.#exitRequested = false;
    this.#isRunning = true;
    const exit = this.#runTurns(maxInstructions);
    this.#isRunning = false;
    this.#regions?.compileQueue();
    return exit;
  }

  #runTurns(maxInstructions: number): EngineExit {
    const budget = this.#budget;
    const turns = this.#turns;
    const end = budget.retiredBefore + maxInstructions;
    for (;;) {
      const turn = turns.next();
      if (turn === 0) return 'halt';
      if (!this.#processors.current.takeStartUp()) {
        turns.ran(0, 'halt');
        continue;
      }
      const before = budget.retiredBefore;
      budget.beginSlice(Math.min(turn, end - before));
      const exit = this.#loop.run();
      budget.endSlice();
      const isSpinning = turns.ran(budget.retiredBefore - before, exit);
      const isAlone = this.#processors.all.length === 1;
      if (exit === 'shutdown' || (exit === 'halt' && isAlone)) return exit;
      // Before the others, which come again when they are asked for: time must pass here.
      if (isSpinning) return 'spin';
      if (this.#exitRequested) return 'request';
      if (budget.retiredBefore >= end) return 'budget';
    }
  }

  retired(): number {
    const { uop } = this.#call;
    return this.#budget.retired(uop === 0 ? 0 : this.#state.bytes[uop + UOP.REMAINING]);
  }

  reset(): void {
    for (const processor of this.#processors.all) processor.reset();
    this.#processors.setA20(true);
    this.#turns.reset();
  }

  stateReplaced(): void {
    const { current } = this.#processors;
    current.events.shutdown = false;
    this.#codeCache.flush();
    current.replaced();
    this.#turns.wake(current.index);
  }

  takesInterrupts(): boolean {
    return this.#processors.all.some((processor) => processor.takesInterrupts);
  }

  setNmi(processor: number): void {
    this.#processors.all[processor].events.nmi = true;
    this.interruptRaised(processor);
  }

  initialize(processor: number): void {
    const { events } = this.#processors.all[processor];
    events.init = true;
    events.startUp = -1;
    this.interruptRaised(processor);
  }

  startUp(processor: number, vector: number): void {
    const { events } = this.#processors.all[processor];
    if (!events.waitsForStartUp && !events.init) return;
    events.startUp = vector;
    this.interruptRaised(processor);
  }

  interruptRaised(processor: number): void {
    this.#turns.wake(processor);
    if (this.#isRunning && processor === this.#processors.current.index) this.requestExit();
  }

  setA20(enabled: boolean): void {
    if (this.#processors.a20Enabled !== enabled) this.#processors.setA20(enabled);
  }

  flushTranslations(): void {
    this.#processors.flushTranslations();
  }

  requestExit(): void {
    this.#exitRequested = true;
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
    return concatBytes(this.#processors.all.map(({ state }) => architecturalBytes(state)));
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
      retired: this.#budget.retiredBefore,
      a20Enabled: this.#processors.a20Enabled,
      processors: this.#processors.all.map(({ state, events }) => ({
        registers: registerValues(state),
        events: events.snapshot(),
      })),
      turn: this.#turns.snapshot(),
    };
  }

  restore(engine: EngineState): void {
    this.#budget.restore(engine.retired);
    this.#codeCache.flush();
    this.#turns.restore(engine.turn);
    for (const [index, processor] of this.#processors.all.entries()) {
      const { registers, events } = engine.processors[index];
      const { state } = processor;
      restoreRegisterValues(state, registers);
      processor.events.restore(events);
      processor.replaced();
      state.setU32(INTERRUPT_REQUEST, events.nmiPending || this.#bus.interruptPending(index) ? 1 : 0);
    }
    this.#processors.setA20(engine.a20Enabled);
  }

  regionStatistics(): Readonly<RegionStatistics> {
    return this.#regions!.statistics;
  }

  autopsy(): string {
    const { all, current } = this.#processors;
    const bystanders = all
      .filter((each) => each !== current)
      .map(({ index, state, events }) => ({ index, state, waitsForStartUp: events.waitsForStartUp }));
    return autopsyReport(this.#context, this.#exceptions.chain, bystanders);
  }
}
