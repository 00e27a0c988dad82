import type { CpuBus } from '../bus.ts';
import { CpuState } from '../cpu-state.ts';
import { FIRST_TRANSLATION_AREA, TRANSLATION_AREA_BYTES } from '../interpreter/layout.ts';
import { PageWalker } from '../mmu/page-walk.ts';
import { initializeState, resetState, startUpState } from '../reset.ts';
import { FLAGS_SYSTEM, HALTED, RFLAGS, STATE_BASE, STATE_END, TRANSLATION_AREA } from '../state.ts';
import { isNmiBlocked, storedRegister } from '../stored-registers.ts';
import { CachedJumps } from '../translation/cached-jumps.ts';
import type { CodeCache } from '../translation/code-cache.ts';
import { CodeLookup } from '../translation/code-lookup.ts';
import { MemoryPath } from '../translation/memory-path.ts';
import type { PhysicalMap } from '../translation/physical-map.ts';
import { Breakpoints } from './breakpoints.ts';
import type { CurrentCall } from './current-call.ts';
import type { FaultRecorder } from './fault-recorder.ts';
import { PendingEvents } from './pending-events.ts';
import { Translations } from './translations.ts';

const ENTROPY = storedRegister('ENTROPY');

/** What the processors of an engine share. */
export interface SharedParts {
  /** The registers of the processor that runs. */
  readonly state: CpuState;
  readonly bus: CpuBus;
  readonly codeCache: CodeCache;
  readonly physicalMap: PhysicalMap;
  readonly faults: FaultRecorder;
  readonly call: CurrentCall;
  /** Byte offset in the engine's memory of the second processor's translation area; the others follow. */
  readonly translationAreas: number;
  /** Bytes of RAM changed. */
  readonly onWrite: (gpa: number, byteLength: number) => void;
  /** Ends the slice after the current instruction. */
  readonly leaveSoon: () => void;
}

/** What one processor caches of its page tables. */
export interface AddressCaches {
  readonly walker: PageWalker;
  readonly memoryPath: MemoryPath;
  readonly lookup: CodeLookup;
  readonly jumps: CachedJumps;
  readonly translations: Translations;
  readonly breakpoints: Breakpoints;
}

/**
 * One logical processor: its events, its cached translations, and its registers while another one runs. Generated code knows a single state
 * block, so that running a processor means copying its registers in.
 */
export class LogicalProcessor {
  readonly index: number;
  readonly events = new PendingEvents();
  /** Registers while another processor runs; offsets are those of the state block. */
  readonly #parked = new CpuState(new ArrayBuffer(STATE_END));
  readonly #shared: SharedParts;
  readonly #area: number;
  #isRunning = false;
  #caches: AddressCaches | undefined;
  /** The registers were written as a whole: what derives from them is void. */
  #isReplaced = true;

  constructor(index: number, shared: SharedParts) {
    this.index = index;
    this.#shared = shared;
    this.#area = index === 0 ? FIRST_TRANSLATION_AREA : shared.translationAreas + (index - 1) * TRANSLATION_AREA_BYTES;
    this.reset();
  }

  /** Where its registers are now. */
  get state(): CpuState {
    return this.#isRunning ? this.#shared.state : this.#parked;
  }

  /** Made at the first use: a processor that never starts costs nothing. */
  get caches(): AddressCaches {
    this.#caches ??= this.#makeCaches();
    return this.#caches;
  }

  /** Its caches, if it ever ran. */
  get usedCaches(): AddressCaches | undefined {
    return this.#caches;
  }

  #makeCaches(): AddressCaches {
    const { state, bus, codeCache, faults, call, onWrite, physicalMap, leaveSoon } = this.#shared;
    const breakpoints = new Breakpoints(state);
    const recordFault = (vector: number, errorCode: number): void => faults.record(vector, errorCode);
    const walker = new PageWalker(state, bus, onWrite, (gpa, hostPage) => physicalMap.note(gpa, hostPage, false));
    const memoryPath = new MemoryPath(
      {
        state,
        bus,
        walker,
        physicalMap,
        breakpoints,
        breakpointHit: leaveSoon,
        isCodePage: (page) => codeCache.isCodePage(page),
        onWrite,
        recordFault,
        nonCanonical: () => faults.recordNonCanonical(),
      },
      state.view.buffer,
      this.#area,
    );
    const jumps = new CachedJumps(state.view.buffer, this.#area);
    const ports = { state, bus, walker, codeCache, jumps, breakpoints, recordFault };
    const lookup = new CodeLookup(ports, state.view.buffer, this.#area);
    const translations = new Translations(state, { walker, memoryPath, lookup, jumps }, call);
    return { walker, memoryPath, lookup, jumps, translations, breakpoints };
  }

  /** Power-on. */
  reset(): void {
    const { state } = this;
    state.setU32(TRANSLATION_AREA, this.#area);
    resetState(state);
    // Random numbers of its own.
    state.setU64(ENTROPY, BigInt(this.index) << 56n);
    this.events.reset(this.index === 0);
    this.replaced();
  }

  /** DR0–DR3 or DR7 were written: what they watch leaves the caches. */
  breakpointsChanged(): void {
    const { breakpoints, translations } = this.caches;
    if (!breakpoints.derive()) return;
    translations.flush();
    this.#shared.leaveSoon();
  }

  /** Its registers were written from outside: derives the rest anew, now or when it runs next. */
  replaced(): void {
    this.#isReplaced = true;
    if (this.#isRunning) this.#deriveAnew();
  }

  /** Registers leave the state block. */
  park(): void {
    this.#parked.bytes.set(this.#shared.state.bytes.subarray(STATE_BASE, STATE_END), STATE_BASE);
    this.#isRunning = false;
  }

  /** Registers enter the state block. */
  resume(): void {
    this.#shared.state.bytes.set(this.#parked.bytes.subarray(STATE_BASE, STATE_END), STATE_BASE);
    this.#isRunning = true;
    if (this.#isReplaced) this.#deriveAnew();
  }

  #deriveAnew(): void {
    this.#isReplaced = false;
    const { translations, breakpoints } = this.caches;
    breakpoints.derive();
    translations.flush();
    translations.modesChanged();
  }

  /** It has an instruction to run or an event to take. */
  get isRunnable(): boolean {
    const { events, state } = this;
    if (events.shutdown || events.init) return true;
    if (events.waitsForStartUp) return events.startUp >= 0;
    if (state.u32(HALTED) === 0 || (events.nmi && !isNmiBlocked(state))) return true;
    return (state.u32(FLAGS_SYSTEM) & RFLAGS.IF) !== 0 && this.#shared.bus.interruptPending(this.index);
  }

  /** Once it halts an interrupt wakes it. A processor that waits for its start depends on the others. */
  get takesInterrupts(): boolean {
    return !this.events.waitsForStartUp && (this.state.u32(FLAGS_SYSTEM) & RFLAGS.IF) !== 0;
  }

  /** Between instructions: carries out INIT and start-up (SDM vol. 3 §8.4, table 9-1). False when it has no instruction to run. */
  takeStartUp(): boolean {
    const { events, state } = this;
    if (events.init) {
      events.reset(this.index === 0);
      initializeState(state);
      this.replaced();
    }
    if (!events.waitsForStartUp) return true;
    if (events.startUp < 0) return false;
    startUpState(state, events.startUp);
    events.startUp = -1;
    events.waitsForStartUp = false;
    this.replaced();
    return true;
  }
}
