import type { CpuState } from '../cpu-state.ts';
import type { EnginePlacement } from '../engine.ts';
import { generateInterpreter } from '../interpreter/generate.ts';
import type { HandlerTable } from '../interpreter/handlers.ts';
import { bindHelpers } from '../interpreter/helpers.ts';
import { type InterpreterStore, storedOrGenerated } from '../interpreter/interpreter-store.ts';
import { entryCountOf } from '../interpreter/layout.ts';
import { NEXT } from '../interpreter/micro-op.ts';
import { RegionCompiler } from '../jit/region-compiler.ts';
import { RegionPlanner } from '../jit/region-plan.ts';
import { runtimeModule } from '../jit/region-runtime.ts';
import { RegionTier } from '../jit/region-tier.ts';
import { CODE_SIZE, MODE_BITS } from '../modes.ts';
import { LEAVE_TO, MODE, MODE_KEY, RIP_PAGE } from '../state.ts';
import type { CodeCache } from '../translation/code-cache.ts';
import type { MemoryPath } from '../translation/memory-path.ts';
import type { CodeCalls } from './code-calls.ts';
import type { CurrentCall } from './current-call.ts';
import { memoryLimits } from './engine-memory.ts';
import type { FaultRecorder } from './fault-recorder.ts';
import type { ProcessorSet } from './processor-set.ts';

/** What generated code is built from and calls. */
export interface GeneratedCodePorts {
  readonly placement: EnginePlacement;
  readonly state: CpuState;
  readonly handlers: HandlerTable;
  readonly codeCache: CodeCache;
  readonly processors: ProcessorSet;
  readonly calls: CodeCalls;
  readonly faults: FaultRecorder;
  readonly call: CurrentCall;
  /** Entries after which a block is compiled into a region. */
  readonly regionsAfter: number;
  /** Of the processor's model. */
  readonly features: ReadonlySet<string>;
  readonly interpreterStore: InterpreterStore | undefined;
}

/** Delivers an event of the usual kind, or refuses (0); see DELIVER_SIGNATURE. */
export type Deliver = (
  vector: number,
  errorCode: number,
  options: number,
  returnLow: number,
  returnHigh: number,
) => number;

type Run = (uop: number) => void;

/** The engine's WebAssembly. */
export interface GeneratedCode {
  /** Runs micro-ops from `uop` until one leaves; EXIT_REASON says why. 0: from RIP. */
  readonly run: Run;
  readonly deliver: Deliver;
  readonly regions: RegionTier;
}

/** Generates the interpreter and ties it and the region compiler to what they call. */
export function instantiateGeneratedCode(ports: GeneratedCodePorts): GeneratedCode {
  const { placement, state, handlers, codeCache, processors, calls, faults, call } = ports;
  const path = (): MemoryPath => processors.current.caches.memoryPath;
  const limits = memoryLimits(placement.memory.buffer);
  const traits = { features: ports.features, hotEntries: ports.regionsAfter, sharedMemory: limits.shared };
  const bytes = storedOrGenerated(ports.interpreterStore, traits, () =>
    generateInterpreter(handlers, limits, ports.regionsAfter),
  );
  const module = new WebAssembly.Module(bytes);
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: handlers.count });
  const checkLimit = call.noting((segment: number, low: number, high: number, access: number) =>
    faults.checkLimit(segment, low, high, access),
  );
  const common = {
    memory: placement.memory,
    slowCommit: call.noting((_low: number, _high: number, bytes: number) => {
      path().commit(bytes);
      return 0;
    }),
    ...bindHelpers(state),
  };
  const regions = new RegionTier({
    planner: new RegionPlanner(state.view, handlers, codeCache, ports.regionsAfter),
    compiler: new RegionCompiler(state.view, handlers, limits),
    codeCache,
    handlers,
    table,
    imports: { ...common, ...regionRuntime(path, ports, table), checkLimit },
    regionsAfter: ports.regionsAfter,
    forgetEntries: (uop) => state.view.setUint16(entryCountOf(uop), 0, true),
  });
  const imports = {
    ...common,
    table,
    slowRead: call.noting((low: number, high: number, bytes: number) => path().read(low, high, bytes)),
    slowWrite: call.noting((low: number, high: number, bytes: number) => path().write(low, high, bytes, false)),
    slowModify: call.noting((low: number, high: number, bytes: number) => path().write(low, high, bytes, true)),
    quietRead: (_uop: number, low: number, high: number, bytes: number) => path().readQuietly(low, high, bytes),
    quietWrite: (_uop: number, low: number, high: number, bytes: number) => path().writeQuietly(low, high, bytes),
    checkLimit,
    system: (uop: number) => calls.system(uop),
    link: (uop: number, which: number) => calls.link(uop, which),
    lookup: () => calls.lookupJump(),
    hot: (uop: number) => {
      regions.enqueue(uop, state.u64(RIP_PAGE), state.u64(MODE_KEY));
      return 0;
    },
  };
  const instance = new WebAssembly.Instance(module, { env: imports });
  const { run, runFlat, deliver } = instance.exports as Record<'run' | 'runFlat', Run> & { deliver: Deliver };
  const isFlat = (): boolean => (state.u32(MODE) & MODE_BITS.CODE_SIZE) === CODE_SIZE.FLAT_32;
  return { run: (uop) => (isFlat() ? runFlat : run)(uop), deliver, regions };
}

/**
 * Regions leave devices, code and page crossings to the interpreter: it goes on from that very instruction, the block's count being taken already.
 * Where a region stands in the instruction's own place it would only come back: then a copy of it runs.
 */
function regionRuntime(path: () => MemoryPath, ports: GeneratedCodePorts, table: WebAssembly.Table) {
  const { placement, handlers, codeCache, state, call } = ports;
  const leaveTo = (uop: number, hasFaulted: boolean): void => {
    const block = codeCache.blockAt(uop);
    const isEntry = block !== undefined && codeCache.isCompiled(block);
    state.setU32(LEAVE_TO, hasFaulted ? NEXT.LEAVE : isEntry ? codeCache.detour(block) : uop);
  };
  const plain = (access: (low: number, high: number, bytes: number) => number) =>
    call.noting((low: number, high: number, bytes: number) => {
      const { withdrawals } = codeCache;
      const host = access(low, high, bytes);
      // A page walk that set accessed bits in bytes that are code as well may have withdrawn the region itself.
      if (host > 0 && codeCache.withdrawals === withdrawals) return host;
      leaveTo(call.uop, host === 0);
      return 0;
    });
  const retreat = call.noting(() => {
    leaveTo(call.uop, false);
    return 0;
  });
  const env = {
    memory: placement.memory,
    table,
    speculativeRead: retreat,
    slowRead: plain((low, high, bytes) => path().readPlain(low, high, bytes)),
    slowWrite: plain((low, high, bytes) => path().writePlain(low, high, bytes, false)),
    slowModify: plain((low, high, bytes) => path().writePlain(low, high, bytes, true)),
  };
  const module = new WebAssembly.Module(runtimeModule(memoryLimits(placement.memory.buffer), handlers.count));
  return new WebAssembly.Instance(module, { env }).exports;
}
